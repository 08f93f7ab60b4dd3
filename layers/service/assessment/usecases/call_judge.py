"""Ask the judge for one verdict, under a lease so that nobody pays for it twice."""

from __future__ import annotations

import asyncio
from datetime import datetime

from assessment.domain.comparison import Comparison
from assessment.domain.errors import JudgeError, JudgeUnavailableError
from assessment.domain.identifiers import derived_uuid
from assessment.domain.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
    ErrorDetail,
    JudgeRequestV1,
    LLMComparisonResultV1,
)
from assessment.domain.prompt import prompt_blocks, prompt_sha256
from assessment.ports import CallbackQueue, ComparisonStore, ContentStore, Judge
from assessment.usecases.batch_spec import load_spec


async def call_judge(
    request: JudgeRequestV1,
    *,
    last_receive: bool,
    lease_seconds: int,
    judge: Judge,
    comparisons: ComparisonStore,
    content: ContentStore,
    callback_queue: CallbackQueue,
    now: datetime,
) -> None:
    """Ask once; a verdict or a final error goes to the callback queue, the one way in.

    Raises
    ------
    JudgeUnavailableError
        If the judge may answer a later delivery of the message; nothing was paid.
    ComparisonLeasedError
        If another delivery is asking right now.
    """
    comparison = await asyncio.to_thread(comparisons.lease, request, now=now, seconds=lease_seconds)
    if comparison is None:
        return
    question = await asyncio.to_thread(
        compare_request, request, comparison, content, callback_queue.address
    )
    try:
        result = await judge.compare(question)
    except JudgeError as error:
        if error.retryable and not last_receive:
            await asyncio.to_thread(comparisons.release, request)
            raise
        result = _failed(question, error)
    if result is not None:
        await asyncio.to_thread(callback_queue.send_result, result)
    # Marked only now: a crash before this line repeats the one call that was in flight.
    await asyncio.to_thread(comparisons.mark_sent, request)


def compare_request(
    request: JudgeRequestV1, comparison: Comparison, content: ContentStore, callback_url: str
) -> CompareRequestV1:
    """The protocol's request for a comparison; the same comparison and attempt give the same."""
    spec = load_spec(request.batch_id, content=content)
    first, second = (
        content.get_text(spec.text_sha256(essay)) for essay in (comparison.first, comparison.second)
    )
    blocks = prompt_blocks(spec.instructions, first, second)
    return CompareRequestV1(
        correlation_id=derived_uuid(request.batch_id, request.comparison_id, str(request.attempt)),
        callback=CallbackAddress(queue_url=callback_url),
        essay_a=CompareEssay(essay_id=comparison.first, text=first),
        essay_b=CompareEssay(essay_id=comparison.second, text=second),
        prompt_blocks=blocks,
        metadata=CompareMetadata(
            batch_id=request.batch_id,
            wave=request.wave,
            comparison_id=request.comparison_id,
            attempt=request.attempt,
            essay_a_id=comparison.first,
            essay_b_id=comparison.second,
            prompt_sha256=prompt_sha256(blocks),
        ),
    )


def _failed(question: CompareRequestV1, error: JudgeError) -> LLMComparisonResultV1:
    return LLMComparisonResultV1(
        correlation_id=question.correlation_id,
        request_metadata=question.metadata,
        error_detail=ErrorDetail(
            code=error.code,
            message=str(error)[:500],
            retryable=isinstance(error, JudgeUnavailableError),
        ),
    )
