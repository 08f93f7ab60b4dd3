"""Situations that others reported in public, through the commands that users type.

Those of judges are whole batches in `tests/batches/loop/test_public_reports.py`.

    report                                              test here
    13 files of a folder that are no texts              test_a_folder_with_word_documents
    15 Excel's `sep=;` and an empty first row           test_exports_of_spreadsheets
    17 an essay that never wins, groups apart           test_data_that_have_no_finite_fit
    18 No More Marking's decisions                      test_decisions_of_no_more_marking
    22 a text that does not show; flags                 test_a_text_that_does_not_show
    23 a year group                     test_a_year_group_that_is_more_than_a_request_carries
    27 reliability of small classes                     test_the_reliability_of_a_small_class
    28 many judgements                                  test_many_judgements_and_judges
"""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runner.cli import app
from tests.unit.runner import office_files
from tests.unit.runner.api_server import FakeStack

BAD_INPUT = 2
TEXT = "The river rose in the night, and by the morning nobody could reach the school any more."


def cj(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "140"}).invoke(app, list(map(str, arguments)))


def execute(stack: FakeStack, folder: Path, *arguments: str) -> Result:
    output = folder.parent / "out" / "result.json"
    return cj("execute", folder, "--api-url", stack.url, "--output", output, *arguments)


def test_a_folder_with_word_documents(stack: FakeStack, tmp_path: Path) -> None:
    folder = tmp_path / "class"
    (folder / "late").mkdir(parents=True)
    for name in ("anna.txt", "bo.txt", "cleo.TEXT"):
        (folder / name).write_text(f"{name}: {TEXT}")
    others = ("dina.docx", "emil.pdf", "fia.odt", "gus.rtf", "hedda.doc", "ivo", "late/jon.txt")
    for name in others:
        (folder / name).write_bytes(b"PK\x03\x04 not a text")
    refused = execute(stack, folder)
    assert refused.exit_code == BAD_INPUT
    for name in others:
        assert name in refused.output, name
    assert not stack.requests
    (folder / "dina.docx").write_bytes(office_files.word(TEXT))
    (folder / "emil.pdf").write_bytes(office_files.pdf(TEXT))
    (folder / "fia.odt").write_bytes(office_files.opendocument(f"<text:p>{TEXT}</text:p>"))
    (folder / "gus.rtf").write_text(rf"{{\rtf1 {TEXT}}}")
    (folder / "late" / "jon.txt").write_text(TEXT)
    taken = execute(stack, folder, "--ignore-others", "--no-wait")
    assert taken.exit_code == 0, taken.output
    assert "Left out, for they cannot be read: hedda.doc, ivo" in taken.output
    (request,) = stack.batches.values()
    texts = {essay.essay_id: essay.text.strip() for essay in request.essays}
    read = ("dina", "emil", "fia", "gus", "jon")
    assert [texts[name] for name in read] == [TEXT] * len(read)


@pytest.mark.parametrize("first_lines", ["sep=;\n", ";\n", "\n\n", "\ufeffsep=;\r\n\r\n"])
def test_exports_of_spreadsheets(tmp_path: Path, first_lines: str) -> None:
    rows = "candidate_chosen;candidate_not_chosen\nA;B\nB;C\nC;A\nA;C\n"
    path = tmp_path / "judgements.csv"
    path.write_text(first_lines + rows)
    result = cj("fit", path, "--format", "csv")
    assert result.exit_code == 0, result.output
    assert len(read_rows(result)) == 3


@pytest.mark.parametrize("estimator", ["map", "firth", "epsilon", "choix", "variational"])
def test_data_that_have_no_finite_fit(tmp_path: Path, estimator: str) -> None:
    path = tmp_path / "winless.csv"
    path.write_text("candidate_chosen,candidate_not_chosen\na,b\na,c\nb,c\nb,a\na,w\nb,w\nc,w\n")
    result = cj("fit", path, "--estimator", estimator)
    assert result.exit_code == 0, result.output
    plain = cj("fit", path, "--estimator", "mle")
    assert plain.exit_code == BAD_INPUT
    assert "w" in plain.output


def test_decisions_of_no_more_marking(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text(
        "chosen,notChosen,judgeName\n1A2B,3C4D,judge_1\n3C4D,5E6F,judge_2\n5E6F,1A2B,judge_1\n"
        "1A2B,5E6F,judge_2\n"
    )
    result = cj("fit", path, "--format", "csv")
    assert result.exit_code == 0, result.output
    assert {row["essay_id"] for row in read_rows(result)} == {"1A2B", "3C4D", "5E6F"}


def read_rows(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


@pytest.mark.parametrize("text", ["\u200b\ufeff", "\u2060\u00ad", "\u3164\u115f", "\u00a0\u2003\t"])
def test_a_text_that_does_not_show(stack: FakeStack, folder: Path, text: str) -> None:
    (folder / "zoe.txt").write_text(text)
    refused = execute(stack, folder)
    assert refused.exit_code == BAD_INPUT
    assert "zoe" in refused.output
    assert "empty" in refused.output
    assert not stack.requests


def test_a_year_group_that_is_more_than_a_request_carries(stack: FakeStack, tmp_path: Path) -> None:
    folder = tmp_path / "year"
    folder.mkdir()
    for number in range(600):
        (folder / f"e{number:03d}.txt").write_text(f"Essay {number}. " + f"{TEXT} " * 125)
    accepted = execute(stack, folder)
    assert accepted.exit_code == 0, accepted.output
    assert len(stack.calls("POST", "/v1/manifests")) == 1, "one request cannot carry its texts"


def test_the_reliability_of_a_small_class(tmp_path: Path) -> None:
    """Two essays, one judgement, abilities from N(0, sd 2): about .5, where .77 was claimed."""
    path = tmp_path / "two.csv"
    path.write_text("candidate_chosen,candidate_not_chosen\na,b\n")
    result = cj("fit", path, "--prior-sd", "2", "--format", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    se = document["mean_se"]
    # 1 - se^2 / (prior_sd^2 (1 - 1/n)), in the sum-to-zero gauge.
    assert document["model_reliability"] == pytest.approx(1 - se**2 / (4 * (1 - 1 / 2)), abs=0.02)
    assert 0.4 < document["model_reliability"] < 0.6


def test_many_judgements_and_judges(tmp_path: Path) -> None:
    rng = random.Random(28)
    names = [f"e{number:03d}" for number in range(100)]
    lines = ["judge,candidate_chosen,candidate_not_chosen"]
    for n in range(20_000):
        one, other = sorted(rng.sample(range(100), 2))
        if rng.random() < 1 / (1 + 2 ** ((other - one) / 10)):
            one, other = other, one
        lines.append(f"j{n % 500},{names[other]},{names[one]}")
    path = tmp_path / "many.csv"
    path.write_text("\n".join(lines) + "\n")
    result = cj("fit", path, "--format", "csv")
    assert result.exit_code == 0, result.output
    assert len(read_rows(result)) == 100
