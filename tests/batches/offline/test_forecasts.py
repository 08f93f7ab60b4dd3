"""`cj plan` and `cj simulate`: forecasts and studies, held to batches that are played whole."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from assessment.domain.config import BatchConfig
from assessment.domain.grade_scale import find_scale
from local.judge import human_judge
from local.judge.options import JudgeOptions
from local.judge.sample_judge import SampleJudge
from local.judge.serving import serve
from local.judge_endpoint import SAMPLE, create_app
from runner.cli import app
from runner.offline.study import Design, simulate

DONE = 0


def cj(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, list(map(str, arguments)))


def test_the_spend_is_within_a_tenth_of_the_forecast(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    judge = SampleJudge(human_judge.load(SAMPLE), JudgeOptions(latency=0), lambda *_: None)
    with serve(create_app(judge)) as url:
        described = f'openai/people,base_url={url}/v1,price={{"input_usd":1,"output_usd":4}}'
        common = (SAMPLE / "essays", "--judge", described, "--config", "max_waves=3")
        planned = cj("plan", *common, "--json")
        assert planned.exit_code == DONE, planned.output
        ended = cj("execute", *common, "--offline")
        assert ended.exit_code == DONE, ended.output
    expected = json.loads(planned.stdout)["forecast"]["cost_usd"]["expected"]
    spent = json.loads(Path("result.json").read_text())["cost_usd"]
    assert spent == pytest.approx(expected, rel=0.1)


def test_a_study_has_a_row_for_each_design_and_a_picture(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    result = cj("simulate", "--essays", "6", "--agreement", "0.7,0.9", "--batches", "1",
                "--config", "max_waves=2", "-o", "study.csv", "--plot", "study.svg")  # fmt: skip
    assert result.exit_code == DONE, result.output
    rows = list(csv.DictReader(io.StringIO(Path("study.csv").read_text())))
    assert [row["agreement"] for row in rows] == ["0.7", "0.9"]
    assert all(0 <= float(row["reliability_expected"]) <= 1 for row in rows)
    assert "Simulated batches" in Path("study.svg").read_text()


def test_the_reliability_of_two_essays_is_no_correlation_of_two_points() -> None:
    outlook = simulate(Design(2, 0.8), config=BatchConfig(max_waves=4), n_batches=20, seed=3)
    assert 0.1 < outlook.reliability.expected < 0.95


@pytest.mark.slow
def test_graded_designs_say_how_many_grades_are_right() -> None:
    scale = find_scale(["low", "mid", "high"])
    outlook = simulate(
        Design(12, 0.9, n_anchors=6, scale=scale),
        config=BatchConfig(max_waves=3), n_batches=1, seed=3,
    )  # fmt: skip
    assert outlook.n_anchors == 6
    assert outlook.exact is not None
    assert outlook.adjacent is not None
    assert outlook.exact.expected > 0.4
    assert outlook.adjacent.expected >= outlook.exact.expected
