"""End a batch that cannot have a result: record why, say what to do, publish it."""

from __future__ import annotations

import json
from datetime import datetime
from types import MappingProxyType
from typing import Any

from assessment.contracts.events import EventType, envelope
from assessment.contracts.llm_protocol import LONGEST_MESSAGE
from assessment.domain.batch import Batch, BatchStatus, Failure, Outcome, check_transition
from assessment.domain.decision import Decision, Reason
from assessment.domain.errors import REQUEST_REFUSALS, STEP_REFUSALS, CJError
from assessment.ports.groups import FailPorts

RESUME = "resume"
REQUEST_AGAIN = "request_again"

REMEDIES = MappingProxyType({
    str(Reason.JUDGE_AT_CHANCE): "use another judge or a clearer rubric; the verdicts give no "
    "ranking",
    str(Reason.ALL_TIES): "the texts may be equally good; else use another judge or a clearer "
    "rubric",
    str(Reason.SUCCESS_RATE): "look at the failures of the comparisons and fix the judge endpoint",
    str(Reason.ZERO_SUCCESSES): "check that the judge endpoint answers and can reach the callback "
    "queue",
    str(Reason.JUDGE_REFUSED): "check the judge's credentials and model; it refused every "
    "comparison",
    str(Reason.DISCONNECTED): "raise the budget, so that all essays can be connected",
    RESUME: "look up the batch id in the logs, fix the cause and resume the batch "
    "(POST /v1/batches/{batch_id}/resume): everything that was recorded is kept",
    REQUEST_AGAIN: "fix what the message names and request the batch under a new idempotency key",
})  # fmt: skip
"""What to do about a batch that failed, by the code of the remedy."""

_JUDGE_REASONS = frozenset({Reason.SUCCESS_RATE, Reason.ZERO_SUCCESSES, Reason.JUDGE_REFUSED})
_REFUSALS = frozenset({
    Reason.JUDGE_AT_CHANCE, Reason.ALL_TIES, Reason.DISCONNECTED,
    *(refusal.__name__ for refusal in REQUEST_REFUSALS),
})  # fmt: skip
"""Codes of failures that are right: whoever asked for the batch has to change something."""

_ANY_ERROR = "Runtime.HandlerError"


def read_failure(decision: Decision | None, error: dict[str, str] | None) -> Failure:
    """What happened, why, and what to do, from a refusal or from an error of the state machine."""
    if error is not None:
        code, message = _read_error(error)
        return _make_failure(code, message, REQUEST_AGAIN if code in STEP_REFUSALS else RESUME)
    if decision is not None:
        reason = decision.reason
        remedy_code = reason if reason in REMEDIES else REQUEST_AGAIN
        return _make_failure(reason, decision.explanation, remedy_code)
    return _make_failure("unknown", "no reason was given", RESUME)


def _make_failure(code: str, message: str, remedy_code: str) -> Failure:
    return Failure(
        code=code,
        message=message,
        remedy=REMEDIES[remedy_code],
        problem=CJError.find_code(code),
        remedy_code=remedy_code,
    )


def is_fault(failure: Failure) -> bool:
    """Whether an operator has to look into it; the rest are refusals that are right."""
    return failure.code not in _REFUSALS


def make_stalled_failure(message: str) -> Failure:
    """The failure of a batch that stopped making progress."""
    return _make_failure("stalled", message, RESUME)


def _read_error(error: dict[str, str]) -> tuple[str, str]:
    """The name and the message of a failed Lambda's error, without its stack trace."""
    name, cause = error.get("Error", "unknown"), error.get("Cause", "")
    try:
        details: Any = json.loads(cause)
    except json.JSONDecodeError:
        return name, cause[:LONGEST_MESSAGE]
    if not isinstance(details, dict):
        return name, cause[:LONGEST_MESSAGE]
    # The laptop cloud calls every error by one name and tells the real one in the cause.
    kind = str(details.get("errorType") or name)
    message = str(details.get("errorMessage") or cause)
    return kind if name == _ANY_ERROR else name, message[:LONGEST_MESSAGE]


def _add_remedy(batch: Batch, failure: Failure, ports: FailPorts) -> Failure:
    """The failure with the setting that helps, where most comparisons failed for one cause."""
    if failure.code not in _JUDGE_REASONS:
        return failure
    wave = ports.batches.get_wave(batch.batch_id, batch.wave)
    cause = wave.context.failure_cause if wave is not None and wave.context is not None else None
    if cause is None or cause.remedy is None:
        return failure
    return failure.model_copy(update={"remedy": cause.remedy, "remedy_code": cause.code})


def fail_batch(
    batch_id: str,
    failure: Failure,
    *,
    by_decision: bool,
    ports: FailPorts,
    now: datetime,
) -> Batch:
    """Publish the failure and close the batch; one that failed before keeps its first reason.

    Raises
    ------
    UnknownBatchError, IllegalTransitionError
    """
    batch = ports.batches.get_batch(batch_id)
    if batch.status is BatchStatus.FAILED:
        failure = batch.failure or failure
    else:
        check_transition(batch.status, BatchStatus.FAILED)
        failure = _add_remedy(batch, failure, ports)
    data = {
        "assignment_id": batch.assignment_id,
        "status": BatchStatus.FAILED,
        "error_info": {
            "code": failure.code,
            "what": "the assessment failed",
            "why": failure.message,
            "what_to_do": failure.remedy,
            "problem": failure.problem,
            "remedy_code": failure.remedy_code,
        },
    }
    # Published first: once the batch has ended, nothing would come back to publish it.
    ports.events.publish(
        [
            envelope(
                EventType.FAILED,
                batch_id=batch_id,
                correlation_id=batch.correlation_id,
                organisation=batch.organisation,
                data=data,
                now=now,
                occasion="" if batch.n_executions == 1 else str(batch.n_executions),
            )
        ]
    )
    return ports.batches.transition(
        batch_id,
        BatchStatus.FAILED,
        now=now,
        failure=failure,
        outcome=Outcome.FAILED_BY_DECISION if by_decision else Outcome.FAILED_CRITICALLY,
        failed_from=batch.status,
    )
