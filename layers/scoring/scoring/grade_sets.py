"""Sets of grades that hold the true one in nine of ten essays, corrected by the anchors.

The fewest grades that hold 90% of *one* essay's probability hold more than that on average, because
grades are whole. Among all sets that hold 90% of a batch's essays the smallest have one threshold
for all essays: every grade whose probability is at least `t` (Sadinle, Lei & Wasserman, JASA 114,
2019). Where the threshold lies follows from two sources:

- the model, which says how much probability lies below `t`;
- the anchors, each graded by the others: how often its own grade falls below `t`. This is conformal
  prediction (Vovk, Gammerman & Shafer 2005; leave-one-out scores as in Barber et al., Annals of
  Statistics 49, 2021). Anchors are spread over the grades as no class is, so each counts by the
  share of its grade among the students (Podkopaev & Ramdas, UAI 2021).

The two are pooled as a Dirichlet process would: the model counts as `MODEL_WEIGHT` anchors. Where
there are anchors, `MISSED_BEFOREHAND` of an anchor counts as missed beside them: the correction for
finite samples. Conformal prediction by anchors alone counts a whole one, the essay itself.

Where graders disagree and nothing is known of the grades' shares, `scoring.grader_spread` takes all
grades for equally common. No class is so, and sets that are made so have grades that hardly anybody
has. Sets are then made of the distributions of `scoring.grade_cuts`, grades are not.

**Guarantee.** With n anchors, of which c is missed beforehand, the threshold is never above that of
conformal prediction at the level `1 - (alpha (MODEL_WEIGHT + n + c) - c + 1) / (n + 1)`. That level
holds on average, even if the model's probabilities are wrong, for essays that are to the anchors of
their grade as those are to each other. It requires that the model has the shares of the grades
right. It is little for few anchors: .48 for 3, .71 for 8, .82 for 20, .89 for 200. The rest is the
model's word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Bools, Floats, Ints

MODEL_WEIGHT = 10.0
"""How many anchors the model's own probabilities are worth; chosen in simulated worlds."""

MISSED_BEFOREHAND = 0.25
"""How many anchors count as missed beside those that there are; chosen in simulated worlds."""

_ROUNDING = 1e-12


@dataclass(frozen=True)
class AnchorScores:
    """The probability that each anchor's own grade has by the other anchors.

    Attributes
    ----------
    probability : (a,) ndarray of float
        0 .. 1.
    grade : (a,) ndarray of int
        Positions of the grades.
    """

    probability: Floats
    grade: Ints

    @classmethod
    def from_probabilities(cls, probabilities: Floats, grade: Ints) -> AnchorScores:
        """Take the scores out of distributions, (a, G); rows of NaN are left out."""
        has_probabilities = np.isfinite(probabilities).all(axis=1)
        rows = np.flatnonzero(has_probabilities)
        return cls(probabilities[rows, grade[rows]], grade[rows])


@dataclass(frozen=True)
class SetThreshold:
    """The least probability of a grade in a set.

    Attributes
    ----------
    least : float
        The threshold, 0 .. 1.
    expected_coverage : float
        How many sets hold the true grade, by the model and the anchors together.
    guaranteed_coverage : float
        What holds even if the model's probabilities are wrong, see above; 0 without anchors.
    n_anchors : int
        Anchors that were scored.
    n_effective : float
        How many anchors, spread as the students are, they are worth.
    """

    least: float
    expected_coverage: float
    guaranteed_coverage: float
    n_anchors: int
    n_effective: float

    def sets(self, probabilities: Floats) -> Bools:
        """Return which grades are in the set of each essay, (s, G)."""
        members: Bools = probabilities >= self.least - _ROUNDING
        return members


def set_threshold(probabilities: Floats, scores: AnchorScores, *, level: float) -> SetThreshold:
    """Return the threshold at which sets hold the true grade of `level` of the essays.

    Parameters
    ----------
    probabilities : (s, G) ndarray of float
        P(grade) of the students, at least one; rows sum to 1.
    scores : AnchorScores
        Any number, none included.
    level : float
        Between 0 and 1.

    Returns
    -------
    SetThreshold
    """
    weight, n_effective = _weights(probabilities, scores)
    sorted_shares = np.sort(probabilities, axis=None)
    below = np.concatenate([[0.0], np.cumsum(sorted_shares)]) / len(probabilities)
    candidates = np.unique(np.concatenate([[0.0], sorted_shares, scores.probability]))
    by_model = below[np.searchsorted(sorted_shares, candidates - _ROUNDING)]
    order = np.argsort(scores.probability)
    reached = np.concatenate([[0.0], np.cumsum(weight[order])])
    by_anchors = reached[np.searchsorted(scores.probability[order], candidates - _ROUNDING)]
    beforehand = MISSED_BEFOREHAND if n_effective > 0.0 else 0.0
    missed = MODEL_WEIGHT * by_model + n_effective * by_anchors + beforehand
    missed /= MODEL_WEIGHT + n_effective + beforehand
    chosen = int(np.flatnonzero(missed <= 1.0 - level + _ROUNDING)[-1])
    return SetThreshold(
        least=float(candidates[chosen]),
        expected_coverage=float(1.0 - missed[chosen]),
        guaranteed_coverage=_guarantee(n_effective, level),
        n_anchors=len(weight),
        n_effective=n_effective,
    )


def _guarantee(n_effective: float, level: float) -> float:
    weight = MODEL_WEIGHT + n_effective + MISSED_BEFOREHAND
    missed = (1.0 - level) * weight - MISSED_BEFOREHAND + 1.0
    return max(0.0, 1.0 - missed / (n_effective + 1.0))


def _weights(probabilities: Floats, scores: AnchorScores) -> tuple[Floats, float]:
    """Return the anchors' weights, which sum to 1, and how many equal ones they are worth."""
    if not len(scores.grade):
        return np.zeros(0), 0.0
    n_grades = probabilities.shape[1]
    among_students = probabilities.mean(axis=0)
    among_anchors = np.bincount(scores.grade, minlength=n_grades)
    weight = among_students[scores.grade] / among_anchors[scores.grade]
    weight = weight / weight.sum()
    return weight, float(1.0 / (weight**2).sum())
