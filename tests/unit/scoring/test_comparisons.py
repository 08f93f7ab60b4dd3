"""Bad comparisons are refused with the row and the column that is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons
from scoring.errors import EmptyComparisonsError, InvalidComparisonError, TooFewEssaysError


@pytest.mark.parametrize(
    ("columns", "field", "row"),
    [
        (([0, 3], [1, 0], [1, 1]), "first", 1),
        (([0, 1], [1, -1], [1, 1]), "second", 1),
        (([0, 1, 2], [1, 2, 2], [1, 1, 1]), "second", 2),
        (([0, 1], [1, 0], [1.0, np.nan]), "outcome", 1),
        (([0, 1], [1, 0], [0.5, 1.0]), "outcome", 0),
        (([0, 1], [1, 0], [1, np.inf]), "outcome", 1),
        (([0, 1], [1, 0], ["1", "left"]), "outcome", 1),
        (([0, 1], [1, 0], [1, None]), "outcome", 1),
        (([0, 1], [1], [1, 1]), "second", None),
        (([0, 1], [1, 0], [1, 1], [0, -1]), "judge", 1),
        (([[0], [1]], [1, 0], [1, 1]), "first", None),
    ],
)
def test_malformed_column_names_field_and_row(columns, field, row):
    with pytest.raises(InvalidComparisonError) as caught:
        Comparisons(3, *columns)
    assert (caught.value.field, caught.value.row) == (field, row)
    assert field in str(caught.value)


def test_no_comparison():
    with pytest.raises(EmptyComparisonsError):
        Comparisons(3, [], [], [])


@pytest.mark.parametrize("n", [1, 0, -2, 2.0, True])
def test_fewer_than_two_essays(n):
    with pytest.raises(TooFewEssaysError):
        Comparisons(n, [0], [1], [1])


def test_integers_are_neither_copied_nor_writable_and_stay_the_callers():
    first = np.array([0, 1])
    comparisons = Comparisons(2, first, [1, 0], [1.0, -1.0])
    assert np.shares_memory(comparisons.first, first)
    with pytest.raises(ValueError, match="read-only"):
        comparisons.first[0] = 1
    first[0] = 0


def test_take_keeps_the_rows_asked_for():
    comparisons = Comparisons(3, [0, 1, 2], [1, 2, 0], [1, -1, 0], [0, 1, 0])
    taken = comparisons.take(np.array([2, 0]))
    assert taken.first.tolist() == [2, 0]
    assert taken.outcome.tolist() == [0, 1]
    assert taken.judge is not None
    assert taken.judge.tolist() == [0, 0]
    assert len(taken) == 2
