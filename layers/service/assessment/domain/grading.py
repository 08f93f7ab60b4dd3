"""What is said of an essay when the probability of every grade is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise
from math import ceil, fsum, log
from statistics import NormalDist

from assessment.domain.grade_scale import GradeScale

GRADE_SET_SHARE = 0.9
DECIMALS = 9
"""Published figures are rounded here: below lies what differs between builds of the same maths."""

MOST_FURTHER_COMPARISONS = 200
_MINUS_SHARE = 0.25
_ROUNDING = 1e-9
_NORMAL = NormalDist()


def normalised_entropy(probabilities: Sequence[float]) -> float:
    """Shannon entropy over log G: 0 for a certain grade, 1 for no idea."""
    entropy = -fsum(p * log(p) for p in probabilities if p > 0) / log(len(probabilities))
    return min(1.0, max(0.0, entropy))


def round_shares(probabilities: Sequence[float]) -> list[float]:
    """Probabilities rounded to `DECIMALS`, the largest one by what makes the sum 1."""
    rounded = [round(p, DECIMALS) for p in probabilities]
    top = rounded.index(max(rounded))
    rounded[top] = round(1.0 - fsum(rounded[:top] + rounded[top + 1 :]), DECIMALS)
    return rounded


def likeliest_grade(probabilities: Mapping[str, float]) -> str:
    """The grade of the highest probability; of equals the worst."""
    return max(probabilities, key=lambda grade: probabilities[grade])


class GradeRule(StrEnum):
    """Which grade of a distribution is published.

    MODE is right most often if the distribution is. MEDIAN has the least expected distance in grade
    steps. MEAN, the grade nearest to the mean position, has the least expected squared distance,
    which is what quadratic weighted kappa counts.
    """

    MODE = "mode"
    MEDIAN = "median"
    MEAN = "mean"


def published_grade(probabilities: Mapping[str, float], rule: GradeRule) -> str:
    """The grade that the rule takes out of a distribution, worst grade first; of equals the worst.

    Parameters
    ----------
    probabilities
        Of every grade of the scale, in its order; they sum to 1.
    rule
        See `GradeRule`.

    Returns
    -------
    str
    """
    if rule is GradeRule.MODE:
        return likeliest_grade(probabilities)
    grades, shares = list(probabilities), list(probabilities.values())
    if rule is GradeRule.MEDIAN:
        half = 0.5 - _ROUNDING
        return next(g for g, below in zip(grades, accumulate(shares), strict=True) if below >= half)
    mean = fsum(position * share for position, share in enumerate(shares))
    return grades[max(0, ceil(mean - 0.5 - _ROUNDING))]


def grade_set(
    probabilities: Mapping[str, float], published: str, *, share: float = GRADE_SET_SHARE
) -> list[str]:
    """The fewest grades that with the published one hold the share, in the order of the scale."""
    probability, chosen = probabilities[published], {published}
    for grade in sorted(probabilities, key=lambda grade: -probabilities[grade]):
        if probability >= share:
            break
        if grade not in chosen:
            chosen.add(grade)
            probability += probabilities[grade]
    return [grade for grade in probabilities if grade in chosen]


def pass_probability(probabilities: Mapping[str, float], scale: GradeScale) -> float | None:
    """The probability of a passing grade; None on a scale without one."""
    if scale.passing_grade is None:
        return None
    first = scale.position(scale.passing_grade)
    return round(fsum(probabilities[grade] for grade in scale.grades[first:]), DECIMALS)


def refined_grade(
    grade: str, ability: float, *, scale: GradeScale, boundaries: Sequence[float]
) -> str:
    """The grade, with a minus if the ability is in the lowest quarter of the grade's band.

    `boundaries` are the G - 1 abilities between neighbouring grades, in logits.
    """
    if grade not in scale.minus_grades:
        return grade
    position = scale.position(grade)
    low, high = boundaries[position - 1], boundaries[position]
    return f"{grade}-" if ability < low + _MINUS_SHARE * (high - low) else grade


@dataclass(frozen=True)
class Evidence:
    """What is known of one essay's ability, logits, and from how many comparisons."""

    ability: float
    standard_error: float
    n_comparisons: int


def list_unsettled(
    evidence: Evidence,
    *,
    boundaries: Sequence[float],
    boundary_se: Sequence[float],
    prior_sd: float,
    least_probability: float,
) -> int | None:
    """How many more comparisons would bring the likeliest grade to `least_probability`.

    An estimate that supposes the ability stays where it is and every further comparison tells as
    much as those so far did on average. None if `MOST_FURTHER_COMPARISONS` would not do: then the
    boundaries are too uncertain or the essay is too near to one, and more or better anchors help
    where comparisons do not.
    """
    precision = evidence.standard_error**-2
    gained = (precision - prior_sd**-2) / max(evidence.n_comparisons, 1)
    if gained <= 0:
        return None
    for further in range(1, MOST_FURTHER_COMPARISONS + 1):
        variance = 1.0 / (precision + further * gained)
        below = [
            _NORMAL.cdf((edge - evidence.ability) / (variance + se**2) ** 0.5)
            for edge, se in zip(boundaries, boundary_se, strict=True)
        ]
        if max(high - low for low, high in pairwise([0.0, *below, 1.0])) >= least_probability:
            return further
    return None
