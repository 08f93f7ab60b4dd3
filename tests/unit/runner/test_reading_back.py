"""`cj list`, `cj comparisons` and `cj compare`, and what `-o` and `--json` do in every command."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from runner.cli import app
from tests.unit.runner import documents
from tests.unit.runner.api_server import FakeStack

FINALISED, BAD_INPUT = 0, 2


def cj(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, list(map(str, arguments)))


@pytest.fixture
def batches(stack: FakeStack, folder: Path) -> list[str]:
    """Two batches that have been started."""
    for key in ("one", "two"):
        started = cj(
            "execute", folder, "--api-url", stack.url, "--no-wait", "--idempotency-key", key
        )
        assert started.exit_code == FINALISED, started.output
    return list(stack.batches)


def test_batches_are_listed_page_by_page(stack: FakeStack, batches: list[str]):
    listed = cj("list", "--api-url", stack.url)
    assert listed.exit_code == FINALISED, listed.output
    assert [line.split()[0] for line in listed.stdout.splitlines()[1:]] == batches
    assert "[unit]" in listed.stdout
    asked = stack.calls("GET", "/v1/batches")
    one = json.loads(cj("list", "--api-url", stack.url, "--limit", "1", "--json").stdout)
    assert [batch["batch_id"] for batch in one["batches"]] == batches[:1]
    assert len(stack.calls("GET", "/v1/batches")) == len(asked) + 1
    none = cj("list", "--api-url", stack.url, "--status", "CANCELLED", "--json")
    assert json.loads(none.stdout) == {"batches": []}


def test_every_verdict_has_its_reason(stack: FakeStack, batches: list[str]):
    shown = cj("comparisons", batches[0], "--api-url", stack.url)
    assert shown.exit_code == FINALISED, shown.output
    lines = shown.stdout.splitlines()
    assert "first [is] clearer, I think" in lines[1]
    assert "failed" in lines[3]
    assert "judge_timeout: no answer in time" in lines[3]
    assert "5 comparisons, 4 with a verdict" in shown.stderr


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_fit_reads_back_what_comparisons_wrote(
    stack: FakeStack, batches: list[str], tmp_path: Path, ending: str
):
    path = tmp_path / f"mine.{ending}"
    saved = cj("comparisons", batches[0], "--api-url", stack.url, "-o", path)
    assert saved.exit_code == FINALISED, saved.output
    fitted = cj("fit", path, "--json", "--order-effect")
    assert fitted.exit_code == FINALISED, fitted.output
    document = json.loads(fitted.stdout)
    assert document["judgements"] == 4
    assert [one["essay_id"] for one in document["abilities"]] == ["ada", "ben", "cy"]


def test_lines_are_those_of_the_batchs_own_file(
    stack: FakeStack, batches: list[str], tmp_path: Path
):
    path = tmp_path / "c.jsonl"
    cj("comparisons", batches[0], "--api-url", stack.url, "-o", path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [one.model_dump(mode="json") for one in documents.comparisons()]


def test_comparisons_of_no_batch(stack: FakeStack):
    refused = cj("comparisons", documents.BATCH_ID, "--api-url", stack.url)
    assert refused.exit_code == BAD_INPUT
    assert documents.BATCH_ID in refused.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("results", documents.BATCH_ID, "--api-url", "http://127.0.0.1:9"),
        ("comparisons", documents.BATCH_ID, "--api-url", "http://127.0.0.1:9"),
        ("compare", "a.json", "b.json"),
        ("fit", "none.csv"),
        ("execute", "none"),
    ],
)
@pytest.mark.parametrize("name", ["out.xlsx", "out", "out.parquet"])
def test_an_ending_that_is_not_written_is_refused_first(
    tmp_path: Path, command: tuple[str, ...], name: str
):
    refused = cj(*command, "-o", tmp_path / name)
    assert refused.exit_code == BAD_INPUT
    assert f"{name}, --output: name a file that ends in" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def save_result(path: Path, abilities: dict[str, float], **values: Any) -> Path:
    """A result with these abilities; the anchor is called one."""
    order = sorted(abilities, key=lambda essay: -abilities[essay])
    rankings = [
        documents.ranking(
            rank,
            essay,
            abilities[essay],
            **({"is_anchor": True, "anchor_grade": "C"} if "_" in essay else {}),
        )
        for rank, essay in enumerate(order, start=1)
    ]
    path.write_text(json.dumps(documents.result(rankings=rankings, **values)))
    return path


ANCHOR = "ANCHOR_one_0a0b0c0d"


def test_two_results_are_compared(tmp_path: Path):
    """By hand: the students keep one of their three pairs' order less; the anchor falls by 2."""
    first = save_result(
        tmp_path / "a.json", {"ada": 2.0, "ben": 1.0, "cy": 0.0, ANCHOR: 1.0, "gone": 5.0}
    )
    second = save_result(tmp_path / "b.json", {"ada": 1.0, "ben": 2.0, "cy": 0.0, ANCHOR: -1.0})
    compared = cj("compare", first, second, "--json")
    assert compared.exit_code == FINALISED, compared.output
    document = json.loads(compared.stdout)
    assert document["spearman"] == pytest.approx(0.5)
    assert document["kendall"] == pytest.approx(1 / 3)
    assert document["anchor_drift"] == pytest.approx(-2.0)
    assert document["grades"] == {"n_graded": 2, "n_same": 2, "n_adjacent": 0}
    assert document["only_first"] == ["gone"]
    by_id = {one["essay_id"]: one for one in document["essays"]}
    # The common essays' means are 1.0 and 0.5.
    assert by_id["one"]["change"] == pytest.approx(-1.5)
    assert by_id["one"]["standardised_change"] == pytest.approx(-1.5 / math.hypot(0.4, 0.4))
    assert "anchors that moved by more than chance (5%): one" in compared.stderr
    table = csv.DictReader(io.StringIO(cj("compare", first, second, "--format", "csv").stdout))
    assert [row["essay_id"] for row in table] == ["ada", "ben", "one", "cy"]


def test_a_result_agrees_with_itself(tmp_path: Path):
    path = save_result(tmp_path / "a.json", {"ada": 2.0, "ben": 1.0, "cy": 0.0, ANCHOR: 1.0})
    document = json.loads(cj("compare", path, path, "--json").stdout)
    assert (document["spearman"], document["anchor_drift"]) == (pytest.approx(1.0), 0.0)
    shown = cj("compare", path, path)
    assert shown.stdout.count("+0.0") >= 4


@pytest.mark.parametrize(
    ("content", "message"),
    [("nothing", "is not JSON"), ("[]", "no result of a batch"), ("{}", "no result of a batch")],
)
def test_a_file_that_is_no_result(tmp_path: Path, content: str, message: str):
    (tmp_path / "a.json").write_text(content)
    refused = cj("compare", tmp_path / "a.json", tmp_path / "a.json")
    assert refused.exit_code == BAD_INPUT
    assert message in refused.stderr


def test_results_that_share_too_little_are_refused(tmp_path: Path):
    one = save_result(tmp_path / "a.json", {"ada": 2.0, "ben": 1.0, "cy": 0.0})
    other = save_result(tmp_path / "b.json", {"ada": 2.0, "di": 1.0})
    refused = cj("compare", one, other)
    assert refused.exit_code == BAD_INPUT
    assert "1 essays in common" in refused.stderr


def test_status_and_results_as_json(stack: FakeStack, batches: list[str]):
    stack.script = documents.life_of_a_batch()[-1:]
    status = json.loads(cj("status", batches[0], "--api-url", stack.url, "--json").stdout)
    assert status["status"] == "COMPLETED"
    result = json.loads(cj("results", batches[0], "--api-url", stack.url, "--json").stdout)
    assert result == documents.result(batch_id=batches[0])


def test_a_pipe_gets_no_colour_and_no_wrapped_lines(
    stack: FakeStack, batches: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "")
    shown = cj("comparisons", batches[0], "--api-url", stack.url)
    assert "\x1b" not in shown.output
