"""Confirm or change a proposed grade, and read what was decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from assessment.contracts.decisions import (
    AttentionView,
    DecisionRequest,
    DecisionsView,
    EssayAttentionView,
    EssayDecisionView,
    EssaySummary,
)
from assessment.domain.attention import list_attention
from assessment.domain.batch import Batch
from assessment.domain.decision_errors import AlreadyReleasedError
from assessment.domain.errors import InvalidRequestError, TransientError
from assessment.domain.grade_decision import (
    DecisionState,
    EssayDecision,
    GradeDecision,
    check_reason,
    check_room,
    list_visible,
    settle,
)
from assessment.ports.decisions import DecisionPorts
from assessment.usecases.proposals import (
    FinishedBatch,
    load_finished,
    require_essay,
    require_scale,
)

_TRIES = 5


def decide_grade(
    batch_id: str,
    essay_id: str,
    request: DecisionRequest,
    *,
    assessor: str,
    ports: DecisionPorts,
    now: datetime,
) -> EssayDecisionView:
    """Add the assessor's decision; one that repeats their latest changes nothing.

    It replaces their own earlier one, which is kept, and nobody else's.

    Raises
    ------
    UnknownBatchError, UnknownEssayError
    ResultNotReadyError
        If the batch has not completed.
    AlreadyReleasedError
    NoGradeScaleError, UnknownGradeError, ReasonMissingError, TooManyDecisionsError
    TransientError
        If others decided on the same essay each time; nothing is stored.
    """
    for _ in range(_TRIES):
        finished = load_finished(batch_id, batches=ports.batches, content=ports.content)
        proposals = finished.proposals
        _require_open(finished.batch)
        require_essay(batch_id, essay_id, proposals)
        scale = require_scale(proposals)
        if request.grade is not None:
            scale.position(request.grade)
        proposed_grade = proposals.grades.get(essay_id)
        check_reason(request.grade, request.reason, proposed_grade=proposed_grade)
        essay_decisions = ports.decisions.list_of_essay(batch_id, essay_id)
        if _is_repeated(essay_decisions, assessor, request):
            return _view(finished, essay_id, essay_decisions, viewer=assessor)
        check_room(essay_id, essay_decisions)
        decision = GradeDecision(
            essay_id=essay_id,
            number=len(essay_decisions) + 1,
            assessor=assessor,
            grade=request.grade,
            reason=request.reason,
            proposed_grade=proposed_grade,
            result_sha256=proposals.result_sha256,
            decided_at=now,
        )
        if ports.decisions.append(batch_id, decision):
            return _view(finished, essay_id, [*essay_decisions, decision], viewer=assessor)
    raise TransientError("others decide on this essay at the same time; send the decision again")


def _require_open(batch: Batch) -> None:
    if batch.release is not None:
        raise AlreadyReleasedError(
            f"{batch.release.released_by} released the grades at "
            f"{batch.release.released_at.isoformat()}; no decision changes them any more"
        )


def _is_repeated(
    decisions: Sequence[GradeDecision], assessor: str, request: DecisionRequest
) -> bool:
    own = [decision for decision in decisions if decision.assessor == assessor]
    return bool(own) and (own[-1].grade, own[-1].reason) == (request.grade, request.reason)


def _view(
    finished: FinishedBatch, essay_id: str, decisions: Sequence[GradeDecision], *, viewer: str
) -> EssayDecisionView:
    batch, proposals = finished.batch, finished.proposals
    two_assessors = batch.config.two_assessors
    settled = settle(decisions, two_assessors=two_assessors)
    return EssayDecisionView(
        batch_id=batch.batch_id,
        essay_id=essay_id,
        result_sha256=proposals.result_sha256,
        proposed_grade=proposals.grades.get(essay_id),
        state=settled.state,
        grade=settled.grade,
        decisions=list_visible(decisions, viewer, two_assessors=two_assessors),
    )


def read_decision(
    batch_id: str, essay_id: str, *, viewer: str, ports: DecisionPorts
) -> EssayDecisionView:
    """What is proposed and decided about an essay, as far as the viewer may see it.

    Raises
    ------
    UnknownBatchError, UnknownEssayError, ResultNotReadyError
    """
    finished = load_finished(batch_id, batches=ports.batches, content=ports.content)
    require_essay(batch_id, essay_id, finished.proposals)
    decisions = ports.decisions.list_of_essay(batch_id, essay_id)
    return _view(finished, essay_id, decisions, viewer=viewer)


def settle_all(
    finished: FinishedBatch, decisions: Sequence[GradeDecision]
) -> dict[str, EssayDecision]:
    """What the decisions come to, by the id of each essay of the batch."""
    by_essay = group_by_essay(decisions)
    return {
        essay_id: settle(by_essay[essay_id], two_assessors=finished.batch.config.two_assessors)
        for essay_id in finished.proposals.essay_ids
    }


def group_by_essay(
    decisions: Sequence[GradeDecision],
) -> defaultdict[str, list[GradeDecision]]:
    """The decisions by the id of their essay."""
    by_essay: defaultdict[str, list[GradeDecision]] = defaultdict(list)
    for decision in decisions:
        by_essay[decision.essay_id].append(decision)
    return by_essay


def read_decisions(
    batch_id: str, *, limit: int | None = None, cursor: str | None = None, ports: DecisionPorts
) -> DecisionsView:
    """How far the decisions about a batch are.

    Parameters
    ----------
    limit
        Most essays that are told of; None for all.
    cursor
        The essay after which they begin; None for the first.

    Raises
    ------
    UnknownBatchError, ResultNotReadyError
    InvalidRequestError
        If the batch has no essay of the cursor's name.
    """
    finished = load_finished(batch_id, batches=ports.batches, content=ports.content)
    settled = settle_all(finished, ports.decisions.list_of_batch(batch_id))
    proposals = finished.proposals
    shown, following = _choose_page(list(settled), limit=limit, cursor=cursor)
    return DecisionsView(
        batch_id=batch_id,
        result_sha256=proposals.result_sha256,
        grade_scale=list(proposals.grade_scale.grades) if proposals.grade_scale else [],
        two_assessors=finished.batch.config.two_assessors,
        release=finished.batch.release,
        n_essays=len(settled),
        n_waiting=sum(each.state is not DecisionState.DECIDED for each in settled.values()),
        essays=[
            EssaySummary(
                essay_id=essay_id,
                proposed_grade=proposals.grades.get(essay_id),
                state=settled[essay_id].state,
                grade=settled[essay_id].grade,
            )
            for essay_id in shown
        ],
        cursor=following,
    )


def _choose_page(
    essay_ids: Sequence[str], *, limit: int | None, cursor: str | None
) -> tuple[Sequence[str], str | None]:
    """The essays of a page, and the cursor of the next one if there is one."""
    if cursor is not None and cursor not in essay_ids:
        raise InvalidRequestError("take it from the page before", field="cursor")
    start = 0 if cursor is None else essay_ids.index(cursor) + 1
    end = len(essay_ids) if limit is None else start + limit
    shown = essay_ids[start:end]
    return shown, shown[-1] if shown and end < len(essay_ids) else None


def read_attention(batch_id: str, *, limit: int, ports: DecisionPorts) -> AttentionView:
    """The essays that need a person, the most urgent first, at most `limit` of them.

    Raises
    ------
    UnknownBatchError, ResultNotReadyError
    """
    finished = load_finished(batch_id, batches=ports.batches, content=ports.content)
    settled = settle_all(finished, ports.decisions.list_of_batch(batch_id))
    result = finished.result
    essays = list_attention(
        rankings=[ranking for ranking in result.rankings if not ranking.is_anchor],
        projections=result.grade_projections,
        not_assessed=result.not_assessed,
        excluded=result.excluded_essays,
        essay_flags=result.essay_flags,
        judge_fit=result.judge_fit,
    )
    return AttentionView(
        batch_id=batch_id,
        result_sha256=finished.proposals.result_sha256,
        n_essays=len(essays),
        essays=[
            EssayAttentionView(
                essay_id=essay.essay_id,
                proposed_grade=essay.proposed_grade,
                state=settled[essay.essay_id].state,
                causes=list(essay.causes),
            )
            for essay in essays[:limit]
        ],
    )
