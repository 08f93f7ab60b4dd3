"""The Batch API of OpenAI and compatible providers: a file of chat completions, done in a day.

Wire format: https://platform.openai.com/docs/api-reference/batch and .../api-reference/files.
A batch carries the submission's name in its metadata, so one whose acceptance never reached us is
found in the list.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import httpx

from assessment.adapters.judges.batch_calls import (
    CLOCK_SKEW,
    BatchCalls,
    make_missing_answers_error,
    merge_answers,
    read_batch_id,
)
from assessment.adapters.judges.capabilities import Capabilities, record_lessons
from assessment.adapters.judges.classification import classify
from assessment.adapters.judges.completion import Completion
from assessment.adapters.judges.model import Submission, SubmittedCall, list_call_texts
from assessment.adapters.judges.openai import (
    CHAT_CAPABILITIES,
    chat_body,
    chat_completion,
    make_authorization,
)
from assessment.adapters.judges.provider_error import read_provider_error
from assessment.adapters.judges.transport import Answer, read_line_problem
from assessment.contracts.json_text import read_object, read_objects, split_json_lines
from assessment.contracts.valid_values import read_name, read_token_count
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import (
    JudgeError,
    JudgeRefusedError,
    JudgeUnavailableError,
    ProviderBatchError,
    QueueFullError,
    UnknownModelError,
)
from assessment.domain.provider_batch import SubmissionAttempt
from assessment.domain.quotation import LONGEST_MESSAGE

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
# A batch refused for these was not begun, and may be taken another time.
_PASSING = frozenset({"rate_limit_exceeded", "internal_error"})
_NO_ROOM = frozenset({"token_limit_exceeded", "enqueued_token_limit_exceeded"})


class OpenAIBatchModel:
    """Batches of chat completions."""

    def __init__(
        self, client: httpx.AsyncClient, key: str | None, capabilities: Capabilities
    ) -> None:
        self._calls = BatchCalls(client, make_authorization(key), "openai")
        self._capabilities = capabilities

    async def find(
        self,
        judge: JudgeSpec,
        attempt: SubmissionAttempt,
        *,
        is_claimed: Callable[[str], bool],  # noqa: ARG002 - its name is enough
    ) -> str | None:
        """The batch with this name in its metadata, among those since the try."""
        async for batch in self._calls.newest_first(judge, "/batches", cursor="after"):
            if float(batch.get("created_at") or 0) < (attempt.at - CLOCK_SKEW).timestamp():
                return None
            if (batch.get("metadata") or {}).get("submission") == attempt.name:
                return str(batch["id"])
        return None

    async def submit(self, judge: JudgeSpec, submission: Submission) -> str:
        """Upload the file, then make a batch of it: only the second is paid for."""
        file_id = await self._upload(judge, submission)
        try:
            batch = await self._calls.json(
                judge,
                "POST",
                "/batches",
                json={
                    "input_file_id": file_id,
                    "endpoint": "/v1/chat/completions",
                    "completion_window": "24h",
                    "metadata": {"submission": submission.name},
                },
            )
        except JudgeError as error:
            if not isinstance(error, JudgeUnavailableError) or error.busy:
                # Not taken: the essays in the file need not stay with the provider.
                with suppress(JudgeError):
                    await self._calls.json(judge, "DELETE", f"/files/{file_id}")
            raise
        return read_batch_id(batch, "openai")

    async def _upload(self, judge: JudgeSpec, submission: Submission) -> str | None:
        """The id of a file with one request for each call."""
        missing = await asyncio.to_thread(self._capabilities.get_missing, judge)
        lines = [
            {
                "custom_id": name,
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": chat_body(judge, blocks, limit=submission.limits[name], missing=missing),
            }
            for name, blocks in submission.prompts.items()
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
        return file.get("id")

    async def has_ended(self, judge: JudgeSpec, batch_id: str) -> bool:
        """Whether its status is a last one."""
        return read_name((await self._batch(judge, batch_id)).get("status")) in _ENDED

    async def read_answers(
        self, judge: JudgeSpec, batch_id: str, calls: Mapping[str, SubmittedCall]
    ) -> dict[str, Completion | JudgeError]:
        """The lines of its output and error files; of a batch refused whole, why it was."""
        batch = await self._batch(judge, batch_id)
        if batch.get("status") == "failed":
            error = _read_failure(batch).drop_quotations(list_call_texts(calls))
            return dict.fromkeys(calls, error)
        files = [batch[name] for name in ("output_file_id", "error_file_id") if batch.get(name)]
        if not files:
            check_files(batch)
        contents = [await self._read_file(judge, str(file_id)) for file_id in files]
        answers = [answer for content in contents for answer in _read_lines(content, calls)]
        merged = merge_answers(
            await record_lessons(judge, self._capabilities, CHAT_CAPABILITIES, answers), calls
        )
        if not batch.get("output_file_id") and not merged.keys() >= calls.keys():
            check_files(batch)
        return merged

    async def _read_file(self, judge: JudgeSpec, file_id: str) -> str:
        try:
            return await self._calls.text(judge, f"/files/{file_id}/content")
        except UnknownModelError:
            raise make_missing_answers_error("openai") from None

    async def cancel(self, judge: JudgeSpec, batch_id: str) -> None:
        """Requests that are under way are still answered."""
        await self._calls.json(judge, "POST", f"/batches/{batch_id}/cancel")

    async def delete(self, judge: JudgeSpec, batch_id: str) -> None:
        """Delete its files; the batch itself carries no text."""
        batch = await self._batch(judge, batch_id)
        for name in ("input_file_id", "output_file_id", "error_file_id"):
            if batch.get(name):
                with suppress(JudgeRefusedError):
                    await self._calls.json(judge, "DELETE", f"/files/{batch[name]}")

    async def _batch(self, judge: JudgeSpec, batch_id: str) -> dict[str, Any]:
        return await self._calls.json(judge, "GET", f"/batches/{batch_id}")


def check_files(batch: Mapping[str, Any]) -> None:
    """Raise where a batch that has ended counts answers, and its file of them is not there yet.

    Raises
    ------
    JudgeUnavailableError
    """
    counts = read_object(batch.get("request_counts"))
    n_answered = read_token_count(counts.get("completed"))
    is_unknown = batch.get("status") == "completed" and not counts
    if n_answered or is_unknown:
        raise make_missing_answers_error("openai")


def _read_lines(
    content: str, calls: Mapping[str, SubmittedCall]
) -> Iterator[tuple[str, Completion | JudgeError]]:
    for line in split_json_lines(content):
        name = str(line.get("custom_id"))
        yield name, _read_line(line, calls[name].texts if name in calls else ())


def _read_line(line: dict[str, Any], texts: Sequence[str]) -> Completion | JudgeError:
    response = line.get("response")
    if not isinstance(response, dict):
        return _read_unanswered(line, texts)
    status, body = response.get("status_code"), response.get("body")
    if status != httpx.codes.OK:
        return read_line_problem(status, body, provider="openai", texts=texts)
    answer = Answer(
        body if isinstance(body, dict) else None, request_id=read_name(response.get("request_id"))
    )
    try:
        return chat_completion(answer, texts=texts)
    except JudgeError as error:
        return error


def _read_unanswered(line: dict[str, Any], texts: Sequence[str]) -> JudgeError:
    """A line without a response: it expired or was cancelled, unless its code says more."""
    problem = read_provider_error(0, line.get("error"), texts=texts)
    unanswered = ProviderBatchError("openai", words=problem.description or "no response")
    if problem.codes & {"batch_expired", "batch_cancelled"} or not problem.codes:
        return unanswered
    error = classify(problem, provider="openai")
    return error if isinstance(error, JudgeRefusedError) else unanswered


def _read_failure(batch: dict[str, Any]) -> JudgeError:
    """Why a batch was refused whole: nothing of it was paid.

    Raises
    ------
    QueueFullError
        If the provider has no room for it now.
    """
    errors = read_objects(read_object(batch.get("errors")).get("data"))
    first = errors[0] if errors else {}
    code, line = read_name(first.get("code")), first.get("line")
    place = f" (line {line})" if isinstance(line, int) else ""
    problem = read_provider_error(0, {"error": first})
    if code in _NO_ROOM:
        raise QueueFullError(f"openai has no room for the batch now: {code}")
    words = f"{code}: {problem.words[:LONGEST_MESSAGE]}{place}"
    if code in _PASSING:
        return ProviderBatchError("openai refused the batch", words=words)
    return JudgeRefusedError("openai refused the batch", words=words)
