"""Bring students and anchors together as one batch with a frozen specification."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from assessment.domain.assignment import Assignment
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.config import Source
from assessment.domain.document_keys import manifest_key
from assessment.domain.errors import InvalidRequestError
from assessment.domain.essay import Essay, EssayKind
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grading_history import (
    MOST_BATCHES,
    AnchorHistory,
    PooledSpread,
    pool_spread,
)
from assessment.domain.identifiers import anchor_essay_id
from assessment.domain.judge import JudgeSpec
from assessment.domain.not_assessed import NotAssessed, find_unfit
from assessment.domain.prompt import JudgeInstructions
from assessment.domain.spec import BatchSpec, judge_spec_hash
from assessment.ports.groups import PreparePorts
from assessment.ports.stores import AssignmentStore, ContentStore
from assessment.usecases.assignment import flag_texts, load_assignment
from assessment.usecases.batch_spec import freeze_spec

_FEWEST_ESSAYS = 2


def anchor_essays(assignment: Assignment) -> list[Essay]:
    """The assignment's anchors as essays of a batch, under synthetic ids."""
    return [
        Essay(
            essay_id=anchor_essay_id(
                assignment.assignment_id, anchor.anchor_ref, anchor.text_sha256
            ),
            kind=EssayKind.ANCHOR,
            text_sha256=anchor.text_sha256,
            anchor_ref=anchor.anchor_ref,
            grade=anchor.grade,
        )
        for anchor in assignment.anchors
    ]


def prepare_batch(
    batch_id: str,
    *,
    ports: PreparePorts,
    now: datetime,
) -> Batch:
    """Freeze the batch's specification and let it generate pairs; a second run changes nothing.

    Raises
    ------
    UnknownBatchError, UnknownAssignmentError, InvalidRequestError
    """
    batch = ports.batches.get_batch(batch_id)
    if batch.status is not BatchStatus.INITIALIZING:
        return batch
    assignment = load_assignment(batch.assignment_id, ports.assignments)
    students = _students(batch, ports.content)
    anchors = anchor_essays(assignment) if assignment else []
    anchors = _with_flags(batch, anchors, ports.content)
    kept = [essay for essay in students if not essay.flagged(batch.config.exclude_flagged)]
    excluded = [essay for essay in students if essay not in kept]
    not_assessed = _unfit(batch, kept + anchors, ports.content)
    unfit = {entry.essay_id for entry in not_assessed}
    kept = [essay for essay in kept if essay.essay_id not in unfit]
    anchors = [essay for essay in anchors if essay.essay_id not in unfit]
    _check_enough(kept + anchors, not_assessed)
    history = _history(assignment, batch.judges, ports.assignments)
    spec = BatchSpec.of(
        kept + anchors,
        instructions=assignment.instructions if assignment else JudgeInstructions(),
        grade_scale=assignment.grade_scale if assignment else None,
        judges=batch.judges,
        excluded=excluded,
        population=assignment.population if assignment else None,
        anchor_history=history,
    )
    freeze_spec(batch_id, spec, content=ports.content)
    return ports.batches.transition(
        batch_id,
        BatchStatus.GENERATING_PAIRS,
        now=now,
        essays=len(kept),
        anchors=len(anchors),
        spec_hash=spec.spec_hash,
        not_assessed=not_assessed,
        **_pinned(batch, history),
    )


def _unfit(batch: Batch, essays: list[Essay], content: ContentStore) -> tuple[NotAssessed, ...]:
    """The essays that no judge of the batch has room for."""
    long = [essay for essay in essays if EssayFlag.TOO_LONG in essay.flags]
    return find_unfit(
        {essay.essay_id: content.get_text(essay.text_sha256) for essay in long}, batch.judges
    )


def _check_enough(essays: list[Essay], not_assessed: tuple[NotAssessed, ...]) -> None:
    if len(essays) < _FEWEST_ESSAYS:
        names = ", ".join(entry.essay_id for entry in not_assessed[:5])
        raise InvalidRequestError(
            f"{len(essays)} essays are left to compare; {names} do not fit the judge's context: "
            "name a judge with a larger one (judge.context_tokens)",
            field="essays",
        )


def _history(
    assignment: Assignment | None, judges: tuple[JudgeSpec, ...], assignments: AssignmentStore
) -> AnchorHistory | None:
    """What earlier batches measured of the anchors, as of now; None if there is nothing."""
    if assignment is None or not assignment.anchors:
        return None
    known = assignments.get_history(
        assignment.assignment_id, judge_spec_hash(assignment.instructions, judges)
    )
    return AnchorHistory(batches=known.batches[-MOST_BATCHES:]) if known.batches else None


_SPREAD_SETTINGS = ("prior_sd", "prior_sd_median", "prior_sd_log_sd")


def _pinned(batch: Batch, history: AnchorHistory | None) -> dict[str, Any]:
    """The prior of the spread that earlier batches suggest, where nobody has set one."""
    sources = batch.config_sources
    if history is None or any(sources.get(name) is not Source.DEFAULT for name in _SPREAD_SETTINGS):
        return {}
    config = batch.config
    default = PooledSpread(median=config.prior_sd_median, log_sd=config.prior_sd_log_sd)
    known = pool_spread(history, default)
    if known is None:
        return {}
    pinned = {"prior_sd_median": known.median, "prior_sd_log_sd": known.log_sd}
    return {
        "config": config.model_copy(update=pinned),
        "config_sources": {**sources, **dict.fromkeys(pinned, Source.HISTORY)},
    }


def _with_flags(batch: Batch, anchors: list[Essay], content: ContentStore) -> list[Essay]:
    """The anchors with flags of their own; none is left out for them, its grade was chosen."""
    texts = [content.get_text(anchor.text_sha256) for anchor in anchors]
    flags = flag_texts(texts, config=batch.config, judges=batch.judges)
    return [
        anchor.model_copy(update={"flags": raised})
        for anchor, raised in zip(anchors, flags, strict=True)
    ]


def _students(batch: Batch, content: ContentStore) -> list[Essay]:
    manifest = content.get_document(manifest_key(batch))
    if manifest is None:
        raise InvalidRequestError("the request's essays were not stored; send it again")
    return [Essay.model_validate(essay) for essay in json.loads(manifest)]
