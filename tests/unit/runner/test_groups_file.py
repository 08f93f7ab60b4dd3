"""`cj execute --groups`: labels from a file to the essays, and what the terminal says of groups."""

from pathlib import Path

import pytest

from assessment.contracts.result import ResultDocument
from assessment.domain.essay import SubmittedEssay
from runner.errors import BadInputError
from runner.groups_file import assign_groups
from runner.inputs import JudgeTexts, read_assessment
from runner.tables import summary_lines
from tests.unit.runner import documents

ESSAYS = [SubmittedEssay(essay_id=name, text="A text.") for name in ("ada", "Åsa", "ben")]


def groups_file(folder: Path, *rows: str, header: str = "essay_id,group") -> Path:
    path = folder / "groups.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_essays_get_their_groups_and_the_rest_none(tmp_path: Path):
    # Åsa in Unicode's decomposed form, as some file systems write it.
    path = groups_file(tmp_path, "A\u030asa,8 B", "ben,", header="Essay ID,Group")
    assert [essay.group for essay in assign_groups(path, ESSAYS)] == [None, "8 B", None]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["cy,8 B"], "row 2, essay_id: there is no essay 'cy'"),
        (["ada,8 B", "ada,8 C"], "row 3, essay_id: ada is in row 2 too"),
        ([f"ada,{'x' * 41}"], "row 2, group"),
        (["ada,=1+1"], "row 2, group: cannot be an id"),
    ],
)
def test_what_cannot_be_a_group_is_named_by_row(tmp_path: Path, rows: list[str], problem: str):
    with pytest.raises(BadInputError) as refused:
        assign_groups(groups_file(tmp_path, *rows), ESSAYS)
    assert problem in str(refused.value)


def test_a_file_without_the_columns_is_refused(tmp_path: Path):
    with pytest.raises(BadInputError, match="no such column"):
        assign_groups(groups_file(tmp_path, "ada,8 B", header="essay,class"), ESSAYS)


def test_the_request_carries_the_groups_and_the_file_may_lie_in_the_folder(tmp_path: Path):
    for name in ("ada", "ben"):
        (tmp_path / f"{name}.txt").write_text("A text of some words.")
    assessment = read_assessment(
        tmp_path,
        anchors=None,
        assignment=None,
        scale=None,
        texts=JudgeTexts(),
        settings=(),
        groups=groups_file(tmp_path, "ada,8 B", "ben,8 C"),
    )
    assert [essay.group for essay in assessment.request.essays] == ["8 B", "8 C"]


def test_the_summary_tells_differences_and_judges_who_favour_a_group():
    groups = {
        "groups": [
            {"group": "8 B", "essays": 12, "difference": 0.5, "interval": [-0.1, 1.1]},
            {"group": "8 C", "essays": None, "reason": "fewer than 5 essays: nothing can be told"},
        ],
        "judge_effects": [
            {"judge": "j1", "group": "8 B", "verdicts": 40, "effect": 0.8, "interval": [0.2, 1.4]},
            {"judge": "j2", "group": "8 B", "verdicts": 40, "effect": 0.1, "interval": [-0.5, 0.7]},
        ],
        "notes": [],
    }
    text = "\n".join(summary_lines(ResultDocument.model_validate(documents.result(groups=groups))))
    assert "group 8 B (12 essays): +0.50 logits from the others (95% interval -0.10 to" in text
    assert "group 8 C: fewer than 5 essays" in text
    assert "judge j1 gives group 8 B +0.80 logits" in text
    assert "judge j2" not in text
