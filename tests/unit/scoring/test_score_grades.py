"""Grades by a score that needs no judge."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.errors import FewAnchorGradesError
from scoring.projections import AnchorGrades
from scoring.score_grades import grade_by_score

SCORE = np.array([0.0, 0.4, 1.1, 1.4, 2.1, 2.6, 0.1, 0.9, 1.5, 2.4])
ANCHORS = AnchorGrades(np.arange(6), np.array([0, 0, 1, 1, 2, 2]), 3)
STUDENTS = np.arange(6, 10)


def test_a_better_score_never_gets_lower_grades() -> None:
    made = grade_by_score(SCORE, ANCHORS, students=STUDENTS)
    assert made.probabilities.sum(axis=1) == pytest.approx(1.0)
    assert np.all(np.diff(made.probabilities @ np.arange(3)) > 0)
    assert made.probabilities.argmax(axis=1).tolist()[0] == 0
    assert made.probabilities.argmax(axis=1).tolist()[-1] == 2


def test_unit_and_origin_of_the_score_do_not_matter() -> None:
    one = grade_by_score(SCORE, ANCHORS, students=STUDENTS)
    two = grade_by_score(1000 * SCORE - 7, ANCHORS, students=STUDENTS)
    assert two.probabilities == pytest.approx(one.probabilities, abs=1e-6)


def test_anchors_are_graded_by_the_others_only() -> None:
    moved = AnchorGrades(ANCHORS.essays, np.array([2, 0, 1, 1, 2, 2]), 3)
    one = grade_by_score(SCORE, ANCHORS, students=STUDENTS)
    two = grade_by_score(SCORE, moved, students=STUDENTS)
    assert two.anchor_probabilities[0] == pytest.approx(one.anchor_probabilities[0])
    assert two.anchor_probabilities[1] != pytest.approx(one.anchor_probabilities[1])


def test_an_anchor_that_stands_alone_has_no_grade_by_the_others() -> None:
    two = AnchorGrades(np.array([0, 1, 5]), np.array([0, 0, 2]), 3)
    made = grade_by_score(SCORE, two, students=STUDENTS)
    assert np.isnan(made.anchor_probabilities[2]).all()
    assert np.isfinite(made.anchor_probabilities[:2]).all()


def test_one_grade_or_equal_scores_grade_nothing() -> None:
    with pytest.raises(FewAnchorGradesError):
        grade_by_score(np.ones(10), ANCHORS, students=STUDENTS)
    alone = AnchorGrades(np.arange(2), np.array([1, 1]), 3)
    with pytest.raises(FewAnchorGradesError):
        grade_by_score(SCORE, alone, students=STUDENTS)
