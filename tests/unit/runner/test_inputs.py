"""From the options of a command to what the API takes."""

from pathlib import Path
from typing import Any

import pytest

from runner.errors import BadInputError
from runner.inputs import JudgeTexts, parse_config, parse_scale, read_assessment


def assessment(folder: Path, **values: Any):
    options: dict[str, Any] = {
        "anchors": folder.parent / "anchors.csv",
        "assignment": None,
        "scale": None,
        "texts": JudgeTexts(),
        "settings": (),
        **values,
    }
    return read_assessment(folder, **options)


def register(folder: Path, **values: Any) -> str:
    registration = assessment(folder, **values).registration
    assert registration is not None
    return registration.request.assignment_id


def test_settings_have_the_type_that_they_are_written_in():
    settings = ["seed=7", "target_mean_se = 0.4", "strategy=random", "max_cost_usd=null"]
    assert parse_config(settings) == {
        "seed": 7,
        "target_mean_se": 0.4,
        "strategy": "random",
        "max_cost_usd": None,
    }


def test_every_wrong_setting_is_named_at_once():
    with pytest.raises(BadInputError) as refusal:
        parse_config(["seed", "seeds=1", "audit_share=2", "strategy=guess", "=1"])
    assert [problem.field for problem in refusal.value.problems] == [
        "--config seed",
        "--config seeds",
        "--config",
        "--config strategy",
        "--config audit_share",
    ]
    assert "did you mean seed?" in str(refusal.value)


def test_a_name_of_an_upstream_system_is_let_through():
    assert parse_config(["max_comparisons=10"]) == {"max_comparisons": 10}
    with pytest.raises(BadInputError, match="max_pairwise_comparisons"):
        parse_config(["max_comparisons=0"])


def test_scales_by_name_and_by_labels():
    assert parse_scale(None) is None
    assert parse_scale("gcse_9_1") == "gcse_9_1"
    assert parse_scale("low, middle, high") == ["low", "middle", "high"]
    for wrong in ("unknown", "low,low", "low,"):
        with pytest.raises(BadInputError, match="--scale"):
            parse_scale(wrong)


def test_the_assignment_is_made_of_what_is_registered(folder: Path):
    made = register(folder)
    assert made.startswith("unit-essays-")
    assert register(folder) == made
    (folder / "cy.txt").write_text("One student more changes nothing about the anchors.")
    assert register(folder) == made
    assert register(folder, scale="F,E,D,C,B,A") != made
    (folder.parent / "good.txt").write_text("Another anchor text.")
    assert register(folder) != made
    assert register(folder, assignment="tides-2026") == "tides-2026"


def test_texts_for_the_judge(folder: Path):
    files = {name: folder.parent / f"{name}.md" for name in ("one", "two", "prompt", "rubric")}
    for name, path in files.items():
        path.write_text(f"{name}\n")
    texts = JudgeTexts([files["one"], files["two"]], files["prompt"], files["rubric"])
    registration = assessment(folder, texts=texts).registration
    assert registration is not None
    request = registration.request
    assert request.instructions == "one\n\ntwo"
    assert (request.student_prompt, request.judge_rubric) == ("prompt\n", "rubric\n")


def test_without_anchors_there_is_no_registration(folder: Path):
    read = assessment(folder, anchors=None, settings=["seed=1"])
    assert read.registration is None
    assert read.request.assignment_id is None
    assert read.request.config == {"seed": 1}
    assert assessment(folder, anchors=None, assignment="known").request.assignment_id == "known"


def test_a_rubric_needs_no_anchors(folder: Path):
    rubric = folder / "rubric.md"
    rubric.write_text("Look for evidence.")
    read = assessment(folder, anchors=None, texts=JudgeTexts(rubric=rubric))
    assert read.registration is not None
    assert read.registration.request.anchors == []
    assert read.registration.request.judge_rubric == "Look for evidence."
    assert read.request.assignment_id == read.registration.request.assignment_id
    assert read.folder.left_out == ["rubric.md"]
    rubric.write_text("Look for style.")
    again = assessment(folder, anchors=None, texts=JudgeTexts(rubric=rubric))
    assert again.request.assignment_id != read.request.assignment_id


def test_a_scale_needs_anchors(folder: Path):
    with pytest.raises(BadInputError, match="--scale: grades need anchors"):
        assessment(folder, anchors=None, scale="gcse_9_1")


def test_a_result_in_the_folder_is_no_essay(folder: Path):
    (folder / "result.json").write_text("{}")
    read = assessment(folder, anchors=None, output=folder / "result.json")
    assert read.folder.left_out == ["result.json"]


def test_names_of_folders_keep_their_letters(folder: Path):
    renamed = folder.rename(folder.parent / "Åk 9 – blåbär")
    assert register(renamed, anchors=folder.parent / "anchors.csv").startswith("Åk-9-blåbär-")


def test_the_problems_of_all_inputs_come_together(folder: Path):
    (folder / "empty.txt").write_text("")
    with pytest.raises(BadInputError) as refusal:
        assessment(folder, anchors=folder.parent / "absent.csv", settings=["nonsense=1"])
    text = str(refusal.value)
    assert all(part in text for part in ("absent.csv", "--config nonsense", "empty.txt"))


def test_an_assignment_id_that_cannot_be_one_is_told_by_its_option(folder: Path):
    with pytest.raises(BadInputError, match="--assignment"):
        assessment(folder, assignment="no spaces here")
    with pytest.raises(BadInputError, match="--assignment"):
        assessment(folder, anchors=None, assignment="no spaces here")


def test_a_roster_asks_for_masking_and_is_no_essay(folder: Path):
    assert assessment(folder).request.masking is None
    masking = assessment(folder, mask=True).request.masking
    assert masking is not None
    assert masking.names == []
    (folder / "roster.txt").write_text("Anna Svensson\n\n  Åsa O'Brien \n")
    checked = assessment(folder, roster=folder / "roster.txt")
    assert checked.request.masking is not None
    assert checked.request.masking.names == ["Anna Svensson", "Åsa O'Brien"]
    assert "roster" not in {essay.essay_id for essay in checked.request.essays}


@pytest.mark.parametrize("roster", ["Anna\n\n--\n", "\n"])
def test_a_roster_with_what_is_no_name_is_refused_without_quoting_it(folder: Path, roster: str):
    path = folder.parent / "roster.txt"
    path.write_text(roster)
    with pytest.raises(BadInputError, match=r"roster\.txt") as refused:
        assessment(folder, roster=path)
    assert refused.value.problems[0].row == (3 if "Anna" in roster else None)
    assert "Anna" not in str(refused.value)
