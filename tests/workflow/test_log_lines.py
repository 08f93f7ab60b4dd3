"""Every log line of a batch carries its ids, from the request to the result."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from assessment.observability import logger
from tests.workflow.requests import TWO_WAVES, progress, request_batch

# One line at least of each; the watchdog and the authorizer have nothing to say here.
EXPECTED = {
    "batch requested",
    "batch prepared",
    "wave planned",
    "wave submitted",
    "judge call failed",
    "callback recorded",
    "Continuation decision evaluated",
    "batch finalised",
}


class Lines:
    """What the functions have logged since the test began."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(logger.registered_formatter)

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    logged = Lines()
    logger.addHandler(logged.handler)
    yield logged
    logger._logger.removeHandler(logged.handler)


def test_every_line_of_a_batch_has_its_ids_and_the_service(stack, lines):
    stack.judge.busy_share = 0.4
    batch_id = request_batch(stack, TWO_WAVES)
    stack.run_to_the_end(batch_id)
    correlation_id = progress(stack, batch_id)["correlation_id"]
    read = lines.read()
    assert {line["message"] for line in read} >= EXPECTED
    for line in read:
        assert (line.get("batch_id"), line.get("correlation_id")) == (batch_id, correlation_id), (
            line
        )
        assert line["service"] == "cj-assessment"


def test_lines_of_two_batches_do_not_mix(stack, lines):
    ids = [request_batch(stack, TWO_WAVES) for _ in range(2)]
    for batch_id in ids:
        stack.run_to_the_end(batch_id)
    expected = {batch_id: progress(stack, batch_id)["correlation_id"] for batch_id in ids}
    seen = {(line["batch_id"], line["correlation_id"]) for line in lines.read()}
    assert seen == set(expected.items())
