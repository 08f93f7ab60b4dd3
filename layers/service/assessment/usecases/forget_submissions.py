"""Delete what providers of models keep of a batch: the files of their own batch interfaces."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum

from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import JudgeError, JudgeRefusedError, UnknownModelError
from assessment.domain.provider_batch import ProviderBatch, SubmissionAttempt
from assessment.ports.erasure import ErasurePorts
from assessment.ports.judging import BatchJudge


class Forgotten(StrEnum):
    """What became of a submission at its provider.

    `LEFT` says that the provider refuses to delete it, or that we may not ask it any more.
    """

    GONE = "gone"
    PENDING = "pending"
    LEFT = "left"


async def forget_submission(
    record: ProviderBatch, judges: Sequence[JudgeSpec], *, ports: ErasurePorts
) -> Forgotten:
    """Cancel the submission if the provider works on it, and delete it when it has ended."""
    if record.provider_batch_id is None and record.tried_at is None:
        return Forgotten.GONE
    outcomes = {
        await _forget_safely(record, judge, ports) for judge in _choose_judges(record, judges)
    }
    # Where the record does not name its judge: the one that knows the submission has deleted it.
    matches = (each for each in (Forgotten.PENDING, Forgotten.GONE) if each in outcomes)
    return next(matches, Forgotten.LEFT)


def _choose_judges(record: ProviderBatch, judges: Sequence[JudgeSpec]) -> list[JudgeSpec]:
    named = [judge for judge in judges if judge.label == record.judge]
    return named or [judge for judge in judges if judge.is_model]


async def _forget_safely(record: ProviderBatch, judge: JudgeSpec, ports: ErasurePorts) -> Forgotten:
    try:
        return await _forget(record, ports.judges.get_batch_judge(judge), ports)
    except UnknownModelError:
        return Forgotten.GONE
    except JudgeRefusedError:
        return Forgotten.LEFT
    except JudgeError:
        return Forgotten.PENDING


async def _forget(record: ProviderBatch, provider: BatchJudge, ports: ErasurePorts) -> Forgotten:
    provider_batch_id = record.provider_batch_id or await _find(record, provider, ports)
    if provider_batch_id is None:
        return Forgotten.GONE
    if await provider.has_ended(provider_batch_id):
        await provider.delete(provider_batch_id)
        return Forgotten.GONE
    with suppress(JudgeRefusedError):
        await provider.cancel(provider_batch_id)
    return Forgotten.PENDING


async def _find(record: ProviderBatch, provider: BatchJudge, ports: ErasurePorts) -> str | None:
    """The provider's id of a try whose outcome is not known."""
    if record.tried_at is None:
        return None
    return await provider.find(
        SubmissionAttempt(record.name, record.tried_at, record.size),
        is_claimed=ports.provider_batches.is_claimed,
    )
