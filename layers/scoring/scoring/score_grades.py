"""Grades by any score of a text, read off the same anchors in the same way as grades by ability.

What a score that needs no judge, such as the number of words, would have made of a batch: the
baseline that the grades by ability are held against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._grades.grade_gls import gls_curve
from scoring._grades.grade_model import AnchorSet
from scoring.errors import FewAnchorGradesError
from scoring.grader_spread import anchor_spread, noisy_probabilities, place_grades

if TYPE_CHECKING:
    from scoring._types import Floats, Ints
    from scoring.projections import AnchorGrades

# Abilities of a class have about this standard deviation in logits, for which the calibration's
# limits were chosen.
_USUAL_SD = 2.0
# A count has no error of measurement; the model wants one.
_EXACT = 1e-6
_LEAST_GRADES = 2


@dataclass(frozen=True)
class ScoreGrades:
    """Grade distributions by a score.

    Attributes
    ----------
    probabilities : (s, G) ndarray of float
        P(grade) of the students; rows sum to 1.
    anchor_probabilities : (a, G) ndarray of float
        P(grade) of each anchor by the others; NaN where without it one grade is left.
    """

    probabilities: Floats
    anchor_probabilities: Floats


def grade_by_score(score: Floats, anchors: AnchorGrades, *, students: Ints) -> ScoreGrades:
    """Grade students by a score whose unit and origin do not matter.

    Parameters
    ----------
    score : (n,) ndarray of float
        Of all essays, higher for better; not all equal.
    anchors : AnchorGrades
        Of at least two grades.
    students : (s,) ndarray of int
        Essays to grade.

    Returns
    -------
    ScoreGrades

    Raises
    ------
    FewAnchorGradesError
        If the anchors have one grade, or all scores are equal.
    """
    deviation = float(score.std())
    if deviation == 0.0 or len(np.unique(anchors.grade)) < _LEAST_GRADES:
        raise FewAnchorGradesError("a score needs anchors of two grades, and two values")
    scaled = _USUAL_SD * (score - score.mean()) / deviation
    every = np.arange(len(anchors.essays))
    by_the_others = np.full((len(every), anchors.n_grades), np.nan)
    for row in every:
        rows = np.delete(every, row)
        if len(np.unique(anchors.grade[rows])) >= _LEAST_GRADES:
            by_the_others[row] = _read(scaled, anchors, rows, anchors.essays[[row]])[0]
    return ScoreGrades(_read(scaled, anchors, every, students), by_the_others)


def _read(score: Floats, anchors: AnchorGrades, rows: Ints, essays: Ints) -> Floats:
    """P(grade) of essays by the anchors in these rows, (len(essays), G)."""
    ids, grade = anchors.essays[rows], anchors.grade[rows]
    exact = np.full(len(ids), _EXACT)
    anchor_set = AnchorSet(score[ids], np.diag(exact), grade, anchors.n_grades)
    spread = anchor_spread(gls_curve(anchor_set, None), exact)
    curve, spread = place_grades(anchor_set, exact, spread)
    return noisy_probabilities(
        curve,
        spread,
        ability=score[essays],
        variance=np.full(len(essays), _EXACT),
        population=anchors.population,
        population_weight=anchors.population_weight,
    )
