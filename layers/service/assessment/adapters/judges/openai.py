"""The chat completions API of OpenAI, spoken by Azure, vLLM, Ollama, OpenRouter, LiteLLM too.

Wire format: https://platform.openai.com/docs/api-reference/chat/create and, for the answer's form,
https://platform.openai.com/docs/guides/structured-outputs
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import httpx

from assessment.adapters.judges.model_judge import Completion
from assessment.adapters.judges.transport import post
from assessment.domain.answers import VERDICT_SCHEMA, VERDICT_TOOL
from assessment.domain.errors import ContentRefusedError, JudgeError, JudgeRefusedError
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


LACKS_SCHEMA, LACKS_NEW_LIMIT = "json_schema", "max_completion_tokens"


class Abilities(Protocol):
    """What endpoints turned out not to understand, remembered for all workers."""

    def lacking(self, judge: JudgeSpec) -> frozenset[str]:
        """What this judge's endpoint does not understand, as far as is known."""

    def learn(self, judge: JudgeSpec, what: str) -> None:
        """Remember one thing more."""


class OwnAbilities:
    """Remembers for this process alone."""

    def __init__(self) -> None:
        self._known: dict[str, frozenset[str]] = {}

    def lacking(self, judge: JudgeSpec) -> frozenset[str]:
        """What was learnt of this judge's endpoint."""
        return self._known.get(judge.circuit, frozenset())

    def learn(self, judge: JudgeSpec, what: str) -> None:
        """Remember one thing more."""
        self._known[judge.circuit] = self.lacking(judge) | {what}


def chat_body(
    judge: JudgeSpec,
    blocks: Sequence[PromptBlock],
    *,
    max_tokens: int,
    lacking: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """A request for a chat completion, without what the endpoint lacks."""
    limit = "max_tokens" if LACKS_NEW_LIMIT in lacking else "max_completion_tokens"
    body: dict[str, Any] = {
        "model": judge.model,
        "messages": [block.model_dump() for block in blocks],
        "response_format": _JSON_MODE if LACKS_SCHEMA in lacking else _SCHEMA_MODE,
        limit: max_tokens,
    }
    if judge.temperature is not None:
        body["temperature"] = judge.temperature
    return body


def lesson(error: JudgeError, lacking: frozenset[str]) -> str | None:
    """What a refusal teaches about the endpoint, if it is not known already."""
    told = str(error).lower()
    if LACKS_NEW_LIMIT not in lacking and any(word in told for word in _TOKEN_WORDS):
        return LACKS_NEW_LIMIT
    if LACKS_SCHEMA not in lacking and any(word in told for word in _SCHEMA_WORDS):
        return LACKS_SCHEMA
    return None


class OpenAIModel:
    """Chat completions; what an endpoint does not understand is asked once and remembered."""

    def __init__(
        self, client: httpx.AsyncClient, key: str | None, abilities: Abilities | None = None
    ) -> None:
        self._client = client
        self._headers = bearer(key)
        self._abilities = abilities or OwnAbilities()

    async def complete(
        self, judge: JudgeSpec, blocks: Sequence[PromptBlock], *, max_tokens: int
    ) -> Completion:
        """One completion, or more where the endpoint turns out not to understand the request."""
        lacking = await asyncio.to_thread(self._abilities.lacking, judge)
        while True:
            body = chat_body(judge, blocks, max_tokens=max_tokens, lacking=lacking)
            try:
                return await self._ask(judge, body)
            except JudgeRefusedError as error:
                learnt = lesson(error, lacking)
                if learnt is None:
                    raise
                lacking |= {learnt}
                await asyncio.to_thread(self._abilities.learn, judge, learnt)

    async def _ask(self, judge: JudgeSpec, body: Mapping[str, Any]) -> Completion:
        answer = await post(
            self._client,
            f"{(judge.endpoint or '').rstrip('/')}/chat/completions",
            body,
            headers=self._headers,
            timeout_seconds=judge.timeout_seconds,
            provider="openai",
        )
        return chat_completion(answer.body)


def bearer(key: str | None) -> dict[str, str]:
    """The header that carries the key."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def chat_completion(body: dict[str, Any] | None) -> Completion:
    """What a chat completion says.

    Raises
    ------
    ContentRefusedError
        If the model or its provider would not judge these texts.
    """
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
