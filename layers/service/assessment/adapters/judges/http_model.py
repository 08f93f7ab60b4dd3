"""A model behind HTTP: one request for each completion, in the form of its provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import httpx

from assessment.adapters.judges.capabilities import (
    Capabilities,
    Capability,
    LocalCapabilities,
    add_limit_capability,
    ask_within_capabilities,
)
from assessment.adapters.judges.completion import Completion, OutputLimit
from assessment.adapters.judges.transport import post
from assessment.domain.identifiers import canonical_sha256, derive_uuid
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import PromptBlock


@dataclass(frozen=True)
class WireFormat:
    """How a provider is asked, and how its answer is read.

    Attributes
    ----------
    provider
        Its name in messages.
    path
        The route below a judge's endpoint.
    capabilities
        What an endpoint of this format may lack.
    make_headers
        The headers from the key, which may be None.
    make_body
        The request from a judge and the prompt's blocks, with `limit` and `missing`.
    read_completion
        The completion from an Answer, with the prompt's `texts`; raises JudgeError.
    repeat_header
        The header by which an endpoint may know a request that it has had (IETF draft
        httpapi-idempotency-key-header). Some gateways of OpenAI's form honour it, and the client of
        one (Dedalus) sends it with POST; OpenAI and Anthropic document none.
    """

    provider: str
    path: str
    capabilities: Sequence[Capability]
    make_headers: Callable[[str | None], dict[str, str]]
    make_body: Callable[..., dict[str, Any]]
    read_completion: Callable[..., Completion]
    repeat_header: str | None = None

    def make_repeat_headers(self, request_key: str, body: dict[str, Any]) -> dict[str, str]:
        """The header of a request: the same for the same questions in the same words only."""
        if self.repeat_header is None or not request_key:
            return {}
        return {self.repeat_header: derive_uuid(request_key, canonical_sha256(body))}


class HttpModel:
    """Asks in its wire format, without what the endpoint turned out to lack."""

    wire: ClassVar[WireFormat]

    def __init__(
        self, client: httpx.AsyncClient, key: str | None, capabilities: Capabilities | None = None
    ) -> None:
        self._client = client
        self._headers = self.wire.make_headers(key)
        self._capabilities = capabilities or LocalCapabilities()

    async def complete(
        self,
        judge: JudgeSpec,
        blocks: Sequence[PromptBlock],
        *,
        max_tokens: OutputLimit,
        request_key: str = "",
    ) -> Completion:
        """One completion; more requests where the endpoint does not understand the first.

        Raises
        ------
        JudgeError
        """
        texts = [block.content for block in blocks]

        async def ask(missing: frozenset[str]) -> Completion:
            body = self.wire.make_body(judge, blocks, limit=max_tokens, missing=missing)
            answer = await post(
                self._client,
                f"{(judge.endpoint or '').rstrip('/')}{self.wire.path}",
                body,
                headers={**self._headers, **self.wire.make_repeat_headers(request_key, body)},
                timeout_seconds=judge.timeout_seconds,
                provider=self.wire.provider,
                texts=texts,
            )
            return self.wire.read_completion(answer, texts=texts)

        candidates = add_limit_capability(self.wire.capabilities, max_tokens)
        return await ask_within_capabilities(judge, self._capabilities, candidates, ask)
