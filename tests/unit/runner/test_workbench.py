"""What a researcher does with a batch: look, score again, compare, export, and show it."""

from __future__ import annotations

import csv
import json
import webbrowser
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from assessment.contracts.result import ResultDocument
from runner.cli import app
from tests.unit.runner.counting_judge import serving_judge

DONE, BAD_INPUT, NO_STACK = 0, 2, 3


def cj(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the workspace, the result and the comparisons of a batch of two judges."""
    folder = tmp_path_factory.mktemp("study")
    essays = folder / "essays"
    essays.mkdir()
    for number in range(1, 7):
        text = f"=Essay {number} says that the tide rises as the moon pulls at the sea. "
        (essays / f"0{number}.txt").write_text(text * number)
    with serving_judge() as judge:
        ended = cj(
            "execute", essays, "--offline", "--workspace", folder / "cj",
            "-o", folder / "result.json", "--config", "max_waves=3",
            "--judge", "surface", "--judge", f"callback_endpoint,base_url={judge.url},name=length",
        )  # fmt: skip
    assert ended.exit_code == DONE, ended.output
    kept = cj(
        "comparisons", read(folder).batch_id, "--offline", "--workspace", folder / "cj",
        "-o", folder / "comparisons.jsonl",
    )  # fmt: skip
    assert kept.exit_code == DONE, kept.output
    return folder


def read(folder: Path, name: str = "result.json") -> ResultDocument:
    return ResultDocument.model_validate_json((folder / name).read_bytes())


def here(place: Path) -> tuple[str, ...]:
    return ("--offline", "--workspace", str(place / "cj"))


def test_a_prompt_is_shown_with_its_answer(place: Path) -> None:
    batch_id = read(place).batch_id
    lines = [json.loads(line) for line in (place / "comparisons.jsonl").read_text().splitlines()]
    asked = next(line for line in lines if line["verdict"]["judge"] == "length")
    shown = cj("show", batch_id, asked["comparison_id"], *here(place))
    assert shown.exit_code == DONE, shown.output
    assert f"Essay {int(asked['first'])} says" in shown.stdout
    assert "answer of length" in shown.stdout
    document = json.loads(cj("show", batch_id, *here(place), "--json").stdout)
    assert document["comparison"]["comparison_id"] == lines[0]["comparison_id"]
    assert document["prompt"][0]["role"] == "system"
    assert document["judge"] in {"surface/features-1", "length"}
    assert cj("show", batch_id, "w0009-00000", *here(place)).exit_code == BAD_INPUT


def test_the_same_verdicts_scored_again_unchanged_give_the_same_figures(place: Path) -> None:
    again = cj("rescore", place / "result.json", "-o", place / "same.json")
    assert again.exit_code == DONE, again.output
    before, after = read(place), read(place, "same.json")
    assert after.rankings == before.rankings
    assert after.reliability == before.reliability
    assert after.notes[-1].message.endswith("nothing changed.")


def test_a_prior_and_a_part_of_the_jury_change_what_they_should(place: Path) -> None:
    batch_id = read(place).batch_id
    narrow = cj("rescore", batch_id, *here(place), "--config", "prior_sd=0.2", "--json")
    assert narrow.exit_code == DONE, narrow.output
    abilities = [r["bradley_terry_score"] for r in json.loads(narrow.stdout)["rankings"]]
    before = [ranking.bradley_terry_score for ranking in read(place).rankings]
    assert max(abilities) - min(abilities) < (max(before) - min(before)) / 2
    alone = cj("rescore", place / "result.json", "--only-judge", "length", "-o", place / "one.json")
    assert alone.exit_code == DONE, alone.output
    document = read(place, "one.json")
    assert document.judges == ["length"]
    assert document.comparisons.recorded < read(place).comparisons.recorded
    compared = cj("compare", place / "result.json", place / "one.json", "--json")
    assert compared.exit_code == DONE, compared.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only-judge", "nobody"), "known are length, surface/features-1"),
        (("--without-judge", "length", "--without-judge", "surface/features-1"), "no verdict"),
        (("--config", "prior_sd=-1"), "prior_sd"),
        (("-o", "x.doc"), "name a file that ends in"),
    ],
)
def test_what_cannot_be_scored_again_is_refused(
    place: Path, arguments: tuple[str, ...], message: str
) -> None:
    refused = cj("rescore", place / "result.json", *arguments)
    assert refused.exit_code == BAD_INPUT
    assert message in refused.stderr


def test_a_result_without_its_comparisons_is_not_scored_again(place: Path, tmp_path: Path) -> None:
    lonely = tmp_path / "result.json"
    lonely.write_bytes((place / "result.json").read_bytes())
    refused = cj("rescore", lonely)
    assert refused.exit_code == BAD_INPUT
    assert "cj comparisons BATCH_ID -o comparisons.jsonl" in refused.stderr


def test_an_export_has_every_essay_and_every_comparison(place: Path, tmp_path: Path) -> None:
    document = read(place)
    made = cj("export", document.batch_id, *here(place), "-o", tmp_path / "r", "--format", "r")
    assert made.exit_code == DONE, made.output
    with (tmp_path / "r" / "comparisons.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == document.comparisons.planned
    assert {row["score"] for row in rows} <= {"1.0", "0.0", "0.5"}
    assert all(row["judge"] in document.judges for row in rows)
    with (tmp_path / "r" / "essays.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(document.rankings)
    assert "read.csv" in (tmp_path / "r" / "read.R").read_text()
    (tmp_path / "file").write_text("")
    assert cj("export", document.batch_id, *here(place), "-o", tmp_path / "file").exit_code == (
        BAD_INPUT
    )


def test_parquet_has_types_and_keeps_ids_as_text(place: Path, tmp_path: Path) -> None:
    document = read(place)
    folder = tmp_path / "tables"
    made = cj("export", document.batch_id, *here(place), "-o", folder, "--format", "parquet")
    assert made.exit_code == DONE, made.output
    assert sorted(path.name for path in folder.iterdir()) == [
        "comparisons.parquet", "essays.parquet",
    ]  # fmt: skip
    with duckdb.connect() as connection:
        table = connection.read_parquet(str(folder / "comparisons.parquet"))
        first, score = table.project("first, score").fetchall()[0]
        essays = connection.read_parquet(str(folder / "essays.parquet"))
        ids = {row[0] for row in essays.project("essay_id").fetchall()}
    assert isinstance(score, float)
    assert first in ids
    assert ids == {f"0{number}" for number in range(1, 7)}


def test_the_report_is_opened_where_nobody_else_reads_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_url(url: str) -> bool:
        opened.append(url)
        return len(opened) == 1

    monkeypatch.setattr(webbrowser, "open", open_url)
    assert cj("open", place / "result.json").exit_code == DONE
    page = Path(opened[0].removeprefix("file://"))
    assert "<html" in page.read_text()
    assert page.parent.stat().st_mode & 0o777 == 0o700
    assert "Open it: file://" in cj("open", place / "result.json").stderr


def test_the_laptop_cloud_needs_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["up"], ["down"], ["status"], ["logs", "score_batch"]):
        refused = cj("local", *command)
        assert refused.exit_code == BAD_INPUT
        assert "change into" in refused.stderr
    # In one, its own module answers; this one says that nothing runs.
    module = tmp_path / "local" / "stack"
    module.mkdir(parents=True)
    (module / "cloud.py").write_text("import sys; print(sys.argv[1:]); sys.exit(1)")
    assert cj("local", "status").exit_code == NO_STACK
    assert "['status']" in capfd.readouterr().out
