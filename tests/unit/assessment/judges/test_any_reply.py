"""Any value in any place of a provider's reply is an answer or a judge's error, and no crash."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from assessment.adapters.judges import anthropic_batches, bedrock_jobs, openai_batches
from assessment.adapters.judges.anthropic import message_completion
from assessment.adapters.judges.bedrock import converse_completion
from assessment.adapters.judges.completion import Completion
from assessment.adapters.judges.model import SubmittedCall
from assessment.adapters.judges.openai import chat_completion
from assessment.adapters.judges.provider_error import read_provider_error
from assessment.adapters.judges.transport import Answer
from assessment.contracts.model_answer import read_answer
from assessment.domain.judge_errors import JudgeError
from local.providers.scripted_server import make_reply, verdict

VALUES: list[Any] = [
    None, True, 0, -1, 1.5, float("nan"), float("inf"), 10**30, "", "a", "error", "\ud800", "{",
    "[1]", '{"a": 1}', [], {}, [None], [[]], [{}], {"a": None}, {"message": []}, {"type": {}},
    ["text"], {"text": 5}, [{"text": None}], {"error": []}, {"code": [1]}, [{"type": "tool_use"}],
    [{"toolUse": 5}], [{"error": {"code": {}}}],
]  # fmt: skip
BODIES = {
    provider: make_reply(provider, {"verdicts": [verdict("c1")]}).body
    for provider in ("openai", "anthropic", "bedrock")
}
ERROR = {"error": {"message": "m", "type": "t", "code": "c", "param": "p",
                   "details": [{"reason": "r", "retryDelay": "2s"}],
                   "metadata": {"raw": "{}", "headers": {"Retry-After": "1"}}}}  # fmt: skip


def read_whole(completion: Completion) -> None:
    for candidate in completion.candidates:
        read_answer([candidate], ["c1"])
        read_answer([candidate], ["c1", "c2"])


def read_error(document: Any) -> None:
    for status in (0, 200, 400, 429, 500):
        read_provider_error(status, document, headers={"Retry-After": "1"})


_CALLS = {"c1": SubmittedCall((), ["c1"])}
READERS: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "openai": (BODIES["openai"], lambda body: read_whole(chat_completion(Answer(body)))),
    "openai's error": (ERROR, lambda body: read_whole(chat_completion(Answer(body)))),
    "anthropic": (BODIES["anthropic"], lambda body: read_whole(message_completion(Answer(body)))),
    "anthropic's error": (ERROR, lambda body: read_whole(message_completion(Answer(body)))),
    "bedrock": (BODIES["bedrock"], lambda body: read_whole(converse_completion(body))),
    "bedrock's error": (ERROR, lambda body: read_whole(converse_completion(body))),
    "error": (ERROR, read_error),
    "openai's line": (
        {"custom_id": "c1", "response": {"status_code": 200, "body": BODIES["openai"]},
         "error": {"code": "batch_expired", "message": "m"}},
        lambda line: list(openai_batches._read_lines(json.dumps(line), _CALLS)),
    ),
    "openai's failed batch": (
        {"errors": {"data": [{"code": "token_limit_exceeded", "message": "m", "line": 1}]}},
        openai_batches._read_failure,
    ),
    "anthropic's result": (
        {"type": "succeeded", "message": BODIES["anthropic"]},
        lambda result: anthropic_batches._read_result(result, ()),
    ),
    "anthropic's failed result": (
        {"type": "errored", "error": {"type": "error", "error": {"type": "t", "message": "m"}}},
        lambda result: anthropic_batches._read_result(result, ()),
    ),
    "anthropic's counts": ({"request_counts": {"n": 1}}, anthropic_batches._count_requests),
    "bedrock's record": (
        {"recordId": "x", "modelOutput": BODIES["bedrock"]},
        lambda record: bedrock_jobs._read_record(record, ()),
    ),
    "bedrock's failed record": (
        {"recordId": "x", "error": {"errorCode": 400, "errorMessage": "m"}},
        lambda record: bedrock_jobs._read_record(record, ()),
    ),
}  # fmt: skip


def list_places(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if place:
        yield place
    parts = node.items() if isinstance(node, dict) else []
    for name, part in enumerate(node) if isinstance(node, list) else parts:
        yield from list_places(part, (*place, name))


def put_value(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    *way, last = place
    node = changed
    for name in way:
        node = node[name]
    node[last] = value
    return changed


@pytest.mark.parametrize("kind", READERS)
def test_any_value_in_any_place_is_an_answer_or_a_judges_error(kind: str) -> None:
    document, read = READERS[kind]
    for place in list_places(document):
        for value in VALUES:
            with suppress(JudgeError):
                read(put_value(document, place, value))
