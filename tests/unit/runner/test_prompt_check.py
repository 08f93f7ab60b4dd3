"""`cj prompt-check`: counting in both orders, and asking the sample judge over a real socket."""

from __future__ import annotations

import pytest
import scipy
from typer.testing import CliRunner

from local.providers.scripted_server import provider_server
from runner.cli import app
from runner.offline.prompt_check import Trial, summarise
from runner.offline.prompt_plan import choose_pairs
from runner.offline.shares import Share

TEXTS = {"a": "The first text.", "b": "The second text.", "c": "The third text."}


@pytest.mark.parametrize(("n_hits", "total"), [(0, 7), (10, 20), (19, 20), (500, 1000)])
def test_the_interval_is_scipys(n_hits, total):
    wanted = scipy.stats.binomtest(n_hits, total).proportion_ci(0.95, method="wilson")
    assert Share("s", n_hits, total).interval == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    assert Share("s", 0, 0).interval is None


def test_a_judge_that_always_takes_the_first_is_never_consistent():
    trials = [Trial("a", "b", forward="A", backward="B", reference="A") for _ in range(10)]
    consistency, first, agreement = summarise(trials)
    assert (consistency.value, first.value, agreement.value) == (0.0, 1.0, 0.5)


def test_a_judge_that_reads_is_consistent_and_has_no_favourite_place():
    trials = [Trial("a", "b", forward=w, backward=w, reference="A") for w in "AABB"]
    consistency, first, agreement = summarise(trials)
    assert (consistency.value, first.value, agreement.value) == (1.0, 0.5, 0.5)


def test_failed_answers_are_counted_nowhere():
    assert [share.n_counted for share in summarise([Trial("a", "b", None, "A")])] == [0, 0, 0]


def test_pairs_are_spread_and_repeatable():
    names = [f"e{n:02d}" for n in range(10)]
    assert choose_pairs(names, 9) == choose_pairs(names[::-1], 9)
    assert len(set(choose_pairs(names, 9))) == 9
    assert len(choose_pairs(names, 10_000)) == 45


@pytest.fixture
def folder(tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    for name, text in TEXTS.items():
        (texts / f"{name}.txt").write_text(text, encoding="utf-8")
    return texts


def test_the_command_asks_both_orders_and_reports(folder, tmp_path):
    reference = tmp_path / "judgements.csv"
    reference.write_text("text_a,text_b,verdict\na,b,a\nc,b,b\n", encoding="utf-8")
    with provider_server("openai") as server:
        result = CliRunner().invoke(
            app,
            ["prompt-check", str(folder), "--model", "m", "--base-url", server.url,
             "--reference", str(reference)],
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert len(server.requests) == 6
    line = {row.split("│")[1].strip(): row for row in result.output.splitlines() if "│" in row}
    # The server prefers the text shown first, whatever it is.
    assert "0.00" in line["order consistency"]
    assert "1.00" in line["first shown is preferred"]
    assert "0.50" in line["agreement with reference"]


def test_a_template_that_loses_an_essay_is_refused_before_anything_is_asked(folder, tmp_path):
    template = tmp_path / "t.jinja"
    template.write_text(
        "{% block system %}{{ verdict_schema }}{% endblock %}"
        "{% block user %}{{ comparisons[0].essay_a }}{% endblock %}",
        encoding="utf-8",
    )
    with provider_server("openai") as server:
        result = CliRunner().invoke(
            app,
            ["prompt-check", str(folder), "--model", "m", "--base-url", server.url,
             "--template", str(template)],
        )  # fmt: skip
    assert result.exit_code != 0
    assert "essay_b" in result.output
    assert not server.requests


def test_an_endpoint_that_refuses_connections_is_an_error(folder, monkeypatch):
    async def skip_pause(_: float) -> None:
        """Awaits no pause between the tries."""

    monkeypatch.setattr("runner.offline.prompt_questions.asyncio.sleep", skip_pause)
    result = CliRunner().invoke(
        app, ["prompt-check", str(folder), "--model", "m", "--base-url", "http://127.0.0.1:9/v1"]
    )
    assert result.exit_code == 3
    assert "ConnectError" in result.stderr
