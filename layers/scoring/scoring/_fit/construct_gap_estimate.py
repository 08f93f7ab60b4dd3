"""What is known of the difference between a model's scale and people's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scoring._types import Floats


@dataclass(frozen=True, eq=False)
class ConstructGap:
    """How a model's scale differs from people's.

    Attributes
    ----------
    judge : int
        The model.
    tau, tau_low, tau_high : float
        Standard deviation of the essay effects on people's scale, logits: posterior median and
        90% interval.
    scale : float
        The model's logits for one of people's, posterior median.
    shift : (n,) array
        How much better the model takes an essay than people do, people's logits; sums to zero.
    shift_se : (n,) array
        Its standard error, logits.
    """

    judge: int
    tau: float
    tau_low: float
    tau_high: float
    scale: float
    shift: Floats
    shift_se: Floats
