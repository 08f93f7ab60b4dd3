"""Verdicts of judges who lapse, and whose degrees may tell less than the model says.

A verdict comes from the judge's margin, degree included; from the margin's sign with a degree out
of the judge's habits; or from nothing (a lapse, all answers alike). Two mixtures of two sources
say so, one inside the other, each with a share of its own for every judge, on the logit scale:

    verdict  =  attention * judged + (1 - attention) * random answer
    judged   =  degree share * (sign and degree) + (1 - degree share) * (sign, degree by habit)

The shares are estimated with everything else, so that their uncertainty reaches the abilities: a
scale that lapses compress is widened again, and not known exactly. Where the degree share is 0 the
degrees say nothing and the verdict is binary; where it is 1 they say what the ordinal model says
(Agresti 1992). The finite mixture and its derivatives are those of a latent class (McLachlan &
Peel 2000, section 2.8).
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.links import Terms

if TYPE_CHECKING:
    from scoring._fit.links import Interval, Link
    from scoring._types import Floats, Ints

_FARTHEST = 12.0
_LARGEST_LOG = 500.0


@dataclass(frozen=True, slots=True)
class SharePrior:
    """A Normal prior of the logit of a share.

    Attributes
    ----------
    centre, sd : float
        Its mean and standard deviation.
    """

    centre: float
    sd: float


# A judge lapses in 3%, one in forty in 24% or more; degrees are believed until verdicts say
# otherwise, which a few dozen of them do.
ATTENTION_PRIOR = SharePrior(3.5, 1.2)
DEGREE_PRIOR = SharePrior(3.0, 2.5)


@dataclass(slots=True, kw_only=True)
class _MixtureTerms(Terms):
    """Terms with what the curvature of the shape needs: the sources and the first one's part."""

    source: Terms
    other: Terms | None
    responsibility: Floats


class Mixture:
    """A link that follows another one in a share of the verdicts, and something else in the rest.

    Shape parameters: those of the inner link, then per judge the logit of the share less its
    prior's centre.

    Parameters
    ----------
    inner : Link
        What the share of the verdicts follows.
    other : Link or None
        What the rest follows, in the inner link's own shape parameters; None if the rest does not
        depend on the essays.
    log_constant : (m,) array or float
        Added to the rest's log likelihood: the log probability of what it says nothing of.
    prior : SharePrior
        Of every judge's share.
    judge : (m,) array of int
        Whose verdict it is.
    n_judges : int
        Number of judges.
    """

    gaps: bool
    n_gaps: int
    n_outcomes: int
    n_shape: int
    mixing_precision: Floats

    def __init__(
        self,
        inner: Link | Mixture,
        other: Link | None,
        log_constant: Floats | float,
        prior: SharePrior,
        judge: Ints,
        n_judges: int,
    ) -> None:
        self.inner = inner
        self.gaps = inner.gaps
        self.n_gaps = inner.n_gaps
        self.n_outcomes = inner.n_outcomes
        self.n_shape = inner.n_shape + n_judges
        own = np.full(n_judges, prior.sd**-2)
        inherited: Floats = inner.mixing_precision if isinstance(inner, Mixture) else own[:0]
        self.mixing_precision = np.concatenate([inherited, own])
        self._other = other
        self._log_constant = np.broadcast_to(log_constant, judge.shape)
        self._constant = np.exp(self._log_constant)
        self._centre = prior.centre
        self._judge = judge
        self._member = np.zeros((len(judge), n_judges))
        self._member[np.arange(len(judge)), judge] = 1.0
        self._inner_shape = slice(0, inner.n_shape)
        self._own_shape = slice(inner.n_shape, self.n_shape)
        self._tiles: dict[int, Mixture] = {}

    def share(self, shape: Floats) -> Floats:
        """Return the share of every judge's verdicts that follow the inner link, (J,)."""
        logit = np.clip(self._centre + shape[self._own_shape], -_FARTHEST, _FARTHEST)
        share: Floats = 1.0 / (1.0 + np.exp(-logit))
        return share

    def inner_shape(self, shape: Floats) -> Floats:
        """Return the inner link's shape parameters."""
        return shape[self._inner_shape]

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
            Log likelihood of each comparison, with its derivatives. The inner link's shape
            parameters come first, then the logits of the judges' shares.
        """
        source = self.inner.terms(oriented, shape[self._inner_shape])
        other = self._rest(oriented, shape)
        share = self._repeat_per_verdict(self.share(shape))
        value, part = self._mix(share, source, other)
        doubt = part * (1.0 - part)
        slope, curvature, apart = part * source.slope, part * source.curvature, source.slope
        if other is not None:
            slope += (1.0 - part) * other.slope
            curvature += (1.0 - part) * other.curvature
            apart = apart - other.slope
        push = doubt * apart
        curvature -= push * apart
        own = self._place_per_judge(part - share)
        cross = self._place_per_judge(-push)
        if self.inner.n_shape:
            inner_slope, inner_cross = _shape_columns(source, other, part, push)
            own, cross = np.hstack([inner_slope, own]), np.hstack([inner_cross, cross])
        return _MixtureTerms(
            value, slope, curvature, own, cross, source=source, other=other, responsibility=part
        )

    def _mix(self, share: Floats, source: Terms, other: Terms | None) -> tuple[Floats, Floats]:
        """Log likelihood, and the probability that it was the inner link's verdict, (m,) each."""
        if other is None and source.probability is not None:
            inner = share * source.probability
            total = inner + (1.0 - share) * self._constant
            inner /= total
            return np.log(total, out=total), inner
        follows = np.log(share) + source.value
        against = np.log1p(-share) + self._log_constant - follows
        if other is not None:
            against += other.value
        odds = np.exp(np.minimum(against, _LARGEST_LOG))
        return follows + np.log(1.0 + odds), 1.0 / (1.0 + odds)

    def _repeat_per_verdict(self, values: Floats) -> Floats:
        """Repeat every judge's value for that judge's verdicts, (m,), or (1,) of one judge."""
        return values if len(values) == 1 else values[self._judge]

    def _place_per_judge(self, values: Floats) -> Floats:
        """Values of verdicts in the column of their judge, (m, J)."""
        column: Floats = values[:, None]
        return column if self._member.shape[1] == 1 else column * self._member

    def _rest(self, oriented: Floats, shape: Floats) -> Terms | None:
        if self._other is None:
            return None
        return self._other.terms(oriented, shape[: self._other.n_shape])

    def shape_curvature(self, terms: Terms, shape: Floats, weight: Floats) -> Floats:
        """Return the weighted sum of -d2l/dgamma2.

        Parameters
        ----------
        terms : Terms
            From this link at the same point.
        shape : (K,) array
            Shape parameters of the link.
        weight : (m,) array
            Weight of each comparison.

        Returns
        -------
        (K, K) array
        """
        if not isinstance(terms, _MixtureTerms):
            raise TypeError("terms of another link")
        part, source = terms.responsibility, terms.source
        doubt = weight * part * (1.0 - part)
        share = self._repeat_per_verdict(self.share(shape))
        own = (weight * (share * (1.0 - share)) - doubt) @ self._member
        if not self.inner.n_shape:
            return np.diag(own)
        inner, at = self._inner_shape, self._own_shape
        total = np.zeros((self.n_shape, self.n_shape))
        total[inner, inner] = self.inner.shape_curvature(source, shape[inner], weight * part)
        apart = source.shape_slope
        if self._other is not None and terms.other is not None:
            total[inner, inner] += self._other.shape_curvature(
                terms.other, shape[inner], weight * (1.0 - part)
            )
            apart = apart - terms.other.shape_slope
        scaled = doubt[:, None] * apart
        total[inner, inner] -= scaled.T @ apart
        total[inner, at] = -scaled.T @ self._member
        total[at, inner] = total[inner, at].T
        total[at, at] = np.diag(own)
        return total

    def tile(self, n_copies: int) -> Mixture:
        """Return the same link for all comparisons this many times over; made once."""
        if n_copies not in self._tiles:
            link = copy(self)
            link.inner = self.inner.tile(n_copies)
            link._other = None if self._other is None else self._other.tile(n_copies)  # noqa: SLF001
            link._log_constant = np.tile(self._log_constant, n_copies)  # noqa: SLF001
            link._constant = np.tile(self._constant, n_copies)  # noqa: SLF001
            link._judge = np.tile(self._judge, n_copies)  # noqa: SLF001
            link._member = np.tile(self._member, (n_copies, 1))  # noqa: SLF001
            self._tiles[n_copies] = link
        return self._tiles[n_copies]

    def cut_points(self, shape: Floats) -> Floats:
        """Return the inner link's cut points."""
        return self.inner.cut_points(shape[self._inner_shape])


def _shape_columns(
    source: Terms, other: Terms | None, part: Floats, push: Floats
) -> tuple[Floats, Floats]:
    """Slopes and crosses of the inner link's shape parameters under a mixture, (m, K) each."""
    slope = part[:, None] * source.shape_slope
    cross = part[:, None] * source.shape_cross
    apart = source.shape_slope
    if other is not None:
        slope += (1.0 - part)[:, None] * other.shape_slope
        cross += (1.0 - part)[:, None] * other.shape_cross
        apart = apart - other.shape_slope
    cross -= push[:, None] * apart
    return slope, cross


@dataclass(frozen=True, slots=True)
class DegreeHabits:
    """What verdicts follow whose degrees do not come from the margin.

    Attributes
    ----------
    sign : Interval
        The margin with its sign alone, in the inner link's shape parameters.
    habit : (m,) array
        Log share of the verdict's degree among the judge's verdicts.
    judge : (m,) array of int
        Whose degrees they are: a judge has other habits in lists than in pairs.
    n_judges : int
        Number of these.
    """

    sign: Interval
    habit: Floats
    judge: Ints
    n_judges: int


class Attention(Mixture):
    """A link whose judges lapse, and whose degrees may tell a share of what they could.

    Parameters
    ----------
    inner : Link
        The judge's model when attentive, degrees included.
    degrees : DegreeHabits or None
        What verdicts follow whose degrees do not; None where there are no degrees, or they are
        taken at their word.
    judge : (m,) array of int
        Whose lapses each verdict tells of.
    n_judges : int
        Number of judges.
    """

    def __init__(
        self, inner: Link, degrees: DegreeHabits | None, judge: Ints, n_judges: int
    ) -> None:
        judged: Link | Mixture = inner
        if degrees is not None:
            judged = Mixture(
                inner, degrees.sign, degrees.habit, DEGREE_PRIOR, degrees.judge, degrees.n_judges
            )
        guess = -np.log(inner.n_outcomes)
        super().__init__(judged, None, guess, ATTENTION_PRIOR, judge, n_judges)

    def lapse(self, shape: Floats) -> Floats:
        """Return every judge's lapse rate, (J,)."""
        return 1.0 - self.share(shape)

    def degree_share(self, shape: Floats) -> Floats:
        """Return what share of a degree's information every judge's degrees have, (C,).

        One for each judge in pairs and in lists of every size.
        """
        if isinstance(self.inner, Mixture):
            return self.inner.share(self.inner_shape(shape))
        return np.ones(1)
