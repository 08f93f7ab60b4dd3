"""Who is asked for lists and how many, and what stands in for lists that failed."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from assessment.domain.comparison import (
    Comparison,
    ComparisonStatus,
    JudgeFailure,
    PlannedList,
    PlannedPair,
    retry_pool,
)
from assessment.domain.config import BatchConfig
from assessment.domain.failed_lists import drop_failed_lists, replace_failed_lists
from assessment.domain.identifiers import comparison_id
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.judges_in_lists import JudgesInLists, ListSharpness, find_blunt_judges
from assessment.domain.jury import draw_judge
from assessment.domain.list_judging import choose_sizes, find_pair_places, seat_comparisons
from assessment.domain.list_ratio import ExpectedRatio
from assessment.domain.planning import (
    choose_repeats,
    count_affordable_readings,
    count_room,
    list_met_pairs,
)
from assessment.domain.readings import (
    compute_worth,
    count_in_pairs,
    count_in_pairs_by_essay,
    tally_readings,
)
from assessment.domain.verdict import ListVerdict, Verdict, Winner
from tests.examples import scale_examples

LISTS = JudgeSpec(list_size=5)
OWN_NAME = frozenset({"the endpoint's own name"})
TRANSIENT = JudgeFailure(code="ranking_unknown_essay", message="no such essay")
PERMANENT = JudgeFailure(code="oversize", message="too long", retryable=False)


def make_comparison(at: int, essays: str = "abcde", **fields: Any) -> Comparison:
    first, second, *further = list(essays)
    return Comparison(
        comparison_id=comparison_id(1, at),
        wave=1,
        submitted_wave=1,
        first=first,
        second=second,
        further_ids=tuple(further),
        **fields,
    )


def find_sizes(
    *judges: JudgeSpec,
    wave_number: int = 1,
    n_essays: int = 100,
    n_readings: int = 10_000,
    **options: Any,
) -> list[int]:
    return choose_sizes(
        judges,
        wave_number=wave_number,
        n_essays=n_essays,
        config=BatchConfig(**options.pop("config", {})),
        n_readings=n_readings,
        **options,
    )


def test_a_list_is_worth_more_than_its_readings_in_pairs() -> None:
    assert compute_worth(2) == 1.0
    assert compute_worth(5) == pytest.approx(5.4333333)  # (5 - 137/60) / .5
    assert compute_worth(10) == pytest.approx(14.1420635)
    assert count_in_pairs([make_comparison(0), make_comparison(1, "ab")]) == 6
    assert (
        count_in_pairs_by_essay(
            [make_comparison(0), make_comparison(1, "ab"), make_comparison(2, "ab")]
        )["a"]
        == 4
    )
    assert tally_readings([make_comparison(0), make_comparison(1, "ab")]).readings == 7


@settings(max_examples=scale_examples(30))
@given(st.integers(2, 300), st.integers(2, 10), st.integers(0, 3000), st.integers(1, 8))
def test_a_wave_reads_every_essay_and_tells_as_much_as_a_wave_of_pairs(
    n: int, size: int, room: int, rounds: int
) -> None:
    judge = JudgeSpec(list_size=size)
    config = {"comparisons_per_essay_per_wave": rounds}
    sizes = find_sizes(judge, n_essays=n, n_readings=room, config=config)
    assert sum(sizes) <= room
    assert set(sizes) <= set(range(2, size + 1))
    worth = sum(map(compute_worth, sizes))
    whole = max(1, rounds * n // 2) / (2 if size > 2 else 1)
    if sum(sizes) + max(size, 2) <= room:
        assert worth >= whole
        assert sum(sizes) >= n - 1
    assert sum(sizes[:-1]) < n or sum(map(compute_worth, sizes[:-1])) < whole


@pytest.mark.parametrize(
    ("list_size", "known", "early_share", "later_share"),
    [
        (5, None, 0.15, 0.15),
        (5, JudgesInLists(settled=OWN_NAME), 0.15, 0.1),
        (5, JudgesInLists(suspected=OWN_NAME), 0.45, 0.45),
        (6, None, 0.15, 0.15),
        (10, JudgesInLists(settled=OWN_NAME), 0.1, 0.1),
        (10, JudgesInLists(suspected=OWN_NAME), 0.45, 0.45),
    ],
)
def test_a_share_of_the_readings_is_in_pairs_beside_the_lists(
    list_size: int, known: JudgesInLists | None, early_share: float, later_share: float
) -> None:
    for wave_number, share in ((1, early_share), (4, early_share), (5, later_share)):
        sizes = find_sizes(
            JudgeSpec(list_size=list_size),
            wave_number=wave_number,
            n_essays=1000,
            config={"list_pair_share": 0.1},
            judges_in_lists=known,
        )
        assert 2 * sizes.count(2) / sum(sizes) == pytest.approx(share, abs=0.01)


def make_measured_judge(ratio: float, error: float, **fields: Any) -> JudgeSpec:
    return JudgeSpec(list_size=10, list_ratio=ratio, list_ratio_error=error, **fields)


@pytest.mark.parametrize(
    ("ratio", "error", "probability"),
    [(0.75, 0.3, 0.5), (1.0, 0.0, 0.0276), (1.0, 0.35, 0.2056), (0.6, 0.2, 0.8677)],
)
def test_what_was_measured_says_how_likely_a_judge_is_blunt(
    ratio: float, error: float, probability: float
) -> None:
    expected = ExpectedRatio.from_measurement(ratio, error)
    assert expected.probability_blunt == pytest.approx(probability, abs=5e-5)


def test_a_judge_that_was_measured_begins_as_the_measurement_says() -> None:
    sharp, doubtful, vague = (
        make_measured_judge(1, 0.1),
        make_measured_judge(0.75, 0.2),
        make_measured_judge(0.95, 0.4),
    )

    def begin(judge: JudgeSpec) -> JudgesInLists:
        return JudgesInLists.from_context(None, [judge])

    assert begin(sharp).settled
    assert begin(doubtful).suspected
    assert begin(vague) == begin(JudgeSpec(list_size=10)) == JudgesInLists()


@pytest.mark.parametrize(("n_essays", "n_pairs"), [(38, 0), (112, 0), (1000, 4)])
def test_few_pairs_are_asked_of_a_judge_that_is_known_to_be_sharp(
    n_essays: int, n_pairs: int
) -> None:
    judge = make_measured_judge(1, 0.1)
    known = JudgesInLists.from_context(None, [judge])
    sizes = find_sizes(judge, n_essays=n_essays, judges_in_lists=known)
    assert sizes.count(2) == n_pairs
    assert sizes.count(10) == len(sizes) - n_pairs


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"list_size": 5, "list_ratio": 1.0}, "list_ratio_error", "give the standard error"),
        ({"list_size": 5, "list_ratio_error": 0.1}, "list_ratio", "give the ratio"),
        ({"list_ratio": 1.0, "list_ratio_error": 0.1}, "list_ratio", "set list_size"),
        ({"list_size": 5, "list_ratio": 0.5, "list_ratio_error": 0.1}, "list_ratio", "so blunt"),
    ],
)
def test_a_measurement_that_cannot_be_used_is_refused(
    fields: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(ValidationError, match=words) as refused:
        JudgeSpec(**fields)
    (problem,) = refused.value.errors()
    assert problem["ctx"]["error"].field == field


def test_small_classes_are_read_whole() -> None:
    assert set(find_sizes(LISTS, n_essays=3)) == {3, 2}
    assert set(find_sizes(LISTS, n_essays=2)) == {2}


def test_each_place_has_the_size_of_the_judge_who_is_drawn_for_it() -> None:
    jury = (
        JudgeSpec(name="lists", list_size=5),
        JudgeSpec(name="pairs"),
        JudgeSpec(provider=Provider.PERSON),
    )
    sizes = find_sizes(
        *jury, n_essays=300, judges_in_lists=JudgesInLists(settled=frozenset({"lists"}))
    )
    drawn = [draw_judge(comparison_id(1, at), jury).label for at in range(len(sizes))]
    by_judge = Counter(zip(drawn, sizes, strict=True))
    assert {size for label, size in by_judge if label == "lists"} == {5, 2}
    assert {size for label, size in by_judge if label != "lists"} == {2}
    assert by_judge["lists", 5] > by_judge["lists", 2]


def test_pairs_are_the_choice_of_the_strategy_where_a_judge_is_asked_for_nothing_else() -> None:
    jury = (JudgeSpec(name="lists", list_size=5), JudgeSpec(name="pairs"))
    drawn = [draw_judge(comparison_id(2, place), jury).label for place in range(40)]
    places = partial(find_pair_places, jury, wave_number=2, n_places=40)
    of_pairs = {place for place, label in enumerate(drawn) if label == "pairs"}
    assert places(judges_in_lists=JudgesInLists()) == of_pairs
    assert places(judges_in_lists=JudgesInLists(blunt=frozenset({"lists"}))) == set(range(40))


@given(st.lists(st.sampled_from(["abcde", "fg", "hij"]), max_size=30), st.integers(1, 50))
def test_no_list_is_at_the_place_of_a_judge_of_pairs(shapes: list[str], wave_number: int) -> None:
    jury = (JudgeSpec(name="lists", list_size=5), JudgeSpec(provider=Provider.PERSON))
    planned = [
        PlannedList(essay_ids=tuple(shape))
        if len(shape) > 2
        else PlannedPair(first=shape[0], second=shape[1])
        for shape in shapes
    ]
    seated = seat_comparisons(planned, jury, wave_number=wave_number)
    for at, each in enumerate(seated):
        judge = draw_judge(comparison_id(wave_number, at), jury)
        assert len(each.essay_ids) == 2 or judge.label == "lists"
    n_pairs = sum(isinstance(each, PlannedPair) for each in planned)
    assert sum(isinstance(each, PlannedPair) for each in seated) == n_pairs
    alone = seat_comparisons(planned, jury[:1], wave_number=wave_number)
    assert alone == planned


def test_only_a_judge_of_lists_can_be_suspected_in_them() -> None:
    jury = (JudgeSpec(name="lists", list_size=5), JudgeSpec(name="pairs"))
    suspected, pairs = frozenset({"lists"}), frozenset({"pairs"})
    assert JudgesInLists(suspected=suspected).suspects_any(jury)
    assert not JudgesInLists(suspected=pairs).suspects_any(jury)
    assert not JudgesInLists(suspected=suspected, listless=suspected).suspects_any(jury)
    assert not JudgesInLists(settled=suspected).suspects_any(jury)
    # An endpoint without a label goes by a name of its own.
    assert JudgesInLists(suspected=frozenset({"its own name"})).suspects_any((LISTS,))
    assert not JudgesInLists().suspects_any((LISTS,))


def test_blunt_judges_are_asked_for_pairs() -> None:
    blunt = JudgesInLists(blunt=frozenset({"any name of its own"}))
    assert set(find_sizes(LISTS, judges_in_lists=blunt)) == {2}
    jury = (JudgeSpec(name="one", list_size=5), JudgeSpec(name="other", list_size=5))
    assert set(find_sizes(*jury, judges_in_lists=JudgesInLists(frozenset({"one"})))) == {5, 2}
    assert set(find_sizes(*jury, judges_in_lists=JudgesInLists(frozenset({"one", "other"})))) == {2}


def make_comparisons(n_failed: int, n_orders: int, n_judged: int, n_lost: int) -> list[Comparison]:
    """Lists that failed or were ordered, and pairs that were judged or lost."""
    order = ListVerdict(ranking=tuple("abcde"), judge="j")
    verdict = Verdict(winner=Winner.FIRST, judge="j")
    failed = {"status": ComparisonStatus.FAILED, "failure": TRANSIENT}
    kinds: list[tuple[int, str, dict[str, Any]]] = [
        (n_failed, "abcde", failed),
        (n_orders, "abcde", {"status": ComparisonStatus.RECORDED, "verdict": order}),
        (n_judged, "ab", {"status": ComparisonStatus.RECORDED, "verdict": verdict}),
        (n_lost, "ab", failed),
    ]
    shapes = [(essays, fields) for n, essays, fields in kinds for _ in range(n)]
    return [make_comparison(at, essays, **fields) for at, (essays, fields) in enumerate(shapes)]


@pytest.mark.parametrize(
    ("counts", "is_listless"),
    [
        ((10, 0, 3, 0), True),
        ((9, 0, 3, 0), False),  # too few attempts
        ((30, 1, 3, 0), False),  # an order
        ((30, 0, 0, 0), False),  # nobody knows whether it answers anything
        ((30, 0, 3, 3), False),  # an outage
        ((30, 0, 4, 3), True),
    ],
)
def test_who_answers_pairs_and_no_list_is_asked_for_pairs(
    counts: tuple[int, int, int, int], *, is_listless: bool
) -> None:
    known = JudgesInLists().notice_failures(make_comparisons(*counts), [LISTS])
    assert known.listless == ({"j"} if is_listless else set())
    assert (set(find_sizes(LISTS, judges_in_lists=known)) == {2}) is is_listless
    assert known.learn([]).listless == known.listless


def test_failed_lists_of_who_answers_none_are_asked_as_pairs_at_once() -> None:
    comparisons = make_comparisons(10, 0, 3, 0)
    lists, pairs = comparisons[:10], comparisons[10:]
    lists[0] = lists[0].model_copy(update={"status": ComparisonStatus.PENDING, "failure": None})
    lost = make_comparison(20, "ab", status=ComparisonStatus.FAILED, failure=TRANSIENT)
    comparisons = [*lists, *pairs, lost]
    known = JudgesInLists(listless=frozenset("j"))
    abandoned = known.find_abandoned(comparisons, [LISTS])
    assert abandoned == {each.comparison_id for each in lists[1:]}
    pool = retry_pool(comparisons, max_attempts=3, abandoned=abandoned)
    assert pool == [lost]
    instead = replace_failed_lists(
        comparisons, max_attempts=3, n_readings=1000, abandoned=abandoned
    )
    assert {pair.failed_list_id for pair in instead} == abandoned
    met = drop_failed_lists(comparisons, max_attempts=3, abandoned=abandoned)
    assert met == [lists[0], *pairs, lost]
    assert JudgesInLists(blunt=frozenset("j")).find_abandoned(comparisons, [LISTS]) == set()


def test_of_a_jury_only_lists_of_who_answers_none_are_abandoned() -> None:
    jury = (JudgeSpec(name="one", list_size=5), JudgeSpec(name="other", list_size=5))
    failed = make_comparisons(40, 0, 0, 0)
    abandoned = JudgesInLists(listless=frozenset({"one"})).find_abandoned(failed, jury)
    drawn = {each.comparison_id: draw_judge(each.comparison_id, jury).label for each in failed}
    assert abandoned == {each for each, label in drawn.items() if label == "one"}
    assert 0 < len(abandoned) < len(failed)


def test_failed_attempts_at_one_list_count_each() -> None:
    lists = [each.model_copy(update={"attempt": 3}) for each in make_comparisons(4, 0, 0, 0)]
    known = JudgesInLists().notice_failures([*lists, *make_comparisons(0, 0, 2, 0)], [LISTS])
    assert known.listless == {"j"}


def test_of_a_jury_only_who_fails_lists_is_asked_for_pairs() -> None:
    jury = (JudgeSpec(name="one", list_size=5), JudgeSpec(name="other", list_size=5))
    order = ListVerdict(ranking=tuple("abcde"), judge="other")
    comparisons = [
        each
        if draw_judge(each.comparison_id, jury).label == "one" or not each.is_list
        else each.model_copy(
            update={"status": ComparisonStatus.RECORDED, "verdict": order, "failure": None}
        )
        for each in make_comparisons(60, 0, 20, 0)
    ]
    known = JudgesInLists().notice_failures(comparisons, jury)
    assert known.listless == {"one"}
    assert set(find_sizes(*jury, judges_in_lists=known)) == {5, 2}


def sharpness(judge: str, probability: float, **fields: Any) -> ListSharpness:
    values = {"list_size": 5, "lists": 20, "ratio": 0.6} | fields
    return ListSharpness(judge=judge, probability_blunt=probability, **values)


def test_blunt_judges_stay_so_and_doubts_may_return() -> None:
    first = JudgesInLists().learn([sharpness("a", 0.95), sharpness("b", 0.05)])
    assert first == JudgesInLists(frozenset("a"), frozenset("ab"))
    second = first.learn([sharpness("a", 0.5), sharpness("b", 0.5)])
    assert second == JudgesInLists(frozenset("a"), frozenset(), frozenset("b"))


def test_only_the_almost_certain_is_blunt() -> None:
    assert find_blunt_judges([sharpness("a", 0.9), sharpness("b", 0.89)]) == {"a"}
    assert find_blunt_judges([sharpness("a", 1.0, is_known=False)]) == set()
    few = sharpness("a", 0.99, list_size=3, lists=2)
    assert find_blunt_judges([few, sharpness("a", 0.1)]) == set()


@pytest.mark.parametrize(
    ("fields", "replaced"),
    [
        ({"status": ComparisonStatus.FAILED, "failure": TRANSIENT}, False),
        ({"status": ComparisonStatus.FAILED, "failure": TRANSIENT, "attempt": 3}, True),
        ({"status": ComparisonStatus.FAILED, "failure": PERMANENT}, True),
        ({"status": ComparisonStatus.TIMED_OUT, "attempt": 3}, True),
        ({"status": ComparisonStatus.RECORDED, "attempt": 3}, False),
        ({}, False),
    ],
)
def test_lists_that_failed_for_good_are_asked_as_pairs(
    fields: dict[str, Any], *, replaced: bool
) -> None:
    known = [
        make_comparison(0, **fields),
        make_comparison(1, "abcde", status=ComparisonStatus.RECORDED),
    ]
    pairs = replace_failed_lists(known, max_attempts=3, n_readings=100)
    assert bool(pairs) is replaced
    assert len(drop_failed_lists(known, max_attempts=3)) == 2 - replaced
    if replaced:
        assert Counter(pair.first for pair in pairs) == Counter("abcde")
        assert Counter(pair.second for pair in pairs) == Counter("abcde")
        assert {pair.failed_list_id for pair in pairs} == {known[0].comparison_id}
        known += [
            make_comparison(2 + at, pair.first + pair.second, failed_list_id=pair.failed_list_id)
            for at, pair in enumerate(pairs)
        ]
        assert not replace_failed_lists(known, max_attempts=3, n_readings=100)


def test_failed_pairs_are_not_replaced() -> None:
    pair = make_comparison(0, "ab", status=ComparisonStatus.FAILED, failure=PERMANENT)
    assert replace_failed_lists([pair], max_attempts=3, n_readings=100) == []
    assert drop_failed_lists([pair], max_attempts=3) == [pair]


def test_pairs_for_failed_lists_keep_within_the_readings() -> None:
    failed = make_comparison(0, status=ComparisonStatus.FAILED, failure=PERMANENT)
    assert len(replace_failed_lists([failed], max_attempts=3, n_readings=5)) == 2


def test_caps_count_readings() -> None:
    config = BatchConfig(max_comparisons_per_essay=20, max_readings_per_essay=4)
    assert count_room([make_comparison(0)], config=config, n_essays=10) == 40 - 5
    config = BatchConfig(max_pairwise_comparisons=10)
    assert (
        count_room([make_comparison(0)], config=config, n_essays=10, n_readings_aside=5) == 20 - 10
    )


def test_money_is_counted_in_readings() -> None:
    verdict = ListVerdict(ranking=tuple("abcde"), judge="j", cost_usd=0.5)
    known = [make_comparison(0, status=ComparisonStatus.RECORDED, verdict=verdict)]
    assert count_affordable_readings(known, max_cost_usd=1.5) == 10


def test_repeats_of_lists_show_every_essay_at_another_place() -> None:
    known = [make_comparison(0), make_comparison(1, "ab")]
    repeats = choose_repeats(known, passes=1, n_readings=7)
    assert PlannedList(essay_ids=tuple("bcdea"), resampled=True) in repeats
    assert {each.essay_ids for each in repeats} == {("b", "c", "d", "e", "a"), ("b", "a")}
    assert choose_repeats(known, passes=1, n_readings=4) == repeats[:0] + [
        each for each in repeats if len(each.essay_ids) == 2
    ]


def test_essays_of_a_list_have_all_met() -> None:
    assert len(list_met_pairs([make_comparison(0), make_comparison(1, "ab")])) == 10


def test_people_are_asked_for_pairs_only() -> None:
    with pytest.raises(ValueError, match="people judge pairs only"):
        JudgeSpec(provider=Provider.PERSON, list_size=5)


def test_the_size_of_lists_is_part_of_what_a_verdict_depends_on() -> None:
    assert "list_size" not in JudgeSpec().identity()
    assert "list_size" not in JudgeSpec().model_dump()
    assert JudgeSpec(list_size=5).identity()["list_size"] == 5
    assert JudgeSpec.model_validate(JudgeSpec(list_size=5).model_dump()).list_size == 5
