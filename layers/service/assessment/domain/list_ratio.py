"""How sharp a judge is in lists beside pairs: from where on it is too blunt, and what is expected.

The logarithm of the ratio is taken to be Normal.
"""

from __future__ import annotations

from math import erfc, log, sqrt
from typing import NamedTuple

BLUNT_BELOW = 0.75
"""Sharpness in lists, as a share of that in pairs, below which lists of five win nothing."""

BLUNT_PROBABILITY = 0.9
"""How sure it must be that a judge is blunter than that before it is asked for pairs only."""

SHARP_PROBABILITY = 0.9
"""How sure it must be that a judge is sharp enough for fewer pairs to do."""

_LEAST_ERROR = 0.15
_ROUNDING = 1e-9


class ExpectedRatio(NamedTuple):
    """What an earlier measurement says of a judge: its ratio, and the error of the logarithm."""

    ratio: float
    error: float

    @classmethod
    def from_measurement(cls, ratio: float, error: float) -> ExpectedRatio:
        """With an error of .15 at least: other texts and another assignment were measured."""
        return cls(ratio, max(error, _LEAST_ERROR))

    @property
    def probability_blunt(self) -> float:
        """How likely it is that the judge is too blunt for lists."""
        deviate = (log(BLUNT_BELOW) - log(self.ratio)) / self.error
        return 0.5 * erfc(-deviate / sqrt(2.0))


def is_blunt(probability: float) -> bool:
    """Whether a judge that is too blunt with this probability is asked for pairs only."""
    return probability >= BLUNT_PROBABILITY


def is_sharp(probability: float) -> bool:
    """Whether fewer pairs do beside the lists of a judge that is too blunt with it."""
    return probability <= 1.0 - SHARP_PROBABILITY + _ROUNDING
