"""How closely the parameters are held before anything is judged."""

from __future__ import annotations

from dataclasses import dataclass

from scoring._fit.judgings import RATIO_SD


@dataclass(frozen=True, slots=True)
class Priors:
    """Precisions of the Normal priors and the Gamma prior of the cut-point gaps.

    Attributes
    ----------
    ability : float
        1 / prior_sd^2, or 0 without a prior.
    order_effect : float
        1 / sd^2 of the order effect that all judges have in common, or 0.
    order_deviation : float
        1 / sd^2 of a judge's own order effect around the common one, or 0.
    log_discrimination : float
        1 / sd^2 of each log discrimination.
    gap_shape, gap_rate : float
        Gamma density of each gap, mode (shape - 1) / rate logits; shape 1 and rate 0 is none.
    log_nu : float
        1 / sd^2 of Davidson's log nu, or 0.
    place : float
        1 / sd^2 of the effect of each place of a list.
    log_ratio : float
        1 / sd^2 of the log of a judge's sharpness in lists over that in pairs.
    """

    ability: float
    order_effect: float = 1.0
    order_deviation: float = 0.3**-2
    log_discrimination: float = 4.0
    gap_shape: float = 2.0
    gap_rate: float = 1.0
    log_nu: float = 1.0
    place: float = 0.3**-2
    log_ratio: float = RATIO_SD**-2


NO_PRIORS = Priors(
    0.0, order_effect=0.0, order_deviation=0.0, gap_shape=1.0, gap_rate=0.0, log_nu=0.0
)
