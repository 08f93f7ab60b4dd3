"""The Messages API of Anthropic: the verdict is the input of a tool that the model must use.

Where it refuses to be forced, the verdict is a text in the tool's schema.

Wire format: https://docs.anthropic.com/en/api/messages and
https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assessment.adapters.judges.capabilities import Capability
from assessment.adapters.judges.completion import (
    Completion,
    OutputLimit,
    UsageNames,
    check_stop_reason,
    count_tokens,
    is_cut_off,
    join_text_parts,
)
from assessment.adapters.judges.http_model import HttpModel, WireFormat
from assessment.adapters.judges.transport import Answer, read_error_in_answer
from assessment.contracts.json_text import read_objects
from assessment.contracts.model_answer import VERDICT_TOOL, AnswerForm
from assessment.contracts.valid_values import read_name
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import PromptBlock
from assessment.domain.verdict import Provenance

API_VERSION = "2023-06-01"
_USAGE = UsageNames(
    inputs=("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    outputs=("output_tokens",),
    cache_reads=("cache_read_input_tokens",),
    cache_writes=("cache_creation_input_tokens",),
)
FORCED_TOOL = Capability("forced_tool", ("tool",))
JSON_SCHEMA = Capability(
    "json_schema", ("output_config", "output format", "json_schema", "structured output")
)
PROMPT_CACHE = Capability("prompt_cache", ("cache_control", "prompt caching", "system"))
MESSAGE_CAPABILITIES = (FORCED_TOOL, JSON_SCHEMA, PROMPT_CACHE)
"""Models that always think refuse to be told which tool to use, and older ones know no schemas
(platform.claude.com/docs/en/models/opus-5-5/whats-new-opus-5-5, .../build-with-claude/
structured-outputs). What is left is the prompt, which describes the answer too."""


def message_body(
    judge: JudgeSpec,
    blocks: Sequence[PromptBlock],
    *,
    limit: OutputLimit,
    missing: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """A request for a message that uses the verdict tool, or says the same as text."""
    body: dict[str, Any] = {
        "model": judge.model,
        "max_tokens": limit.choose(missing),
        "system": _describe_system(blocks, missing),
        "messages": [block.model_dump() for block in blocks if block.role == "user"],
    }
    if judge.temperature is not None:
        body["temperature"] = min(judge.temperature, 1.0)
    return body | _request_structure(missing, limit.form)


def _describe_system(
    blocks: Sequence[PromptBlock], missing: frozenset[str]
) -> str | list[dict[str, Any]]:
    """The system's part, marked to be cached with the tools before it where it is always the same.

    A mark on fewer tokens than a model caches is passed over
    (platform.claude.com/docs/en/build-with-claude/prompt-caching).
    """
    system = [block for block in blocks if block.role == "system"]
    text = "\n\n".join(block.content for block in system)
    if PROMPT_CACHE.name in missing or not all(block.is_fixed for block in system):
        return text
    return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]


def _request_structure(missing: frozenset[str], form: AnswerForm) -> dict[str, Any]:
    """The part of a request that asks for an answer in the verdict's form."""
    if FORCED_TOOL.name not in missing:
        tool = {
            "name": VERDICT_TOOL,
            "description": form.description,
            "input_schema": form.json_schema,
        }
        return {"tools": [tool], "tool_choice": {"type": "tool", "name": VERDICT_TOOL}}
    if JSON_SCHEMA.name not in missing:
        return {"output_config": {"format": {"type": "json_schema", "schema": form.json_schema}}}
    return {}


def make_headers(key: str | None) -> dict[str, str]:
    """The headers that carry the API's version and the key."""
    return {"anthropic-version": API_VERSION} | ({"x-api-key": key} if key else {})


def message_completion(answer: Answer, *, texts: Sequence[str] = ()) -> Completion:
    """What a message says.

    Raises
    ------
    JudgeError
        If the response carries an error; ContentRefusedError if the model would not judge these
        texts.
    """
    body = answer.body
    if body is None:
        return Completion(problem="the response is not JSON")
    if not body.get("content") and (body.get("error") or not body.get("stop_reason")):
        problem = body.get("error") or body
        raise read_error_in_answer(problem, provider="anthropic", texts=texts)
    reason = body.get("stop_reason")
    check_stop_reason(reason, provider="anthropic")
    tool_inputs, text = _find_answer(body.get("content"))
    return Completion(
        document=tool_inputs or None,
        text=text,
        usage=count_tokens(body.get("usage"), _USAGE),
        is_cut_off=is_cut_off(reason),
        provenance=Provenance(
            served_model=read_name(body.get("model")),
            request_id=answer.request_id or read_name(body.get("id")),
            answered_at=answer.answered_at,
        ),
    )


def _find_answer(content: object) -> tuple[list[object], str | None]:
    """The inputs of tools that the message uses, and its text."""
    blocks = read_objects(
        content if isinstance(content, list) else [{"type": "text", "text": content}]
    )
    tool_inputs = [block.get("input") for block in blocks if block.get("type") == "tool_use"]
    text = join_text_parts([block for block in blocks if block.get("type") == "text"])
    return tool_inputs, text


class AnthropicModel(HttpModel):
    """Messages with a forced tool, or a schema, or neither where the model refuses them."""

    wire = WireFormat(
        provider="anthropic",
        path="/v1/messages",
        capabilities=MESSAGE_CAPABILITIES,
        make_headers=make_headers,
        make_body=message_body,
        read_completion=message_completion,
    )
