"""What a caller may read of a batch: its progress and its result."""

from __future__ import annotations

from collections.abc import Sequence

from assessment.contracts.views import BatchProgress, ComparisonList, JudgeTrouble, WaveProgress
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.circuit import Circuit
from assessment.domain.comparison import ComparisonTally, add_tallies
from assessment.domain.document_keys import result_key
from assessment.domain.errors import ResultNotReadyError
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.readings import PAIR
from assessment.domain.wave import Wave
from assessment.ports.content import ContentStore
from assessment.ports.groups import ProgressPorts, ReadPorts
from assessment.ports.judging import JudgeGate


def read_batch(batch_id: str, *, ports: ProgressPorts) -> BatchProgress:
    """The batch's progress, by the counts that its waves keep: three reads, whatever its size.

    Raises
    ------
    UnknownBatchError
    """
    batch, waves = ports.batches.read_with_waves(batch_id)
    return BatchProgress(
        batch_id=batch_id,
        correlation_id=batch.correlation_id,
        assignment_id=batch.assignment_id,
        status=batch.status,
        outcome=batch.outcome,
        decision=batch.decision.model_dump(mode="json") if batch.decision else None,
        failure=batch.failure.model_dump(mode="json", exclude_none=True) if batch.failure else None,
        essays=batch.essays,
        anchors=batch.anchors,
        not_assessed=list(batch.not_assessed),
        judge_troubles=_list_troubles(batch, ports.gate),
        comparisons=add_tallies([wave.tally for wave in waves]),
        readings=_count_readings(waves),
        waves=[_progress(wave, wave.tally) for wave in waves],
        config=batch.config.model_dump(mode="json"),
        config_sources={name: str(source) for name, source in batch.config_sources.items()},
        result_sha256=batch.result_sha256,
        release=batch.release,
        n_reminders=batch.n_reminders,
        expires_at=batch.expires_at.isoformat() if batch.expires_at else None,
        created_at=batch.created_at.isoformat(),
        updated_at=batch.updated_at.isoformat(),
    )


def _count_readings(waves: Sequence[Wave]) -> int | None:
    """How many essays all comparisons read; None where there are no lists."""
    if all(wave.n_readings is None for wave in waves):
        return None
    return sum(wave.n_readings or wave.new_pairs * PAIR for wave in waves)


def _list_troubles(batch: Batch, gate: JudgeGate) -> list[JudgeTrouble]:
    """The batch's judges that do not answer, while it waits for them."""
    if batch.status is not BatchStatus.WAITING_CALLBACKS:
        return []
    judges = [judge for judge in batch.judges if judge.provider is not Provider.PERSON]
    circuits = gate.list_circuits(judges)
    troubles = (_describe_trouble(*pair) for pair in zip(judges, circuits, strict=True))
    return [trouble for trouble in troubles if trouble is not None]


def _describe_trouble(judge: JudgeSpec, circuit: Circuit) -> JudgeTrouble | None:
    """What is wrong with a judge; None for one that answers."""
    if circuit.failing_since is None:
        return None
    return JudgeTrouble(
        judge=judge.label or str(judge.provider),
        failing_since=circuit.failing_since,
        message=circuit.reason or "the judge does not answer",
        code=circuit.code,
    )


def _progress(wave: Wave, tally: ComparisonTally) -> WaveProgress:
    return WaveProgress(
        wave=wave.wave,
        status=wave.status,
        planned=tally.planned,
        readings=wave.n_readings,
        recorded=tally.recorded,
        failed=tally.failed,
        mean_se=wave.score.mean_se if wave.score else None,
        standardised_se=wave.score.standardised_se if wave.score else None,
        reliability=wave.score.reliability if wave.score else None,
        reliability_interval=wave.score.reliability_interval if wave.score else None,
        cost_usd=wave.score.cost_usd if wave.score else None,
        closed_by=wave.closed_by,
    )


def read_comparisons(
    batch_id: str, *, limit: int, cursor: str | None, ports: ReadPorts
) -> ComparisonList:
    """The next comparisons of the batch, with their verdicts and what judges said of them.

    Raises
    ------
    UnknownBatchError
    """
    batch = ports.batches.get_batch(batch_id)
    page = ports.comparisons.list_page(batch_id, batch.wave, limit=limit, cursor=cursor)
    return ComparisonList(batch_id=batch_id, comparisons=page.comparisons, cursor=page.cursor)


def read_result(batch_id: str, *, ports: ReadPorts) -> str:
    """The result document of a completed batch as it is kept: its SHA-256 is that of the text.

    Raises
    ------
    UnknownBatchError
    ResultNotReadyError
        If the batch has not completed; says whether it ever will.
    """
    return load_result(ports.batches.get_batch(batch_id), content=ports.content)


def load_result(batch: Batch, *, content: ContentStore) -> str:
    """The result document of a batch, as `read_result`.

    Raises
    ------
    ResultNotReadyError
    """
    if batch.status is not BatchStatus.COMPLETED:
        raise ResultNotReadyError(_explain_absence(batch))
    document = content.get_document(result_key(batch.batch_id))
    if document is None:
        raise ResultNotReadyError(
            f"the result of batch {batch.batch_id} is no longer in the bucket"
        )
    return document


def _explain_absence(batch: Batch) -> str:
    if batch.failure is not None:
        return f"the batch failed ({batch.failure.code}: {batch.failure.message}); it has no result"
    if batch.is_final:
        return f"the batch is {batch.status}; it has no result"
    return f"the batch is {batch.status}; ask again when its status is COMPLETED"
