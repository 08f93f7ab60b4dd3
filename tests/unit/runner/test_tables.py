"""The ranking as a reader sees it."""

import io

import pytest
from rich.console import Console

from assessment.contracts.result import ResultDocument
from assessment.domain.essay_flags import EssayFlag
from runner.progress import headline, snapshot
from runner.tables import percent, probabilities_cell, ranking_table, summary_lines
from tests.unit.runner import documents


def shown(**values: object) -> list[str]:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    with console.capture() as capture:
        console.print(ranking_table(ResultDocument.model_validate(documents.result(**values))))
    return capture.get().splitlines()


def test_students_have_grades_and_anchors_the_grade_they_were_given():
    _, ada, one, ben, two = shown()
    assert ada.split() == ["1", "ada", "+1.25", "±", "0.40", "6", "A", ">99%", "A", "HIGH"]
    assert one.split() == ["2", "one", "+0.50", "±", "0.40", "6", "anchor", "=B"]
    assert "C 55%  =B 40%" in ben
    assert "needs more evidence" in ben
    assert "graded as it is?" in two


def test_without_projections_there_are_no_grade_columns():
    none = {"projections_available": False, "reason": "the batch has no anchors"}
    header, ada, *_ = shown(grade_projections=none)
    assert "grade" not in header
    assert ada.split() == ["1", "ada", "+1.25", "±", "0.40", "6"]
    result = ResultDocument.model_validate(documents.result(grade_projections=none))
    assert "no grades: the batch has no anchors" in summary_lines(result)


def test_the_summary_tells_evidence_and_cautions():
    text = "\n".join(summary_lines(ResultDocument.model_validate(documents.result())))
    for expected in (
        "se_target_met",
        "12 comparisons planned, 11 recorded, 1 failed",
        "model reliability 0.95, SE 0.22 sd (mean 0.45, largest 0.60 logits)",
        "agreement 0.67 (95% interval 0.20 to 0.94)",
        "+0.10 ± 0.20 logits",
        "anchor two sits far from its grade",
        "extrapolated: A",
        "in need of more evidence: ben",
        "one comparison has no verdict",
    ):
        assert expected in text
    assert "CAUTION" not in text


def test_a_judge_at_chance_is_said_loudly():
    audit = {"pairs": 60, "agreement": 0.5, "at_chance": True}
    result = ResultDocument.model_validate(documents.result(audit=audit))
    assert any(line.startswith("CAUTION") for line in summary_lines(result))


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.0, "0%"), (0.004, "<1%"), (0.25, "25%"), (0.994, "99%"), (0.9999, ">99%"), (1.0, "100%")],
)
def test_a_probability_never_rounds_to_a_certainty(probability: float, text: str):
    assert percent(probability) == text


def test_as_many_grades_as_make_nine_tenths_but_three_at_most():
    assert probabilities_cell({"A": 0.95, "B": 0.05}) == "A 95%"
    flat = dict.fromkeys("ABCDE", 0.2)
    assert probabilities_cell(flat) == "A 20%  B 20%  C 20%"


def test_no_reliability_is_shown_of_a_judge_at_chance():
    audit = {"pairs": 60, "agreement": 0.5, "at_chance": True}
    result = ResultDocument.model_validate(documents.result(audit=audit))
    assert not any("reliability" in line for line in summary_lines(result))
    now = snapshot(documents.make_failed_batch())
    assert now.reliability is None
    assert "reliability" not in headline(now)


def test_flags_and_essays_set_aside_are_named_under_the_table():
    result = ResultDocument.model_validate(
        documents.result(
            essay_flags={"ada": ["instruction_like"], "ben": ["off_language", "instruction_like"],
                         "cy": ["too_long"]},
            excluded_essays=["cy"],
            not_assessed=[
                {"essay_id": "di", "reason": "declined_by_provider", "detail": "refused"}
            ],
        )
    )  # fmt: skip
    lines = summary_lines(result)
    assert "NOT ASSESSED di: declined_by_provider: refused" in lines
    assert "set aside cy: too_long" in lines
    assert "look at ada, ben: contains instructions to the judge" in lines
    assert "look at ben: another language than most" in lines


@pytest.mark.parametrize("flag", EssayFlag)
def test_every_flag_has_words(flag: EssayFlag):
    result = ResultDocument.model_validate(documents.result(essay_flags={"ada": [flag]}))
    (line,) = [line for line in summary_lines(result) if line.startswith("look at ada")]
    assert flag not in line
