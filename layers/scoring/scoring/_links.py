"""Observation models: log likelihood of one verdict given the judged difference.

Every link works on the *oriented* difference t = sign * delta, where delta is the judge's latent
mean for "first minus second" and sign is the sign of the verdict (+1 for ties). All of them are
symmetric in the two essays, so the oriented view needs one side only. Derivatives with respect
to t are returned per comparison; those with respect to the shape parameters (cut-point gaps, or
the log of Davidson's nu) have one column per parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TYPE_CHECKING

import numpy as np


if TYPE_CHECKING:
    from scoring._types import Floats, Ints

_CLIP = 500.0
_LEAST_GAP = 1e-10


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
    """

    value: Floats
    slope: Floats
    curvature: Floats
    shape_slope: Floats
    shape_cross: Floats
    detail: tuple[Floats, ...] = ()


class Link(Protocol):
    """Observation model with K shape parameters."""

    n_shape: int
    n_outcomes: int
    gaps: bool

    def terms(self, oriented: Floats, shape: Floats) -> Terms:
        """Evaluate every comparison."""
        ...

    def shape_curvature(self, terms: Terms, shape: Floats, weight: Floats) -> Floats:
        """Return the weighted sum of -d2l/dgamma2, (K, K)."""
        ...

    def cut_points(self, shape: Floats) -> Floats:
        """Return the reported parameters, (K,)."""
        ...

    def tie_half_width(self, shape: Floats) -> float:
        """Return the half width of the tie interval, logits (0 without one)."""
        ...


class Binary:
    """Bradley-Terry: P(first preferred) = F(delta), F the logistic distribution function."""

    n_shape = 0
    n_outcomes = 2
    gaps = False

    def __init__(self, m: int) -> None:
        self._none = np.empty((m, 0))

    def terms(self, oriented: Floats, shape: Floats) -> Terms:
        """Evaluate every comparison."""
        e = np.exp(-np.maximum(oriented, -_CLIP))
        q = e / (1.0 + e)
        return Terms(-np.log1p(e), q, q * (1.0 - q), self._none, self._none)

    def shape_curvature(self, terms: Terms, shape: Floats, weight: Floats) -> Floats:
        """Return an empty matrix: there is no shape parameter."""
        return np.empty((0, 0))

    def cut_points(self, shape: Floats) -> Floats:
        """Return an empty array."""
        return shape

    def tie_half_width(self, shape: Floats) -> float:
        """Return zero: a binary verdict has no tie."""
        return 0.0


class Interval:
    """Ordinal verdicts as intervals of a logistic latent margin, cut points symmetric about 0.

    The margin is delta + logistic noise. A verdict of degree k says that it fell between the cut
    points C_k and C_{k+1}, a tie that it fell between -C_1 and C_1 (Agresti 1992, cumulative
    link model with symmetric thresholds). Parameters are the positive gaps between cut points.
    The log of an interval's probability is concave in (delta, cut points) (Pratt 1981).

    Parameters
    ----------
    category : (m,) array of int
        Degree of each verdict, 0 for a tie.
    degrees : int
        Highest degree D.
    ties : bool
        Whether C_1 is a free parameter; it is 0 otherwise.
    """

    gaps = True

    def __init__(self, category: Ints, degrees: int, *, ties: bool) -> None:
        self.n_shape = degrees - 1 + ties
        self.n_outcomes = 2 * degrees + ties
        self._category = category
        self._degrees = degrees
        # Row k of `_sums` turns gaps into the cut point C_{k+1}.
        sums = np.tril(np.ones((degrees, degrees)))[:, (0 if ties else 1) :]
        self._sums = sums
        none = np.zeros((1, self.n_shape))
        self._upper = np.concatenate([sums, none])
        self._lower = np.concatenate([-sums[:1], sums])

    def terms(self, oriented: Floats, shape: Floats) -> Terms:
        """Evaluate every comparison; -inf everywhere when a gap is not positive."""
        if not (shape > _LEAST_GAP).all():
            worst = np.full(len(oriented), -np.inf)
            flat = np.zeros((len(oriented), self.n_shape))
            return Terms(worst, oriented * 0.0, oriented * 0.0, flat, flat)
        upper, lower, kappa, log_width = self._bounds(shape)
        c = self._category
        # F(u) - F(l) = F(u) F(-l) (1 - exp(l - u)), which never cancels.
        above = np.exp(np.clip(oriented - upper[c], -_CLIP, _CLIP))
        below = np.exp(np.clip(lower[c] - oriented, -_CLIP, _CLIP))
        tail_above = above / (1.0 + above)
        tail_below = below / (1.0 + below)
        value = log_width[c] - np.log1p(above) - np.log1p(below)
        dense_above = tail_above * (1.0 - tail_above)
        dense_below = tail_below * (1.0 - tail_below)
        up, low, k = self._upper[c], self._lower[c], kappa[c]
        return Terms(
            value,
            tail_below - tail_above,
            dense_above + dense_below,
            (tail_above + k)[:, None] * up - (tail_below + k)[:, None] * low,
            -dense_above[:, None] * up - dense_below[:, None] * low,
            (dense_above, dense_below),
        )

    def shape_curvature(self, terms: Terms, shape: Floats, weight: Floats) -> Floats:
        """Return the weighted sum of -d2l/dgamma2, (K, K)."""
        _, _, kappa, _ = self._bounds(shape)
        count = self._degrees + 1
        total = np.zeros((self.n_shape, self.n_shape))
        above, below = terms.detail
        w_above = np.bincount(self._category, weight * above, count)
        w_below = np.bincount(self._category, weight * below, count)
        w_width = np.bincount(self._category, weight, count) * kappa * (1.0 + kappa)
        for k in range(count):
            up, low = self._upper[k], self._lower[k]
            total += w_above[k] * np.outer(up, up) + w_below[k] * np.outer(low, low)
            total += w_width[k] * np.outer(up - low, up - low)
        return total

    def cut_points(self, shape: Floats) -> Floats:
        """Return the positive cut points in ascending order, (K,)."""
        return np.cumsum(shape)

    def tie_half_width(self, shape: Floats) -> float:
        """Return C_1, logits (0 when ties are not modelled)."""
        return float(self._sums[0] @ shape)

    def _bounds(self, shape: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return per category: upper and lower bound, 1/(e^width - 1) and log(1 - e^-width)."""
        upper = self._upper @ shape
        upper[-1] = np.inf
        lower = self._lower @ shape
        width = upper - lower
        # A tie category that does not exist has width 0; no verdict ever looks at it.
        width[width <= 0.0] = np.inf
        with np.errstate(over="ignore"):
            return upper, lower, 1.0 / np.expm1(width), np.log1p(-np.exp(-width))


class Davidson:
    """Ties as a third outcome: P(tie) proportional to nu sqrt(pi_first pi_second) (Davidson 1970).

    The one shape parameter is log nu.

    Parameters
    ----------
    category : (m,) array of int
        0 for a tie, 1 for a preference.
    """

    n_shape = 1
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

    def shape_curvature(self, terms: Terms, shape: Floats, weight: Floats) -> Floats:
        """Return the weighted sum of -d2l/d(log nu)2, (1, 1)."""
        (p_tie,) = terms.detail
        return np.array([[weight @ (p_tie * (1.0 - p_tie))]])

    def cut_points(self, shape: Floats) -> Floats:
        """Return log nu, (1,)."""
        return shape

    def tie_half_width(self, shape: Floats) -> float:
        """Return zero: given no tie, the preference is plain Bradley-Terry."""
        return 0.0


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

    def tie_half_width(self, shape: Floats) -> float:
        """Return the inner link's tie half width."""
        return self.inner.tie_half_width(shape)
