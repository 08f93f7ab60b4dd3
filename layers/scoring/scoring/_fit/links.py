"""Observation models: log likelihood of one verdict given the judged difference.

Every link works on the *oriented* difference t = sign * delta, where delta is the judge's latent
mean for "first minus second" and sign is the sign of the verdict (+1 for ties). All of them are
symmetric in the two essays, so the oriented view needs one side only. Derivatives with respect
to t are returned per comparison; those with respect to the shape parameters (cut-point gaps, or
the log of Davidson's nu) have one column per parameter.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from scoring._fit.bounds import Bound

if TYPE_CHECKING:
    from scoring._types import Floats, Ints

_CLIP = 500.0
LEAST_GAP = 1e-10


@dataclass(slots=True)
class Terms:
    """Per-comparison log likelihood and derivatives.

    Attributes
    ----------
    value, slope, curvature : (m,) arrays
        l(t), dl/dt and -d2l/dt2.
    shape_slope, shape_cross : (m, K) arrays
        dl/dgamma and -d2l/(dt dgamma).
    detail : tuple of (m,) arrays
        What the link needs again for its shape curvature.
    probability : (m,) array or None
        exp(l(t)), where the link has computed it.
    """

    value: Floats
    slope: Floats
    curvature: Floats
    shape_slope: Floats
    shape_cross: Floats
    detail: tuple[Floats, ...] = ()
    probability: Floats | None = None


class Link(Protocol):
    """Observation model with K shape parameters."""

    n_shape: int
    n_gaps: int
    n_outcomes: int
    gaps: bool

    def terms(self, oriented: Floats, shape: Floats) -> Terms:
        """Evaluate every comparison.

        Parameters
        ----------
        oriented : (m,) array
            Judged differences, logits, turned so that the preferred essay comes first.
        shape : (K,) array
            Shape parameters of the link.

        Returns
        -------
        Terms
            Log likelihood of each comparison, with its derivatives.
        """
        ...

    def shape_curvature(self, terms: Terms, shape: Floats, weight: Floats) -> Floats:
        """Return the weighted sum of -d2l/dgamma2.

        Parameters
        ----------
        terms : Terms
            From the same link at the same point.
        shape : (K,) array
            Shape parameters of the link.
        weight : (m,) array
            Weight of each comparison.

        Returns
        -------
        (K, K) array
        """
        ...

    def cut_points(self, shape: Floats) -> Floats:
        """Return the reported parameters, (K,)."""
        ...

    def tile(self, n_copies: int) -> Link:
        """Return the same link for all comparisons this many times over."""
        ...


class Binary:
    """Bradley-Terry: P(first preferred) = F(delta), F the logistic distribution function."""

    n_shape = 0
    n_gaps = 0
    n_outcomes = 2
    gaps = False

    def __init__(self, m: int) -> None:
        self._none = np.empty((m, 0))

    def terms(self, oriented: Floats, shape: Floats) -> Terms:  # noqa: ARG002
        """Evaluate every comparison."""
        e = np.exp(-np.maximum(oriented, -_CLIP))
        q = e / (1.0 + e)
        # log(1 + e) is accurate enough in absolute terms, and several times faster than log1p
        right = 1.0 - q
        return Terms(-np.log(1.0 + e), q, q * right, self._none, self._none, probability=right)

    def shape_curvature(
        self,
        terms: Terms,  # noqa: ARG002
        shape: Floats,  # noqa: ARG002
        weight: Floats,  # noqa: ARG002
    ) -> Floats:
        """Return an empty matrix: there is no shape parameter."""
        return np.empty((0, 0))

    def cut_points(self, shape: Floats) -> Floats:
        """Return an empty array."""
        return shape

    def list_bounds(self) -> list[Bound]:
        """Return the ends of the verdicts' intervals: a preference is any margin above 0."""
        return [Bound(self._none, np.zeros(len(self._none)), is_upper=False)]

    def tile(self, n_copies: int) -> Binary:
        """Return the same link for all comparisons this many times over."""
        return Binary(n_copies * len(self._none))


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
    degrees : int
        Highest degree D.
    ties : bool
        Whether C_1 is a free parameter; it is 0 otherwise.
    judge : (m,) array of int, optional
        Whose verdict each one is, if every judge has own cut points; the gaps of judge 0 come
        first. None for cut points that all share.
    n_judges : int
        Number of judges.
    sign_only : bool
        Evaluate the sign of every preference alone: any degree, with the same parameters.
    """

    gaps = True

    def __init__(
        self,
        category: Ints,
        degrees: int,
        *,
        ties: bool,
        judge: Ints | None = None,
        n_judges: int = 1,
        sign_only: bool = False,
    ) -> None:
        own = degrees - 1 + ties
        sets = 1 if judge is None else n_judges
        self.n_shape = self.n_gaps = own * sets
        self.n_outcomes = 2 * degrees + ties
        self._own = own
        # Row k - 1 turns gaps into the cut point C_k.
        sums = np.tril(np.ones((degrees, own)), k=0 if ties else -1)
        upper = np.vstack([sums, np.zeros((1, own))])
        lower = np.vstack([-sums[:1], sums])
        endless = np.zeros(degrees + 1)
        endless[-1] = np.inf
        rows = max(degrees, int(category.max(initial=0))) + 1
        if rows > degrees + 1:
            # one more row: a preference of unknown degree
            upper, lower = np.vstack([upper, upper[-1:]]), np.vstack([lower, sums[:1]])
            endless = np.append(endless, np.inf)
        if sign_only:
            upper[1:], lower[1:], endless[1:] = 0.0, sums[0], np.inf
        each = np.eye(sets)
        self._upper, self._lower = np.kron(each, upper), np.kron(each, lower)
        self._endless = np.tile(endless, sets)
        self._count = rows * sets
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
        shape: Floats,  # noqa: ARG002
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
        link._category = np.tile(self._category, n_copies)  # noqa: SLF001
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
        if self._own == 0:
            return shape
        cuts: Floats = np.cumsum(shape.reshape(-1, self._own), axis=1).ravel()
        return cuts


class Davidson:
    """Ties as a third outcome: P(tie) proportional to nu sqrt(pi_first pi_second) (Davidson 1970).

    The one shape parameter is log nu.

    Parameters
    ----------
    category : (m,) array of int
        0 for a tie, 1 for a preference.
    """

    n_shape = 1
    n_gaps = 0
    n_outcomes = 3
    gaps = False

    def __init__(self, category: Ints) -> None:
        self._tie = category == 0

    def terms(self, oriented: Floats, shape: Floats) -> Terms:
        """Evaluate every comparison."""
        half = 0.5 * oriented
        largest = np.maximum(np.abs(half), shape[0])
        win, loss, tie = (np.exp(v - largest) for v in (half, -half, shape[0] - 0.0 * half))
        total = win + loss + tie
        mean = 0.5 * (win - loss) / total
        p_tie = tie / total
        value = np.where(self._tie, shape[0], half) - largest - np.log(total)
        return Terms(
            value,
            np.where(self._tie, 0.0, 0.5) - mean,
            0.25 * (1.0 - p_tie) - mean**2,
            (self._tie - p_tie)[:, None],
            (-mean * p_tie)[:, None],
            (p_tie,),
        )

    def shape_curvature(
        self,
        terms: Terms,
        shape: Floats,  # noqa: ARG002
        weight: Floats,
    ) -> Floats:
        """Return the weighted sum of -d2l/d(log nu)2, (1, 1)."""
        (p_tie,) = terms.detail
        return np.array([[weight @ (p_tie * (1.0 - p_tie))]])

    def cut_points(self, shape: Floats) -> Floats:
        """Return log nu, (1,)."""
        return shape

    def tile(self, n_copies: int) -> Davidson:
        """Return the same link for all comparisons this many times over."""
        link = copy(self)
        link._tie = np.tile(self._tie, n_copies)  # noqa: SLF001
        return link


class Lapse:
    """A judge who answers at random, all outcomes equally likely, with a known probability.

    Parameters
    ----------
    inner : Link
        The judge's model when attentive.
    rate : float
        Probability of a lapse, in [0, 1).
    """

    def __init__(self, inner: Link, rate: float) -> None:
        self.inner = inner
        self.n_shape = inner.n_shape
        self.n_gaps = inner.n_gaps
        self.n_outcomes = inner.n_outcomes
        self.gaps = inner.gaps
        self._attentive = np.log1p(-rate)
        self._guess = np.log(rate / inner.n_outcomes)

    def terms(self, oriented: Floats, shape: Floats) -> Terms:
        """Evaluate every comparison."""
        base = self.inner.terms(oriented, shape)
        value = np.logaddexp(self._attentive + base.value, self._guess)
        # Posterior probability that the judge was attentive.
        r = np.exp(self._attentive + base.value - value)
        spread = r * (1.0 - r)
        s = base.slope
        return Terms(
            value,
            r * s,
            r * base.curvature - spread * s * s,
            r[:, None] * base.shape_slope,
            r[:, None] * base.shape_cross - (spread * s)[:, None] * base.shape_slope,
            (r, *base.detail),
        )

    def shape_curvature(self, terms: Terms, shape: Floats, weight: Floats) -> Floats:
        """Return the weighted sum of -d2l/dgamma2, (K, K)."""
        r = terms.detail[0]
        inner = Terms(
            terms.value,
            terms.slope,
            terms.curvature,
            terms.shape_slope,
            terms.shape_cross,
            terms.detail[1:],
        )
        attentive = self.inner.shape_curvature(inner, shape, weight * r)
        slope = terms.shape_slope
        # terms.shape_slope is r times the attentive slope g, so r (1 - r) g g' = (1 - r) / r of it.
        scale = weight * (1.0 - r) / np.maximum(r, np.finfo(float).tiny)
        return attentive - (slope * scale[:, None]).T @ slope

    def cut_points(self, shape: Floats) -> Floats:
        """Return the inner link's cut points."""
        return self.inner.cut_points(shape)

    def tile(self, n_copies: int) -> Lapse:
        """Return the same link for all comparisons this many times over."""
        link = copy(self)
        link.inner = self.inner.tile(n_copies)
        return link
