"""Record a callback exactly once, and resume the batch when its wave is complete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from assessment.contracts.callback_token import CallbackEcho
from assessment.contracts.list_protocol import (
    AnyMetadata,
    ComparisonResult,
    ListMetadata,
    LLMComparisonResultV2,
)
from assessment.contracts.llm_protocol import (
    LONGEST_MESSAGE,
    UNKNOWN_CODE,
    ErrorDetail,
    LLMComparisonResultV1,
    describe_error,
)
from assessment.contracts.queue_messages import WaveDeadlineV1
from assessment.contracts.rankings import AnswerProblem
from assessment.domain.batch import ClosedBy
from assessment.domain.comparison import Comparison, JudgeFailure
from assessment.domain.errors import (
    ErasedBatchError,
    MissingDocumentError,
    UnknownBatchError,
    UnknownComparisonError,
)
from assessment.domain.field_problems import describe_problems
from assessment.domain.identifiers import read_wave_number
from assessment.domain.judge import PERSON_LABEL
from assessment.domain.judge_errors import ModelChangedError
from assessment.domain.jury import draw_judge
from assessment.domain.quotation import SHORTEST_QUOTATION
from assessment.ports.content import ContentStore
from assessment.ports.groups import CallbackPorts
from assessment.usecases.batch_spec import load_texts
from assessment.usecases.callback_messages import Callback
from assessment.usecases.close_wave import close_at_deadline, close_if_complete
from assessment.usecases.settlement import settle_by_failure, settle_by_verdict

MISMATCHED = "mismatched_callback"
"""Code of a comparison's failure whose callback spoke of something else than was asked."""

_WITHHELD = "the texts are not there, so what the judge says of them cannot be shown"


class CallbackEffect(StrEnum):
    """What a callback changed."""

    VERDICT_RECORDED = "verdict_recorded"
    FAILURE_RECORDED = "failure_recorded"
    MISMATCHED = "mismatched"
    DUPLICATE = "duplicate"
    ERASED = "erased"
    DEADLINE_KEPT = "deadline_kept"
    DEADLINE_POSTPONED = "deadline_postponed"


@dataclass(frozen=True)
class Recorded:
    """The effect of a callback, with the ids for the log."""

    effect: CallbackEffect
    batch_id: str
    wave_number: int
    comparison_id: str | None = None
    problem: str | None = None


def record_callback(
    message: Callback | WaveDeadlineV1, *, ports: CallbackPorts, now: datetime
) -> Recorded:
    """Record one message of the callback queue.

    What comes late for a batch or an essay that was erased is dropped. A callback that can be
    attributed to its comparison, but not be read, or that is about something else than was asked,
    fails its comparison, so the wave closes.

    Raises
    ------
    CallbackRefusedError
        If its sender was not asked about the comparison; nothing is changed.
    UnknownBatchError, UnknownComparisonError
        If it names a batch or a comparison that there never was.
    """
    if isinstance(message, WaveDeadlineV1):
        return _keep_deadline(message, ports=ports, now=now)
    try:
        return _record_callback(message, ports, now)
    except (UnknownBatchError, UnknownComparisonError):
        if not _is_erased(message.batch_id, ports):
            raise
        return Recorded(CallbackEffect.ERASED, message.batch_id, 0)


def _is_erased(batch_id: str, ports: CallbackPorts) -> bool:
    """Whether the batch, or any essay of it, was erased."""
    try:
        return ports.batches.get_batch(batch_id).has_erasures
    except ErasedBatchError:
        return True


def _record_callback(message: Callback, ports: CallbackPorts, now: datetime) -> Recorded:
    echo = message.echo
    echo.check_grant(key=ports.batches.get_callback_key(echo.batch_id))
    recorded, waiting_wave = _record(message.data, echo, ports, now)
    # Also after a duplicate: the first delivery may have died between recording and closing.
    close_if_complete(echo.batch_id, waiting_wave, closed_by=ClosedBy.CALLBACKS, ports=ports)
    return recorded


def _record(
    data: dict[str, Any], echo: CallbackEcho, ports: CallbackPorts, now: datetime
) -> tuple[Recorded, int]:
    """What was recorded, and the wave that waits for the comparison."""
    if echo.metadata is None:
        return _fail_mismatched(echo, ports, now)
    result = _read_result(data, echo.metadata, ports)
    if isinstance(result, JudgeFailure):
        return _fail(echo.batch_id, echo.metadata, result, ports, now)
    settlement = settle_by_verdict(
        echo.batch_id,
        echo.metadata.wave,
        echo.comparison_id,
        result.verdict(),
        ports=ports,
        now=now,
    )
    if (echo.metadata.judge or "").startswith(PERSON_LABEL):
        ports.comparisons.withdraw(echo.batch_id, settlement.wave_number, echo.comparison_id)
    effect = CallbackEffect.VERDICT_RECORDED if settlement.settled else CallbackEffect.DUPLICATE
    recorded = Recorded(effect, echo.batch_id, echo.metadata.wave, echo.comparison_id)
    return recorded, settlement.wave_number


def _read_result(
    data: dict[str, Any], metadata: AnyMetadata, ports: CallbackPorts
) -> ComparisonResult | JudgeFailure:
    """The result with its verdict, or why there is none."""
    try:
        result = _choose_version(metadata).model_validate(data)
    except ValidationError as error:
        return JudgeFailure(
            code="malformed_verdict",
            message=describe_problems(error)[:LONGEST_MESSAGE],
            retryable=True,
        )
    result = _hold_to_model(result, ports)
    if result.error_detail is None:
        return _find_problem(result) or result
    detail = _drop_quotations(result.error_detail, metadata, ports.content)
    return JudgeFailure(
        code=detail.code,
        message=detail.message,
        retryable=detail.retryable,
        may_be_paid=detail.may_be_paid,
        spent=result.spent,
    )


def _choose_version(
    metadata: AnyMetadata,
) -> type[LLMComparisonResultV1 | LLMComparisonResultV2]:
    """The form of the callback that answers what was asked."""
    return LLMComparisonResultV2 if isinstance(metadata, ListMetadata) else LLMComparisonResultV1


def _find_problem(result: ComparisonResult) -> JudgeFailure | None:
    """Why the order of a list is none: an unknown, a missing or a doubled essay; None if it is."""
    order = result.read_order() if isinstance(result, LLMComparisonResultV2) else None
    if not isinstance(order, AnswerProblem):
        return None
    return JudgeFailure(code=order.code, message=order.message, retryable=True, spent=result.spent)


def _hold_to_model(result: ComparisonResult, ports: CallbackPorts) -> ComparisonResult:
    """The result, or the error that another model answered than the batch began with.

    Only the model's id is held to: a system fingerprint changes with every server.
    """
    metadata = result.request_metadata
    if not result.has_verdict or result.served_model is None:
        return result
    judge = draw_judge(metadata.comparison_id, ports.batches.get_judges(metadata.batch_id))
    if not judge.pin_model:
        return result
    label = judge.label or judge.provider
    pinned = ports.comparisons.pin_model(metadata.batch_id, label, result.served_model)
    if pinned == result.served_model:
        return result
    error = ModelChangedError(
        f"{label} is held to {pinned} by pin_model, and {result.served_model} answered"
    )
    silenced = dict.fromkeys({"winner", "ranking", "scores"} & type(result).model_fields.keys())
    changes = {**silenced, "error_detail": describe_error(error, retryable=False)}
    return result.model_copy(update=changes)


def _drop_quotations(
    detail: ErrorDetail, metadata: AnyMetadata, content: ContentStore
) -> ErrorDetail:
    """The error without words of the comparison's texts: all that fails comes through here."""
    if len(detail.message) + len(detail.code) < SHORTEST_QUOTATION:
        return detail
    try:
        texts = load_texts(metadata, content=content)
    except MissingDocumentError:
        return detail.model_copy(update={"code": UNKNOWN_CODE, "message": _WITHHELD})
    return detail.drop_quotations(texts)


def _fail_mismatched(
    echo: CallbackEcho, ports: CallbackPorts, now: datetime
) -> tuple[Recorded, int]:
    """Fail the comparison as it is stored: what the callback says of it does not hold."""
    comparison = ports.comparisons.get_comparison(
        echo.batch_id, read_wave_number(echo.comparison_id), echo.comparison_id
    )
    sent_fields = {
        "wave": comparison.wave,
        "attempt": comparison.attempt,
    } | (
        {"essay_ids": list(comparison.essay_ids)}
        if comparison.is_list
        else {"essay_a_id": comparison.first, "essay_b_id": comparison.second}
    )
    wrong = [name for name, value in sent_fields.items() if echo.fields.get(name) != value]
    names = ", ".join(wrong or ["judge or prompt_sha256"])
    failure = JudgeFailure(
        code=MISMATCHED,
        message=f"the callback is not of the request that was sent; echo its metadata: {names}",
        retryable=True,
    )
    return _fail(echo.batch_id, comparison, failure, ports, now)


def _fail(
    batch_id: str,
    comparison: Comparison | AnyMetadata,
    failure: JudgeFailure,
    ports: CallbackPorts,
    now: datetime,
) -> tuple[Recorded, int]:
    """Settle a comparison by a failure; what is recorded, and the wave that waited for it."""
    settlement = settle_by_failure(
        batch_id,
        comparison.wave,
        comparison.comparison_id,
        failure,
        attempt=comparison.attempt,
        ports=ports,
        now=now,
    )
    recorded = _describe_failure(
        batch_id,
        comparison.wave,
        comparison.comparison_id,
        failure,
        is_settled=settlement.settled,
    )
    return recorded, settlement.wave_number


def _describe_failure(
    batch_id: str, wave_number: int, comparison_id: str, failure: JudgeFailure, *, is_settled: bool
) -> Recorded:
    effect = CallbackEffect.DUPLICATE
    if is_settled:
        mismatched = failure.code == MISMATCHED
        effect = CallbackEffect.MISMATCHED if mismatched else CallbackEffect.FAILURE_RECORDED
    problem = f"{failure.code}: {failure.message}"
    return Recorded(effect, batch_id, wave_number, comparison_id, problem=problem)


def _keep_deadline(message: WaveDeadlineV1, *, ports: CallbackPorts, now: datetime) -> Recorded:
    """Close the wave at the deadline that is stored; what the message says of it proves nothing."""
    wave = ports.batches.get_wave(message.batch_id, message.wave)
    if wave is None or wave.decision is not None or wave.deadline is None:
        return Recorded(CallbackEffect.DEADLINE_POSTPONED, message.batch_id, message.wave)
    seconds_left = (wave.deadline - now).total_seconds()
    if seconds_left > 0:
        # A message for another time than the stored one is not ours: ours is on its way.
        if message.deadline == wave.deadline:
            ports.callback_queue.send_deadline(message, delay_seconds=int(seconds_left) + 1)
        return Recorded(CallbackEffect.DEADLINE_POSTPONED, message.batch_id, message.wave)
    close_at_deadline(
        message.batch_id,
        message.wave,
        closed_by=ClosedBy.DEADLINE,
        ports=ports,
        now=now,
    )
    return Recorded(CallbackEffect.DEADLINE_KEPT, message.batch_id, message.wave)
