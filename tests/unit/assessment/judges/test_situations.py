"""The table of situations in docs/judges.md, run cell by cell against providers over HTTP."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from assessment.adapters.judges.callback_endpoint import CallbackEndpointJudge
from assessment.domain.backoff import retry_delay
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import JudgeError, JudgeUnavailableError, Scope
from local.providers.replies import Reply
from local.providers.scripted_server import make_reply, provider_server, verdict
from tests.unit.assessment.judges.conftest import Asking, make_asking, questions
from tests.unit.assessment.judges.gateway_replies import GATEWAYS
from tests.unit.assessment.judges.reported_replies import REPORTED

TABLE = Path(__file__).parents[4] / "docs" / "judges.md"
MODELS = ("openai", "anthropic", "bedrock")
ALONE = "tries again alone"


def read_table() -> dict[str, dict[str, str]]:
    """What the document promises, by situation and provider."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("| situation |"))
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines[start : lines.index("", start)]
    ]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


PROMISES = read_table()


def openai_error(
    http_status: int, code: str | None = None, message: str = "no", **more: Any
) -> Reply:
    return Reply({"error": {"message": message, "type": None, "code": code} | more}, http_status)


def anthropic_error(status: int, kind: str, message: str = "no") -> Reply:
    return Reply({"type": "error", "error": {"type": kind, "message": message}}, status)


def bedrock_error(status: int, kind: str, message: str = "no", **headers: str) -> Reply:
    return Reply({"message": message}, status, {"x-amzn-errortype": kind} | headers)


def plain_error(status: int, message: str = "no") -> Reply:
    return Reply({"detail": message}, status)


def add_header(reply: Reply, **headers: str) -> Reply:
    changed = copy.deepcopy(reply)
    changed.headers |= {name.replace("_", "-"): value for name, value in headers.items()}
    return changed


def stop_reply(provider: str, reason: str) -> Reply:
    return make_reply(provider, {"verdicts": []}, stop=reason)


def openai_refusal() -> Reply:
    return make_reply("openai", "", refusal="I will not judge this.")


def count_tokens(provider: str, reply: Reply, tokens: int) -> Reply:
    """The reply with this count of the prompt's tokens."""
    changed = copy.deepcopy(reply)
    name = {"openai": "prompt_tokens", "anthropic": "input_tokens", "bedrock": "inputTokens"}
    changed.body["usage"][name[provider]] = tokens
    return changed


BILLING = (
    "Rate limit reached on requests per min (RPM): Limit 3, Used 3, Requested 1. Add a payment "
    "method at https://platform.example/account/billing, check your plan and billing details."
)
TOO_LARGE = "Request too large on tokens per min (TPM): Limit 30000, Requested 36278."
LIMITED = {
    "openai": openai_error(429, "rate_limit_exceeded"),
    "anthropic": anthropic_error(429, "rate_limit_error"),
    "bedrock": bedrock_error(429, "ThrottlingException"),
    "callback_endpoint": plain_error(429),
}
REPLIES: dict[str, dict[str, list[Reply]]] = {
    "limit that passes": {
        name: [
            reply,
            add_header(reply, Retry_After="20"),
        ]
        for name, reply in LIMITED.items()
    } | {
        "openai": [
            LIMITED["openai"],
            openai_error(429, None, type="requests"),
            openai_error(503, "slow_down"),
            Reply([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": BILLING,
                              "details": [{"retryDelay": "20s"}]}}], 429),
        ],
        "anthropic": [LIMITED["anthropic"], anthropic_error(529, "overloaded_error")],
    },
    "limit that passes, with a Retry-After of hours": {
        name: [add_header(reply, Retry_After="7200")] for name, reply in LIMITED.items()
    },
    "limit that passes, told with words of billing": {
        "openai": [openai_error(429, "rate_limit_exceeded", BILLING)],
        "anthropic": [anthropic_error(429, "rate_limit_error", BILLING)],
        "bedrock": [bedrock_error(429, "ThrottlingException", BILLING)],
        "callback_endpoint": [plain_error(429, BILLING)],
    },
    "account spent": {
        "openai": [
            openai_error(429, "insufficient_quota"),
            openai_error(429, None, type="insufficient_quota"),
            openai_error(402, None, "Insufficient credits"),
            openai_error(429, "billing_hard_limit_reached"),
        ],
        "anthropic": [
            anthropic_error(400, "invalid_request_error", "Your credit balance is too low"),
            anthropic_error(402, "billing_error"),
        ],
        "callback_endpoint": [plain_error(402)],
    },
    "request too large for a limit": {
        "openai": [
            openai_error(429, "rate_limit_exceeded", TOO_LARGE, type="tokens"),
            openai_error(413, "rate_limit_exceeded", TOO_LARGE, type="tokens"),
            Reply("<html>413 Request Entity Too Large</html>", 413),
        ],
        "anthropic": [anthropic_error(413, "request_too_large")],
        "bedrock": [bedrock_error(413, "RequestEntityTooLarge")],
        "callback_endpoint": [plain_error(413)],
    },
    "context exceeded": {
        "openai": [
            openai_error(400, "context_length_exceeded"),
            openai_error(400, None, "the request exceeds the available context size",
                         type="exceed_context_size_error"),
            openai_error(500, None, "input is too large to process", type="server_error"),
            openai_error(400, None, "The input token count (1200000) exceeds the maximum number "
                         "of tokens allowed (1048576).", status="INVALID_ARGUMENT"),
            openai_error(400, None, "Prompt contains 40000 tokens, too large for model with "
                         "32768 maximum context length"),
            Reply({"error": "inputs tokens + max_new_tokens must be <= 4096. Given: 5000 inputs"
                            " tokens + 300", "error_type": "validation"}, 422),
        ],
        "anthropic": [
            anthropic_error(400, "invalid_request_error", "prompt is too long: 210000 tokens"),
            stop_reply("anthropic", "model_context_window_exceeded"),
        ],
        "bedrock": [
            bedrock_error(400, "ValidationException", "Input is too long for requested model."),
            bedrock_error(400, "ValidationException", "The model returned the following errors: "
                          "prompt is too long: 250000 tokens > 200000 maximum"),
        ],
        "callback_endpoint": [plain_error(400, "context length exceeded")],
    },
    "content declined, as an error": {
        "openai": [
            openai_error(400, "content_filter"),
            openai_error(400, "content_policy_violation"),
            openai_error(400, "invalid_prompt", type="invalid_request_error"),
            openai_error(400, None, "The response was filtered",
                         innererror={"code": "ResponsibleAIPolicyViolation"}),
            Reply({"error": {"code": 403, "message": "Input was flagged",
                             "metadata": {"reasons": ["violence"]}}}, 403),
            Reply({"error": {"code": 400, "message": "Provider returned error", "metadata": {
                "raw": json.dumps({"error": {"code": "content_filter"}})}}}, 400),
        ],
        "anthropic": [
            anthropic_error(400, "invalid_request_error",
                            "Output blocked by content filtering policy"),
        ],
        "bedrock": [
            bedrock_error(400, "ValidationException",
                          "Output blocked by content filtering policy"),
        ],
        "callback_endpoint": [plain_error(422, "blocked by our safety filter")],
    },
    "content declined, in the answer": {
        "openai": [
            openai_refusal(),
            stop_reply("openai", "content_filter"),
            stop_reply("openai", "SAFETY"),
            Reply({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
            Reply({"error": {"code": 403, "message": "flagged",
                             "metadata": {"flagged_input": "x", "reasons": ["hate"]}}}),
            Reply({"choices": [{"error": {"code": "content_filter"}, "message": {}}]}),
        ],
        "anthropic": [stop_reply("anthropic", "refusal")],
        "bedrock": [
            stop_reply("bedrock", "guardrail_intervened"),
            stop_reply("bedrock", "content_filtered"),
        ],
    },
    "generation broken, as an error": {
        "openai": [
            openai_error(400, "json_validate_failed", failed_generation="{"),
            openai_error(400, "tool_use_failed"),
            openai_error(500, None, "The model produced invalid content.", type="server_error"),
        ],
        "anthropic": [anthropic_error(500, "api_error", "failed to generate an output")],
        "bedrock": [bedrock_error(424, "ModelErrorException")],
    },
    "generation broken, in the answer": {
        "openai": [stop_reply("openai", "malformed_function_call")],
        "anthropic": [Reply({"type": "error", "error": {"type": "model_error", "message": ""}})],
        "bedrock": [
            stop_reply("bedrock", "malformed_model_output"),
            stop_reply("bedrock", "malformed_tool_use"),
        ],
    },
    "bad request": {
        "openai": [openai_error(400, None, type="invalid_request_error"), openai_error(422),
                   openai_error(403)],
        "anthropic": [anthropic_error(400, "invalid_request_error")],
        "bedrock": [bedrock_error(400, "ValidationException")],
        "callback_endpoint": [plain_error(400), plain_error(422)],
    },
    "outage": {
        "openai": [openai_error(500, "server_error"), openai_error(503), Reply("<html>", 502),
                   openai_error(408), Reply("", 504)],
        "anthropic": [anthropic_error(500, "api_error"), Reply("<html>down</html>", 503)],
        "bedrock": [bedrock_error(500, "InternalServerException"),
                    bedrock_error(503, "ServiceUnavailableException"),
                    bedrock_error(408, "ModelTimeoutException")],
        "callback_endpoint": [plain_error(500), Reply("<html>", 503)],
    },
    "outage inside a 200": {
        "openai": [
            Reply({"error": {"code": 502, "message": "upstream is down"}}),
            Reply({"error": "the model is loading"}),
            Reply({"choices": [{"error": {"code": 502, "message": "down"}, "message": {},
                                "finish_reason": "error"}]}),
            Reply({"object": "error", "message": "engine died", "code": 50001}),
            stop_reply("openai", "error"),
        ],
        "anthropic": [
            Reply({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}),
            Reply({"type": "error", "error": {"type": "api_error", "message": "oh"}}),
        ],
        "callback_endpoint": [Reply({"error": {"code": 500, "message": "oh"}})],
    },
    "page of a proxy inside a 200": {
        name: [Reply("<html><body>Please log in</body></html>", 200,
                     {"Content-Type": "text/html"}), Reply("")]
        for name in ("openai", "anthropic", "callback_endpoint")
    } | {"bedrock": [Reply("<html>login</html>")]},
    "time-out": {
        name: [Reply({}, delay=1.3)] for name in (*MODELS, "callback_endpoint")
    },
    "wrong key": {
        "openai": [openai_error(401, "invalid_api_key"), openai_error(401),
                   openai_error(400, None, details=[{"reason": "API_KEY_INVALID"}])],
        "anthropic": [anthropic_error(401, "authentication_error"),
                      anthropic_error(403, "permission_error")],
        "bedrock": [bedrock_error(403, "AccessDeniedException"),
                    bedrock_error(403, "UnrecognizedClientException")],
        "callback_endpoint": [plain_error(401)],
    },
    "wrong model": {
        "openai": [openai_error(404, "model_not_found"), openai_error(404),
                   openai_error(400, None, "no such model")],
        "anthropic": [anthropic_error(404, "not_found_error")],
        "bedrock": [bedrock_error(404, "ResourceNotFoundException"),
                    bedrock_error(400, "ValidationException",
                                  "The provided model identifier is invalid.")],
        "callback_endpoint": [plain_error(404)],
    },
    "feature unsupported": {
        "openai": [
            openai_error(400, "unsupported_parameter", "response_format is not supported"),
            openai_error(400, None, "Unrecognized request argument: max_completion_tokens"),
        ],
        "anthropic": [anthropic_error(400, "invalid_request_error",
                                      "tool_choice is not supported for this model")],
        "bedrock": [bedrock_error(400, "ValidationException",
                                  "This model doesn't support the toolConfig field.")],
    },
    "answer cut off at its limit": {
        "openai": [stop_reply("openai", "length"), make_reply("openai", "", stop="length")],
        "anthropic": [stop_reply("anthropic", "max_tokens")],
        "bedrock": [stop_reply("bedrock", "max_tokens")],
    },
    "prompt cut by the endpoint": {
        name: [
            count_tokens(
                name, make_reply(name, {"verdicts": [verdict("c1"), verdict("c2")]}), 2048
            )
        ]
        for name in MODELS
    },
    "answer malformed": {
        name: [make_reply(name, {"verdicts": []}), make_reply(name, {"answer": 42})]
        for name in MODELS
    } | {"openai": [make_reply("openai", "A is better."), make_reply("openai", "")]},
    "winner contradicted": {
        name: [make_reply(name, {"verdicts": [
            verdict(each, winner) for each in ("c1", "c2") for winner in "AB"]})]
        for name in MODELS
    } | {"openai": [make_reply("openai", '{"verdicts": ['
         '{"comparison_id": "c1", "winner": "A", "winner": "B"},'
         '{"comparison_id": "c2", "winner": "A", "winner": "B"}]}')]},
    "optional value broken": {
        name: [make_reply(name, {"verdicts": [
            verdict(each, confidence=value, degree="huge", justification="half \ud83d")
            for each in ("c1", "c2")]}) for value in (9, "high")]
        for name in MODELS
    },
}  # fmt: skip
COUNTED_ELSEWHERE = {
    # Callbacks with such values: tests/unit/assessment/usecases/test_record_callback.py.
    ("answer malformed", "callback_endpoint"), ("optional value broken", "callback_endpoint"),
    # The API's own refusals: tests/unit/assessment/judges/test_people.py.
    ("answer malformed", "person"), ("optional value broken", "person"),
}  # fmt: skip
CELLS = [
    pytest.param(situation, provider, reply, id=f"{situation}-{provider}-{n}")
    for situation, promises in PROMISES.items()
    for provider in promises
    for n, reply in enumerate(
        reply
        for replies in (REPLIES, REPORTED, GATEWAYS)
        for reply in replies.get(situation, {}).get(provider, [])
    )
]


def test_every_cell_of_the_table_is_run() -> None:
    promised = {
        (situation, provider)
        for situation, promises in PROMISES.items()
        for provider, promise in promises.items()
        if promise != "-"
    }
    run = {(situation, name) for situation, replies in REPLIES.items() for name in replies}
    assert promised - COUNTED_ELSEWHERE == run


def find_patience(situation: str) -> int:
    """Seconds to wait for a reply: a busy machine is no situation."""
    return 1 if situation == "time-out" else 20


@dataclass
class Observed:
    """What the product did, in the words of the table."""

    asked: Asking

    def describe(self, situation: str, reply: Reply) -> str:
        server, ids = self.asked.server, ["c1", "c2"]
        long = situation == "prompt cut by the endpoint"
        server.script = [copy.deepcopy(reply)]
        try:
            results = self.ask_long(ids) if long else self.asked.ask(ids)
        except JudgeError as error:
            return describe_error(error, situation=situation, n_asked=len(ids))
        if len(server.requests) > 1:
            return "asks without it"
        problems = [result.error_detail for result in results if result.error_detail]
        if not problems:
            assert all(result.verdict().notes for result in results)
            return "keeps the verdict"
        assert {problem.retryable for problem in problems} == {True}
        if problems[0].code != "cut_off":
            return ALONE
        assert "max_output_tokens" in problems[0].message
        server.script = [copy.deepcopy(reply)]
        (again,) = self.asked.ask(["c1"], attempt=2)
        assert again.error_detail is not None
        assert not again.error_detail.retryable
        before, after = (read_limit(request.body) for request in server.requests[-2:])
        assert after > before
        return "tries again with more room"

    def ask_long(self, ids: list[str]) -> list[Any]:
        async def ask(judges: Any) -> Any:
            asked = questions(ids, self.asked.judge)
            block = asked[0].prompt_blocks[1]
            text = "It was a long winter and nobody came to the village. " * 600
            block = block.model_copy(update={"content": block.content + text})
            blocks = [asked[0].prompt_blocks[0], block]
            asked = [each.model_copy(update={"prompt_blocks": blocks}) for each in asked]
            return await judges.get_judge(self.asked.judge).compare(asked)

        found: list[Any] = self.asked.run(ask)
        return found


def read_limit(body: dict[str, Any]) -> int:
    text = json.dumps(body)
    found = re.search(r'"(?:max_completion_tokens|max_tokens|maxTokens)": (\d+)', text)
    assert found
    return int(found[1])


CODES = {
    "account spent": "account-spent",
    "request too large for a limit": "request-too-large",
    "context exceeded": "oversize",
    "content declined, as an error": "content-refused",
    "content declined, in the answer": "content-refused",
    "generation broken, as an error": "broken-generation",
    "generation broken, in the answer": "broken-generation",
    "bad request": "judge-refused",
    "wrong key": "credentials-refused",
    "wrong model": "unknown-model",
}
"""What a failure is called, on which its remedy and the reason of an essay set aside depend."""


def describe_error(error: JudgeError, *, situation: str, n_asked: int) -> str:
    assert error.code == CODES.get(situation, "judge-unavailable")
    if isinstance(error, JudgeUnavailableError):
        if error.retry_after:
            kept = retry_delay(error, receives=1, spread_by="c1")
            assert kept >= error.retry_after
        return "waits"
    return "asks alone" if error.scope is not Scope.CALL and n_asked > 1 else "final"


@pytest.mark.parametrize(
    ("situation", "provider", "reply"), [c for c in CELLS if c.values[1] in MODELS]
)
def test_a_model_is_treated_as_the_table_says(situation: str, provider: str, reply: Reply) -> None:
    with provider_server(provider) as server:
        asking = make_asking(provider, server, timeout_seconds=find_patience(situation))
        assert Observed(asking).describe(situation, reply) == PROMISES[situation][provider]


@pytest.mark.parametrize(
    ("situation", "reply"),
    [pytest.param(c.values[0], c.values[2], id=str(c.id)) for c in CELLS
     if c.values[1] == "callback_endpoint"],
)  # fmt: skip
def test_an_endpoint_is_treated_as_the_table_says(situation: str, reply: Reply) -> None:
    judge = JudgeSpec()

    async def ask(url: str) -> str:
        async with httpx.AsyncClient() as client:
            endpoint = CallbackEndpointJudge(client, url, timeout_seconds=find_patience(situation))
            try:
                await endpoint.compare(questions(["c1"], judge))
            except JudgeError as error:
                return describe_error(error, situation=situation, n_asked=1)
        return "no error"

    with provider_server("openai") as server:
        server.script = [copy.deepcopy(reply)]
        assert asyncio.run(ask(server.url)) == PROMISES[situation]["callback_endpoint"]
