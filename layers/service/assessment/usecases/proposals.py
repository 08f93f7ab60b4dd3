"""A finished batch as people see it who decide on its grades."""

from __future__ import annotations

from typing import NamedTuple

from assessment.contracts.decisions import ProposingResult
from assessment.domain.batch import Batch
from assessment.domain.decision_errors import NoGradeScaleError, UnknownEssayError
from assessment.domain.errors import ResultNotReadyError
from assessment.domain.grade_scale import GradeScale
from assessment.domain.identifiers import ANCHOR_PREFIX, content_sha256
from assessment.domain.proposal import Proposals
from assessment.ports.content import ContentStore
from assessment.ports.stores import BatchStore
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.read_batch import load_result


class FinishedBatch(NamedTuple):
    """A completed batch with its result and what that proposes."""

    batch: Batch
    result: ProposingResult
    proposals: Proposals


def load_finished(batch_id: str, *, batches: BatchStore, content: ContentStore) -> FinishedBatch:
    """The batch with its proposals: three reads, whatever its size.

    Raises
    ------
    UnknownBatchError
    ResultNotReadyError
        If the batch has not completed, or the bucket has another result than the batch names.
    """
    batch = batches.get_batch(batch_id)
    text = load_result(batch, content=content)
    sha256 = content_sha256(text)
    if sha256 != batch.result_sha256:
        raise ResultNotReadyError(
            f"the result in the bucket is not the one of batch {batch_id}: its SHA-256 is {sha256}"
        )
    result = ProposingResult.model_validate_json(text)
    spec = load_spec(batch_id, content=content)
    names = [
        *(ranking.essay_id for ranking in result.rankings),
        *result.excluded_essays,
        *(entry.essay_id for entry in result.not_assessed),
    ]
    proposals = Proposals(
        result_sha256=sha256,
        grade_scale=spec.grade_scale,
        essay_ids=tuple(sorted({n for n in names if not n.startswith(ANCHOR_PREFIX)})),
        grades=result.grade_projections.primary_grades,
    )
    return FinishedBatch(batch, result, proposals)


def require_scale(proposals: Proposals) -> GradeScale:
    """The scale that people choose grades from.

    Raises
    ------
    NoGradeScaleError
    """
    if proposals.grade_scale is None:
        raise NoGradeScaleError(
            "the batch was requested without an assignment_id, so it has no grades to decide on; "
            "request it with one"
        )
    return proposals.grade_scale


def require_essay(batch_id: str, essay_id: str, proposals: Proposals) -> None:
    """Refuse what is no student's essay of the batch.

    Raises
    ------
    UnknownEssayError
    """
    if essay_id not in proposals.essay_ids:
        raise UnknownEssayError.from_id(batch_id, essay_id)
