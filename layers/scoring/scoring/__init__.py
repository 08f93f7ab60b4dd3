"""Comparative judgement statistics: abilities, honest uncertainty, pairing and grades."""

from scoring.bradley_terry import Fit, SpreadPrior, fit
from scoring.comparisons import Comparisons
from scoring.errors import ScoringError

__all__ = ["Comparisons", "Fit", "ScoringError", "SpreadPrior", "fit"]
