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
    gaps: bool

    @property
    def n_outcomes(self) -> Ints | int:
        """Number of possible outcomes: of every comparison, (m,), where not all have as many."""
        ...

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

    def terms(self, oriented: Floats, shape: Floats) -> Terms:  # noqa: ARG002 - it has no shape
        """Evaluate every comparison."""
        e = np.exp(-np.maximum(oriented, -_CLIP))
        q = e / (1.0 + e)
        # log(1 + e) is accurate enough in absolute terms, and several times faster than log1p
        right = 1.0 - q
        return Terms(-np.log(1.0 + e), q, q * right, self._none, self._none, probability=right)

    def shape_curvature(
        self,
        terms: Terms,  # noqa: ARG002 - it has no shape
        shape: Floats,  # noqa: ARG002 - it has no shape
        weight: Floats,  # noqa: ARG002 - it has no shape
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
        shape: Floats,  # noqa: ARG002 - for links whose curvature depends on it
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
        link._tie = np.tile(self._tie, n_copies)  # noqa: SLF001 - a copy of this one
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
        self._rate = rate
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
        link._guess = np.log(self._rate / link.inner.n_outcomes)  # noqa: SLF001 - as above
        return link
