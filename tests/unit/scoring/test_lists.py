"""Rankings as comparisons: what they say, what they weigh, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons
from scoring.errors import EmptyComparisonsError, InvalidComparisonError
from scoring.lists import Lists, join_lists, pair_weight


def test_pairs_of_a_list_weigh_together_what_a_ranking_tells() -> None:
    for k in range(2, 11):
        harmonic = sum(1.0 / r for r in range(1, k + 1))
        told = (k - harmonic) / (k * (k - 1) / 4)
        np.testing.assert_allclose(pair_weight(k, has_degree=False), told, rtol=0.02)
    assert pair_weight(2, has_degree=False) == pair_weight(2, has_degree=True) == 1.0
    assert pair_weight(10, has_degree=True) < pair_weight(10, has_degree=False)


def test_lists_of_essays_far_apart_weigh_more_in_the_ratio_of_sharpness() -> None:
    shown = [[0, 1, 2], [3, 4, 5], [6, 7]]
    joined = join_lists(None, Lists(8, shown, shown, gaps=[[1, 1], [1, 1], [1]]))
    rows = joined.list_rows
    assert rows is not None
    squares = np.array([0.0, 1.0, 2.0, 6.0, 8.0, 10.0, 9.0])
    near, far, pair = (rows.weigh_in_ratios(squares)[at] for at in (slice(3), slice(3, 6), 6))
    assert pair == 1.0
    # by the mean over the list, so that its verdicts weigh alike
    assert len(np.unique(near)) == len(np.unique(far)) == 1
    assert near[0] < far[0] < 1.0
    extreme = rows.weigh_in_ratios(np.full(7, 1e6))
    assert (extreme >= far[0]).all()
    assert (extreme <= 1.0).all()


def test_every_pair_of_a_list_stands_in_shown_order_with_its_places() -> None:
    joined = join_lists(None, Lists(4, [[3, 0, 2]], [[2, 3, 0]]))
    rows = joined.list_rows
    assert rows is not None
    columns = (joined.first, joined.second, joined.outcome, rows.first_place, rows.second_place)
    found = list(zip(*(column.tolist() for column in columns), strict=True))
    assert found == [(3, 0, 1, 0, 1), (3, 2, -1, 0, 2), (0, 2, -1, 1, 2)]
    assert rows.number.tolist() == [0, 0, 0]


def test_gaps_add_up_and_scores_subtract_to_the_same_degrees() -> None:
    shown, ranked = [[0, 1, 2, 3]], [[2, 0, 3, 1]]
    by_gaps = join_lists(None, Lists(4, shown, ranked, gaps=[[1, 0, 3]]))
    by_scores = join_lists(None, Lists(4, shown, ranked, scores=[[60.0, 50.0, 50.0, 20.0]]))
    assert (by_gaps.outcome == by_scores.outcome).all()
    tied = by_gaps.outcome[(by_gaps.first == 0) & (by_gaps.second == 3)]
    assert tied.tolist() == [0]
    # steps 1 (twice), 6 (twice), 7: three degrees, the least step the least degree
    assert sorted(np.abs(by_gaps.outcome).tolist()) == [0, 1, 1, 2, 2, 3]


def test_longer_lists_have_more_degrees() -> None:
    essays = list(range(10))
    ten = join_lists(None, Lists(10, [essays], [essays], gaps=[[1] * 9]))
    outcome = np.abs(ten.outcome).tolist()
    # Steps of 1 .. 9, of which 9, 8, .. 1 pairs have each; the longest share a degree.
    assert sorted(set(outcome)) == list(range(1, 8))
    step = ten.second - ten.first
    assert (np.diff(np.array(outcome)[np.argsort(step, kind="stable")]) >= 0).all()
    five = join_lists(None, Lists(5, [essays[:5]], [essays[:5]], gaps=[[1] * 4]))
    assert set(np.abs(five.outcome).tolist()) == {1, 2, 3}


def test_scores_and_gaps_of_one_judge_are_split_each_in_their_unit() -> None:
    gaps = Lists(3, [[0, 1, 2]], [[0, 1, 2]], gaps=[[1, 2]])
    alone = np.abs(join_lists(None, gaps).outcome).tolist()
    both = Lists(
        3,
        [[0, 1, 2]] * 2,
        [[0, 1, 2]] * 2,
        gaps=[[1, 2], None],
        scores=[None, [90.0, 50.0, 20.0]],
    )
    assert np.abs(join_lists(None, both).outcome).tolist() == [*alone, 2, 3, 1]


def test_a_list_of_two_is_the_pair_itself() -> None:
    pairs = Comparisons(3, [0, 1, 2], [1, 2, 0], [2, -3, 0], [0, 0, 0])
    lists = Lists(
        3, [[0, 1], [1, 2], [2, 0]], [[0, 1], [2, 1], [2, 0]], gaps=[[2], [3], [0]], judge=[0, 0, 0]
    )
    joined = join_lists(None, lists)
    assert joined.list_rows is None
    for name in ("first", "second", "outcome", "judge"):
        assert (getattr(joined, name) == getattr(pairs, name)).all()
    assert join_lists(pairs, None) is pairs


def test_pairs_come_first_and_lists_keep_their_numbers_when_rows_are_taken() -> None:
    pairs = Comparisons(5, [0], [1], [1])
    joined = join_lists(pairs, Lists(5, [[0, 1, 2], [2, 3, 4]], [[0, 1, 2], [2, 3, 4]]))
    rows = joined.list_rows
    assert rows is not None
    assert rows.number.tolist() == [-1, 0, 0, 0, 1, 1, 1]
    kept = joined.take(rows.number != 0).list_rows
    assert kept is not None
    assert kept.number.tolist() == [-1, 1, 1, 1]
    again = join_lists(joined, Lists(5, [[0, 3, 4]], [[0, 3, 4]])).list_rows
    assert again is not None
    assert again.number.tolist() == [-1, 0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_reversed_lists_are_shown_from_the_other_end() -> None:
    joined = join_lists(None, Lists(3, [[0, 1, 2]], [[1, 0, 2]]))
    turned = joined.reversed_order()
    shown_so = join_lists(None, Lists(3, [[2, 1, 0]], [[1, 0, 2]]))
    assert turned.list_rows is not None
    assert shown_so.list_rows is not None

    def list_judgements(c: Comparisons) -> set[tuple[int, ...]]:
        assert c.list_rows is not None
        columns = (c.first, c.second, c.outcome, c.list_rows.first_place, c.list_rows.second_place)
        return set(zip(*(column.tolist() for column in columns), strict=True))

    assert list_judgements(turned) == list_judgements(shown_so)


def test_a_ranking_without_steps_takes_the_degrees_of_its_kind_away() -> None:
    lists = Lists(3, [[0, 1, 2], [2, 1, 0]], [[0, 1, 2], [0, 1, 2]], gaps=[[1, 3], None])
    rows = join_lists(None, lists)
    assert rows.list_rows is not None
    assert not rows.list_rows.has_degree.any()
    assert (np.abs(rows.outcome) == 1).all()


@pytest.mark.parametrize(
    ("arguments", "field", "row"),
    [
        ({"shown": [[0, 1, 2], [0, 1, 9]], "rankings": [[0, 1, 2]] * 2}, "shown", 1),
        ({"shown": [[0, 1, 1]], "rankings": [[0, 1, 1]]}, "shown", 0),
        ({"shown": [[0]], "rankings": [[0]]}, "shown", 0),
        ({"shown": [[0, 1, 2]], "rankings": [[0, 1, 3]]}, "rankings", 0),
        ({"shown": [[0, 1, 2]], "rankings": [[0, 1]]}, "rankings", 0),
        ({"shown": [[0, 1, 2]], "rankings": []}, "rankings", None),
        ({"shown": [[0, 1, 2]], "rankings": [[0, 1, 2]], "gaps": [[1]]}, "gaps", 0),
        ({"shown": [[0, 1, 2]], "rankings": [[0, 1, 2]], "gaps": [[1, 4]]}, "gaps", 0),
        ({"shown": [[0, 1, 2]], "rankings": [[0, 1, 2]], "scores": [[1, 2, 0]]}, "scores", 0),
        ({"shown": [[0, 1, 2]], "rankings": [[0, 1, 2]], "scores": [[3, 2]]}, "scores", 0),
        ({"shown": [[0, 1, 2]], "rankings": [[0, 1, 2]], "judge": [0, 1]}, "judge", None),
    ],
)
def test_a_wrong_list_is_named(arguments: dict[str, object], field: str, row: int | None) -> None:
    with pytest.raises(InvalidComparisonError) as refused:
        Lists(4, **arguments)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert refused.value.row == row


def test_pairs_and_lists_must_be_of_one_world() -> None:
    lists = Lists(3, [[0, 1, 2]], [[0, 1, 2]])
    with pytest.raises(InvalidComparisonError, match="judges of both"):
        join_lists(Comparisons(3, [0], [1], [1], [0]), lists)
    with pytest.raises(InvalidComparisonError, match="3 essays"):
        join_lists(Comparisons(4, [0], [1], [1]), lists)
    with pytest.raises(EmptyComparisonsError):
        join_lists(None, None)
    with pytest.raises(EmptyComparisonsError):
        Lists(3, [], [])
