"""Sets of grades under one threshold: by hand, by properties, and what anchors add."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.grade_sets import (
    MISSED_BEFOREHAND,
    MODEL_WEIGHT,
    AnchorScores,
    SetThreshold,
    set_threshold,
)

NOBODY = AnchorScores(np.zeros(0), np.zeros(0, dtype=np.int64))


def scores(*probability: float, grade: int = 0) -> AnchorScores:
    return AnchorScores(np.array(probability), np.full(len(probability), grade))


def threshold(rows: list[list[float]], anchors: AnchorScores = NOBODY) -> SetThreshold:
    return set_threshold(np.array(rows), anchors, level=0.9)


def test_one_line_for_all_essays_by_hand():
    """Dropping .08 and .12 of one essay each leaves (.92 + .88) / 2 = .9."""
    rows = [[0.92, 0.08], [0.88, 0.12]]
    by_model = threshold(rows)
    assert by_model.least == pytest.approx(0.88)
    assert by_model.expected_coverage == pytest.approx(0.9)
    assert by_model.sets(np.array(rows)).tolist() == [[True, False], [True, False]]


@given(
    st.lists(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), min_size=1, max_size=12),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), max_size=12),
)
def test_the_line_is_the_highest_that_keeps_the_level(weights, anchors):
    rows = np.array(weights) / np.sum(weights, axis=1, keepdims=True)
    known = AnchorScores(
        np.array([p for p, _ in anchors]), np.array([g for _, g in anchors], dtype=np.int64)
    )
    found = set_threshold(rows, known, level=0.9)
    assert found.expected_coverage >= 0.9 - 1e-9
    assert 0 <= found.guaranteed_coverage < 0.9
    share = rows.mean(axis=0)[known.grade] / np.bincount(known.grade, minlength=4)[known.grade]
    share = share / share.sum()

    def compute_missed_share(least: float) -> float:
        by_model = rows[rows < least - 1e-9].sum() / len(rows)
        by_anchors = share[known.probability < least - 1e-9].sum()
        beforehand = MISSED_BEFOREHAND if anchors else 0.0
        total = MODEL_WEIGHT * by_model + found.n_effective * by_anchors + beforehand
        return total / (MODEL_WEIGHT + found.n_effective + beforehand)

    higher = [p for p in [*rows.ravel(), *known.probability] if p > found.least + 1e-6]
    assert all(compute_missed_share(p) > 0.1 - 1e-6 for p in higher)


def test_anchors_whose_own_grade_is_unlikely_widen_the_sets():
    rows = [[0.6, 0.3, 0.1]] * 20
    surprised, confirmed = (threshold(rows, scores(*[p] * 20)) for p in (0.05, 0.95))
    assert surprised.least < confirmed.least
    assert surprised.sets(np.array(rows)).all()


def test_few_anchors_promise_little_without_the_model():
    """1 - (.1 (10 + n + .25) - .25 + 1) / (n + 1), as the module says."""
    rows = [[1.0]] * 3
    promised = [threshold(rows, scores(*[1.0] * n)).guaranteed_coverage for n in (0, 3, 8, 20, 200)]
    assert promised == pytest.approx([0, 0.4813, 0.7139, 0.8202, 0.8917], abs=1e-4)


def test_anchors_spread_over_the_grades_count_as_the_students_are_spread():
    """All students have grade 0: nineteen anchors of grade 1 say nothing of them."""
    rows = [[1.0, 0.0]] * 5
    anchors = AnchorScores(np.array([0.9] + [0.01] * 19), np.array([0] + [1] * 19))
    found = threshold(rows, anchors)
    assert found.n_effective == pytest.approx(1)
    assert found.least > 0.5


@pytest.mark.parametrize("n_anchors", [3, 8, 20])
def test_the_guarantee_holds_for_a_model_that_is_wrong(n_anchors):
    """The model is sure (.99) of one of two grades, and right in half of the cases, as by lot."""
    rng = np.random.default_rng(8)
    held, promised = [], []
    for _ in range(400):
        grade, supposed = rng.integers(0, 2, (2, n_anchors + 8))
        rows = np.where(np.arange(2) == supposed[:, None], 0.99, 0.01)
        anchors = AnchorScores(rows[np.arange(n_anchors), grade[:n_anchors]], grade[:n_anchors])
        found = set_threshold(rows[n_anchors:], anchors, level=0.9)
        held.append(found.sets(rows[n_anchors:])[np.arange(8), grade[n_anchors:]].mean())
        promised.append(found.guaranteed_coverage)
    assert np.mean(held) >= np.mean(promised)


def test_anchors_that_stand_alone_have_no_score():
    known = AnchorScores.from_probabilities(
        np.array([[0.7, 0.3], [np.nan, np.nan]]), np.array([1, 0])
    )
    assert known.probability.tolist() == [0.3]
    assert known.grade.tolist() == [1]
