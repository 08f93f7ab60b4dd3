"""The Messages API of Anthropic: the verdict is the input of a tool that the model must use.

Wire format: https://docs.anthropic.com/en/api/messages and
https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from assessment.adapters.judges.model_judge import Completion
from assessment.adapters.judges.openai import token_usage
from assessment.adapters.judges.transport import post
from assessment.domain.answers import VERDICT_SCHEMA, VERDICT_TOOL
from assessment.domain.errors import ContentRefusedError
from assessment.domain.judge import JudgeSpec
from assessment.domain.llm_protocol import PromptBlock

API_VERSION = "2023-06-01"
TOOL_DESCRIPTION = "Records which essay of each comparison is the better one."


def message_body(
    judge: JudgeSpec, blocks: Sequence[PromptBlock], *, max_tokens: int
) -> dict[str, Any]:
    """A request for a message that uses the verdict tool."""
    body: dict[str, Any] = {
        "model": judge.model,
        "max_tokens": max_tokens,
        "system": "\n\n".join(block.content for block in blocks if block.role == "system"),
        "messages": [block.model_dump() for block in blocks if block.role == "user"],
        "tools": [
            {
                "name": VERDICT_TOOL,
                "description": TOOL_DESCRIPTION,
                "input_schema": VERDICT_SCHEMA,
            }
        ],
        "tool_choice": {"type": "tool", "name": VERDICT_TOOL},
    }
    if judge.temperature is not None:
        body["temperature"] = min(judge.temperature, 1.0)
    return body


def key_headers(key: str | None) -> dict[str, str]:
    """The headers that carry the API's version and the key."""
    return {"anthropic-version": API_VERSION} | ({"x-api-key": key} if key else {})


class AnthropicModel:
    """Messages with a forced tool."""

    def __init__(self, client: httpx.AsyncClient, key: str | None) -> None:
        self._client = client
        self._headers = key_headers(key)

    async def complete(
        self, judge: JudgeSpec, blocks: Sequence[PromptBlock], *, max_tokens: int
    ) -> Completion:
        """One message."""
        answer = await post(
            self._client,
            f"{(judge.endpoint or '').rstrip('/')}/v1/messages",
            message_body(judge, blocks, max_tokens=max_tokens),
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
    blocks = body.get("content")
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, dict) and block.get("name") == VERDICT_TOOL:
            return Completion(document=block.get("input"), usage=usage)
    return Completion(problem=f"the answer does not use the tool {VERDICT_TOOL}", usage=usage)
