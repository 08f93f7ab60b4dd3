"""Probabilities of all outcomes under a fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Floats, Ints


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The observation model of a fit, its parameters plugged in.

    Attributes
    ----------
    cut_points : (D,) array
        C_1 .. C_D, logits; C_1 is 0 unless ties are an interval.
    ties : bool
        Whether a tie is an outcome.
    log_nu : float or None
        Davidson's log nu; None under the interval model.
    lapse : float
        Probability of a random answer.
    """

    cut_points: Floats
    ties: bool
    log_nu: float | None
    lapse: float

    @property
    def values(self) -> Ints:
        """All outcomes in ascending order, (R,)."""
        top = len(self.cut_points)
        every = np.arange(-top, top + 1)
        outcomes: Ints = every if self.ties else every[every != 0]
        return outcomes

    def probabilities(self, delta: Floats) -> Floats:
        """Return the probability of every outcome given the judged difference, (m, R)."""
        nu = self.log_nu
        attentive = self._intervals(delta) if nu is None else _davidson(delta, nu)
        mixed: Floats = self.lapse / attentive.shape[1] + (1.0 - self.lapse) * attentive
        return mixed

    def moments(self, delta: Floats) -> tuple[Floats, Floats, Floats]:
        """Return mean, variance and fourth central moment of the outcome, each (m,)."""
        p = self.probabilities(delta)
        values = self.values.astype(np.float64)
        mean: Floats = p @ values
        deviation = values[None, :] - mean[:, None]
        variance: Floats = (p * deviation**2).sum(axis=1)
        fourth: Floats = (p * deviation**4).sum(axis=1)
        return mean, variance, fourth

    def preference(self, mean: Floats, variance: Floats) -> Floats:
        """Return P(first preferred | not a tie) for judged differences N(mean, variance)."""
        shrink = 1.0 / np.sqrt(1.0 + np.pi / 8.0 * variance)
        half_width = 0.0 if self.log_nu is not None else self.cut_points[0]
        guessed = self.lapse * len(self.cut_points) / len(self.values)
        up = guessed + (1.0 - self.lapse) * logistic((mean - half_width) * shrink)
        down = guessed + (1.0 - self.lapse) * logistic((-mean - half_width) * shrink)
        preferred: Floats = up / (up + down)
        return preferred

    def _intervals(self, delta: Floats) -> Floats:
        cuts = np.concatenate([-self.cut_points[::-1], self.cut_points])
        if not self.ties:
            cuts = np.delete(cuts, len(self.cut_points))
        below = logistic(cuts[None, :] - delta[:, None])
        ends = np.zeros((len(delta), 1)), np.ones((len(delta), 1))
        return np.diff(np.hstack([ends[0], below, ends[1]]), axis=1)


def _davidson(delta: Floats, log_nu: float) -> Floats:
    weight = np.column_stack([-0.5 * delta, np.full_like(delta, log_nu), 0.5 * delta])
    weight = np.exp(weight - weight.max(axis=1, keepdims=True))
    share: Floats = weight / weight.sum(axis=1, keepdims=True)
    return share


def logistic(x: Floats) -> Floats:
    """Return the logistic distribution function without overflow.

    Parameters
    ----------
    x : array
        Logits, of any shape.

    Returns
    -------
    array
        Probabilities, of the same shape.
    """
    result: Floats = 1.0 / (1.0 + np.exp(-np.clip(x, -500.0, 500.0)))
    return result
