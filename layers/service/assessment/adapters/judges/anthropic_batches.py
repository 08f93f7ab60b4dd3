"""Anthropic's Message Batches: many messages in one request, answered within a day.

Wire format: https://docs.anthropic.com/en/api/creating-message-batches and the pages beside it.
A batch cannot carry our name, its requests can. A batch whose acceptance never reached us is
recognised by its answers; before it has any, batches of another time or size are ruled out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx

from assessment.adapters.judges.anthropic import (
    MESSAGE_CAPABILITIES,
    make_headers,
    message_body,
    message_completion,
)
from assessment.adapters.judges.batch_calls import (
    CLOCK_SKEW,
    BatchCalls,
    make_missing_answers_error,
    merge_answers,
    read_batch_id,
)
from assessment.adapters.judges.capabilities import (
    Capabilities,
    ask_within_capabilities,
    record_lessons,
)
from assessment.adapters.judges.completion import Completion
from assessment.adapters.judges.model import Submission, SubmittedCall
from assessment.adapters.judges.transport import Answer, read_line_problem
from assessment.contracts.json_text import read_object, split_json_lines
from assessment.contracts.valid_values import read_name, read_token_count
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import (
    JudgeDeferredError,
    JudgeError,
    JudgeRefusedError,
    ProviderBatchError,
    UnknownModelError,
)
from assessment.domain.provider_batch import SETTLING, SubmissionAttempt

_BAD_REQUEST = 400
_MARK_LENGTH = 24
_UNDECIDED_SECONDS = 300.0
_LATEST = SETTLING + CLOCK_SKEW
_PERMANENT = frozenset(
    {
        "invalid_request_error",
        "authentication_error",
        "permission_error",
        "not_found_error",
        "billing_error",
        "request_too_large",
    }
)


class AnthropicBatchModel:
    """Batches of messages with a forced tool."""

    def __init__(
        self, client: httpx.AsyncClient, key: str | None, capabilities: Capabilities
    ) -> None:
        self._calls = BatchCalls(client, make_headers(key), "anthropic", "/v1/messages/batches")
        self._capabilities = capabilities

    async def find(
        self, judge: JudgeSpec, attempt: SubmissionAttempt, *, is_claimed: Callable[[str], bool]
    ) -> str | None:
        """The batch whose answers are to our requests, among those of the right time and size.

        Raises
        ------
        JudgeDeferredError
            While a batch that may be ours has no answers yet.
        """
        undecided = False
        async for batch in self._calls.newest_first(judge, cursor="after_id"):
            created = _read_moment(batch.get("created_at"))
            if created is None or created > attempt.at + _LATEST:
                continue
            if created < attempt.at - CLOCK_SKEW:
                break
            batch_id = str(batch.get("id"))
            if _count_requests(batch) != attempt.n_requests or await asyncio.to_thread(
                is_claimed, batch_id
            ):
                continue
            if batch.get("processing_status") != "ended":
                undecided = True
            elif await self._is_ours(judge, batch_id, attempt.name):
                return batch_id
        if undecided:
            raise JudgeDeferredError(
                "anthropic has a batch that may be this one and does not say yet",
                retry_after=_UNDECIDED_SECONDS,
            )
        return None

    async def submit(self, judge: JudgeSpec, submission: Submission) -> str:
        """One request for all."""

        async def submit(missing: frozenset[str]) -> dict[str, Any]:
            requests = [
                {
                    "custom_id": f"{_mark(submission.name)}-{name}",
                    "params": message_body(
                        judge, blocks, limit=submission.limits[name], missing=missing
                    ),
                }
                for name, blocks in submission.prompts.items()
            ]
            return await self._calls.json(judge, "POST", json={"requests": requests})

        batch = await ask_within_capabilities(
            judge, self._capabilities, MESSAGE_CAPABILITIES, submit
        )
        return read_batch_id(batch, "anthropic")

    async def has_ended(self, judge: JudgeSpec, batch_id: str) -> bool:
        """Whether every request has its result."""
        return (await self._calls.json(judge, "GET", f"/{batch_id}")).get(
            "processing_status"
        ) == "ended"

    async def read_answers(
        self,
        judge: JudgeSpec,
        batch_id: str,
        calls: Mapping[str, SubmittedCall],
    ) -> dict[str, Completion | JudgeError]:
        """Every result by the call that its custom id names."""
        lines = await self._results(judge, batch_id)
        if not lines and await self._count_answered(judge, batch_id):
            raise make_missing_answers_error("anthropic")
        names = [str(line.get("custom_id"))[_MARK_LENGTH + 1 :] for line in lines]
        answers = [
            (name, _read_result(line.get("result"), calls[name].texts if name in calls else ()))
            for name, line in zip(names, lines, strict=True)
        ]
        return merge_answers(
            await record_lessons(judge, self._capabilities, MESSAGE_CAPABILITIES, answers), calls
        )

    async def _count_answered(self, judge: JudgeSpec, batch_id: str) -> int:
        batch = await self._calls.json(judge, "GET", f"/{batch_id}")
        counts = read_object(batch.get("request_counts"))
        return sum(read_token_count(counts.get(name)) for name in ("succeeded", "errored"))

    async def cancel(self, judge: JudgeSpec, batch_id: str) -> None:
        """Requests that are under way are still answered; the others are not billed."""
        await self._calls.json(judge, "POST", f"/{batch_id}/cancel")

    async def delete(self, judge: JudgeSpec, batch_id: str) -> None:
        """Delete the batch with its requests and results."""
        with suppress(JudgeRefusedError):
            await self._calls.json(judge, "DELETE", f"/{batch_id}")

    async def _is_ours(self, judge: JudgeSpec, batch_id: str, name: str) -> bool:
        lines = await self._results(judge, batch_id)
        return bool(lines) and str(lines[0].get("custom_id")).startswith(f"{_mark(name)}-")

    async def _results(self, judge: JudgeSpec, batch_id: str) -> list[dict[str, Any]]:
        # The documented path rather than `results_url`: our key goes where the judge says only.
        try:
            text = await self._calls.text(judge, f"/{batch_id}/results")
        except UnknownModelError:
            raise make_missing_answers_error("anthropic") from None
        return list(split_json_lines(text))


def _mark(name: str) -> str:
    """What the submission's name leaves room for in a custom id of 64 characters."""
    return name[-_MARK_LENGTH:]


def _count_requests(batch: dict[str, Any]) -> int:
    return sum(map(read_token_count, read_object(batch.get("request_counts")).values()))


def _read_moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_result(result: object, texts: Sequence[str]) -> Completion | JudgeError:
    outcome = read_object(result)
    kind = outcome.get("type")
    if kind == "succeeded":
        message = outcome.get("message")
        answer = Answer(message if isinstance(message, dict) else None)
        try:
            return message_completion(answer, texts=texts)
        except JudgeError as error:
            return error
    if kind != "errored":
        name = read_name(kind) or "without a result"
        return ProviderBatchError(f"anthropic: the request is {name}")
    document = outcome.get("error")
    status = _BAD_REQUEST if _is_refusal(document) else 0
    problem = read_line_problem(status, document, provider="anthropic", texts=texts)
    if isinstance(problem, JudgeRefusedError):
        return problem
    return ProviderBatchError("anthropic", words=problem.words)


def _is_refusal(document: object) -> bool:
    """Whether an error is one of the request's own: the document stands one level deeper."""
    inner = document.get("error") if isinstance(document, dict) else None
    return isinstance(inner, dict) and read_name(inner.get("type")) in _PERMANENT
