"""The chat completions API of OpenAI, spoken by Azure, vLLM, Ollama, OpenRouter, LiteLLM too.

Wire format: https://platform.openai.com/docs/api-reference/chat/create and, for the answer's form,
https://platform.openai.com/docs/guides/structured-outputs
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from assessment.adapters.judges.model_judge import Completion
from assessment.adapters.judges.transport import post
from assessment.domain.answers import VERDICT_SCHEMA, VERDICT_TOOL
from assessment.domain.errors import ContentRefusedError, JudgeRefusedError
from assessment.domain.judge import JudgeSpec
from assessment.domain.llm_protocol import PromptBlock, TokenUsage

_SCHEMA_MODE = {
    "type": "json_schema",
    "json_schema": {"name": VERDICT_TOOL, "strict": True, "schema": VERDICT_SCHEMA},
}
_JSON_MODE = {"type": "json_object"}
# What servers that do not know structured output, or this schema, complain about.
_SCHEMA_WORDS = ("response_format", "json_schema", "structured output", "guided")
_TOKEN_WORDS = ("max_completion_tokens",)


class OpenAIModel:
    """Chat completions; what an endpoint does not understand is asked once and remembered."""

    def __init__(self, client: httpx.AsyncClient, key: str | None) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._without_schema: set[tuple[str | None, str | None]] = set()
        self._old_limit: set[tuple[str | None, str | None]] = set()

    async def complete(
        self, judge: JudgeSpec, blocks: Sequence[PromptBlock], *, max_tokens: int
    ) -> Completion:
        """One completion, or two where the endpoint turns out not to know JSON schemas."""
        place = (judge.endpoint, judge.model)
        for _ in range(2):
            try:
                return await self._ask(judge, self._body(judge, blocks, max_tokens))
            except JudgeRefusedError as error:
                told = str(error).lower()
                if place not in self._old_limit and any(word in told for word in _TOKEN_WORDS):
                    self._old_limit.add(place)
                elif place not in self._without_schema and any(w in told for w in _SCHEMA_WORDS):
                    self._without_schema.add(place)
                else:
                    raise
        return await self._ask(judge, self._body(judge, blocks, max_tokens))

    def _body(
        self, judge: JudgeSpec, blocks: Sequence[PromptBlock], max_tokens: int
    ) -> dict[str, Any]:
        place = (judge.endpoint, judge.model)
        limit = "max_tokens" if place in self._old_limit else "max_completion_tokens"
        body: dict[str, Any] = {
            "model": judge.model,
            "messages": [block.model_dump() for block in blocks],
            "response_format": _JSON_MODE if place in self._without_schema else _SCHEMA_MODE,
            limit: max_tokens,
        }
        if judge.temperature is not None:
            body["temperature"] = judge.temperature
        return body

    async def _ask(self, judge: JudgeSpec, body: Mapping[str, Any]) -> Completion:
        answer = await post(
            self._client,
            f"{(judge.endpoint or '').rstrip('/')}/chat/completions",
            body,
            headers=self._headers,
            timeout_seconds=judge.timeout_seconds,
            provider="openai",
        )
        return _completion(answer.body)


def _completion(body: dict[str, Any] | None) -> Completion:
    if body is None:
        return Completion(problem="the response is not JSON")
    usage = _usage(body.get("usage"))
    try:
        choice = body["choices"][0]
        message = choice["message"]
        refusal, text = message.get("refusal"), message.get("content")
    except (KeyError, IndexError, TypeError, AttributeError):
        return Completion(problem="the response has no choices[0].message", usage=usage)
    if refusal or choice.get("finish_reason") == "content_filter":
        raise ContentRefusedError(f"openai refused: {str(refusal or 'content_filter')[:200]}")
    if choice.get("finish_reason") == "length":
        return Completion(problem="the answer was cut off at its token limit", usage=usage)
    try:
        return Completion(document=json.loads(text), usage=usage)
    except (TypeError, ValueError, RecursionError):
        return Completion(problem="the answer is not JSON", usage=usage)


def _usage(given: object) -> TokenUsage | None:
    if not isinstance(given, dict):
        return None
    return token_usage(given.get("prompt_tokens"), given.get("completion_tokens"))


def token_usage(inputs: object, outputs: object) -> TokenUsage:
    """Token counts as a provider gave them; what is no count is 0."""
    return TokenUsage(input_tokens=_count(inputs), output_tokens=_count(outputs))


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
