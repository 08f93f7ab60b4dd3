"""Which essays need a person first, and in what order."""

from __future__ import annotations

from typing import Any

from assessment.domain.attention import AttentionReason, list_attention
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grading_result import GradeProjections
from assessment.domain.not_assessed import NotAssessed, NotAssessedReason
from assessment.domain.result import (
    ConstructGap,
    Disagreement,
    JudgeFit,
    MisfitFlag,
    Ranking,
)

NOT_ASSESSED, ABSTAINED, WIDE, MISFIT, FLAGGED, APART = AttentionReason


def ranking(essay_id: str, **changes: Any) -> Ranking:
    figures = {"rank": 1, "bradley_terry_score": 0.0, "bradley_terry_se": 0.4}
    return Ranking.model_validate(
        {"essay_id": essay_id, "comparison_count": 9, "is_anchor": False, **figures, **changes}
    )


def judge(*apart: Disagreement) -> JudgeFit:
    gap = ConstructGap(tau=0.5, tau_interval=(0.2, 0.9), scale=1.0, disagreements=list(apart))
    return JudgeFit(
        judge="model/1", verdicts=9, ties=0, first_preferred=4, infit=1, outfit=1, misfit_flags=[],
        construct_gap=gap,
    )  # fmt: skip


def attention(**changes: Any) -> list[tuple[str, list[tuple[AttentionReason, float]]]]:
    given: dict[str, Any] = {
        "rankings": [],
        "projections": GradeProjections(projections_available=False),
        "not_assessed": [],
        "excluded": [],
        "essay_flags": {},
        "judge_fit": [],
        **changes,
    }
    return [
        (essay.essay_id, [(cause.reason, cause.size) for cause in essay.causes])
        for essay in list_attention(**given)
    ]


def make_projections(**sets: list[str]) -> GradeProjections:
    return GradeProjections(
        projections_available=True,
        primary_grades={essay_id: grades[0] for essay_id, grades in sets.items()},
        grade_sets=sets,
    )


def test_an_essay_that_nothing_is_odd_about_is_not_listed():
    assert attention(rankings=[ranking("a")], projections=make_projections(a=["B", "C"])) == []


def test_wide_sets_come_by_their_size_and_the_calibrated_ones_count():
    projections = make_projections(a=["A", "B", "C"], b=["A", "B", "C", "D"], c=["A", "B", "C"])
    calibrated = projections.model_copy(update={"calibrated_sets": {"c": ["A"]}})
    listed = attention(rankings=[ranking(e) for e in "abc"], projections=calibrated)
    assert listed == [("b", [(WIDE, 4)]), ("a", [(WIDE, 3)])]


def test_what_has_no_proposal_comes_first():
    listed = attention(
        rankings=[ranking("wide"), ranking("open")],
        projections=make_projections(wide=["A", "B", "C", "D", "E"]),
        not_assessed=[
            NotAssessed(essay_id=name, reason=NotAssessedReason.DECLINED, detail="no")
            for name in ("refused", "ANCHOR_a_12345678")
        ],
        excluded=["short"],
        essay_flags={"short": [EssayFlag.TOO_SHORT]},
    )
    assert [essay_id for essay_id, _ in listed] == ["short", "open", "refused", "wide"]
    assert listed[0][1] == [(NOT_ASSESSED, 1), (FLAGGED, 1)]
    assert listed[1][1] == [(ABSTAINED, 1)]


def test_causes_of_one_essay_add_up_in_the_order():
    projections = make_projections(a=["A"], b=["A"])
    misfit = {"misfit_flags": [MisfitFlag.NOISY], "infit": 1.5, "outfit": 2.5}
    listed = attention(
        rankings=[ranking("a", **misfit), ranking("b", **misfit)],
        projections=projections,
        essay_flags={"b": [EssayFlag.OFF_LANGUAGE, EssayFlag.INSTRUCTION_LIKE]},
    )
    assert listed == [("b", [(MISFIT, 2.5), (FLAGGED, 2)]), ("a", [(MISFIT, 2.5)])]


def test_people_and_model_far_apart_counts_from_two_standard_errors():
    apart = judge(
        Disagreement(essay_id="a", shift=-1.5, standard_error=0.5),
        Disagreement(essay_id="b", shift=0.5, standard_error=0.5),
    )
    listed = list_attention(
        rankings=[ranking("a"), ranking("b")],
        projections=make_projections(a=["A"], b=["A"]),
        not_assessed=[],
        excluded=[],
        essay_flags={},
        judge_fit=[apart],
    )
    [essay] = listed
    assert (essay.essay_id, essay.causes[0].reason, essay.causes[0].size) == ("a", APART, 3.0)
    assert "worse by 1.50 logits" in essay.causes[0].detail
