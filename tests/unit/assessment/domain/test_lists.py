"""Lists: comparisons of more than two essays, and their verdicts."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from assessment.domain.comparison import (
    Comparison,
    ComparisonStatus,
    JudgeFailure,
    PlannedList,
    PlannedPair,
    has_preference,
)
from assessment.domain.essay_failures import is_essay_failure
from assessment.domain.not_assessed import (
    NotAssessed,
    NotAssessedReason,
    drop_essays,
    set_essays_aside,
)
from assessment.domain.verdict import Gap, ListVerdict, Verdict, Winner, describe_order, rank_gaps

ESSAYS = ("c", "a", "d", "b")


def plan_list(*essay_ids: str) -> Comparison:
    plan = PlannedList(essay_ids=essay_ids, audit=True)
    return Comparison.from_plan(plan, comparison_id="w001-00000", wave_number=1)


def order(*ranking: str, **fields: object) -> ListVerdict:
    return ListVerdict.model_validate({"ranking": ranking, "judge": "j", **fields})


def test_a_list_keeps_its_shown_order() -> None:
    planned = plan_list(*ESSAYS)
    assert planned.essay_ids == ESSAYS
    assert planned.is_list
    assert planned.audit
    assert Comparison.model_validate_json(planned.model_dump_json()) == planned


def test_a_pair_reads_and_writes_as_if_there_were_no_lists() -> None:
    plan = PlannedPair(first="x", second="y", predicted=0.25)
    pair = Comparison.from_plan(plan, comparison_id="w001-00000", wave_number=1)
    assert pair.essay_ids == ("x", "y")
    assert not pair.is_list
    new_names = {"further_ids", "failed_list_id"}
    assert new_names.isdisjoint(json.loads(pair.model_dump_json()))
    assert new_names.isdisjoint(plan.model_dump(mode="json"))


def test_the_verdict_tells_whether_it_is_of_a_list() -> None:
    listed = plan_list(*ESSAYS).model_copy(update={"verdict": order("a", "b", "c", "d")})
    read = Comparison.model_validate_json(listed.model_dump_json())
    assert (read.list_verdict, read.pair_verdict) == (listed.verdict, None)
    pair = Comparison.model_validate(
        {"comparison_id": "p", "wave": 1, "submitted_wave": 1, "first": "x", "second": "y",
         "verdict": {"winner": "first", "judge": "j"}}
    )  # fmt: skip
    assert pair.pair_verdict == Verdict(winner=Winner.FIRST, judge="j")
    assert pair.list_verdict is None


@pytest.mark.parametrize("size", [2, 11])
def test_a_list_has_three_to_ten_essays(size: int) -> None:
    with pytest.raises(ValidationError):
        PlannedList(essay_ids=tuple(f"e{n}" for n in range(size)))


@pytest.mark.parametrize(
    "fields",
    [
        {"ranking": ["a", "b", "a"]},
        {"gaps": ["tie"]},
        {"gaps": ["tie", "slight", "clear"]},
        {"scores": [3.0, 2.0]},
        {"scores": [1.0, 2.0, 3.0]},
        {"scores": [3.0, 2.0, float("nan")]},
    ],
)
def test_what_does_not_belong_together_is_no_verdict(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ListVerdict.model_validate({"ranking": ["a", "b", "c"], "judge": "j", **fields})


def test_gaps_in_degrees() -> None:
    told = order("a", "b", "c", "d", gaps=["tie", None, "decisive"])
    assert rank_gaps(told) == (0, 1, 3)
    assert rank_gaps(told, graded=False) == (0, 1, 1)
    assert rank_gaps(order("a", "b", "c", scores=[9, 9, 2])) == (0, 1)
    assert rank_gaps(order("a", "b", "c")) == (1, 1)
    assert describe_order(told) == "a = b >? c >>> d"


def test_a_list_of_ties_prefers_nothing() -> None:
    ties = order("a", "b", "c", gaps=[Gap.TIE, Gap.TIE])
    listed = plan_list("a", "b", "c")
    assert not has_preference([listed.model_copy(update={"verdict": ties})])
    assert has_preference([listed.model_copy(update={"verdict": order("a", "b", "c")})])


def test_a_failed_list_says_nothing_of_any_one_essay() -> None:
    failure = JudgeFailure(code="content-refused", message="m", retryable=False)
    failed = plan_list(*ESSAYS).model_copy(
        update={"status": ComparisonStatus.FAILED, "failure": failure}
    )
    assert not is_essay_failure(failed)
    assert failed.has_failed_for_good(max_attempts=3)
    passing = failed.model_copy(
        update={"failure": failure.model_copy(update={"retryable": True}), "attempt": 2}
    )
    assert not passing.has_failed_for_good(max_attempts=3)
    assert passing.has_failed_for_good(max_attempts=2)


def test_an_unjudged_list_goes_with_any_of_its_essays() -> None:
    assert drop_essays([plan_list(*ESSAYS)], {"b"}) == []
    assert drop_essays([plan_list(*ESSAYS)], {"x"}) == [plan_list(*ESSAYS)]


def judge_list(**verdict: object) -> Comparison:
    listed = plan_list(*ESSAYS).model_copy(
        update={"predicted_pairs": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)}
    )
    return listed.model_copy(update={"verdict": order("a", "b", "c", "d", **verdict)})


@pytest.mark.parametrize(
    ("gaps", "joined"),
    [
        (["slight", "slight", "tie"], ("clear", "tie")),
        (["clear", "slight", "tie"], ("clear", "tie")),
        (["decisive", "tie", "tie"], ("decisive", "tie")),
        (["tie", "tie", "slight"], ("tie", "slight")),
        (["clear", "clear", None], ("decisive", None)),
        (["slight", None, "slight"], (None, "slight")),
    ],
)
def test_a_judged_list_keeps_the_order_of_the_rest(
    gaps: list[str | None], joined: tuple[str | None, ...]
) -> None:
    (kept,) = drop_essays([judge_list(gaps=gaps)], {"b"})
    assert kept.essay_ids == ("c", "a", "d")
    assert kept.list_verdict
    assert (kept.list_verdict.ranking, kept.list_verdict.gaps) == (("a", "c", "d"), joined)
    # c with a, c with d, a with d
    assert kept.predicted_pairs == (0.1, 0.2, 0.4)


def test_a_shorter_list_keeps_its_scores_and_two_essays_are_no_list() -> None:
    listed = judge_list(scores=[9, 7, 5, 1])
    part = set_essays_aside([listed], (not_assessed("a"),))
    assert part.comparisons[0].list_verdict == order("b", "c", "d", scores=[7, 5, 1])
    assert (part.set_aside, part.n_readings_aside) == ([], 1)
    part = set_essays_aside([listed], (not_assessed("a"), not_assessed("d")))
    assert (part.comparisons, part.set_aside, part.n_readings_aside) == ([], [listed], 4)


def not_assessed(essay_id: str) -> NotAssessed:
    return NotAssessed(essay_id=essay_id, reason=NotAssessedReason.REFUSED, detail="d")
