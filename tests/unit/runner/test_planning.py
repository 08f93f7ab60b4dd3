"""`cj plan`, `cj dry-run`, `cj simulate`: what is said before anything is paid, held to what is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from assessment.contracts.request import AnchorRegistration, BatchRequest
from runner.cli import app
from runner.offline.study import compute_spread

DONE, BAD_INPUT = 0, 2


def cj(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, list(map(str, arguments)))


@pytest.fixture
def essays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "essays"
    folder.mkdir()
    text = "The tide rises because the moon pulls at the sea, and it falls when the moon has gone. "
    for number in range(1, 6):
        (folder / f"e{number}.txt").write_text(f"Essay {number}. " + text * number)
    (folder / "copy.txt").write_text((folder / "e5.txt").read_text())
    (folder / "sv.txt").write_text(
        "Det är månen som drar i havet, och därför stiger vattnet när den kommer. " * 4
    )
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_plan_says_what_is_there_and_what_it_would_take(essays: Path) -> None:
    result = cj("plan", essays, "--agreement", "0.8", "--max-comparisons", "14",
                "--judge", "openai/gpt-4.1-mini")  # fmt: skip
    assert result.exit_code == DONE, result.output
    assert "Language: en" in result.stderr
    assert "In another language: sv (sv)" in result.stderr
    assert "The same text: copy.txt, e5.txt" in result.stderr
    rows = {line.split("  ")[0].strip(): line.split() for line in result.stdout.splitlines()}
    assert rows["comparisons"][-3:] == ["14", "14", "14"]
    assert "(14) ends the batch at 4.0 readings of an essay" in result.stderr
    least, expected, most = (float(value) for value in rows["cost, US dollars"][-3:])
    assert 0 < least < expected < most
    assert not (essays.parent / ".cj").exists()


def test_a_plan_for_a_program_has_every_figure(essays: Path) -> None:
    (essays / "sv.txt").unlink()
    result = cj("plan", essays, "--agreement", "0.8", "--max-comparisons", "14",
                "--json", "--judge", "surface")  # fmt: skip
    assert result.exit_code == DONE, result.output
    document = json.loads(result.stdout)
    assert document["essays"][0]["essay_id"] == "copy"
    assert document["forecast"]["cost_usd"] == {"low": 0.0, "expected": 0.0, "high": 0.0}
    assert 0 < document["forecast"]["reliability"]["expected"] < 1


def test_a_plan_in_lists_asks_less_often_and_counts_readings(essays: Path) -> None:
    forecasts = {}
    for judge in ("openai/gpt-4.1-mini", "openai/gpt-4.1-mini,list_size=5"):
        result = cj("plan", essays, "--agreement", "0.8", "--json", "--judge", judge,
                    "--config", "max_waves=2")  # fmt: skip
        assert result.exit_code == DONE, result.output
        forecasts[judge] = json.loads(result.stdout)["forecast"]
    pairs, lists = forecasts.values()
    assert pairs["readings"]["expected"] == 2 * pairs["comparisons"]["expected"]
    assert lists["readings"]["expected"] > 2.5 * lists["comparisons"]["expected"]
    assert lists["comparisons"]["expected"] < pairs["comparisons"]["expected"]
    assert 0 < lists["cost_usd"]["expected"] < pairs["cost_usd"]["expected"]


def test_a_price_that_nobody_knows_is_said_to_be_unknown(essays: Path) -> None:
    result = cj("plan", essays, "--agreement", "0.8", "--max-comparisons", "9",
                "--judge", "openai/mine,base_url=http://127.0.0.1:9/v1")  # fmt: skip
    assert "price unknown" in result.stdout


def test_files_that_cannot_be_read_are_all_named(essays: Path) -> None:
    (essays / "scan.pdf").write_bytes(b"nothing")
    (essays / "empty.docx").write_bytes(b"")
    result = cj("plan", essays)
    assert result.exit_code == BAD_INPUT
    rows = {line.split()[2]: line for line in result.stderr.splitlines() if "not read" in line}
    assert rows.keys() == {"scan.pdf", "empty.docx"}
    # The others stand beside them.
    assert "e1.txt" in result.stderr
    asked = cj("plan", essays, "--json")
    assert asked.exit_code == BAD_INPUT
    document = json.loads(asked.stdout)
    assert "copy.txt" in {essay["file"] for essay in document["essays"]}
    assert len(document["problems"]) == 2


def test_a_dry_run_prints_requests_that_the_api_takes(essays: Path) -> None:
    Path("anchors.csv").write_text("anchor_ref,grade,text\none,A,Good.\ntwo,F,Bad.\n")
    result = cj("dry-run", essays, "--anchors", "anchors.csv", "--judge", "openai/gpt-4.1-mini")
    assert result.exit_code == DONE, result.output
    envelope = json.loads(result.stdout)
    request = BatchRequest.model_validate(envelope["request"])
    registration = AnchorRegistration.model_validate(envelope["registration"])
    assert request.assignment_id == registration.assignment_id
    assert len(request.essays) == 7
    assert not Path(".cj").exists()
    unfit = cj("dry-run", essays, "--config", "strategy=anchor_first", "-o", "request.json")
    assert unfit.exit_code == BAD_INPUT
    assert "config.strategy" in unfit.stderr
    assert not Path("request.json").exists()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("--agreement", "2"), "--agreement"),
        (("--essays", "many"), "--essays"),
        (("--anchors", "1"), "--anchors"),
        (("--plot", "study.doc"), "--plot"),
    ],
)
def test_a_study_that_cannot_be_is_refused_by_its_option(
    arguments: tuple[str, str], field: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    quick = ("--essays", "3", "--batches", "1", "--agreement", "0.8", "--config", "max_waves=1")
    result = cj("simulate", *quick, *arguments)
    assert result.exit_code == BAD_INPUT
    assert field in result.stderr


def test_the_spread_gives_the_agreement() -> None:
    # As benchmarks.stopping found by simulation for 65% and 70% of all pairs.
    assert compute_spread(0.65) == pytest.approx(0.585, abs=0.02)
    assert compute_spread(0.70) == pytest.approx(0.843, abs=0.02)
