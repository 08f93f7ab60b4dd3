"""The penalised log likelihood of all parameters together, with its gradient and Hessian.

Parameters, in this order: abilities theta (n), order effects b (J or none), shape of the link
(K cut-point gaps or log nu), and coordinates u of the judges' log discriminations, log a = Z u.
The judged difference of a comparison is delta = a_j (theta_first - theta_second) + b_j.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.derivatives import Blocks, Point
from scoring._fit.pairs import Pairs

if TYPE_CHECKING:
    from scoring._fit.links import Link, Terms
    from scoring._fit.observations import Observations
    from scoring._fit.priors import Priors
    from scoring._types import Floats


class Model:
    """Penalised log likelihood of one set of observations.

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

    Attributes
    ----------
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
        self.pairs = Pairs(self.n, observations.first, observations.second)
        self.tilt: Floats | None = None
        self.hold_discrimination = False
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

    def prior_trace(self, lower: Floats) -> float:
        """Trace of the Normal priors' precision times a covariance, given by its lower triangle."""
        trace = float(self.normal_precision @ lower.diagonal())
        if self._common_order == 0.0:
            return trace
        order = slice(self.n, self.n + self.n_pair_order)
        own = lower[order, order]
        everything = 2.0 * float(np.tril(own).sum()) - float(own.diagonal().sum())
        return trace - self._common_order * everything

    def _pair_totals(self, information: Floats) -> Floats:
        """Information about every compared pair, (P,)."""
        return self.pairs.total(information)

    def _common_order_precision(self) -> float:
        """What the common order effect takes off every entry of the order effects' precision.

        Effects N(b, s^2) around a common b ~ N(0, v) have the covariance s^2 I + v 1 1', whose
        inverse is I / s^2 less a multiple of 1 1'.
        """
        p = self.priors
        if self.n_pair_order < 2 or p.order_effect == 0.0:  # noqa: PLR2004
            return 0.0
        return p.order_deviation**2 / (p.order_effect + self.n_pair_order * p.order_deviation)

    def _prior_corner(self) -> Floats:
        """Precision of the priors of all parameters but abilities and gaps, (q, q)."""
        corner = np.diag(self.normal_precision[self.n :])
        corner[: self.n_pair_order, : self.n_pair_order] -= self._common_order
        return corner

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
        cross, corner = self._other_blocks(point, curvature)
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
            weight = np.ones(len(slope)) if d.weight is None else d.weight
            gradient[self.shape_at] = weight @ terms.shape_slope
        if self.basis is not None:
            gradient[self.shape_at.stop :] = self._sum_by_judge(slope * scaled) @ self.basis
        return gradient

    def _sum_by_judge(self, values: Floats) -> Floats:
        """Sum values of observations by judge, (J,)."""
        if self.data.judge is None:
            return values.sum(keepdims=True)
        summed: Floats = np.bincount(self.data.judge, values, self.data.n_judges)
        return summed

    def _essay_by_judge(self, values: Floats) -> Floats:
        """Sum (e_first - e_second) times values by judge, (n, J)."""
        d, n, j = self.data, self.n, self.data.n_judges
        if d.judge is None:
            total = np.bincount(d.first, values, n) - np.bincount(d.second, values, n)
            return total[:, None]
        first = np.bincount(d.first * j + d.judge, values, n * j)
        second = np.bincount(d.second * j + d.judge, values, n * j)
        difference: Floats = (first - second).reshape(n, j)
        return difference

    def _other_blocks(self, point: Point, curvature: Floats) -> tuple[Floats, Floats]:
        q = self.size - self.n
        if q == 0:
            return np.empty((self.n, 0)), np.empty((0, 0))
        cross = np.empty((self.n, q))
        corner = self._corner.copy()
        order = slice(0, self.n_order)
        shape = slice(self.n_order, self.n_order + self.link.n_shape)
        if self.order is not None:
            d = self.data
            scaled = curvature if self.basis is None else curvature * point.scale
            cross[:, order] = self.order.sum_by_essay(d.first, d.second, scaled, self.n)
            corner[order, order] += self.order.products(curvature)
        if self.link.n_shape:
            self._add_shape(point, cross, corner, order, shape)
        if self.basis is not None:
            self._add_discrimination(self.basis, point, curvature, (cross, corner), (order, shape))
        return cross, corner

    def _add_shape(
        self, point: Point, cross: Floats, corner: Floats, order: slice, shape: slice
    ) -> None:
        """Fill the rows and columns of the link's shape parameters.

        Parameters
        ----------
        point : Point
            Where the Hessian is taken.
        cross : (n, q) array
            Block of abilities by other parameters, filled in place.
        corner : (q, q) array
            Block of the other parameters, added to in place.
        order, shape : slice
            Where order effects and shape parameters stand among the other parameters.
        """
        d = self.data
        weight = np.ones(len(d.sign)) if d.weight is None else d.weight
        signed = point.terms.shape_cross * (weight * d.sign)[:, None]
        for k in range(self.link.n_shape):
            column = signed[:, k]
            place = shape.start + k
            scaled = column if self.basis is None else column * point.scale
            first = np.bincount(d.first, scaled, self.n)
            cross[:, place] = first - np.bincount(d.second, scaled, self.n)
            if self.order is not None:
                by_order = self.order.total(column)
                corner[order, place] = by_order
                corner[place, order] = by_order
        values = point.x[self.shape_at]
        corner[shape, shape] += self.link.shape_curvature(point.terms, values, weight)
        p = self.priors
        if self.link.n_gaps and p.gap_rate > 0.0:
            gaps = slice(shape.start, shape.start + self.link.n_gaps)
            corner[gaps, gaps] += np.diag((p.gap_shape - 1.0) / values[: self.link.n_gaps] ** 2)

    def _add_discrimination(
        self,
        basis: Floats,
        point: Point,
        curvature: Floats,
        blocks: tuple[Floats, Floats],
        places: tuple[slice, slice],
    ) -> None:
        """Fill the rows and columns of the judges' discriminations.

        Parameters
        ----------
        basis : (J, r) array
            Turns coordinates into log discriminations.
        point : Point
            Where the Hessian is taken.
        curvature : (m,) array
            -d2l/ddelta2 of each comparison, weighted.
        blocks : ((n, q) array, (q, q) array)
            Abilities by other parameters, and the other parameters; filled in place.
        places : (slice, slice)
            Where order effects and shape parameters stand among the other parameters.
        """
        (cross, corner), (order, shape) = blocks, places
        d, z = self.data, point.scaled_difference
        at = slice(shape.stop, shape.stop + self.n_log)
        cross[:, at] = self._essay_by_judge(point.scale * (curvature * z - point.slope)) @ basis
        own = self._sum_by_judge(curvature * z * z - point.slope * z)
        corner[at, at] += (basis.T * own) @ basis
        if self.order is not None and d.judge is not None:
            by_judge = self.order.sum_by_group(curvature * z, d.judge, d.n_judges)
            corner[order, at] = by_judge @ basis
            corner[at, order] = corner[order, at].T
        weight = np.ones(len(z)) if d.weight is None else d.weight
        for k in range(self.link.n_shape):
            column = point.terms.shape_cross[:, k] * weight * d.sign * z
            corner[shape.start + k, at] = self._sum_by_judge(column) @ basis
            corner[at, shape.start + k] = corner[shape.start + k, at]
