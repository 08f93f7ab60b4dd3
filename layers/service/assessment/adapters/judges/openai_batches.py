"""OpenAI's Batch API, and whoever speaks it: a file of chat completions, answered within a day.

Wire format: https://platform.openai.com/docs/api-reference/batch and .../api-reference/files.
A batch carries the submission's name in its metadata, so one that was handed over without our
hearing of it is found in the list.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import httpx

from assessment.adapters.judges.batch_calls import CLOCK_SKEW, BatchCalls, id_of
from assessment.adapters.judges.capabilities import Capabilities, record_lesson
from assessment.adapters.judges.model_judge import Completion, Submission
from assessment.adapters.judges.openai import (
    CHAT_CAPABILITIES,
    bearer,
    chat_body,
    chat_completion,
)
from assessment.adapters.judges.transport import (
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
from assessment.domain.provider_batch import Tried

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
# A batch refused for these was not begun, and may be taken another time.
_PASSING = frozenset({"token_limit_exceeded", "rate_limit_exceeded", "internal_error"})


class OpenAIBatchModel:
    """Batches of chat completions."""

    def __init__(
        self, client: httpx.AsyncClient, key: str | None, capabilities: Capabilities
    ) -> None:
        self._calls = BatchCalls(client, bearer(key), "openai")
        self._capabilities = capabilities

    async def find(
        self,
        judge: JudgeSpec,
        tried: Tried,
        *,
        claimed: Callable[[str], bool],  # noqa: ARG002 - its name is enough
    ) -> str | None:
        """The batch with this name in its metadata, among those since the try."""
        async for batch in self._calls.newest_first(judge, "/batches", cursor="after"):
            if float(batch.get("created_at") or 0) < (tried.at - CLOCK_SKEW).timestamp():
                return None
            if (batch.get("metadata") or {}).get("submission") == tried.name:
                return str(batch["id"])
        return None

    async def submit(self, judge: JudgeSpec, submission: Submission) -> str:
        """Upload the file, then make a batch of it: only the second is paid for."""
        missing = await asyncio.to_thread(self._capabilities.get_missing, judge)
        lines = [
            {
                "custom_id": comparison_id,
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": chat_body(judge, blocks, max_tokens=submission.max_tokens, missing=missing),
            }
            for comparison_id, blocks in submission.prompts.items()
        ]
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        try:
            file = await self._calls.json(
                judge,
                "POST",
                "/files",
                data={"purpose": "batch"},
                files={"file": (f"{submission.name}.jsonl", content, "application/jsonl")},
            )
        except JudgeUnavailableError as error:
            # Nothing was ordered yet: there is nothing to look for.
            raise JudgeUnavailableError(
                str(error), retry_after=error.retry_after, busy=True
            ) from error
        try:
            batch = await self._calls.json(
                judge,
                "POST",
                "/batches",
                json={
                    "input_file_id": file.get("id"),
                    "endpoint": "/v1/chat/completions",
                    "completion_window": "24h",
                    "metadata": {"submission": submission.name},
                },
            )
        except JudgeError as error:
            if not isinstance(error, JudgeUnavailableError) or error.busy:
                # Not taken: the essays in the file need not stay with the provider.
                with suppress(JudgeError):
                    await self._calls.json(judge, "DELETE", f"/files/{file.get('id')}")
            raise
        return id_of(batch, "openai")

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
            for line in json_lines(await self._calls.text(judge, f"/files/{file_id}/content")):
                found[str(line.get("custom_id"))] = await record_lesson(
                    judge, self._capabilities, CHAT_CAPABILITIES, _answer(line)
                )
        return found

    async def cancel(self, judge: JudgeSpec, batch_id: str) -> None:
        """Requests that are under way are still answered."""
        await self._calls.json(judge, "POST", f"/batches/{batch_id}/cancel")

    async def forget(self, judge: JudgeSpec, batch_id: str) -> None:
        """Delete its files; the batch itself carries no text."""
        batch = await self._batch(judge, batch_id)
        for name in ("input_file_id", "output_file_id", "error_file_id"):
            if batch.get(name):
                with suppress(JudgeRefusedError):
                    await self._calls.json(judge, "DELETE", f"/files/{batch[name]}")

    async def _batch(self, judge: JudgeSpec, batch_id: str) -> dict[str, Any]:
        return await self._calls.json(judge, "GET", f"/batches/{batch_id}")


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
    # No answer at all is told as 0.
    told = status if isinstance(status, int) else 0
    if told < httpx.codes.BAD_REQUEST:
        told = httpx.codes.INTERNAL_SERVER_ERROR
    return refusal(told, told_in(body), provider="openai")


def _failure(batch: dict[str, Any]) -> JudgeError:
    """Why a batch was refused whole: nothing of it was paid."""
    errors = (batch.get("errors") or {}).get("data") or [{}]
    first = errors[0] if isinstance(errors[0], dict) else {}
    code, line = first.get("code"), first.get("line")
    place = f" (line {line})" if line is not None else ""
    message = f"openai refused the batch: {code}: {str(first.get('message'))[:300]}{place}"
    return ProviderBatchError(message) if code in _PASSING else JudgeRefusedError(message)
