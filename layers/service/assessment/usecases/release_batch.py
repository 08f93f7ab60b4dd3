"""Release a batch's grades: all at once and permanently, with the document that explains them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from assessment.contracts.decisions import (
    DecisionsDocument,
    ReleasedGrade,
    ReleaseRequest,
    canonical_decisions,
)
from assessment.contracts.events import EventType, envelope, fits
from assessment.domain.batch import Batch
from assessment.domain.decision_errors import (
    AlreadyReleasedError,
    DecisionsRequiredError,
    NotReleasedError,
)
from assessment.domain.document_keys import decisions_key
from assessment.domain.errors import MissingDocumentError, TransientError
from assessment.domain.grade_decision import (
    Basis,
    DecisionState,
    EssayDecision,
    GradeDecision,
    check_settled,
    tell_basis,
)
from assessment.domain.identifiers import content_sha256
from assessment.domain.release import Release
from assessment.ports.decisions import DecisionPorts, PublishPorts, ReleasePorts
from assessment.usecases.decide_grade import group_by_essay, settle_all
from assessment.usecases.proposals import FinishedBatch, load_finished, require_scale

_TRIES = 5


def release_batch(
    batch_id: str,
    request: ReleaseRequest,
    *,
    assessor: str,
    ports: ReleasePorts,
    now: datetime,
) -> Release:
    """Release the grades and publish the event.

    The document is stored first and the batch is marked last, by one write that no decision can
    come between. If the event could not be published, the release stands; the watchdog publishes
    it, or whoever asks for it again.

    Raises
    ------
    UnknownBatchError, ResultNotReadyError, NoGradeScaleError
    OpenDecisionsError, AssessorsDisagreeError
        Naming the essays; nothing is released.
    DecisionsRequiredError
        If grades without decisions are asked for where they are not allowed.
    AlreadyReleasedError
    TransientError
    """
    for _ in range(_TRIES):
        finished = load_finished(batch_id, batches=ports.batches, content=ports.content)
        batch = finished.batch
        if batch.release is not None:
            return _finish(batch, batch.release, ports)
        require_scale(finished.proposals)
        if request.without_decisions:
            _check_permission(batch, ports)
        decisions = ports.decisions.list_of_batch(batch_id)
        document = _make_document(finished, decisions, request, assessor=assessor, now=now)
        text = canonical_decisions(document)
        release = Release(
            released_at=now, released_by=assessor, decisions_sha256=content_sha256(text)
        )
        ports.content.put_document(decisions_key(batch_id, release.decisions_sha256), text)
        if ports.decisions.release(batch, release):
            return _publish(batch, release, document, ports)
    raise TransientError("decisions come in at the same time; ask for the release again")


def _check_permission(batch: Batch, ports: ReleasePorts) -> None:
    """Refuse a release without decisions where two are to decide, or where it is forbidden.

    Raises
    ------
    DecisionsRequiredError
    """
    if batch.config.two_assessors:
        raise DecisionsRequiredError(
            "the batch was requested with two_assessors; decide on every essay and leave this out",
            field="without_decisions",
        )
    if ports.policies.get_policy().decisions_required:
        raise DecisionsRequiredError(
            "your organisation releases no grade without a decision; decide on every essay and "
            "leave this out",
            field="without_decisions",
        )


def _make_document(
    finished: FinishedBatch,
    decisions: Sequence[GradeDecision],
    request: ReleaseRequest,
    *,
    assessor: str,
    now: datetime,
) -> DecisionsDocument:
    """The document of the release, if every essay has what it needs.

    Raises
    ------
    OpenDecisionsError, AssessorsDisagreeError
    """
    batch, proposals = finished.batch, finished.proposals
    settled = settle_all(finished, decisions)
    check_settled(
        {
            essay_id: each
            for essay_id, each in settled.items()
            if not (request.without_decisions and essay_id in proposals.grades)
        }
    )
    by_essay = group_by_essay(decisions)
    return DecisionsDocument(
        batch_id=batch.batch_id,
        correlation_id=batch.correlation_id,
        organisation=batch.organisation,
        assignment_id=batch.assignment_id,
        result_sha256=proposals.result_sha256,
        grade_scale=list(require_scale(proposals).grades),
        two_assessors=batch.config.two_assessors,
        without_decisions=request.without_decisions,
        released_at=now,
        released_by=assessor,
        essays=[
            _release_grade(essay_id, each, proposals.grades.get(essay_id), by_essay[essay_id])
            for essay_id, each in settled.items()
        ],
    )


def _release_grade(
    essay_id: str,
    decision: EssayDecision,
    proposed_grade: str | None,
    decisions: Sequence[GradeDecision],
) -> ReleasedGrade:
    is_decided = decision.state is DecisionState.DECIDED
    return ReleasedGrade(
        essay_id=essay_id,
        proposed_grade=proposed_grade,
        grade=decision.grade if is_decided else proposed_grade,
        basis=tell_basis(decision, proposed_grade),
        decisions=list(decisions),
    )


def _finish(batch: Batch, release: Release, ports: ReleasePorts) -> Release:
    """Publish a release that broke off before it was published.

    Raises
    ------
    AlreadyReleasedError
        If it was published.
    """
    if release.is_published:
        raise AlreadyReleasedError(
            f"{release.released_by} released the grades at {release.released_at.isoformat()}; "
            "read them with GET on the same path"
        )
    return publish_release(batch, release, ports=ports)


def publish_release(batch: Batch, release: Release, *, ports: PublishPorts) -> Release:
    """Publish a release by the document of its decisions; the same event if it was published.

    Raises
    ------
    MissingDocumentError
    """
    text = _load_document(batch.batch_id, release, ports)
    return _publish(batch, release, DecisionsDocument.model_validate_json(text), ports)


def _publish(
    batch: Batch, release: Release, document: DecisionsDocument, ports: PublishPorts
) -> Release:
    grades: dict[str, Any] = {
        "grades": {essay.essay_id: essay.grade for essay in document.essays},
    }
    is_included = fits(grades)
    data = {
        "assignment_id": batch.assignment_id,
        "result_sha256": document.result_sha256,
        "decisions_sha256": release.decisions_sha256,
        "decisions_key": ports.content.place(
            decisions_key(batch.batch_id, release.decisions_sha256)
        ),
        "two_assessors": document.two_assessors,
        "n_essays": len(document.essays),
        "n_changed": sum(essay.basis is Basis.CHANGED for essay in document.essays),
        "n_without_decision": sum(essay.basis is Basis.PROPOSED for essay in document.essays),
        "grades_included": is_included,
        **(grades if is_included else {"grades": None}),
    }
    released = envelope(
        EventType.RELEASED,
        batch_id=batch.batch_id,
        correlation_id=batch.correlation_id,
        organisation=batch.organisation,
        data=data,
        now=release.released_at,
    )
    ports.events.publish([released])
    return ports.decisions.note_published(batch.batch_id, release)


def read_release(batch_id: str, *, ports: DecisionPorts) -> str:
    """The document of a release as it is kept: its SHA-256 is that of the text.

    Raises
    ------
    UnknownBatchError, MissingDocumentError
    NotReleasedError
    """
    batch = ports.batches.get_batch(batch_id)
    if batch.release is None:
        raise NotReleasedError("the grades are not released; POST on the same path releases them")
    return _load_document(batch_id, batch.release, ports)


def _load_document(batch_id: str, release: Release, ports: DecisionPorts | PublishPorts) -> str:
    key = decisions_key(batch_id, release.decisions_sha256)
    text = ports.content.get_document(key)
    if text is None:
        raise MissingDocumentError.from_key(key)
    return text
