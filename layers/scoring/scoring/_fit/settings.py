"""The settings of a fit: what each estimator takes, and what it refuses."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from scoring._fit.link_choice import AttentionModel
from scoring._fit.observations import Observations, Repeats, Ties
from scoring._fit.spread_estimate import SpreadPrior
from scoring.errors import InvalidSettingError

WITH_PRIOR = ("map", "variational")
"""Estimators that take ``prior_sd``."""

_BINARY_ONLY = ("firth", "epsilon", "choix")
WITHOUT_ORDER = ("epsilon", "choix")
"""Estimators that know no order effect."""

_ASSUMED_SD = 2.0

type Estimator = Literal["map", "variational", "mle", "firth", "epsilon", "choix"]
"""How to estimate; see `fit`."""
type Judges = Literal["pooled", "discrimination"]


def choose_ties(estimator: Estimator, ties: Ties) -> Ties:
    """Score-based estimators know ties only as half a win each."""
    if estimator not in _BINARY_ONLY or ties == "half":
        return ties
    if ties == "auto":
        return "half"
    raise InvalidSettingError("ties", f"estimator={estimator!r} counts a tie as half a win each")


def choose_repeats(estimator: Estimator, repeats: Repeats | Literal["auto"]) -> Repeats:
    """Results made with sirt or choix counted every comparison; everything else shares repeats."""
    if repeats != "auto":
        return repeats
    return "independent" if estimator in WITHOUT_ORDER else "shared"


def check_degrees(observations: Observations, estimator: Estimator) -> None:
    """Refuse degrees that the estimator does not know, or cannot place."""
    if estimator in _BINARY_ONLY and observations.degrees > 1:
        raise InvalidSettingError(
            "degrees", f"estimator={estimator!r} knows wins only; give the sign of the outcomes"
        )
    if estimator == "mle":
        used = np.bincount(observations.category, minlength=observations.degrees + 1)[1:]
        if not used.all():
            missing = int((used == 0).argmax()) + 1
            raise InvalidSettingError(
                "degrees",
                f"degree {missing} was never given, so its cut point has no maximum-likelihood "
                "estimate; use estimator='map'",
            )


def check_lists(observations: Observations, estimator: Estimator) -> None:
    """Refuse lists where the estimator knows pairs only."""
    if observations.judgings is not None and estimator not in WITH_PRIOR:
        raise InvalidSettingError(
            "estimator", f"{estimator!r} knows pairs only; use 'variational' or 'map' for lists"
        )


def choose_prior(prior_sd: float | SpreadPrior | None, estimator: str) -> float | SpreadPrior:
    """Return the prior that is named, or the estimator's own."""
    if prior_sd is not None:
        return prior_sd
    return SpreadPrior() if estimator == "variational" else _ASSUMED_SD


def check_settings(
    prior_sd: float | SpreadPrior, lapse: float, judges: str, estimator: str, alpha: float
) -> None:
    """Refuse settings out of range, or that do not go together."""
    _check_choice("estimator", estimator, get_args(Estimator.__value__))
    _check_choice("judges", judges, get_args(Judges.__value__))
    _check_prior(prior_sd, estimator)
    if not 0.0 <= lapse < 1.0:
        raise InvalidSettingError("lapse", f"must be in [0, 1), got {lapse}")
    if not (np.isfinite(alpha) and alpha > 0):
        raise InvalidSettingError("alpha", f"must be positive and finite, got {alpha}")
    if lapse > 0.0 and estimator in _BINARY_ONLY:
        raise InvalidSettingError("lapse", f"estimator={estimator!r} knows no lapses")
    if judges == "discrimination" and estimator not in WITH_PRIOR:
        raise InvalidSettingError("judges", "discrimination needs the priors of estimator='map'")


def _check_choice(setting: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidSettingError(setting, f"expected one of {', '.join(known)}, got {value!r}")


def _check_prior(prior_sd: float | SpreadPrior, estimator: str) -> None:
    if isinstance(prior_sd, SpreadPrior):
        if estimator != "variational":
            raise InvalidSettingError(
                "prior_sd", "a prior of the spread is integrated over by 'variational' only"
            )
    elif not (np.isfinite(prior_sd) and prior_sd > 0):
        raise InvalidSettingError("prior_sd", f"must be positive and finite, got {prior_sd}")


def check_attention(attention: str, lapse: float, estimator: str) -> None:
    """Refuse models of attention that the estimator does not know."""
    _check_choice("attention", attention, get_args(AttentionModel.__value__))
    if attention != "full" and (lapse > 0.0 or estimator not in WITH_PRIOR):
        raise InvalidSettingError(
            "attention", "is estimated by 'variational' and 'map' only, with lapse=0"
        )
