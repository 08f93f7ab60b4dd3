"""The Messages API of Anthropic: the verdict is the input of a tool that the model must use.

Where it refuses to be forced, the verdict is a text in the tool's schema.

Wire format: https://docs.anthropic.com/en/api/messages and
https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from assessment.adapters.judges.capabilities import (
    Capabilities,
    Capability,
    LocalCapabilities,
    ask_within_capabilities,
)
from assessment.adapters.judges.model_judge import Completion
from assessment.adapters.judges.openai import text_completion, token_usage
from assessment.adapters.judges.transport import post
from assessment.contracts.model_answer import VERDICT_SCHEMA, VERDICT_TOOL
from assessment.domain.errors import ContentRefusedError
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import PromptBlock

API_VERSION = "2023-06-01"
TOOL_DESCRIPTION = "Records which essay of each comparison is the better one."


FORCED_TOOL = Capability("forced_tool", ("tool",))
JSON_SCHEMA = Capability(
    "json_schema", ("output_config", "output format", "json_schema", "structured output")
)
MESSAGE_CAPABILITIES = (FORCED_TOOL, JSON_SCHEMA)
"""Models that always think refuse to be told which tool to use, and older ones know no schemas
(platform.claude.com/docs/en/models/opus-5-5/whats-new-opus-5-5, .../build-with-claude/
structured-outputs). What is left is the prompt, which describes the answer too."""


def message_body(
    judge: JudgeSpec,
    blocks: Sequence[PromptBlock],
    *,
    max_tokens: int,
    missing: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """A request for a message that uses the verdict tool, or says the same as text."""
    body: dict[str, Any] = {
        "model": judge.model,
        "max_tokens": max_tokens,
        "system": "\n\n".join(block.content for block in blocks if block.role == "system"),
        "messages": [block.model_dump() for block in blocks if block.role == "user"],
    }
    if judge.temperature is not None:
        body["temperature"] = min(judge.temperature, 1.0)
    if FORCED_TOOL.name not in missing:
        tool = {
            "name": VERDICT_TOOL,
            "description": TOOL_DESCRIPTION,
            "input_schema": VERDICT_SCHEMA,
        }
        return body | {"tools": [tool], "tool_choice": {"type": "tool", "name": VERDICT_TOOL}}
    if JSON_SCHEMA.name not in missing:
        return body | {
            "output_config": {"format": {"type": "json_schema", "schema": VERDICT_SCHEMA}}
        }
    return body


def key_headers(key: str | None) -> dict[str, str]:
    """The headers that carry the API's version and the key."""
    return {"anthropic-version": API_VERSION} | ({"x-api-key": key} if key else {})


class AnthropicModel:
    """Messages with a forced tool, or a schema, or neither where the model refuses them."""

    def __init__(
        self, client: httpx.AsyncClient, key: str | None, capabilities: Capabilities | None = None
    ) -> None:
        self._client = client
        self._headers = key_headers(key)
        self._capabilities = capabilities or LocalCapabilities()

    async def complete(
        self, judge: JudgeSpec, blocks: Sequence[PromptBlock], *, max_tokens: int
    ) -> Completion:
        """One message, or more where the model turns out not to take the request."""
        return await ask_within_capabilities(
            judge,
            self._capabilities,
            MESSAGE_CAPABILITIES,
            lambda missing: self._ask(
                judge, message_body(judge, blocks, max_tokens=max_tokens, missing=missing)
            ),
        )

    async def _ask(self, judge: JudgeSpec, body: Mapping[str, Any]) -> Completion:
        answer = await post(
            self._client,
            f"{(judge.endpoint or '').rstrip('/')}/v1/messages",
            body,
            headers=self._headers,
            timeout_seconds=judge.timeout_seconds,
            provider="anthropic",
        )
        return message_completion(answer.body)


def message_completion(body: dict[str, Any] | None) -> Completion:
    """What a message says.

    Raises
    ------
    ContentRefusedError
        If the model would not judge these texts.
    """
    if body is None:
        return Completion(problem="the response is not JSON")
    given = body.get("usage")
    counts = given if isinstance(given, dict) else {}
    usage = token_usage(counts.get("input_tokens"), counts.get("output_tokens"))
    reason = body.get("stop_reason")
    if reason == "refusal":
        raise ContentRefusedError("anthropic refused to answer")
    if reason == "max_tokens":
        return Completion(problem="the answer was cut off at its token limit", usage=usage)
    given = body.get("content")
    blocks = (
        [block for block in given if isinstance(block, dict)] if isinstance(given, list) else []
    )
    for block in blocks:
        if block.get("name") == VERDICT_TOOL:
            return Completion(document=block.get("input"), usage=usage)
    texts = [str(block.get("text")) for block in blocks if block.get("type") == "text"]
    return text_completion("".join(texts), usage)
