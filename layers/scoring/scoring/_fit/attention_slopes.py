"""Derivatives of a verdict's log likelihood where judges lapse, at all nodes of the difference.

Probabilities and their derivatives are products of few factors: the tails of the logistic
distribution at the ends of the interval that the verdict stands for (`scoring._fit.attention`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._fit.bounds import Bound
    from scoring._types import Floats

CLIP = 300.0
"""Differences and cut points beyond are taken for this many logits."""


@dataclass(slots=True)
class End:
    """One end of the intervals.

    Attributes
    ----------
    bound : Bound
        Where it lies.
    push, bend : (q, m) arrays
        Slope and minus the second derivative of the probability in it; both over the probability
        of the whole verdict once they are scaled.
    """

    bound: Bound
    push: Floats
    bend: Floats


def evaluate_interval(
    bounds: list[Bound], margin: Floats, shape: Floats
) -> tuple[Floats, list[End]]:
    """Evaluate the probability that a margin falls between two ends, and its slopes in them.

    Parameters
    ----------
    bounds : list of Bound
        The lower end and, if any is finite, the upper one.
    margin : (q, m) array
        exp of the oriented differences.
    shape : (K,) array
        Shape parameters of the link.

    Returns
    -------
    (q, m) array, list of End
    """
    probability: Floats = margin
    ends: list[End] = []
    for bound in bounds:
        odds = margin
        if bound.moves or bound.is_upper:
            factor = np.exp(np.minimum(np.maximum(-bound.locate(shape), -CLIP), CLIP))
            odds = factor * margin
        inside = 1.0 + odds
        np.divide(1.0, inside, out=inside)
        above = odds * inside
        density = above * inside
        bend = inside - above if bound.is_upper else above - inside
        bend *= density
        if bound.is_upper:
            ends.append(End(bound, density, bend))
            probability = probability * inside
        else:
            ends.append(End(bound, np.negative(density, out=density), bend))
            probability = above
    if len(bounds) > 1:
        low, high = (bound.locate(shape) for bound in bounds)
        probability *= -np.expm1(low - high)
    return probability, ends


def scale_ends(ends: list[End], factor: Floats) -> None:
    """Multiply the slopes and bends of ends by a factor, (q, m), in place."""
    for end in ends:
        end.push *= factor
        end.bend *= factor


def total_push(ends: list[End]) -> Floats:
    """Return the sum of the slopes in all ends, (q, m)."""
    total = ends[0].push
    for end in ends[1:]:
        total = total + end.push
    return total


@dataclass(slots=True)
class Slopes:
    """Derivatives in the coordinates that move, at all nodes; each entry (q, m).

    Attributes
    ----------
    slope : (q, m) array
        Of the log likelihood in the difference.
    pushes, crosses : list of arrays
        Of the log likelihood in every coordinate; minus that of the slope.
    bends : list of list of arrays
        Minus the second derivatives, of two coordinates in the row of the later one.
    """

    slope: Floats
    pushes: list[Floats]
    crosses: list[Floats]
    bends: list[list[Floats]]

    def add_degree_share(
        self, ends: list[End], habit_ends: list[End], push: Floats, told: Floats
    ) -> None:
        """Add the logit of the degree share, with the slope in it and the share itself."""
        excess = push + told
        self.crosses.append(self.slope * excess + total_push(ends))
        row = [end.push * (excess - 1.0) for end in ends if end.bound.moves]
        row += [end.push * excess for end in habit_ends if end.bound.moves]
        self.bends.append([*row, push * (excess + told - 1.0)])
        self.pushes.append(push)

    def add_attention(self, by_chance: Floats, attentive: Floats) -> None:
        """Add the logit of the attentive share, with the probability that it was a lapse."""
        negative = -by_chance
        self.crosses.append(negative * self.slope)
        doubt = by_chance - 1.0
        doubt *= by_chance
        doubt += attentive * (1.0 - attentive)
        self.bends.append([*(negative * push for push in self.pushes), doubt])
        negative += 1.0 - attentive
        self.pushes.append(negative)


def differentiate_ends(ends: list[End], slope: Floats) -> Slopes:
    """Return the derivatives in the ends that move.

    Parameters
    ----------
    ends : list of End
        Scaled.
    slope : (q, m) array
        Of the log likelihood in the difference.

    Returns
    -------
    Slopes
    """
    moving = [end for end in ends if end.bound.moves]
    bends = []
    for i, end in enumerate(moving):
        row = [end.push * other.push for other in moving[: i + 1]]
        row[i] += end.bend
        bends.append(row)
    crosses = [slope * end.push - end.bend for end in moving]
    return Slopes(slope, [end.push for end in moving], crosses, bends)
