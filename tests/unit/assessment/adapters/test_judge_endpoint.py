"""The judge over HTTP, against a real server: every answer means one thing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from assessment.adapters.judges.callback_endpoint import CallbackEndpointJudge
from assessment.contracts.list_protocol import LLMComparisonResultV2
from assessment.contracts.llm_protocol import CompareRequestV1, LLMComparisonResultV1
from assessment.domain.judge_errors import JudgeRefusedError, JudgeUnavailableError
from tests.conftest import JudgeServer

REQUEST = CompareRequestV1.model_validate(
    {
        "correlation_id": "c",
        "callback": {"queue_url": "https://queue.example/callbacks"},
        "essay_a": {"essay_id": "a", "text": "the first essay is about a summer by the sea"},
        "essay_b": {"essay_id": "b", "text": "second essay"},
        "prompt_blocks": [{"role": "system", "content": "judge"}],
        "metadata": {
            "batch_id": "b", "wave": 1, "comparison_id": "w001-00000", "essay_a_id": "a",
            "essay_b_id": "b", "prompt_sha256": "p",
        },
    }
)  # fmt: skip


def ask(url: str, *, timeout: float = 45.0) -> LLMComparisonResultV1 | None:
    async def once() -> LLMComparisonResultV1 | None:
        async with httpx.AsyncClient() as client:
            judge = CallbackEndpointJudge(client, url, timeout_seconds=timeout)
            (result,) = await judge.compare([REQUEST])
            assert not isinstance(result, LLMComparisonResultV2)
            return result

    return asyncio.run(once())


def verdict(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": "LLMComparisonResultV1",
        "correlation_id": body["correlation_id"],
        "request_metadata": body["metadata"],
        "winner": "B",
    }


@pytest.mark.parametrize("slash", ["", "/"])
def test_202_means_a_callback_and_the_whole_request_was_posted(
    judge_server: JudgeServer, slash: str
) -> None:
    assert ask(judge_server.url + slash) is None
    assert CompareRequestV1.model_validate(judge_server.posted[0]) == REQUEST


def test_200_is_the_verdict(judge_server: JudgeServer) -> None:
    judge_server.answer = lambda body: JSONResponse(verdict(body))
    result = ask(judge_server.url)
    assert result is not None
    assert (result.winner, result.request_metadata) == ("B", REQUEST.metadata)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_permanent_refusals(judge_server: JudgeServer, status: int) -> None:
    judge_server.answer = lambda _: Response(REQUEST.essay_a.text, status_code=status)
    with pytest.raises(JudgeRefusedError, match=str(status)) as refused:
        ask(judge_server.url)
    assert "essay" not in str(refused.value)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504])
def test_what_may_be_tried_again(judge_server: JudgeServer, status: int) -> None:
    judge_server.answer = lambda _: Response(status_code=status)
    with pytest.raises(JudgeUnavailableError, match=str(status)) as unavailable:
        ask(judge_server.url)
    assert unavailable.value.retry_after is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None)],
)
def test_retry_after(judge_server: JudgeServer, header: str, seconds: float | None) -> None:
    judge_server.answer = lambda _: Response(status_code=429, headers={"Retry-After": header})
    with pytest.raises(JudgeUnavailableError) as unavailable:
        ask(judge_server.url)
    assert unavailable.value.retry_after == seconds


MALFORMED: list[Callable[[dict[str, Any]], bytes]] = [
    lambda _: b"not JSON",
    lambda _: b"",
    lambda _: b"[]",
    lambda body: json.dumps({**verdict(body), "winner": "the first essay, I think"}).encode(),
    lambda body: json.dumps({**verdict(body), "request_metadata": {}}).encode(),
]


@pytest.mark.parametrize("make", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_verdict_may_be_tried_again(
    judge_server: JudgeServer, make: Callable[[dict[str, Any]], bytes]
) -> None:
    judge_server.answer = lambda body: Response(make(body))
    with pytest.raises(JudgeUnavailableError, match="malformed in") as malformed:
        ask(judge_server.url)
    assert "I think" not in str(malformed.value)


def test_a_judge_that_hangs_is_unavailable(judge_server: JudgeServer) -> None:
    judge_server.hangs = True
    with pytest.raises(JudgeUnavailableError, match="ReadTimeout"):
        ask(judge_server.url, timeout=0.2)


def test_a_judge_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(JudgeUnavailableError, match="ConnectError"):
        ask("http://127.0.0.1:1")
