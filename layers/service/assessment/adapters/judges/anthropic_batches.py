"""Anthropic's Message Batches: many messages in one request, answered within a day.

Wire format: https://docs.anthropic.com/en/api/creating-message-batches and its neighbours.
A batch has no name of ours. Its requests have: so one that was handed over without our hearing of
it is known by its answers, and until it has some, by what it cannot be.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from assessment.adapters.judges.abilities import Abilities, ask_as_understood, learning
from assessment.adapters.judges.anthropic import (
    MESSAGE_ABILITIES,
    key_headers,
    message_body,
    message_completion,
)
from assessment.adapters.judges.model_judge import Completion
from assessment.adapters.judges.openai_batches import CALL_SECONDS, CLOCK_SKEW
from assessment.adapters.judges.transport import call, call_for_json, json_lines, told_in
from assessment.domain.errors import (
    ContentRefusedError,
    JudgeDeferredError,
    JudgeError,
    JudgeRefusedError,
    JudgeUnavailableError,
    ProviderBatchError,
)
from assessment.domain.judge import JudgeSpec
from assessment.domain.llm_protocol import PromptBlock

_PAGE = 100
_MOST_PAGES = 50
_MARK_LENGTH = 24
_UNDECIDED_SECONDS = 300.0
# How long after a try its batch may still appear: a worker lives for a minute.
_LATEST = timedelta(minutes=5) + CLOCK_SKEW
_PERMANENT = frozenset(
    {"invalid_request_error", "authentication_error", "permission_error", "not_found_error"}
)


class AnthropicBatchModel:
    """Batches of messages with a forced tool."""

    def __init__(self, client: httpx.AsyncClient, key: str | None, abilities: Abilities) -> None:
        self._client = client
        self._headers = key_headers(key)
        self._abilities = abilities

    async def find(
        self,
        judge: JudgeSpec,
        name: str,
        *,
        since: datetime,
        size: int,
        claimed: Callable[[str], bool],
    ) -> str | None:
        """The batch whose answers are to our requests, among those of the right time and size.

        Raises
        ------
        JudgeDeferredError
            While a batch that may be ours has no answers yet.
        """
        undecided = False
        async for batch in self._newest_first(judge):
            created = _moment(batch.get("created_at"))
            if created is None or created > since + _LATEST:
                continue
            if created < since - CLOCK_SKEW:
                break
            batch_id = str(batch.get("id"))
            if _size(batch) != size or await asyncio.to_thread(claimed, batch_id):
                continue
            if batch.get("processing_status") != "ended":
                undecided = True
            elif await self._is_ours(judge, batch_id, name):
                return batch_id
        if undecided:
            raise JudgeDeferredError(
                "anthropic has a batch that may be this one and does not say yet",
                retry_after=_UNDECIDED_SECONDS,
            )
        return None

    async def submit(
        self,
        judge: JudgeSpec,
        name: str,
        prompts: Mapping[str, Sequence[PromptBlock]],
        *,
        max_tokens: int,
    ) -> str:
        """One request for all."""

        async def submit(lacking: frozenset[str]) -> dict[str, Any]:
            requests = [
                {
                    "custom_id": f"{_mark(name)}-{comparison_id}",
                    "params": message_body(judge, blocks, max_tokens=max_tokens, lacking=lacking),
                }
                for comparison_id, blocks in prompts.items()
            ]
            return await self._json(judge, "POST", "", json={"requests": requests})

        batch = await ask_as_understood(judge, self._abilities, MESSAGE_ABILITIES, submit)
        if not batch.get("id"):
            raise JudgeUnavailableError("anthropic answered without the id of the batch")
        return str(batch["id"])

    async def ended(self, judge: JudgeSpec, batch_id: str) -> bool:
        """Whether every request has its result."""
        return (await self._json(judge, "GET", f"/{batch_id}")).get("processing_status") == "ended"

    async def answers(
        self,
        judge: JudgeSpec,
        batch_id: str,
        wanted: Sequence[str],  # noqa: ARG002 - a batch of messages is never refused whole later
    ) -> dict[str, Completion | JudgeError]:
        """Every result by the comparison in its custom id."""
        return {
            str(line.get("custom_id"))[_MARK_LENGTH + 1 :]: await learning(
                judge, self._abilities, MESSAGE_ABILITIES, _answer(line.get("result"))
            )
            for line in await self._results(judge, batch_id)
        }

    async def cancel(self, judge: JudgeSpec, batch_id: str) -> None:
        """Requests that are under way are still answered; the others are not billed."""
        await self._json(judge, "POST", f"/{batch_id}/cancel")

    async def forget(self, judge: JudgeSpec, batch_id: str) -> None:
        """Delete the batch with its requests and results."""
        with suppress(JudgeRefusedError):
            await self._json(judge, "DELETE", f"/{batch_id}")

    async def _is_ours(self, judge: JudgeSpec, batch_id: str, name: str) -> bool:
        lines = await self._results(judge, batch_id)
        return bool(lines) and str(lines[0].get("custom_id")).startswith(f"{_mark(name)}-")

    async def _results(self, judge: JudgeSpec, batch_id: str) -> list[dict[str, Any]]:
        # The documented path rather than `results_url`: our key goes where the judge says only.
        response = await call(
            self._client, "GET", self._url(judge, f"/{batch_id}/results"), **self._how(judge)
        )
        return list(json_lines(response.text))

    async def _newest_first(self, judge: JudgeSpec) -> AsyncIterator[dict[str, Any]]:
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = await self._json(judge, "GET", "", params={"limit": _PAGE, **after})
            batches = [each for each in page.get("data") or [] if isinstance(each, dict)]
            for batch in batches:
                yield batch
            if not page.get("has_more") or not page.get("last_id"):
                return
            after = {"after_id": str(page["last_id"])}

    async def _json(
        self, judge: JudgeSpec, method: str, path: str, **content: Any
    ) -> dict[str, Any]:
        return await call_for_json(
            self._client, method, self._url(judge, path), **self._how(judge), **content
        )

    def _how(self, judge: JudgeSpec) -> dict[str, Any]:
        return {
            "headers": self._headers,
            "timeout_seconds": min(judge.timeout_seconds, CALL_SECONDS),
            "provider": "anthropic",
        }

    @staticmethod
    def _url(judge: JudgeSpec, path: str) -> str:
        return f"{(judge.endpoint or '').rstrip('/')}/v1/messages/batches{path}"


def _mark(name: str) -> str:
    """What the submission's name leaves room for in a custom id of 64 characters."""
    return name[-_MARK_LENGTH:]


def _size(batch: dict[str, Any]) -> int:
    counts = batch.get("request_counts")
    return sum(counts.values()) if isinstance(counts, dict) else 0


def _moment(given: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(given))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _answer(result: object) -> Completion | JudgeError:
    found = result if isinstance(result, dict) else {}
    kind = found.get("type")
    if kind == "succeeded":
        message = found.get("message")
        try:
            return message_completion(message if isinstance(message, dict) else None)
        except ContentRefusedError as error:
            return error
    if kind != "errored":
        return ProviderBatchError(f"anthropic: the request is {kind or 'without a result'}")
    # The error document stands one level deeper than in a response.
    document = found.get("error")
    told = told_in(document)
    inner = document.get("error") if isinstance(document, dict) else None
    code = inner.get("type") if isinstance(inner, dict) else None
    message = f"anthropic: {told[:300]}"
    return JudgeRefusedError(message) if code in _PERMANENT else ProviderBatchError(message)
