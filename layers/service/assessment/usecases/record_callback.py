"""Record what a callback brings, exactly once, and wake the batch when its wave is complete."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from assessment.contracts.llm_protocol import (
    CompareMetadata,
    LLMComparisonResultV1,
    WaveDeadlineV1,
)
from assessment.contracts.parsing import field_path
from assessment.domain.batch import ClosedBy
from assessment.domain.comparison import JudgeFailure
from assessment.domain.errors import MalformedCallbackError
from assessment.ports.groups import CallbackPorts
from assessment.ports.stores import ComparisonStore
from assessment.usecases.close_wave import close_at_deadline, wake_if_complete

# What is kept of an endpoint's error: a table item has a limited size, and a log line a reader.
_CODE_LENGTH = 100
_MESSAGE_LENGTH = 500


class CallbackEffect(StrEnum):
    """What a callback changed."""

    VERDICT_RECORDED = "verdict_recorded"
    FAILURE_RECORDED = "failure_recorded"
    DUPLICATE = "duplicate"
    DEADLINE_KEPT = "deadline_kept"
    DEADLINE_POSTPONED = "deadline_postponed"


@dataclass(frozen=True)
class Recorded:
    """The effect of a callback, with the ids for the log."""

    effect: CallbackEffect
    batch_id: str
    wave: int
    comparison_id: str | None = None
    problem: str | None = None


def record_callback(
    body: str,
    *,
    ports: CallbackPorts,
    now: datetime,
) -> Recorded:
    """Record one message of the callback queue.

    A verdict that cannot be read but can be attributed fails its comparison, so the wave closes.

    Raises
    ------
    MalformedCallbackError
        If it is not JSON or names no comparison.
    UnknownComparisonError
        If it names a comparison that was never planned.
    """
    data = _json(body)
    if data.get("schema") == "WaveDeadlineV1":
        return _deadline(data, ports=ports, now=now)
    metadata = _metadata(data)
    recorded, waiting = _record(data, metadata, ports.comparisons, now)
    # Also after a duplicate: the first delivery may have died between recording and waking.
    wake_if_complete(metadata.batch_id, waiting, closed_by=ClosedBy.CALLBACKS, ports=ports)
    return recorded


def _json(body: str) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except json.JSONDecodeError as error:
        raise MalformedCallbackError(
            f"the callback is not JSON ({error.msg} at character {error.pos})", field="body"
        ) from error
    except (ValueError, RecursionError) as error:
        # A number with thousands of digits, or brackets nested thousands deep.
        raise MalformedCallbackError("the callback is beyond what is read", field="body") from error
    if not isinstance(data, dict):
        raise MalformedCallbackError("the callback is not a JSON object", field="body")
    return data


def _metadata(data: dict[str, Any]) -> CompareMetadata:
    try:
        return CompareMetadata.model_validate(data.get("request_metadata"))
    except ValidationError as error:
        fields = ", ".join(field_path(e["loc"]) for e in error.errors(include_input=False))
        raise MalformedCallbackError(
            f"echo the request's metadata whole; missing or wrong: {fields or 'all of it'}",
            field="request_metadata",
        ) from None


def _record(
    data: dict[str, Any], metadata: CompareMetadata, comparisons: ComparisonStore, now: datetime
) -> tuple[Recorded, int]:
    """What was recorded, and the wave that waits for the comparison."""
    try:
        result = LLMComparisonResultV1.model_validate(data)
    except ValidationError as error:
        problem = "; ".join(
            f"{field_path(e['loc']) or 'body'}: {e['msg']}"
            for e in error.errors(include_input=False, include_url=False)
        )
        failure = JudgeFailure(
            code="malformed_verdict", message=problem[:_MESSAGE_LENGTH], retryable=True
        )
        return _failed(metadata, failure, comparisons, now)
    if result.error_detail is not None:
        detail = result.error_detail
        failure = JudgeFailure(
            code=detail.code[:_CODE_LENGTH],
            message=detail.message[:_MESSAGE_LENGTH],
            retryable=detail.retryable,
            spent=result.spent,
        )
        return _failed(metadata, failure, comparisons, now)
    settled, waiting = comparisons.record_verdict(
        metadata.batch_id, metadata.wave, metadata.comparison_id, result.verdict(), now=now
    )
    effect = CallbackEffect.VERDICT_RECORDED if settled else CallbackEffect.DUPLICATE
    return Recorded(effect, metadata.batch_id, metadata.wave, metadata.comparison_id), waiting


def _failed(
    metadata: CompareMetadata, failure: JudgeFailure, comparisons: ComparisonStore, now: datetime
) -> tuple[Recorded, int]:
    settled, waiting = comparisons.record_failure(
        metadata.batch_id,
        metadata.wave,
        metadata.comparison_id,
        failure,
        attempt=metadata.attempt,
        now=now,
    )
    recorded = Recorded(
        CallbackEffect.FAILURE_RECORDED if settled else CallbackEffect.DUPLICATE,
        metadata.batch_id,
        metadata.wave,
        metadata.comparison_id,
        problem=f"{failure.code}: {failure.message}",
    )
    return recorded, waiting


def _parsed_deadline(data: dict[str, Any]) -> WaveDeadlineV1:
    try:
        return WaveDeadlineV1.model_validate(data)
    except ValidationError as error:
        place = field_path(error.errors(include_input=False)[0]["loc"])
        raise MalformedCallbackError(
            "the deadline names no batch, wave and time with zone", field=place or "body"
        ) from None


def _deadline(
    data: dict[str, Any],
    *,
    ports: CallbackPorts,
    now: datetime,
) -> Recorded:
    message = _parsed_deadline(data)
    left = (message.deadline - now).total_seconds()
    if left > 0:
        wave = ports.batches.get_wave(message.batch_id, message.wave)
        if wave is not None and wave.decision is None:
            ports.callback_queue.send_deadline(message, delay_seconds=int(left) + 1)
        return Recorded(CallbackEffect.DEADLINE_POSTPONED, message.batch_id, message.wave)
    close_at_deadline(
        message.batch_id,
        message.wave,
        closed_by=ClosedBy.DEADLINE,
        ports=ports,
        now=now,
    )
    return Recorded(CallbackEffect.DEADLINE_KEPT, message.batch_id, message.wave)
