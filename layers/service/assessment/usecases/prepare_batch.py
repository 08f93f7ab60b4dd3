"""Bring students and anchors together as one batch with a frozen specification."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from assessment.domain.assignment import Assignment, merge_judge_texts
from assessment.domain.batch import Batch, BatchStatus, EssaySource
from assessment.domain.config import Source
from assessment.domain.document_keys import (
    anchor_texts,
    batch_texts,
    judge_texts_key,
    manifest_key,
)
from assessment.domain.errors import InvalidRequestError
from assessment.domain.essay import Essay, EssayKind, MeasuredEssay
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grading_history import (
    MOST_BATCHES,
    AnchorHistory,
    PooledSpread,
    pool_spread,
)
from assessment.domain.identifiers import make_anchor_essay_id
from assessment.domain.judge import JudgeSpec
from assessment.domain.not_assessed import NotAssessed, find_unfit
from assessment.domain.prompt import JudgeInstructions
from assessment.domain.spec import BatchSpec, judge_spec_hash
from assessment.domain.surface import measure_surface
from assessment.ports.content import ContentStore
from assessment.ports.groups import PreparePorts
from assessment.ports.stores import AssignmentStore
from assessment.usecases.assignment import flag_texts, load_assignment
from assessment.usecases.batch_spec import freeze_spec
from assessment.usecases.referenced_essays import import_texts
from assessment.usecases.surface_figures import keep_surface

_FEWEST_ESSAYS = 2
_UPLOADS = 8
# They are listed in the one item of the batch, which has to stay small.
_MOST_UNFIT = 50


def make_anchor_essays(assignment: Assignment) -> list[Essay]:
    """The assignment's anchors as essays of a batch, under synthetic ids."""
    return [
        Essay(
            essay_id=make_anchor_essay_id(
                assignment.assignment_id, anchor.anchor_ref, anchor.text_sha256
            ),
            kind=EssayKind.ANCHOR,
            text_sha256=anchor.text_sha256,
            anchor_ref=anchor.anchor_ref,
            grade=anchor.grade,
            n_masked=anchor.n_masked,
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
    pool = _collect_essays(batch, assignment, ports.content)
    _check_enough(pool)
    instructions = merge_judge_texts(assignment, _read_judge_texts(batch, ports.content))
    history = _read_history(assignment, instructions, batch.judges, ports.assignments)
    spec = _make_spec(batch, assignment, pool, instructions, history)
    freeze_spec(batch_id, spec, content=ports.content)
    keep_surface(batch_id, pool.essays, content=ports.content)
    return ports.batches.transition(
        batch_id,
        BatchStatus.GENERATING_PAIRS,
        now=now,
        essays=len(pool.students),
        anchors=len(pool.anchors),
        spec_hash=spec.spec_hash,
        not_assessed=pool.not_assessed,
        **_pin_spread(batch, history),
    )


@dataclass(frozen=True)
class _EssayPool:
    """The essays to compare, and those that are left out: by their flags, or by their length."""

    students: list[Essay]
    anchors: list[Essay]
    excluded: list[Essay]
    not_assessed: tuple[NotAssessed, ...] = ()

    @property
    def essays(self) -> list[Essay]:
        """Students and anchors."""
        return self.students + self.anchors

    def set_aside(self, not_assessed: tuple[NotAssessed, ...]) -> _EssayPool:
        """The pool without essays that no judge has room for."""
        ids = {entry.essay_id for entry in not_assessed}
        return _EssayPool(
            students=[essay for essay in self.students if essay.essay_id not in ids],
            anchors=[essay for essay in self.anchors if essay.essay_id not in ids],
            excluded=self.excluded,
            not_assessed=not_assessed,
        )


def _collect_essays(
    batch: Batch, assignment: Assignment | None, content: ContentStore
) -> _EssayPool:
    students = _read_students(batch, content)
    if batch.essay_source is not EssaySource.REQUEST:
        students = import_texts(batch, students, content=content)
    anchors = _take_anchors(batch, assignment, content) if assignment else []
    flags = batch.config.exclude_flagged
    pool = _EssayPool(
        students=[essay for essay in students if not essay.has_flag(flags)],
        anchors=anchors,
        excluded=[essay for essay in students if essay.has_flag(flags)],
    )
    return pool.set_aside(_find_too_long(batch, pool.essays, content))


def _make_spec(
    batch: Batch,
    assignment: Assignment | None,
    pool: _EssayPool,
    instructions: JudgeInstructions,
    history: AnchorHistory | None,
) -> BatchSpec:
    return BatchSpec.from_essays(
        pool.essays,
        instructions=instructions,
        grade_scale=assignment.grade_scale if assignment else None,
        judges=batch.judges,
        excluded=pool.excluded,
        population=assignment.population if assignment else None,
        anchor_history=history,
    )


def _find_too_long(
    batch: Batch, essays: list[Essay], content: ContentStore
) -> tuple[NotAssessed, ...]:
    """The essays that no judge of the batch has room for."""
    long = [essay for essay in essays if EssayFlag.TOO_LONG in essay.flags]
    folder = batch_texts(batch.batch_id)
    return find_unfit(
        {essay.essay_id: content.get_text(folder, essay.text_sha256) for essay in long},
        batch.judges,
    )


def _check_enough(pool: _EssayPool) -> None:
    n_essays = len(pool.essays)
    if n_essays < _FEWEST_ESSAYS or len(pool.not_assessed) > _MOST_UNFIT:
        names = ", ".join(entry.essay_id for entry in pool.not_assessed[:5])
        raise InvalidRequestError(
            f"{n_essays} essays are left to compare; {len(pool.not_assessed)} ({names}) do not fit "
            "the judge's context: name a judge with a larger one (judge.context_tokens)",
            field="essays",
        )


def _read_history(
    assignment: Assignment | None,
    instructions: JudgeInstructions,
    judges: tuple[JudgeSpec, ...],
    assignments: AssignmentStore,
) -> AnchorHistory | None:
    """What earlier batches measured of the anchors, as of now; None if there is nothing."""
    if assignment is None or not assignment.anchors:
        return None
    history = assignments.get_history(
        assignment.assignment_id, judge_spec_hash(instructions, judges)
    )
    latest = history.batches[-MOST_BATCHES:]
    return AnchorHistory(batches=latest) if latest else None


_SPREAD_SETTINGS = ("prior_sd", "prior_sd_median", "prior_sd_log_sd")


def _pin_spread(batch: Batch, history: AnchorHistory | None) -> dict[str, Any]:
    """The prior of the spread that earlier batches suggest, where nobody has set one."""
    sources = batch.config_sources
    if history is None or any(sources.get(name) is not Source.DEFAULT for name in _SPREAD_SETTINGS):
        return {}
    config = batch.config
    default = PooledSpread(median=config.prior_sd_median, log_sd=config.prior_sd_log_sd)
    spread = pool_spread(history, default)
    if spread is None:
        return {}
    prior = {"prior_sd_median": spread.median, "prior_sd_log_sd": spread.log_sd}
    return {
        "config": config.model_copy(update=prior),
        "config_sources": {**sources, **dict.fromkeys(prior, Source.HISTORY)},
    }


def _take_anchors(batch: Batch, assignment: Assignment, content: ContentStore) -> list[Essay]:
    """The anchors with flags of their own; none is left out for them, its grade was chosen.

    The batch keeps copies of their texts: it stays whole when the assignment's anchors change.
    """
    anchors = make_anchor_essays(assignment)
    source = anchor_texts(assignment.assignment_id)
    texts = [content.get_text(source, anchor.text_sha256) for anchor in anchors]
    put_text = partial(content.put_text, batch_texts(batch.batch_id))
    with ThreadPoolExecutor(_UPLOADS) as pool:
        for _ in pool.map(put_text, texts):
            pass
    flags = flag_texts(texts, config=batch.config, judges=batch.judges)
    return [
        MeasuredEssay(
            **anchor.model_dump(exclude={"flags"}), flags=raised, surface=measure_surface(text)
        )
        for anchor, raised, text in zip(anchors, flags, texts, strict=True)
    ]


def _read_judge_texts(batch: Batch, content: ContentStore) -> dict[str, str]:
    """What the request told the judge, by the names of `JudgeInstructions`."""
    if not batch.own_texts:
        return {}
    texts = content.get_document(judge_texts_key(batch))
    if texts is None:
        raise InvalidRequestError(
            "the request's texts for the judge were not stored; send it again"
        )
    return dict(json.loads(texts))


def _read_students(batch: Batch, content: ContentStore) -> list[Essay]:
    manifest = content.get_document(manifest_key(batch))
    if manifest is None:
        raise InvalidRequestError("the request's essays were not stored; send it again")
    return [MeasuredEssay.model_validate(essay) for essay in json.loads(manifest)]
