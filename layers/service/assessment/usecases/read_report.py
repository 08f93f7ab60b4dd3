"""The report of a batch, and the text of one of its essays."""

from __future__ import annotations

from datetime import datetime

from assessment.contracts.report import ReportData, report_result
from assessment.contracts.result import ResultDocument
from assessment.contracts.views import EssayView
from assessment.domain.batch import BatchStatus
from assessment.domain.decision_errors import UnknownEssayError
from assessment.domain.document_keys import batch_texts
from assessment.domain.errors import ResultNotReadyError
from assessment.ports.groups import ProgressPorts, ReadPorts
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.read_batch import load_result, read_batch


def read_report(batch_id: str, *, ports: ProgressPorts, now: datetime) -> ReportData:
    """What a report tells of a batch: its result, or how far it is where it has none.

    Raises
    ------
    UnknownBatchError
    """
    batch = ports.batches.get_batch(batch_id)
    if batch.status is not BatchStatus.COMPLETED:
        return ReportData(progress=read_batch(batch_id, ports=ports), made_at=now)
    result = ResultDocument.model_validate_json(load_result(batch, content=ports.content))
    comparisons = ports.comparisons.list_comparisons(batch_id, batch.wave)
    return report_result(result, comparisons=comparisons).model_copy(update={"made_at": now})


def read_essay(batch_id: str, essay_id: str, *, ports: ReadPorts) -> EssayView:
    """An essay of the batch as its judges read it.

    Raises
    ------
    UnknownBatchError
    UnknownEssayError
        If the batch has no such essay.
    ResultNotReadyError
        If the batch is not prepared yet.
    """
    batch = ports.batches.get_batch(batch_id)
    if batch.spec_hash is None:
        raise ResultNotReadyError("the batch is not prepared yet; ask again in a moment")
    spec = load_spec(batch_id, content=ports.content)
    essays = {essay.essay_id: essay for essay in (*spec.essays, *spec.excluded)}
    essay = essays.get(essay_id)
    if essay is None:
        raise UnknownEssayError.from_id(batch_id, essay_id)
    return EssayView(
        batch_id=batch_id,
        essay_id=essay_id,
        is_anchor=essay.is_anchor,
        text=ports.content.get_text(batch_texts(batch_id), essay.text_sha256),
    )
