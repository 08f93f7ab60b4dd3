"""OpenAI's Batch API, and whoever speaks it: a file of chat completions, answered within a day.

Wire format: https://platform.openai.com/docs/api-reference/batch and .../api-reference/files.
A batch carries the submission's name in its metadata, so one that was handed over without our
hearing of it is found in the list.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import httpx

from assessment.adapters.judges.abilities import Abilities, learning
from assessment.adapters.judges.model_judge import Completion
from assessment.adapters.judges.openai import (
    CHAT_ABILITIES,
    bearer,
    chat_body,
    chat_completion,
)
from assessment.adapters.judges.transport import (
    call,
    call_for_json,
    json_lines,
    refusal,
    told_in,
)
from assessment.domain.errors import (
    ContentRefusedError,
    JudgeError,
    JudgeRefusedError,
    JudgeUnavailableError,
    ProviderBatchError,
)
from assessment.domain.judge import JudgeSpec
from assessment.domain.llm_protocol import PromptBlock

CALL_SECONDS = 20.0
"""For each call about a batch, whatever time a verdict may take: a worker makes several."""

CLOCK_SKEW = timedelta(minutes=5)
"""By how much a provider's clock may differ from ours."""

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_PAGE = 100
_MOST_PAGES = 50
# A batch refused for these was not begun, and may be taken another time.
_PASSING = frozenset({"token_limit_exceeded", "rate_limit_exceeded", "internal_error"})


class OpenAIBatchModel:
    """Batches of chat completions."""

    def __init__(self, client: httpx.AsyncClient, key: str | None, abilities: Abilities) -> None:
        self._client = client
        self._headers = bearer(key)
        self._abilities = abilities

    async def find(
        self,
        judge: JudgeSpec,
        name: str,
        *,
        since: datetime,
        size: int,  # noqa: ARG002 - others have no name to find a batch by
        claimed: Callable[[str], bool],  # noqa: ARG002 - as `size`
    ) -> str | None:
        """The batch with this name in its metadata, among those since the try."""
        async for batch in self._newest_first(judge):
            if float(batch.get("created_at") or 0) < (since - CLOCK_SKEW).timestamp():
                return None
            if (batch.get("metadata") or {}).get("submission") == name:
                return str(batch["id"])
        return None

    async def submit(
        self,
        judge: JudgeSpec,
        name: str,
        prompts: Mapping[str, Sequence[PromptBlock]],
        *,
        max_tokens: int,
    ) -> str:
        """Upload the file, then make a batch of it: only the second is paid for."""
        lacking = await asyncio.to_thread(self._abilities.lacking, judge)
        lines = [
            {
                "custom_id": comparison_id,
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": chat_body(judge, blocks, max_tokens=max_tokens, lacking=lacking),
            }
            for comparison_id, blocks in prompts.items()
        ]
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        try:
            file = await self._json(
                judge,
                "POST",
                "/files",
                data={"purpose": "batch"},
                files={"file": (f"{name}.jsonl", content, "application/jsonl")},
            )
        except JudgeUnavailableError as error:
            # Nothing was ordered yet: there is nothing to look for.
            raise JudgeUnavailableError(
                str(error), retry_after=error.retry_after, busy=True
            ) from error
        batch = await self._json(
            judge,
            "POST",
            "/batches",
            json={
                "input_file_id": file.get("id"),
                "endpoint": "/v1/chat/completions",
                "completion_window": "24h",
                "metadata": {"submission": name},
            },
        )
        return _id_of(batch)

    async def ended(self, judge: JudgeSpec, batch_id: str) -> bool:
        """Whether its status is a last one."""
        return (await self._batch(judge, batch_id)).get("status") in _ENDED

    async def answers(
        self, judge: JudgeSpec, batch_id: str, wanted: Sequence[str]
    ) -> dict[str, Completion | JudgeError]:
        """The lines of its output and error files; of a batch refused whole, why it was."""
        batch = await self._batch(judge, batch_id)
        if batch.get("status") == "failed":
            return dict.fromkeys(wanted, _failure(batch))
        found: dict[str, Completion | JudgeError] = {}
        for file_id in (batch.get("output_file_id"), batch.get("error_file_id")):
            if not file_id:
                continue
            response = await self._call(judge, "GET", f"/files/{file_id}/content")
            for line in json_lines(response.text):
                found[str(line.get("custom_id"))] = await learning(
                    judge, self._abilities, CHAT_ABILITIES, _answer(line)
                )
        return found

    async def cancel(self, judge: JudgeSpec, batch_id: str) -> None:
        """Requests that are under way are still answered."""
        await self._call(judge, "POST", f"/batches/{batch_id}/cancel")

    async def forget(self, judge: JudgeSpec, batch_id: str) -> None:
        """Delete its files; the batch itself carries no text."""
        batch = await self._batch(judge, batch_id)
        for name in ("input_file_id", "output_file_id", "error_file_id"):
            if batch.get(name):
                with suppress(JudgeRefusedError):
                    await self._call(judge, "DELETE", f"/files/{batch[name]}")

    async def _newest_first(self, judge: JudgeSpec) -> AsyncIterator[dict[str, Any]]:
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = await self._json(judge, "GET", "/batches", params={"limit": _PAGE, **after})
            batches = [each for each in page.get("data") or [] if isinstance(each, dict)]
            for batch in batches:
                yield batch
            if not page.get("has_more") or not batches:
                return
            after = {"after": str(batches[-1].get("id"))}

    async def _batch(self, judge: JudgeSpec, batch_id: str) -> dict[str, Any]:
        return await self._json(judge, "GET", f"/batches/{batch_id}")

    async def _json(
        self, judge: JudgeSpec, method: str, path: str, **content: Any
    ) -> dict[str, Any]:
        return await call_for_json(
            self._client, method, self._url(judge, path), **self._how(judge), **content
        )

    async def _call(self, judge: JudgeSpec, method: str, path: str) -> httpx.Response:
        return await call(self._client, method, self._url(judge, path), **self._how(judge))

    def _how(self, judge: JudgeSpec) -> dict[str, Any]:
        return {
            "headers": self._headers,
            "timeout_seconds": min(judge.timeout_seconds, CALL_SECONDS),
            "provider": "openai",
        }

    @staticmethod
    def _url(judge: JudgeSpec, path: str) -> str:
        return f"{(judge.endpoint or '').rstrip('/')}{path}"


def _id_of(batch: dict[str, Any]) -> str:
    if not batch.get("id"):
        raise JudgeUnavailableError("openai answered without the id of the batch")
    return str(batch["id"])


def _answer(line: dict[str, Any]) -> Completion | JudgeError:
    response = line.get("response")
    if not isinstance(response, dict):
        return ProviderBatchError(f"openai: {told_in(line) or 'no response'}")
    status, body = response.get("status_code"), response.get("body")
    if status == httpx.codes.OK:
        try:
            return chat_completion(body if isinstance(body, dict) else None)
        except ContentRefusedError as error:
            return error
    told = status if isinstance(status, int) else httpx.codes.INTERNAL_SERVER_ERROR
    return refusal(told, told_in(body), provider="openai")


def _failure(batch: dict[str, Any]) -> JudgeError:
    """Why a batch was refused whole: nothing of it was paid."""
    errors = (batch.get("errors") or {}).get("data") or [{}]
    first = errors[0] if isinstance(errors[0], dict) else {}
    code, line = first.get("code"), first.get("line")
    place = f" (line {line})" if line is not None else ""
    message = f"openai refused the batch: {code}: {str(first.get('message'))[:300]}{place}"
    return ProviderBatchError(message) if code in _PASSING else JudgeRefusedError(message)
