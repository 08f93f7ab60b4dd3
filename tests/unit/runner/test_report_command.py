"""`cj report`: from files and from the stack."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assessment.domain.identifiers import canonical_json
from runner.cli import app
from tests.fakes.results import make_comparisons, make_result
from tests.unit.assessment.test_report import read_data
from tests.unit.runner.api_server import FakeStack

DONE, BAD_INPUT = 0, 2


def cj(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, list(map(str, arguments)))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "result.json"
    path.write_text(make_result(5).model_dump_json())
    return path


def test_a_result_becomes_a_page(saved: Path):
    page = saved.with_name("class 7.html")
    done = cj("report", saved, "-o", page, "--title", "Class 7 <B>")
    assert done.exit_code == DONE, done.output
    written = read_data(page.read_text())
    assert written["title"] == "Class 7 <B>"
    assert len(written["result"]["rankings"]) == 17
    assert written["comparisons"] is None
    assert written["made_at"]


def test_comparisons_beside_the_result_are_found(saved: Path):
    comparisons = make_comparisons(make_result(5))
    lines = [canonical_json(one.model_dump(mode="json")) for one in comparisons]
    saved.with_name("comparisons.jsonl").write_text("\n".join(lines) + "\n")
    page = saved.with_name("report.html")
    assert cj("report", saved, "-o", page, "--hide-names").exit_code == DONE
    written = read_data(page.read_text())
    assert len(written["comparisons"]["rows"]) == len(comparisons)
    assert written["names_hidden"]
    assert "essay-0" not in page.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "is not JSON"), ("{}", "is no result of a batch"), ('{"rankings": 1}', "install")],
)
def test_a_file_that_is_no_result(tmp_path: Path, content: str, message: str):
    path = tmp_path / "result.json"
    path.write_text(content)
    refused = cj("report", path, "-o", tmp_path / "report.html")
    assert refused.exit_code != DONE
    assert message in refused.stderr
    assert not (tmp_path / "report.html").exists()


def test_a_line_that_is_no_comparison_is_named(saved: Path):
    lines = saved.with_name("c.jsonl")
    lines.write_text('\n{"winner": 1}\n')
    refused = cj("report", saved, "-o", saved.with_name("r.html"), "--comparisons", lines)
    assert refused.exit_code == BAD_INPUT
    assert "row 2" in refused.stderr


def test_only_pages_are_written(saved: Path):
    refused = cj("report", saved, "-o", saved.with_name("report.pdf"))
    assert refused.exit_code == BAD_INPUT
    assert ".html" in refused.stderr


def test_a_batch_of_the_stack(stack: FakeStack, folder: Path, tmp_path: Path):
    started = cj("execute", folder, "--api-url", stack.url, "--no-wait")
    assert started.exit_code == DONE, started.output
    (batch_id,) = stack.batches
    page = tmp_path / "report.html"
    running = cj("report", batch_id, "-o", page, "--api-url", stack.url)
    assert running.exit_code == DONE, running.output
    written = read_data(page.read_text())
    assert written["result"] is None
    assert written["progress"]["batch_id"]
    stack.script = stack.script[-1:]
    assert cj("report", batch_id, "-o", page, "--api-url", stack.url).exit_code == DONE
    assert json.dumps(read_data(page.read_text())["result"]["rankings"])
