"""Several abilities of every essay, one for each scale, with a joint Normal prior.

People's verdicts bear on one ability of an essay, a model's on another. Essay by essay the two are
jointly Normal with a covariance K that all essays share; how far a model's ability can be taken
for people's is what K says. The likelihood is the same as ever: an essay has one place for each
scale, and a verdict compares two places of its judge's scale.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.derivatives import Blocks
from scoring._fit.model import Model
from scoring._fit.pairs import Pairs
from scoring._fit.priors import Priors

if TYPE_CHECKING:
    from scoring._fit.derivatives import Point
    from scoring._fit.links import Link
    from scoring._fit.observations import Observations
    from scoring._types import Bools, Floats, Ints


class CoupledModel(Model):
    """A penalised log likelihood whose essays have one ability on each of several scales.

    Parameters
    ----------
    observations : Observations
        Verdicts on essays.
    link : Link
        Observation model of one verdict.
    scale : (m,) array of int
        On which scale each verdict was given, 0 .. n_scales - 1.
    n_scales : int
        Number of scales G.
    order_effect : bool
        Whether each judge has an order effect.
    is_model : (J,) array of bool
        Which judges are models. Order effects of people lie around a common one; that of a model
        says nothing of theirs.

    Attributes
    ----------
    n_essays : int
        Number of essays; `n` counts places, one for each essay and scale, scale by scale.
    """

    def __init__(
        self,
        observations: Observations,
        link: Link,
        scale: Ints,
        n_scales: int,
        *,
        order_effect: bool,
        is_model: Bools,
    ) -> None:
        self._by_people = np.flatnonzero(~is_model)
        self.n_essays = observations.n
        self.n_scales = n_scales
        self._precision = np.eye(n_scales)
        shift = scale * observations.n
        placed = replace(
            observations,
            n=observations.n * n_scales,
            first=observations.first + shift,
            second=observations.second + shift,
        )
        super().__init__(placed, link, Priors(0.0), order_effect=order_effect)
        one, other = np.triu_indices(n_scales, k=1)
        essays = np.arange(self.n_essays)
        self._scales = (one, other)
        self._low = (one[:, None] * self.n_essays + essays).ravel()
        self._high = (other[:, None] * self.n_essays + essays).ravel()
        self.pairs = Pairs(
            self.n,
            np.concatenate([placed.first, self._low]),
            np.concatenate([placed.second, self._high]),
        )

    def set_covariance(self, covariance: Floats) -> None:
        """Give the abilities of an essay another prior covariance, (G, G), logits^2."""
        self._precision = np.linalg.inv(covariance)
        self.normal_precision = self._prior_precision()

    @property
    def log_prior_volume(self) -> float:
        """Half the log determinant of the abilities' prior precision."""
        return 0.5 * self.n_essays * float(np.linalg.slogdet(self._precision)[1])

    def second_moments(self, x: Floats, lower: Floats) -> Floats:
        """Mean over essays of the expected products of their abilities, (G, G), logits^2."""
        mean = x[: self.n].reshape(self.n_scales, self.n_essays)
        moments = mean @ mean.T / self.n_essays
        own = lower.diagonal()[: self.n].reshape(self.n_scales, self.n_essays).mean(axis=1)
        moments[range(self.n_scales), range(self.n_scales)] += own
        shared = self._covariances_of_scales(lower).mean(axis=1)
        one, other = self._scales
        moments[one, other] += shared
        moments[other, one] += shared
        return moments

    def prior_trace(self, lower: Floats) -> float:
        """Trace of the Normal priors' precision times a covariance, given by its lower triangle."""
        coupled = float(self._coupling @ self._covariances_of_scales(lower).sum(axis=1))
        trace = super().prior_trace(lower) + 2.0 * coupled
        if self.n_order:
            at = self.n + self._by_people
            own = np.tril(lower[np.ix_(at, at)])
            trace -= self._people_order * float(2.0 * own.sum() - own.diagonal().sum())
        return trace

    def blocks(self, point: Point) -> Blocks:
        """Return the negative Hessian at ``point``."""
        blocks = super().blocks(point)
        blocks.diagonal += self.normal_precision[: self.n]
        return blocks

    @property
    def _coupling(self) -> Floats:
        """Prior precision between every two scales, (G (G - 1) / 2,)."""
        coupling: Floats = self._precision[self._scales]
        return coupling

    def _covariances_of_scales(self, lower: Floats) -> Floats:
        """Covariance of every essay's abilities on every two scales, (pairs of scales, n)."""
        shared: Floats = lower[self._high, self._low]
        return shared.reshape(-1, self.n_essays)

    def _pair_totals(self, information: Floats) -> Floats:
        repeated = np.repeat(-self._coupling, self.n_essays)
        return self.pairs.total(np.concatenate([information, repeated]))

    @property
    def _people_order(self) -> float:
        """What people's common order effect takes off every entry of their precision."""
        own, common = self.priors.order_deviation, self.priors.order_effect
        return own**2 / (common + len(self._by_people) * own)

    def _common_order_precision(self) -> float:
        return 0.0

    def _prior_precision(self) -> Floats:
        precision = super()._prior_precision()
        precision[: self.n] = np.repeat(self._precision.diagonal(), self.n_essays)
        order = precision[self.n : self.n + self.n_pair_order]
        order[:] = self.priors.order_effect
        order[self._by_people[: len(order)]] = self.priors.order_deviation
        return precision

    def _prior_corner(self) -> Floats:
        corner = super()._prior_corner()
        if self.n_order:
            corner[np.ix_(self._by_people, self._by_people)] -= self._people_order
        return corner

    def _penalise(self, x: Floats, gaps: Floats, gradient: Floats) -> float:
        penalty = super()._penalise(x, gaps, gradient)
        coupling = np.repeat(self._coupling, self.n_essays)
        low, high = x[self._low], x[self._high]
        np.subtract.at(gradient, self._low, coupling * high)
        np.subtract.at(gradient, self._high, coupling * low)
        if self.n_order:
            at = self.n + self._by_people
            total = float(x[at].sum())
            gradient[at] += self._people_order * total
            penalty -= 0.5 * self._people_order * total**2
        return penalty + float(coupling @ (low * high))
