"""The penalised log likelihood of all parameters together, with its gradient and Hessian.

The judged difference of a comparison is delta = a_j (theta_first - theta_second) + b_j; the
parameters are those of `scoring._fit.parameters`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.derivatives import Blocks, Point
from scoring._fit.other_blocks import assemble_other_blocks
from scoring._fit.pairs import Pairs
from scoring._fit.parameters import Parameters

if TYPE_CHECKING:
    from scoring._fit.links import Link, Terms
    from scoring._fit.observations import Observations
    from scoring._fit.priors import Priors
    from scoring._types import Floats


class Model(Parameters):
    """Penalised log likelihood of one set of observations; constructed as its parameters are.

    Attributes
    ----------
    covariance_at : (m,) array of int
        Where the covariance of each comparison's essays stands in a lower triangle of all
        parameters, column after column.
    tilt : (n,) array or None
        Linear term added to the objective, tilt @ theta: moves the expected scores.
    hold_discrimination : bool
        Whether the discriminations stay where they are: no slope, and information of their own.
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
        super().__init__(
            observations, link, priors, order_effect=order_effect, discrimination=discrimination
        )
        first, second = observations.first, observations.second
        self.pairs = Pairs(self.n, first, second)
        self.covariance_at = np.minimum(first, second) * self.size + np.maximum(first, second)
        self.tilt: Floats | None = None
        self.hold_discrimination = False

    def _pair_totals(self, information: Floats) -> Floats:
        """Information about every compared pair, (P,)."""
        return self.pairs.total(information)

    def evaluate(self, x: Floats) -> Point:
        """Return value and gradient of the objective.

        Parameters
        ----------
        x : (N,) array
            All parameters.

        Returns
        -------
        Point
        """
        d = self.data
        difference = x[d.first] - x[d.second]
        scale = self._scale(x)
        scaled = difference if self.basis is None else scale * difference
        delta = scaled
        if self.order is not None:
            delta = scaled + self.order.shift(x[self.n : self.n + self.n_order])
        shape = x[self.shape_at]
        terms = self.link.terms(d.sign * delta, shape)
        slope = d.sign * terms.slope
        if d.weight is not None:
            slope = slope * d.weight
            log_likelihood = float(d.weight @ terms.value)
        else:
            log_likelihood = float(terms.value.sum())
        gradient = self._gradient(slope, scale, scaled, terms)
        penalty = self._penalise(x, x[self.gaps_at], gradient)
        if self.hold_discrimination:
            gradient[self.shape_at.stop :] = 0.0
        return Point(
            x, log_likelihood - penalty, log_likelihood, gradient, scale, scaled, slope, terms
        )

    def blocks(self, point: Point) -> Blocks:
        """Return the negative Hessian at ``point``."""
        d = self.data
        curvature = point.terms.curvature
        if d.weight is not None:
            curvature = curvature * d.weight
        information = curvature if self.basis is None else curvature * point.scale**2
        diagonal = (
            np.bincount(d.first, information, self.n)
            + np.bincount(d.second, information, self.n)
            + self.priors.ability
        )
        cross, corner = assemble_other_blocks(self, point, curvature, self._corner)
        if self.hold_discrimination and self.n_log:
            held = slice(-self.n_log, None)
            cross[:, held] = 0.0
            corner[held, :] = corner[:, held] = 0.0
            corner[held, held] = np.eye(self.n_log)
        return Blocks(diagonal, self._pair_totals(information), cross, corner)

    def longest_step(self, x: Floats, step: Floats) -> float:
        """Return the largest multiple of ``step``, at most 1, that keeps every gap positive."""
        if not self.link.gaps:
            return 1.0
        shape, change = x[self.gaps_at], step[self.gaps_at]
        shrinking = change < 0.0
        if not shrinking.any():
            return 1.0
        return min(1.0, float(0.9 * (shape[shrinking] / -change[shrinking]).min()))

    def _scale(self, x: Floats) -> Floats | float:
        if self.basis is None:
            return 1.0
        scale: Floats = np.exp(self.log_discrimination(x))
        return scale[self.data.judge]

    def _penalise(self, x: Floats, gaps: Floats, gradient: Floats) -> float:
        """Subtract the priors' slope from ``gradient`` in place and return minus their log."""
        pull = self.normal_precision * x
        order = slice(self.n, self.n + self.n_pair_order)
        pull[order] -= self._common_order * x[order].sum()
        gradient -= pull
        penalty = 0.5 * float(pull @ x)
        if self.tilt is not None:
            gradient[: self.n] += self.tilt
            penalty -= float(self.tilt @ x[: self.n])
        p = self.priors
        if self.link.n_gaps and p.gap_rate > 0.0 and (gaps > 0.0).all():
            gradient[self.gaps_at] += (p.gap_shape - 1.0) / gaps - p.gap_rate
            penalty -= float(((p.gap_shape - 1.0) * np.log(gaps) - p.gap_rate * gaps).sum())
        return penalty

    def _gradient(
        self, slope: Floats, scale: Floats | float, scaled: Floats, terms: Terms
    ) -> Floats:
        d = self.data
        gradient = np.empty(self.size)
        push = slope if self.basis is None else slope * scale
        gradient[: self.n] = np.bincount(d.first, push, self.n)
        gradient[: self.n] -= np.bincount(d.second, push, self.n)
        if self.order is not None:
            gradient[self.n : self.n + self.n_order] = self.order.total(slope)
        if self.link.n_shape:
            gradient[self.shape_at] = d.weights() @ terms.shape_slope
        if self.basis is not None:
            gradient[self.shape_at.stop :] = d.sum_by_judge(slope * scaled) @ self.basis
        return gradient
