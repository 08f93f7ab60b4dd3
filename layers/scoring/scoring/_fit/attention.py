"""Verdicts of judges who lapse, and whose degrees may tell less than the model says.

A verdict comes from one of three sources: the judge's margin, degree included (share
(1 - l) p); the margin's sign alone, with a degree drawn from the judge's habits (share
(1 - l) (1 - p)); or a random answer (share l). Lapse rate l and degree share p are each judge's
own, on the logit scale, beside each judge's own cut points. They are estimated with everything
else, so that their uncertainty reaches the abilities: a scale that lapses compress is widened
again, and not known exactly.

Where p is 0 the degrees say nothing and the verdict is binary; where it is 1 they say what the
ordinal model says (Agresti 1992). The finite mixture and its derivatives are those of a latent
class (McLachlan & Peel 2000, section 2.8).
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

# Priors on the logit scale. A judge lapses in 2%, one in forty in 17% or more; degrees are believed
# until verdicts say otherwise, which a few dozen of them do.
LAPSE_CENTRE, LAPSE_SD = -3.9, 1.2
DEGREE_CENTRE, DEGREE_SD = 3.0, 2.5
_FARTHEST = 12.0


@dataclass(slots=True)
class _Mixed(Terms):
    """Terms with what the curvature of the shape needs: parts, their weights and slopes."""

    parts: tuple[Terms, ...] = ()
    shares: tuple[Floats, ...] = ()
    slopes: tuple[Floats, ...] = ()
    mixing: tuple[Floats, ...] = ()


class Attention:
    """A link whose judges lapse, and whose degrees tell a share of what they could.

    Shape parameters: those of the inner link, then per judge the logit of the degree share, where
    there are degrees, then per judge the logit of the lapse rate; both minus their priors' centres.

    Parameters
    ----------
    inner : Link
        The judge's model when attentive, degrees included.
    sign : Interval or None
        The same margin with its sign alone, in the inner link's shape parameters; None without
        degrees.
    habit : (m,) array
        Log share of the verdict's degree among the judge's verdicts.
    judge : (m,) array of int
        Whose verdict it is.
    n_judges : int
        Number of judges.
    """

    def __init__(
        self, inner: Link, sign: Interval | None, habit: Floats, judge: Ints, n_judges: int
    ) -> None:
        self.inner = inner
        self.sign = sign
        self.gaps = inner.gaps
        self.n_gaps = inner.n_gaps
        self.n_outcomes = inner.n_outcomes
        self.n_mixing = n_judges * (2 if sign is not None else 1)
        self.n_shape = inner.n_shape + self.n_mixing
        self._inner_shape = slice(0, inner.n_shape)
        self._habit = habit
        self._judge = judge
        self._n_judges = n_judges
        self._tiles: dict[int, Attention] = {}
        self._guess = -np.log(inner.n_outcomes)
        self._member = np.zeros((len(judge), n_judges))
        self._member[np.arange(len(judge)), judge] = 1.0
        lapse = np.full(n_judges, LAPSE_SD**-2)
        degree = np.full(n_judges if sign is not None else 0, DEGREE_SD**-2)
        self.mixing_precision = np.concatenate([degree, lapse])

    def lapse(self, shape: Floats) -> Floats:
        """Return every judge's lapse rate, (J,)."""
        return _expit(LAPSE_CENTRE + shape[-self._n_judges :])

    def degree_share(self, shape: Floats) -> Floats:
        """Return what share of a degree's information every judge's degrees have, (J,)."""
        if self.sign is None:
            return np.ones(self._n_judges)
        at = self.inner.n_shape
        return _expit(DEGREE_CENTRE + shape[at : at + self._n_judges])

    def terms(self, oriented: Floats, shape: Floats) -> Terms:
        """Evaluate every comparison."""
        own = shape[self._inner_shape]
        lapse = self.lapse(shape)[self._judge]
        told = self.degree_share(shape)[self._judge]
        parts = [self.inner.terms(oriented, own)]
        logs = [np.log1p(-lapse) + np.log(told) + parts[0].value]
        mixing = [(1.0 - told, -lapse)]
        if self.sign is not None:
            parts.append(self.sign.terms(oriented, own))
            logs.append(np.log1p(-lapse) + np.log1p(-told) + self._habit + parts[1].value)
            mixing.append((-told, -lapse))
        logs.append(np.log(lapse) + self._guess)
        mixing.append((np.zeros_like(lapse), 1.0 - lapse))
        highest = np.maximum.reduce(logs)
        weights = [np.exp(log - highest) for log in logs]
        total = np.sum(weights, axis=0)
        shares = [weight / total for weight in weights]
        return self._mixed(highest + np.log(total), parts, shares, mixing, (told, lapse))

    def _mixed(
        self,
        value: Floats,
        parts: list[Terms],
        shares: list[Floats],
        mixing: list[tuple[Floats, Floats]],
        rates: tuple[Floats, Floats],
    ) -> Terms:
        heard = list(zip(shares, parts, strict=False))
        slope = np.sum([r * part.slope for r, part in heard], axis=0)
        square = np.sum([r * part.slope**2 for r, part in heard], axis=0)
        curvature = np.sum([r * part.curvature for r, part in heard], axis=0) - square + slope**2
        inner = np.sum([r[:, None] * part.shape_slope for r, part in heard], axis=0)
        cross = np.sum([r[:, None] * part.shape_cross for r, part in heard], axis=0)
        for r, part in heard:
            cross -= (r * part.slope)[:, None] * part.shape_slope
        cross += slope[:, None] * inner
        columns, crosses = [inner], [cross]
        for which in range(2):
            if which == 0 and self.sign is None:
                continue
            mean = np.sum([r * m[which] for r, m in zip(shares, mixing, strict=True)], axis=0)
            with_slope = np.sum(
                [r * part.slope * m[which] for (r, part), m in zip(heard, mixing, strict=False)],
                axis=0,
            )
            columns.append(mean[:, None] * self._member)
            crosses.append((slope * mean - with_slope)[:, None] * self._member)
        slopes = tuple(
            self._slopes(parts[k] if k < len(parts) else None, mixing[k])
            for k in range(len(shares))
        )
        return _Mixed(
            value,
            slope,
            curvature,
            np.hstack(columns),
            np.hstack(crosses),
            parts=tuple(parts),
            shares=tuple(shares),
            slopes=slopes,
            mixing=rates,
        )

    def _slopes(self, part: Terms | None, mixing: tuple[Floats, Floats]) -> Floats:
        """Slopes of one source's log share and likelihood in all shape parameters, (m, K)."""
        told, lapse = mixing
        own = np.zeros((len(lapse), self.inner.n_shape)) if part is None else part.shape_slope
        blocks = [own]
        if self.sign is not None:
            blocks.append(told[:, None] * self._member)
        blocks.append(lapse[:, None] * self._member)
        return np.hstack(blocks)

    def shape_curvature(self, terms: Terms, shape: Floats, weight: Floats) -> Floats:
        """Return the weighted sum of -d2l/dgamma2, (K, K)."""
        if not isinstance(terms, _Mixed):
            raise TypeError
        own = shape[self._inner_shape]
        links = (self.inner, self.sign)
        total = np.zeros((self.n_shape, self.n_shape))
        for link, part, r in zip(links, terms.parts, terms.shares, strict=False):
            if link is not None and self.inner.n_shape:
                total[self._inner_shape, self._inner_shape] += link.shape_curvature(
                    part, own, weight * r
                )
        told, lapse = terms.mixing
        at = self.inner.n_shape
        if self.sign is not None:
            heard = terms.shares[0] + terms.shares[1]
            own_degree = self._member.T @ (weight * heard * told * (1.0 - told))
            total[range(at, at + self._n_judges), range(at, at + self._n_judges)] += own_degree
            at += self._n_judges
        own_lapse = self._member.T @ (weight * lapse * (1.0 - lapse))
        total[range(at, at + self._n_judges), range(at, at + self._n_judges)] += own_lapse
        for r, slopes in zip(terms.shares, terms.slopes, strict=True):
            total -= slopes.T @ (slopes * (weight * r)[:, None])
        mean = terms.shape_slope
        total += mean.T @ (mean * weight[:, None])
        return total

    def tiled(self, count: int) -> Attention:
        """Return the same link for all comparisons this many times over; made once."""
        if count not in self._tiles:
            link = copy(self)
            link.inner = self.inner.tiled(count)
            link.sign = None if self.sign is None else self.sign.tiled(count)
            for name in ("_habit", "_judge"):
                setattr(link, name, np.tile(getattr(self, name), count))
            link._member = np.tile(self._member, (count, 1))  # noqa: SLF001
            self._tiles[count] = link
        return self._tiles[count]

    def cut_points(self, shape: Floats) -> Floats:
        """Return the inner link's cut points."""
        return self.inner.cut_points(shape[self._inner_shape])


def _expit(x: Floats) -> Floats:
    share: Floats = 1.0 / (1.0 + np.exp(-np.clip(x, -_FARTHEST, _FARTHEST)))
    return share
