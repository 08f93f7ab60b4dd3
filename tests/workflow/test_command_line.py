"""The `cj` command against the stack: real handlers and state machine behind real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner, Result

from local.stack.processes import LOOPBACK
from runner.cli import app
from tests.workflow.judge import essay_text
from tests.workflow.requests import (
    ABILITIES,
    ONE_WAVE,
    TWO_WAVES,
    progress,
    request_batch,
    results,
)
from tests.workflow.stack import Stack

BATCH_FAILED = 1


class WorkerDiedError(Exception):
    """The runtime ended."""


@contextmanager
def served(stack: Stack) -> Iterator[str]:
    """The API on a port of this machine, as API Gateway would hand requests on."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(content) if content else None
            status, answer = stack.api(self.command, self.path.partition("?")[0], body)
            encoded = json.dumps(answer).encode()
            self.send_response(status)
            kind = "application/problem+json" if status >= 400 else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def cj(url: str, *arguments: str) -> Result:
    environment = {"COLUMNS": "140", "CJ_TOKEN": "a token that the gateway has checked"}
    return CliRunner(env=environment).invoke(app, [*arguments, "--api-url", url])


@pytest.mark.parametrize("step", ["plan_wave", "score_batch", "finalise_batch"])
def test_redrive_lets_a_failed_batch_go_on_with_all_that_was_paid(stack: Stack, step: str) -> None:
    states = ("PlanWave", "ScoreBatch", "FinaliseBatch")
    stack.define(**{state: {"Retry": []} for state in states})
    stack.fail_once(step, WorkerDiedError("signal: killed"))
    batch_id = request_batch(stack, TWO_WAVES)
    assert stack.run_to_the_end(batch_id)["status"] == "FAILED"
    with served(stack) as url:
        status = cj(url, "status", batch_id)
        assert "signal: killed" in status.output
        assert "/resume" in status.output
        redriven = cj(url, "redrive", batch_id)
        assert redriven.exit_code == 0, redriven.output
        assert stack.run_to_the_end(f"{batch_id}-2")["status"] == "SUCCEEDED"
        assert progress(stack, batch_id)["status"] == "COMPLETED"
        again = cj(url, "redrive", batch_id)
        assert again.exit_code == BATCH_FAILED
        assert "COMPLETED" in again.output
    counts = results(stack, batch_id)["comparisons"]
    assert counts["planned"] == counts["recorded"] == len(stack.judge.asked)
    assert set(stack.judge.asked.values()) == {1}, "a verdict was paid for twice"


def test_show_prints_what_a_judge_of_the_stack_was_told(stack: Stack) -> None:
    batch_id = request_batch(stack, ONE_WAVE)
    stack.run_to_the_end(batch_id)
    with served(stack) as url:
        shown = cj(url, "show", batch_id, "w001-00003")
        document = json.loads(cj(url, "show", batch_id, "--json").stdout)
    assert shown.exit_code == 0, shown.output
    assert "answer of callback_endpoint" in shown.stdout
    assert "comparison w001-00003" in shown.stderr
    comparison = document["comparison"]
    assert comparison["comparison_id"] == "w001-00000"
    number = int(comparison["first"].removeprefix("essay-"))
    told = "".join(block["content"] for block in document["prompt"])
    assert essay_text(ABILITIES[number], number) in told
