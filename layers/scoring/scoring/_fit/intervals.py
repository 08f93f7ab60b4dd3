"""Verdicts in degrees as intervals of a latent margin, each judge with cut points of its own."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.bounds import Bound
from scoring._fit.linear import place_diagonally
from scoring._fit.links import Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring._types import Floats, Ints

_CLIP = 500.0
LEAST_GAP = 1e-10


@dataclass(slots=True)
class IntervalTerms:
    """Log probability that a logistic variable falls into (lower, upper], and its parts.

    With f the logistic density, dl/dupper = tail_above + kappa, dl/dlower = -(tail_below +
    kappa), -d2l/dupper2 = f(upper) + kappa (1 + kappa), -d2l/dlower2 = f(lower) + kappa (1 +
    kappa) and -d2l/(dlower dupper) = -kappa (1 + kappa).

    Attributes
    ----------
    value : (m,) array
        log(F(upper) - F(lower)).
    tail_above, tail_below : (m,) arrays
        1 - F(upper) and F(lower).
    kappa : (m,) array
        1 / (exp(upper - lower) - 1).
    """

    value: Floats
    tail_above: Floats
    tail_below: Floats
    kappa: Floats


def interval(lower: Floats, upper: Floats) -> IntervalTerms:
    """Evaluate logistic intervals; bounds may be infinite, lower < upper.

    F(u) - F(l) = F(u) F(-l) (1 - exp(l - u)), a product that never cancels.

    Parameters
    ----------
    lower, upper : (m,) array
        Bounds of each interval less the difference, logits.

    Returns
    -------
    IntervalTerms
    """
    above = np.exp(np.clip(-upper, -_CLIP, _CLIP))
    below = np.exp(np.clip(lower, -_CLIP, _CLIP))
    gap = np.minimum(upper - lower, _CLIP)
    value = np.log1p(-np.exp(-gap)) - np.log1p(above) - np.log1p(below)
    return IntervalTerms(value, above / (1.0 + above), below / (1.0 + below), 1.0 / np.expm1(gap))


class Interval:
    """Ordinal verdicts as intervals of a logistic latent margin, cut points symmetric about 0.

    The margin is delta + logistic noise. A verdict of degree k says that it fell between the cut
    points C_k and C_{k+1}, a tie that it fell between -C_1 and C_1 (Agresti 1992, cumulative
    link model with symmetric thresholds). Parameters are the positive gaps between cut points.
    The log of an interval's probability is concave in (delta, cut points) (Pratt 1981).

    Parameters
    ----------
    category : (m,) array of int
        Degree of each verdict, 0 for a tie, D + 1 for a preference of unknown degree.
    degrees : sequence of int
        Highest degree of every judge, at most D; of one where cut points are shared.
    ties : bool
        Whether C_1 is a free parameter; it is 0 otherwise.
    judge : (m,) array of int, optional
        Whose verdict each one is, if every judge has own cut points; the gaps of judge 0 come
        first. None for cut points that all share.
    sign_only : bool
        Evaluate the sign of every preference alone: any degree, with the same parameters.
    """

    gaps = True

    def __init__(
        self,
        category: Ints,
        degrees: Sequence[int],
        *,
        ties: bool,
        judge: Ints | None = None,
        sign_only: bool = False,
    ) -> None:
        widest = max(degrees)
        rows = max(widest, int(category.max(initial=0))) + 1
        tables = [
            _tabulate_limits(highest, widest, rows, ties=ties, sign_only=sign_only)
            for highest in degrees
        ]
        uppers, lowers, endless = zip(*tables, strict=True)
        self._upper, self._lower = place_diagonally(uppers), place_diagonally(lowers)
        self._endless = np.concatenate(endless)
        own = [highest - 1 + ties for highest in degrees]
        self._sums = place_diagonally([np.tril(np.ones((count, count))) for count in own])
        self.n_shape = self.n_gaps = sum(own)
        self.n_outcomes: Ints | int = 2 * int(degrees[0]) + ties
        if judge is not None and len(set(degrees)) > 1:
            self.n_outcomes = 2 * np.asarray(degrees, dtype=np.int64)[judge] + ties
        self._count = rows * len(degrees)
        self._category = category if judge is None else judge * rows + category

    def terms(self, oriented: Floats, shape: Floats) -> Terms:
        """Evaluate every comparison; -inf everywhere when a gap is not positive."""
        if not (shape > LEAST_GAP).all():
            none = np.zeros((len(oriented), self.n_shape))
            nothing = np.zeros(len(oriented))
            return Terms(np.full(len(oriented), -np.inf), nothing, nothing, none, none)
        c = self._category
        upper = self._upper @ shape + self._endless
        lower = self._lower @ shape
        at = interval(lower[c] - oriented, upper[c] - oriented)
        dense_above = at.tail_above * (1.0 - at.tail_above)
        dense_below = at.tail_below * (1.0 - at.tail_below)
        up, low = self._upper[c], self._lower[c]
        return Terms(
            at.value,
            at.tail_below - at.tail_above,
            dense_above + dense_below,
            (at.tail_above + at.kappa)[:, None] * up - (at.tail_below + at.kappa)[:, None] * low,
            -dense_above[:, None] * up - dense_below[:, None] * low,
            (dense_above, dense_below, at.kappa * (1.0 + at.kappa)),
        )

    def shape_curvature(
        self,
        terms: Terms,
        shape: Floats,  # noqa: ARG002 - for links whose curvature depends on it
        weight: Floats,
    ) -> Floats:
        """Return the weighted sum of -d2l/dgamma2, (K, K)."""
        parts = [np.bincount(self._category, weight * part, self._count) for part in terms.detail]
        total = np.zeros((self.n_shape, self.n_shape))
        directions = (self._upper, self._lower, self._upper - self._lower)
        for amount, direction in zip(parts, directions, strict=True):
            total += (direction.T * amount) @ direction
        return total

    def tile(self, n_copies: int) -> Interval:
        """Return the same link for all comparisons this many times over."""
        link = copy(self)
        link._category = np.tile(self._category, n_copies)  # noqa: SLF001 - a copy of this one
        if not isinstance(self.n_outcomes, int):
            link.n_outcomes = np.tile(self.n_outcomes, n_copies)
        return link

    def list_bounds(self) -> list[Bound]:
        """Return the ends of the verdicts' intervals: the lower, and the upper if any is finite."""
        c = self._category
        low = np.asarray(self._lower[c], dtype=np.float64)
        high = np.asarray(self._upper[c], dtype=np.float64)
        lower = Bound(low, np.zeros(len(c)), is_upper=False)
        if np.isinf(self._endless[c]).all():
            return [lower]
        return [lower, Bound(high, self._endless[c], is_upper=True)]

    def cut_points(self, shape: Floats) -> Floats:
        """Return the positive cut points in ascending order, judge by judge, (K,)."""
        cuts: Floats = self._sums @ shape
        return cuts


def _tabulate_limits(
    highest: int, widest: int, rows: int, *, ties: bool, sign_only: bool
) -> tuple[Floats, Floats, Floats]:
    """What turns a judge's gaps into the limits of categories.

    Parameters
    ----------
    highest, widest : int
        The highest degree of this judge, and of any.
    rows : int
        Number of categories; one above `widest` is a preference of unknown degree.
    ties, sign_only : bool
        As of :class:`Interval`.

    Returns
    -------
    upper, lower : (rows, K) arrays
        Times the gaps they are the limits, logits.
    endless : (rows,) array
        Infinite where there is no upper limit, else 0.
    """
    # Row k - 1 turns gaps into the cut point C_k.
    sums = np.tril(np.ones((highest, highest - 1 + ties)), k=0 if ties else -1)
    above = np.minimum(np.arange(rows), highest)
    below = np.where(above == 0, 0, above - 1)
    endless = np.where(above == highest, np.inf, 0.0)
    upper = np.where(above[:, None] == highest, 0.0, sums[np.minimum(above, highest - 1)])
    lower = np.where(above[:, None] == 0, -1.0, 1.0) * sums[below]
    lower[widest + 1 :] = sums[0]
    if sign_only:
        upper[1:], lower[1:], endless[1:] = 0.0, sums[0], np.inf
    return upper, lower, endless
