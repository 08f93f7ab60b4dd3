"""Groups of a batch: what is told of them, what is not, and that no verdict depends on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from pydantic import ValidationError

from assessment.contracts.request import BatchRequest
from assessment.domain.comparison import Comparison
from assessment.domain.config import BatchConfig
from assessment.domain.essay import SubmittedEssay, student_essay
from assessment.domain.group_report import GroupReport
from assessment.domain.spec import BatchSpec
from assessment.domain.verdict import Verdict
from tests.present import present

from .batch import STATISTICS, judge_essays, make_spec, place_anchors

GRADES = ["F", "D", "C", "A"]


def group_students(spec: BatchSpec, labels: Sequence[str | None]) -> BatchSpec:
    """The specification with groups of its students, in the order of their ids."""
    waiting = iter(labels)
    essays = tuple(
        essay if essay.is_anchor else essay.model_copy(update={"group": next(waiting, None)})
        for essay in spec.essays
    )
    return spec.model_copy(update={"essays": essays})


def report_groups(
    labels: Sequence[str | None], *, shift: float = 0.0, second_judge: bool = False
) -> GroupReport | None:
    """A batch of 30 students and four anchors; the essays of "later" are better by a shift."""
    spec = group_students(make_spec(30, GRADES), labels)
    rng = np.random.default_rng(5)
    ability = {
        e.essay_id: float(rng.normal(0, 1.5)) + (shift if e.group == "later" else 0.0)
        for e in spec.essays
    }
    ability |= {
        a.essay_id: true for a, (_, true) in zip(spec.anchors, place_anchors(GRADES), strict=True)
    }
    comparisons = judge_essays(spec, ability, per_essay=14)
    if second_judge:
        comparisons = [_change_judge(c) if n % 2 else c for n, c in enumerate(comparisons)]
    return STATISTICS.conclude(spec, comparisons, config=BatchConfig()).groups


def _change_judge(comparison: Comparison) -> Comparison:
    verdict: Verdict = present(comparison.pair_verdict)
    return comparison.model_copy(
        update={"verdict": verdict.model_copy(update={"judge": "another"})}
    )


def test_without_groups_the_result_has_none():
    assert report_groups([]) is None


def test_a_difference_between_groups_is_told_with_its_interval():
    report = present(report_groups(["early"] * 15 + ["later"] * 15, shift=3.0))
    early, later = report.groups
    assert (early.group, early.essays, later.group, later.essays) == ("early", 15, "later", 15)
    low, high = present(later.interval)
    assert 0 < low < present(later.difference) < high
    assert present(early.difference) == pytest.approx(-present(later.difference))


def test_a_small_group_is_named_without_any_figure():
    report = present(report_groups(["a"] * 13 + ["b"] * 13 + ["small"] * 4))
    small = report.groups[-1]
    assert (small.group, small.essays) == ("small", None)
    assert (small.difference, small.interval) == (None, None)
    assert "fewer than 5 essays" in present(small.reason)
    assert all(group.difference is not None for group in report.groups[:2])
    assert all(effect.group != "small" for effect in report.judge_effects)


def test_a_lone_group_has_nothing_to_be_compared_with():
    """Neither with a small group, whose figure that would be, nor with essays without a group."""
    report = present(report_groups(["a"] * 20 + ["small"] * 3))
    assert [group.difference for group in report.groups] == [None, None]
    assert "no other group" in present(report.groups[0].reason)


def test_one_judge_is_told_to_show_no_favour():
    report = present(report_groups(["a"] * 15 + ["b"] * 15))
    assert report.judge_effects == []
    assert "cannot be told" in report.notes[0].message
    assert report.notes[0].code == "one_judge"


def test_every_judge_of_a_jury_has_an_effect_for_each_group():
    report = present(report_groups(["a"] * 15 + ["b"] * 15, second_judge=True))
    assert [(e.judge, e.group) for e in report.judge_effects] == [
        ("another", "a"),
        ("another", "b"),
        ("simulated", "a"),
        ("simulated", "b"),
    ]
    for effect in report.judge_effects:
        low, high = present(effect.interval)
        assert low < 0 < high, "both judges follow the same abilities"


def test_groups_change_no_verdict_and_no_specification():
    spec = make_spec(6, GRADES)
    assert group_students(spec, ["a", "b"] * 3).spec_hash == spec.spec_hash


def test_the_label_of_a_request_reaches_the_essay():
    submitted = SubmittedEssay(essay_id="ada", text="A text.", group="8 B")
    assert student_essay(submitted).group == "8 B"
    assert student_essay(SubmittedEssay(essay_id="ben", text="A text.")).group is None


@pytest.mark.parametrize(
    ("groups", "problem"),
    [
        (["x" * 41, "y"], "at most 40 characters"),
        (["", "y"], "at least 1 character"),
        (["a\u0000b", "y"], "cannot be an id"),
        ([str(n) for n in range(21)], "21 groups; at most 20"),
        (["8 B", "8 В"], "print alike"),
    ],
)
def test_groups_that_cannot_be_labels_are_refused(groups: list[str], problem: str):
    essays = [{"essay_id": f"e{n}", "text": "A text.", "group": g} for n, g in enumerate(groups)]
    with pytest.raises(ValidationError, match=problem):
        BatchRequest.model_validate({"essays": essays})
