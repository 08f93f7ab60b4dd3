"""The chat completions API of OpenAI, spoken by Azure, vLLM, Ollama, OpenRouter, LiteLLM too.

Wire format: https://platform.openai.com/docs/api-reference/chat/create and, for the answer's form,
https://platform.openai.com/docs/guides/structured-outputs
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
from assessment.adapters.judges.transport import post
from assessment.contracts.llm_protocol import TokenUsage
from assessment.contracts.model_answer import VERDICT_SCHEMA, VERDICT_TOOL, json_in
from assessment.domain.errors import ContentRefusedError
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import PromptBlock

_SCHEMA_MODE = {
    "type": "json_schema",
    "json_schema": {"name": VERDICT_TOOL, "strict": True, "schema": VERDICT_SCHEMA},
}
_JSON_MODE = {"type": "json_object"}
NEW_LIMIT_NAME = Capability("max_completion_tokens", ("max_completion_tokens",))
JSON_SCHEMA = Capability(
    "json_schema", ("response_format", "json_schema", "structured output", "guided")
)
CHAT_CAPABILITIES = (NEW_LIMIT_NAME, JSON_SCHEMA)


def chat_body(
    judge: JudgeSpec,
    blocks: Sequence[PromptBlock],
    *,
    max_tokens: int,
    missing: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """A request for a chat completion, without what the endpoint lacks."""
    limit = "max_tokens" if NEW_LIMIT_NAME.name in missing else "max_completion_tokens"
    body: dict[str, Any] = {
        "model": judge.model,
        "messages": [block.model_dump() for block in blocks],
        "response_format": _JSON_MODE if JSON_SCHEMA.name in missing else _SCHEMA_MODE,
        limit: max_tokens,
    }
    if judge.temperature is not None:
        body["temperature"] = judge.temperature
    return body


class OpenAIModel:
    """Chat completions; what an endpoint does not understand is asked once and remembered."""

    def __init__(
        self, client: httpx.AsyncClient, key: str | None, capabilities: Capabilities | None = None
    ) -> None:
        self._client = client
        self._headers = bearer(key)
        self._capabilities = capabilities or LocalCapabilities()

    async def complete(
        self, judge: JudgeSpec, blocks: Sequence[PromptBlock], *, max_tokens: int
    ) -> Completion:
        """One completion, or more where the endpoint turns out not to understand the request."""
        return await ask_within_capabilities(
            judge,
            self._capabilities,
            CHAT_CAPABILITIES,
            lambda missing: self._ask(
                judge, chat_body(judge, blocks, max_tokens=max_tokens, missing=missing)
            ),
        )

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
    return text_completion(text, usage)


def text_completion(text: object, usage: TokenUsage | None) -> Completion:
    """A completion whose document is JSON in a text."""
    document = json_in(text) if isinstance(text, str) else None
    if document is None:
        return Completion(problem="the answer is not JSON", usage=usage)
    return Completion(document=document, usage=usage)


def _usage(given: object) -> TokenUsage | None:
    if not isinstance(given, dict):
        return None
    return token_usage(given.get("prompt_tokens"), given.get("completion_tokens"))


def token_usage(inputs: object, outputs: object) -> TokenUsage:
    """Token counts as a provider gave them; what is no count is 0."""
    return TokenUsage(input_tokens=_count(inputs), output_tokens=_count(outputs))


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
