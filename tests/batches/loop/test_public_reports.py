"""Situations that others reported in public, each as a whole batch over a real HTTP server.

The real adapters speak the providers' wire formats with a server on a port of this machine; texts
and abilities are simulated. What belongs to files and to the command line is in
`tests/unit/runner/test_public_reports.py`.

    report                                                  test here
    01 a limit that mentions billing is no spent account    test_a_limit_that_speaks_of_billing
    02 U+2028 in a batch's output                           test_exotic_line_separators
    03, 19 one essay is declined, in any words              test_one_essay_that_is_refused
    04 the tool's input is a string                         test_a_list_that_comes_as_a_string
    06 a thinking block with braces                         test_thoughts_with_braces
    11 a request too large for a limit                      test_a_bundle_that_exceeds_a_limit
    12 reasoning eats the room for the answer               test_answers_cut_off_by_reasoning
    21 Retry-After of a day                                 test_a_wait_beyond_the_deadline
    24 classes of two, three and four                       test_tiny_classes
    26 an endpoint that never calls back                    test_an_endpoint_that_never_calls_back
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from assessment.adapters.judges.capabilities import LocalCapabilities
from assessment.adapters.judges.registry import ModelAccess, ProviderJudges
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.document_keys import result_key
from assessment.ports.groups import JudgePorts
from local.providers.provider_formats import read_comparisons
from local.providers.replies import Reply
from local.providers.scripted_server import (
    FORMATS,
    ProviderServer,
    Received,
    make_reply,
    provider_server,
    verdict,
)
from tests.fakes.judges import read_quality
from tests.fakes.loop import Loop
from tests.fakes.world import World
from tests.faults.providers import OpenAI

Answer = Callable[[Received], Reply]


class RealJudgesWorld(World):
    """A simulated stack whose judges are the real adapters."""

    def judge_ports(self, fault: Any = None) -> JudgePorts:
        """What asking judges needs."""
        ports = super().judge_ports(fault)
        return JudgePorts(**{**vars(ports), "judges": self.providers})

    def connect(self) -> None:
        """Ask over HTTP from now on."""
        client = httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0))
        self.providers = ProviderJudges(
            ModelAccess(
                http=lambda: client,
                bedrock=lambda _: None,
                jobs=None,  # type: ignore[arg-type]
                keys=self,
                capabilities=LocalCapabilities(),
                endpoint_url="",
            )
        )

    def exists(self, _name: str) -> bool:
        return True

    def get_key(self, _name: str) -> str:
        return "sk-0123456789abcdef"


class Every(list[Any]):
    """A script whose one function answers every request."""

    def pop(self, _index: Any = 0) -> Any:
        return self[0]


@contextmanager
def answering(provider: str, answer: Answer) -> Iterator[ProviderServer]:
    with provider_server(provider) as server:
        server.script = Every([answer])
        yield server


def read_texts(request: Received) -> list[tuple[str, str, str]]:
    provider = "anthropic" if "messages" in request.path else "openai"
    return read_comparisons(FORMATS[provider].read_question(request.body).prompt)


def judge_honestly(request: Received) -> dict[str, Any]:
    """Verdicts by the simulated qualities, with chance."""
    verdicts = []
    for name, first, second in read_texts(request):
        better = read_quality(first.strip()) > read_quality(second.strip())
        is_right = random.Random(name).random() < 0.9
        verdicts.append(verdict(name, "A" if better == is_right else "B"))
    return {"verdicts": verdicts}


def honest(provider: str, request: Received) -> Reply:
    return make_reply(provider, judge_honestly(request))


def run(server: ProviderServer, provider: str, n: int = 8, **judge: Any) -> tuple[World, Batch]:
    world = RealJudgesWorld()
    world.connect()
    base_url = f"{server.url}/v1" if provider == "openai" else server.url
    spec = {"provider": provider, "base_url": base_url, "timeout_seconds": 20, **judge}
    if provider != "callback_endpoint":
        spec["model"] = "any-model"
    batch = world.request(n, judge=spec, config={"max_comparisons_per_essay": 8})
    return world, Loop(world).run(batch.batch_id).batch


def read_result(world: World, batch: Batch) -> dict[str, Any]:
    assert batch.status is BatchStatus.COMPLETED, batch.failure
    document: dict[str, Any] = json.loads(
        world.content.get_frozen_document(result_key(batch.batch_id))
    )
    return document


def read_failure_text(batch: Batch) -> str:
    """All that a user is told of a failed batch."""
    assert batch.status is BatchStatus.FAILED
    assert batch.failure is not None
    return f"{batch.failure.message} {batch.failure.remedy}"


OPENAI_LIMIT = {
    "error": {
        "message": "Rate limit reached for a model on requests per min (RPM): Limit 3, Used 3, "
        "Requested 1. Please try again in 20s. You can increase your rate limit by adding a "
        "payment method to your account at https://platform.openai.com/account/billing.",
        "type": "requests", "param": None, "code": "rate_limit_exceeded",
    }
}  # fmt: skip
GEMINI_LIMIT = [
    {
        "error": {
            "code": 429, "status": "RESOURCE_EXHAUSTED",
            "message": "You exceeded your current quota, please check your plan and billing "
            "details. Please retry in 20.5s.",
            "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "20s"}],
        }
    }
]  # fmt: skip


@pytest.mark.parametrize("body", [OPENAI_LIMIT, GEMINI_LIMIT], ids=["OpenAI", "Gemini"])
def test_a_limit_that_speaks_of_billing(body: Any) -> None:
    n_calls = Counter[str]()

    def answer(request: Received) -> Reply:
        n_calls["all"] += 1
        if n_calls["all"] % 2:
            return Reply(body, 429, {"Retry-After": "20"})
        return honest("openai", request)

    with answering("openai", answer) as server:
        world, batch = run(server, "openai")
        assert read_result(world, batch)["comparisons"]["failed"] == 0


def test_exotic_line_separators() -> None:
    world = RealJudgesWorld()
    provider = OpenAI(world.clock)  # type: ignore[arg-type]

    def answer(request: Received) -> Reply:
        asked = httpx.Request(
            request.method, f"http://x{request.path}", content=request.content,
            headers={"content-type": request.headers.get("content-type", "")},
        )  # fmt: skip
        response = provider.respond(asked)
        # A quotation of a text from Word, as a provider writes it: unescaped.
        return Reply(
            response.text.replace("simulated", "Lift\u2028every\u2029voice\u0085and\x0bsing")
        )

    with answering("openai", answer) as server:
        provider.ability = quality_of_text
        world.connect()
        spec = {
            "provider": "openai", "model": "any-model", "base_url": f"{server.url}/v1",
            "batching_mode": "provider_batch_api",
        }  # fmt: skip
        batch = world.request(8, judge=spec, config={"max_comparisons_per_essay": 8})
        ended = Loop(world).run(batch.batch_id).batch
        counts = read_result(world, ended)["comparisons"]
    assert counts["failed"] == 0
    assert set(provider.asked.values()) == {1}


def quality_of_text(text: str) -> float:
    return read_quality(text.strip().splitlines()[-1])


DECLINED = {
    "a refusal as the stop reason": Reply({"content": [], "stop_reason": "refusal", "usage": {}}),
    "a content filter in a 400": Reply(
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "Output blocked by content filtering policy",
            },
        },
        400,
    ),
    "a 403 with a moderation's reasons": Reply(
        {"error": {"code": 403, "message": "Input was flagged", "metadata": {"reasons": ["x"]}}},
        403,
    ),
    "a 400 in words that nobody knows": Reply(
        {"type": "error", "error": {"type": "invalid_request_error", "message": "nope"}}, 400
    ),
    "a 422 of a gateway": Reply({"detail": [{"loc": ["body"], "msg": "cannot process this"}]}, 422),
    "an answer in no form": Reply(
        {"content": [{"type": "text", "text": "I cannot."}], "stop_reason": "end_turn",
         "usage": {"input_tokens": 900, "output_tokens": 4}}
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", DECLINED)
@pytest.mark.parametrize("mode", ["serial_bundle", "per_request"])
def test_one_essay_that_is_refused(way: str, mode: str) -> None:
    def answer(request: Received) -> Reply:
        if any("essay 01 " in first + second for _, first, second in read_texts(request)):
            return DECLINED[way]
        return honest("anthropic", request)

    with answering("anthropic", answer) as server:
        world, batch = run(server, "anthropic", 10, batching_mode=mode)
    result = read_result(world, batch)
    assert [entry["essay_id"] for entry in result["not_assessed"]] == ["essay-01"]
    assert len(result["rankings"]) == 9


def test_a_refusal_of_everything_is_the_judges() -> None:
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": "nope: field x"}}
    with answering("anthropic", lambda _: Reply(body, 400)) as server:
        world, batch = run(server, "anthropic", 10)
    assert "nope: field x" in read_failure_text(batch)
    assert batch.not_assessed == ()
    assert len(world.list_comparisons(batch.batch_id)) == 20, "one wave is enough to know it"


def test_a_list_that_comes_as_a_string() -> None:
    def answer(request: Received) -> Reply:
        document = judge_honestly(request)
        return make_reply("anthropic", {"verdicts": json.dumps(document["verdicts"])})

    with answering("anthropic", answer) as server:
        world, batch = run(server, "anthropic")
    assert read_result(world, batch)["comparisons"]["failed"] == 0


@pytest.mark.parametrize("form", ["text", "parts"])
def test_thoughts_with_braces(form: str) -> None:
    def answer(request: Received) -> Reply:
        thought = '<think>I answer {"verdicts": [...]}. {A} is better, no, {"winner": "?"}.</think>'
        text = f"{thought}\n```json\n{json.dumps(judge_honestly(request))}\n```\nDone {{now}}."
        reply = make_reply("openai", "x")
        content: Any = text if form == "text" else [{"type": "text", "text": text}]
        reply.body["choices"][0]["message"]["content"] = content
        return reply

    with answering("openai", answer) as server:
        world, batch = run(server, "openai")
    assert read_result(world, batch)["comparisons"]["failed"] == 0


def test_a_bundle_that_exceeds_a_limit() -> None:
    body = {
        "error": {
            "message": "Request too large for a model on tokens per min (TPM): Limit 30000, "
            "Requested 36278. The input or output tokens must be reduced.",
            "type": "tokens", "param": None, "code": "rate_limit_exceeded",
        }
    }  # fmt: skip

    def answer(request: Received) -> Reply:
        return Reply(body, 429) if len(read_texts(request)) > 3 else honest("openai", request)

    with answering("openai", answer) as server:
        world, batch = run(server, "openai")
        assert read_result(world, batch)["comparisons"]["failed"] == 0
        sizes = Counter(len(read_texts(request)) > 1 for request in server.requests)
    assert sizes[True] <= sizes[False], "no bundle is asked again as it was"


def test_answers_cut_off_by_reasoning() -> None:
    def answer(_: Received) -> Reply:
        reply = make_reply("openai", "", stop="length")
        reply.body["usage"] = {
            "prompt_tokens": 1330, "completion_tokens": 4000,
            "completion_tokens_details": {"reasoning_tokens": 4000},
        }  # fmt: skip
        return reply

    with answering("openai", answer) as server:
        _, batch = run(server, "openai", batching_mode="per_request", context_tokens=128_000)
        told = read_failure_text(batch)
        limits = {request.body.get("max_completion_tokens") for request in server.requests}
    assert "raise the judge's max_output_tokens" in told
    assert "4000 of them thoughts" in told
    assert "callback queue" not in told
    assert limits == {4000, 16_000}, "the second try has more room"


def test_answers_that_more_room_completes() -> None:
    def answer(request: Received) -> Reply:
        if request.body["max_completion_tokens"] > 10_000:
            return honest("openai", request)
        return make_reply("openai", "", stop="length")

    with answering("openai", answer) as server:
        world, batch = run(server, "openai", batching_mode="per_request")
    assert read_result(world, batch)["comparisons"]["recorded"] > 0


@pytest.mark.parametrize("seconds", ["86400", "Tue, 03 Mar 2026 23:00:00 GMT"])
def test_a_wait_beyond_the_deadline(seconds: str) -> None:
    headers = {"Retry-After": "86400" if seconds == "86400" else seconds}
    with answering("openai", lambda _: Reply(OPENAI_LIMIT, 429, headers)) as server:
        world, batch = run(server, "openai", batching_mode="per_request")
        n_requests = len(server.requests)
    told = read_failure_text(batch)
    if seconds == "86400":
        assert "asks to wait 86400 s, which is beyond the wave's deadline" in told
        assert "wave_timeout_seconds" in told
        # Asked once in each wave: nobody knocks again before the time that the provider names.
        assert n_requests == sum(each.attempt for each in world.list_comparisons(batch.batch_id))


@pytest.mark.parametrize("n", [2, 3, 4])
def test_tiny_classes(n: int) -> None:
    with answering("openai", lambda request: honest("openai", request)) as server:
        world, batch = run(server, "openai", n)
    assert len(read_result(world, batch)["rankings"]) == n


def test_an_endpoint_that_never_calls_back() -> None:
    with answering("openai", lambda _: Reply({"status": "queued"}, 202)) as server:
        world, batch = run(server, "callback_endpoint")
        n_requests = len(server.requests)
    told = read_failure_text(batch)
    assert "timed_out" in told
    assert "callback queue" in told
    assert n_requests == sum(each.attempt for each in world.list_comparisons(batch.batch_id))
