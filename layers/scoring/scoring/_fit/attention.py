"""Verdicts of judges who lapse, and whose degrees may tell less than the model says.

A verdict comes from the judge's margin, degree included; from the margin's sign with a degree out
of the judge's habits; or from nothing (a lapse, all answers alike). Two mixtures of two sources
say so, one inside the other, each with a share of its own for every judge, on the logit scale:

    verdict  =  attention * judged + (1 - attention) * random answer
    judged   =  degree share * (sign and degree) + (1 - degree share) * (sign, degree by habit)

In probabilities, with F the logistic distribution function and the ends C of the intervals,

    p  =  a (d (F(C_up - t) - F(C_low - t)) + (1 - d) habit F(t)) + (1 - a) / (number of answers) .

Its derivatives in t, the ends and the logits of a and d are products of few factors, which are
averaged over an uncertain t before cut points and judges are told apart: all that grows with the
number of nodes are arrays of one number for each verdict. The last addend keeps p away from zero,
so that no logarithm of a small difference is needed.

The shares are estimated with everything else, so that their uncertainty reaches the abilities: a
scale that lapses compress is widened again, and not known exactly. Where the degree share is 0 the
degrees say nothing and the verdict is binary; where it is 1 they say what the ordinal model says
(Agresti 1992). The finite mixture and its derivatives are those of a latent class (McLachlan &
Peel 2000, section 2.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.attention_slopes import (
    CLIP,
    differentiate_ends,
    evaluate_interval,
    scale_ends,
    total_push,
)
from scoring._fit.intervals import LEAST_GAP
from scoring._fit.links import Terms

if TYPE_CHECKING:
    from scoring._fit.attention_slopes import End
    from scoring._fit.bounds import Bound
    from scoring._fit.intervals import Interval
    from scoring._fit.links import Binary
    from scoring._types import Floats, Ints

_FARTHEST = 12.0


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


@dataclass(frozen=True, slots=True)
class ShareCoordinates:
    """What the logits of judges' shares are made of.

    Attributes
    ----------
    centre : (J,) array
        Their prior means.
    design : (J, r) array
        What each coordinate adds to them.
    sd : (r,) array
        Prior standard deviations of the coordinates, whose means are 0.
    """

    centre: Floats
    design: Floats
    sd: Floats

    @classmethod
    def separate(cls, prior: SharePrior, n_judges: int) -> ShareCoordinates:
        """Give every judge a share that says nothing of the others'."""
        sd = np.full(n_judges, prior.sd)
        return cls(np.full(n_judges, prior.centre), np.eye(n_judges), sd)


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


@dataclass(slots=True, kw_only=True)
class AttentionTerms(Terms):
    """Terms averaged over nodes of the difference.

    Attributes
    ----------
    value_at_nodes : (q, m) array
        Log likelihoods at the nodes.
    bends : list of list of (m,) arrays
        Minus the second derivatives in the coordinates before their judges and cut points are told
        apart: the ends of intervals, the logits of the shares. Of two coordinates the later one is
        the row.
    """

    value_at_nodes: Floats
    bends: list[list[Floats]]


@dataclass(frozen=True, slots=True)
class _Share:
    """The share of a judge's verdicts that follow something, on the logit scale.

    Attributes
    ----------
    coordinates : ShareCoordinates
        What the shares are made of.
    judge : (m,) array of int
        Whose verdict it is.
    columns : (m, r) array
        What each coordinate adds to the logit of the verdict's judge.
    at : slice
        Where the coordinates are among the shape parameters.
    """

    coordinates: ShareCoordinates
    judge: Ints
    columns: Floats
    at: slice

    @classmethod
    def from_place(cls, coordinates: ShareCoordinates, judge: Ints, start: int) -> _Share:
        """Put the coordinates among the shape parameters from a place on."""
        end = start + coordinates.design.shape[1]
        return cls(coordinates, judge, coordinates.design[judge], slice(start, end))

    def find_by_judge(self, shape: Floats) -> Floats:
        """Return every judge's share, (J,)."""
        made_of = self.coordinates
        logit = made_of.centre + made_of.design @ shape[self.at]
        share: Floats = 1.0 / (1.0 + np.exp(-np.minimum(np.maximum(logit, -_FARTHEST), _FARTHEST)))
        return share

    def find_by_verdict(self, shape: Floats) -> Floats:
        """Return the share of every verdict's judge, (m,), or (1,) of one judge."""
        share = self.find_by_judge(shape)
        return share if len(share) == 1 else share[self.judge]


class Attention:
    """A link whose judges lapse, and whose degrees may tell a share of what they could.

    Shape parameters: the gaps of the inner link, then per judge the logit of the degree share less
    its prior's centre, if it is estimated, then that of the share of attentive verdicts.

    Parameters
    ----------
    inner : Binary or Interval
        The judge's model when attentive, degrees included.
    degrees : DegreeHabits or None
        What verdicts follow whose degrees do not; None where there are no degrees, or they are
        taken at their word.
    judge : (m,) array of int
        Whose lapses each verdict tells of.
    attention : ShareCoordinates
        What the logits of these judges' shares of attentive verdicts are made of.
    """

    def __init__(
        self,
        inner: Binary | Interval,
        degrees: DegreeHabits | None,
        judge: Ints,
        attention: ShareCoordinates,
    ) -> None:
        self._inner = inner
        self.gaps = inner.gaps
        self.n_gaps = inner.n_gaps
        self.n_outcomes = inner.n_outcomes
        self._bounds = inner.list_bounds()
        self._habit_bounds: list[Bound] = []
        self._habit: Floats = np.ones(1)
        self._degrees: _Share | None = None
        place = inner.n_shape
        if degrees is not None:
            self._habit_bounds = degrees.sign.list_bounds()
            self._habit = np.exp(degrees.habit)
            own = ShareCoordinates.separate(DEGREE_PRIOR, degrees.n_judges)
            self._degrees = _Share.from_place(own, degrees.judge, place)
            place = self._degrees.at.stop
        self._attention = _Share.from_place(attention, judge, place)
        self.n_lone_lapses = len(attention.sd) if degrees is None else 0
        self.n_shape = self._attention.at.stop
        shares = [s for s in (self._degrees, self._attention) if s is not None]
        self.mixing_precision = np.concatenate([s.coordinates.sd**-2 for s in shares])
        gaps = slice(0, inner.n_shape)
        bounds = [*self._bounds, *self._habit_bounds]
        self._coordinates = [
            *((bound.columns, gaps) for bound in bounds if bound.moves),
            *((share.columns, share.at) for share in shares),
        ]
        # the lapse rate of one judge is all that there is: no columns to tell apart
        self._is_lone = len(self._coordinates) == self.n_shape == 1

    def lapse(self, shape: Floats) -> Floats:
        """Return every judge's lapse rate, (J,)."""
        return 1.0 - self._attention.find_by_judge(shape)

    def degree_share(self, shape: Floats) -> Floats:
        """Return what share of a degree's information every judge's degrees have, (C,).

        One for each judge in pairs and in lists of every size.
        """
        return np.ones(1) if self._degrees is None else self._degrees.find_by_judge(shape)

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
        return self.average_terms(oriented[None, :], np.ones(1), shape)

    def average_terms(self, oriented: Floats, weights: Floats, shape: Floats) -> AttentionTerms:
        """Evaluate every comparison at several differences and average.

        Parameters
        ----------
        oriented : (q, m) array
            Oriented differences, logits.
        weights : (q,) array
            Of the nodes; they sum to 1.
        shape : (K,) array
            Shape parameters of the link.

        Returns
        -------
        AttentionTerms
            Log likelihood of each comparison, with its derivatives; minus infinity where a gap
            between cut points is not positive.
        """
        if not (shape[: self.n_gaps] > LEAST_GAP).all():
            return self._refuse(oriented)
        attentive = self._attention.find_by_verdict(shape)
        told = np.ones(1) if self._degrees is None else self._degrees.find_by_verdict(shape)
        margin = np.maximum(oriented, -CLIP)
        np.exp(np.minimum(margin, CLIP, out=margin), out=margin)
        judged, ends = evaluate_interval(self._bounds, margin, shape)
        judged *= attentive * told
        random = (1.0 - attentive) / self.n_outcomes
        probability = judged + random
        habit_ends: list[End] = []
        habit_weight = self._habit
        if self._habit_bounds:
            habit_weight = attentive * (1.0 - told) * self._habit
            habitual, habit_ends = evaluate_interval(self._habit_bounds, margin, shape)
            habitual *= habit_weight
            probability += habitual
        inverse = 1.0 / probability
        scale_ends(ends, attentive * told * inverse)
        scale_ends(habit_ends, habit_weight * inverse)
        every = [*ends, *habit_ends]
        slope = -total_push(every)
        by_chance = random * inverse
        slopes = differentiate_ends(every, slope)
        if self._degrees is not None:
            by_degree = judged * inverse - told * (1.0 - by_chance)
            slopes.add_degree_share(ends, habit_ends, by_degree, told)
        slopes.add_attention(by_chance, attentive)
        value = np.log(probability, out=probability)
        curvature = slope**2
        for end in every:
            curvature += end.bend
        return AttentionTerms(
            value=weights @ value,
            slope=weights @ slope,
            curvature=weights @ curvature,
            shape_slope=self._place([weights @ push for push in slopes.pushes]),
            shape_cross=self._place([weights @ cross for cross in slopes.crosses]),
            value_at_nodes=value,
            bends=[[weights @ bend for bend in row] for row in slopes.bends],
        )

    def shape_curvature(
        self,
        terms: Terms,
        shape: Floats,  # noqa: ARG002 - the terms have what of it is needed
        weight: Floats,
    ) -> Floats:
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
        if not isinstance(terms, AttentionTerms):
            raise TypeError("terms of another link")
        if self._is_lone:
            return np.array([[weight @ terms.bends[0][0]]])
        total = np.zeros((self.n_shape, self.n_shape))
        for i, row in enumerate(terms.bends):
            one, at = self._coordinates[i]
            for k, bend in enumerate(row):
                other, there = self._coordinates[k]
                block = one.T @ ((weight * bend)[:, None] * other)
                total[at, there] += block
                if k != i:
                    total[there, at] += block.T
        return total

    def tile(self, n_copies: int) -> Attention:
        """Refuse: it averages by itself."""
        raise NotImplementedError

    def cut_points(self, shape: Floats) -> Floats:
        """Return the inner link's cut points."""
        return self._inner.cut_points(shape[: self._inner.n_shape])

    def _place(self, values: list[Floats]) -> Floats:
        """Put what the coordinates have into the columns of the shape parameters, (m, K)."""
        if self._is_lone:
            return values[0][:, None]
        placed = np.zeros((len(values[0]), self.n_shape))
        for value, (columns, at) in zip(values, self._coordinates, strict=True):
            placed[:, at] += value[:, None] * columns
        return placed

    def _refuse(self, oriented: Floats) -> AttentionTerms:
        """No verdict has any probability where a gap is not positive."""
        m = oriented.shape[1]
        nothing, none = np.zeros(m), np.zeros((m, self.n_shape))
        rows = [[nothing] * (i + 1) for i in range(len(self._coordinates))]
        impossible = np.full(oriented.shape, -np.inf)
        return AttentionTerms(
            impossible[0], nothing, nothing, none, none, value_at_nodes=impossible, bends=rows
        )
