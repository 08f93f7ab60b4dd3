"""The parameters of a fit: where each stands in their vector, and their priors.

In this order: abilities theta (n), order effects b (J or none), shape of the link (K cut-point gaps
or log nu), and coordinates u of the judges' log discriminations, log a = Z u.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._fit.links import Link
    from scoring._fit.observations import Observations
    from scoring._fit.priors import Priors
    from scoring._types import Floats


class Parameters:
    """Parameters of the fit of one set of observations, with their priors.

    Parameters
    ----------
    observations : Observations
        The data.
    link : Link
        Observation model of one verdict.
    priors : Priors
        Prior densities.
    order_effect : bool
        Whether each judge has an order effect.
    discrimination : (J, r) array or None
        The matrix Z that turns coordinates into log discriminations; None when all are 0.
    """

    def __init__(
        self,
        observations: Observations,
        link: Link,
        priors: Priors,
        *,
        order_effect: bool,
        discrimination: Floats | None = None,
    ) -> None:
        self.data = observations
        self.link = link
        self.priors = priors
        self.n = observations.n
        self.order = observations.order_effects() if order_effect else None
        self.n_order = 0 if self.order is None else self.order.size
        self.n_pair_order = 0 if self.order is None else self.order.n_pairs
        self.basis = discrimination
        self.n_log = 0 if discrimination is None else discrimination.shape[1]
        judgings = observations.judgings
        compares = judgings is not None and discrimination is not None
        self.n_ratios = int(judgings.is_compared.sum()) if judgings and compares else 0
        self.shape_at = slice(self.n + self.n_order, self.n + self.n_order + link.n_shape)
        self.gaps_at = slice(self.shape_at.start, self.shape_at.start + link.n_gaps)
        n_lone_lapses = getattr(link, "n_lone_lapses", 0)
        self.lone_lapses_at = slice(self.shape_at.stop - n_lone_lapses, self.shape_at.stop)
        self.size = self.shape_at.stop + self.n_log
        self._common_order = self._common_order_precision()
        self.normal_precision = self._prior_precision()
        self._corner = self._prior_corner()

    def set_ability_precision(self, precision: float) -> None:
        """Give the abilities another prior sd; on a copy, the original keeps its own."""
        self.priors = replace(self.priors, ability=precision)
        self.normal_precision = self._prior_precision()

    def set_judge_precisions(
        self, order_deviation: float, log_discrimination: float, place: float | None = None
    ) -> None:
        """Let judges differ by other amounts; on a copy, the original keeps its own."""
        self.priors = replace(
            self.priors,
            order_deviation=order_deviation,
            log_discrimination=log_discrimination,
            place=self.priors.place if place is None else place,
        )
        self._common_order = self._common_order_precision()
        self.normal_precision = self._prior_precision()
        self._corner = self._prior_corner()

    @property
    def log_sd(self) -> float:
        """Log of the abilities' prior standard deviation."""
        return -0.5 * float(np.log(self.priors.ability))

    @property
    def log_prior_volume(self) -> float:
        """Half the log determinant of the abilities' prior precision."""
        return 0.5 * self.n * float(np.log(self.priors.ability))

    def start(self, ability: Floats) -> Floats:
        """Return a feasible parameter vector with the given abilities, (N,)."""
        x = np.zeros(self.size)
        x[: self.n] = ability
        x[self.gaps_at] = 1.0
        return x

    def log_discrimination(self, x: Floats) -> Floats:
        """Return log a of every judge, (J,)."""
        if self.basis is None:
            return np.zeros(self.data.n_judges)
        result: Floats = self.basis @ x[self.shape_at.stop :]
        return result

    def prior_trace(self, lower: Floats) -> float:
        """Trace of the Normal priors' precision times a covariance, given by its lower triangle."""
        trace = float(self.normal_precision @ lower.diagonal())
        if self._common_order == 0.0:
            return trace
        order = slice(self.n, self.n + self.n_pair_order)
        own = lower[order, order]
        everything = 2.0 * float(np.tril(own).sum()) - float(own.diagonal().sum())
        return trace - self._common_order * everything

    def _common_order_precision(self) -> float:
        """What the common order effect takes off every entry of the order effects' precision.

        Effects N(b, s^2) around a common b ~ N(0, v) have the covariance s^2 I + v 1 1', whose
        inverse is I / s^2 less a multiple of 1 1'.
        """
        p = self.priors
        if self.n_pair_order <= 1 or p.order_effect == 0.0:
            return 0.0
        return p.order_deviation**2 / (p.order_effect + self.n_pair_order * p.order_deviation)

    def _prior_corner(self) -> Floats:
        """Precision of the priors of all parameters but abilities and gaps, (q, q)."""
        corner = np.diag(self.normal_precision[self.n :])
        corner[: self.n_pair_order, : self.n_pair_order] -= self._common_order
        return corner

    def _prior_precision(self) -> Floats:
        """Return the prior precision of every parameter but the gaps, (N,)."""
        p = self.priors
        precision = np.zeros(self.size)
        precision[: self.n] = p.ability
        own_order = p.order_effect if self.n_pair_order == 1 else p.order_deviation
        precision[self.n : self.n + self.n_order] = p.place
        precision[self.n : self.n + self.n_pair_order] = own_order
        mixing = getattr(self.link, "mixing_precision", None)
        if mixing is not None:
            precision[self.shape_at.stop - len(mixing) : self.shape_at.stop] = mixing
        elif not self.link.gaps:
            precision[self.shape_at] = p.log_nu
        precision[self.shape_at.stop :] = p.log_discrimination
        if self.n_ratios:
            precision[-self.n_ratios :] = p.log_ratio
        if self.n_order and p.order_effect == 0.0:
            # A judge without verdicts says nothing: hold that order effect at zero.
            judge = self.data.judge
            seen = np.ones(1) if judge is None else np.bincount(judge, minlength=self.n_order)
            precision[self.n : self.n + self.n_order][seen == 0] = 1.0
        return precision
