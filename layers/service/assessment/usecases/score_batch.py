"""Score all verdicts after a wave, decide what is next, and store why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from assessment.contracts.events import EventType, envelope
from assessment.domain.batch import Batch, BatchStatus, ClosedBy, WaveScore, WaveStatus
from assessment.domain.comparison import Comparison, ComparisonStatus, has_preference
from assessment.domain.continuation import PreviousLook, build_context
from assessment.domain.decision import ContinuationContext, Decision, DecisionKind, Reason
from assessment.domain.decision_rules import decide
from assessment.domain.document_keys import scores_key
from assessment.domain.identifiers import canonical_json
from assessment.domain.not_assessed import (
    AssessedPart,
    NotAssessed,
    find_without_verdict,
    merge_not_assessed,
    set_essays_aside,
    split_assessed,
)
from assessment.domain.result import Ranking, Scores
from assessment.domain.wave import Wave
from assessment.ports.content import ContentStore
from assessment.ports.groups import ScorePorts
from assessment.ports.messaging import EventPublisher
from assessment.ports.statistics import Statistics
from assessment.ports.stores import BatchStore
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.close_wave import settle_outstanding
from assessment.usecases.keep_comparisons import keep_comparisons
from assessment.usecases.settlement import correct_counts
from assessment.usecases.wave_documents import (
    load_not_assessed,
    store_not_assessed,
    store_unjudged,
)


@dataclass(frozen=True)
class ScoredWave:
    """A decision with the context it was made in; no context when the batch had ended."""

    decision: Decision
    context: ContinuationContext | None = None


_ENDED = ScoredWave(
    Decision(
        decision=DecisionKind.NO_OP,
        reason=Reason.BATCH_ENDED,
        explanation="the batch has already ended",
    )
)


@dataclass(frozen=True)
class _Evaluation:
    """What was decided after a wave, on what grounds, and when."""

    decision: Decision
    context: ContinuationContext
    not_assessed: tuple[NotAssessed, ...]
    scored_at: datetime


class _Weighed(NamedTuple):
    """What the comparisons of the essays that are assessed say."""

    part: AssessedPart
    scores: Scores | None
    context: ContinuationContext
    decision: Decision


_SPOILT_BY_ESSAYS = frozenset({Reason.DISCONNECTED, Reason.SUCCESS_RATE})
"""Refusals that a few essays without any verdict may be the reason for."""


def score_batch(
    batch_id: str,
    wave_number: int,
    *,
    ports: ScorePorts,
    now: datetime,
) -> ScoredWave:
    """The decision after a wave; asked again it returns the stored one and publishes it again.

    Raises
    ------
    UnknownBatchError, ScoringFailedError
    """
    batch = ports.batches.get_batch(batch_id)
    if batch.is_final:
        return _ENDED
    wave = ports.batches.get_wave(batch_id, wave_number)
    evaluation = _read_evaluation(wave, ports.content, now)
    if evaluation is None:
        _settle_late(batch_id, wave_number, wave, ports, now)
        batch = ports.batches.transition(batch_id, BatchStatus.SCORING, now=now)
        evaluation = _evaluate(batch, wave_number, ports, now)
    _publish(batch, evaluation, ports.events)
    _follow(batch, evaluation, ports.batches, now)
    return ScoredWave(evaluation.decision, evaluation.context)


def _read_evaluation(wave: Wave | None, content: ContentStore, now: datetime) -> _Evaluation | None:
    """The stored decision of a wave that was scored before."""
    if wave is None or wave.decision is None or wave.context is None:
        return None
    return _Evaluation(
        decision=wave.decision,
        context=wave.context,
        not_assessed=load_not_assessed(wave, content=content),
        scored_at=wave.scored_at or now,
    )


def _settle_late(
    batch_id: str, wave_number: int, wave: Wave | None, ports: ScorePorts, now: datetime
) -> None:
    """Settle what the wave still waits for: its state machine's own time-out came first."""
    n_settled = settle_outstanding(batch_id, wave_number, ports=ports, now=now)
    if n_settled and wave is not None:
        closed_by = wave.closed_by or ClosedBy.TIMEOUT
        ports.batches.update_wave(batch_id, wave_number, closed_by=closed_by)


def _evaluate(batch: Batch, wave_number: int, ports: ScorePorts, now: datetime) -> _Evaluation:
    """Fit, decide, and store the decision with its grounds."""
    batch_id = batch.batch_id
    comparisons = ports.comparisons.list_comparisons(batch_id, wave_number)
    part, scores, context, decision = _weigh(batch, wave_number, comparisons, ports, now)
    if scores is not None:
        ports.content.put_document(
            scores_key(batch_id, wave_number), canonical_json(scores.model_dump(mode="json"))
        )
    correct_counts(batch_id, comparisons, batches=ports.batches)
    if decision.decision is DecisionKind.FINALIZE_FAILURE:
        keep_comparisons(batch_id, comparisons, content=ports.content)
    ports.batches.update_wave(
        batch_id,
        wave_number,
        status=WaveStatus.SCORED,
        score=_summarise(context, scores),
        context=context,
        decision=decision,
        scored_at=now,
        unjudged_key=store_unjudged(
            batch_id, wave_number, _list_unjudged(comparisons), content=ports.content
        ),
        not_assessed_key=store_not_assessed(
            batch_id, wave_number, part.not_assessed, content=ports.content
        ),
    )
    return _Evaluation(decision, context, part.not_assessed, now)


def _weigh(
    batch: Batch,
    wave_number: int,
    comparisons: list[Comparison],
    ports: ScorePorts,
    now: datetime,
) -> _Weighed:
    """Decide; without the essays that have no verdict, if only they keep a result from the rest."""
    previous = _read_previous_look(batch.batch_id, wave_number, ports.batches, ports.content)

    def weigh(part: AssessedPart) -> _Weighed:
        scores = _fit(batch, part, ports.content, ports.statistics)
        context = build_context(batch, part, scores, previous, now=now)
        return _Weighed(part, scores, context, decide(context))

    part = split_assessed(comparisons, max_failures=batch.config.max_essay_failures)
    weighed = weigh(part)
    if weighed.decision.reason not in _SPOILT_BY_ESSAYS:
        return weighed
    rest = merge_not_assessed(part.not_assessed, find_without_verdict(part.comparisons))
    alternative = weigh(set_essays_aside(comparisons, rest))
    has_result = alternative.decision.decision is DecisionKind.FINALIZE_SCORING
    return alternative if has_result else weighed


def _list_unjudged(comparisons: list[Comparison]) -> list[str]:
    return [c.comparison_id for c in comparisons if c.status is not ComparisonStatus.RECORDED]


def _fit(
    batch: Batch, part: AssessedPart, content: ContentStore, statistics: Statistics
) -> Scores | None:
    """The scores of the essays that are assessed; None while no verdict prefers one."""
    if not has_preference(part.comparisons):
        return None
    spec = load_spec(batch.batch_id, content=content).drop_essays(part.set_aside_ids)
    return statistics.score(spec, part.comparisons, config=batch.config)


def _read_previous_look(
    batch_id: str, wave_number: int, batches: BatchStore, content: ContentStore
) -> PreviousLook | None:
    """The context and the rankings of the wave before; None if it had none."""
    wave = batches.get_wave(batch_id, wave_number - 1) if wave_number > 1 else None
    if wave is None or wave.context is None:
        return None
    document = content.get_document(scores_key(batch_id, wave_number - 1))
    if document is None:
        return None
    rankings = [Ranking.model_validate(entry) for entry in json.loads(document)["rankings"]]
    return PreviousLook(rankings=rankings, context=wave.context)


def _summarise(context: ContinuationContext, scores: Scores | None) -> WaveScore | None:
    if scores is None:
        return None
    return WaveScore(
        mean_se=scores.reliability.mean_se,
        max_se=scores.reliability.max_se,
        standardised_se=scores.reliability.standardised_se,
        max_score_change=context.max_score_change,
        reliability=None if context.judge_at_chance else context.reliability,
        reliability_interval=None if context.judge_at_chance else context.reliability_interval,
        recorded=context.successes,
        failed=context.failures,
        cost_usd=context.cost_usd,
    )


def _publish(batch: Batch, evaluation: _Evaluation, events: EventPublisher) -> None:
    context = evaluation.context
    data = {
        "wave": context.wave,
        "decision": evaluation.decision.model_dump(mode="json"),
        "comparisons": {
            "planned": context.pairs_submitted,
            "recorded": context.successes,
            "failed": context.failures,
        },
        "mean_se": context.mean_se,
        "standardised_se": context.standardised_se,
        # The reliability of verdicts that are evidence of a judge at chance would mean nothing.
        "reliability": None if context.judge_at_chance else context.reliability,
        "reliability_interval": None if context.judge_at_chance else context.reliability_interval,
    }
    events.publish(
        [
            envelope(
                EventType.WAVE_SCORED,
                batch_id=batch.batch_id,
                correlation_id=batch.correlation_id,
                organisation=batch.organisation,
                data=data,
                now=evaluation.scored_at,
                occasion=str(context.wave),
            )
        ]
    )


def _follow(batch: Batch, evaluation: _Evaluation, batches: BatchStore, now: datetime) -> None:
    """Take the batch where the decision leads."""
    more = evaluation.decision.decision is DecisionKind.REQUEST_MORE_COMPARISONS
    batches.transition(
        batch.batch_id,
        BatchStatus.GENERATING_PAIRS if more else BatchStatus.SCORING,
        now=now,
        decision=evaluation.decision,
        # An endpoint may name an amount that is too small for the table's numbers.
        cost_usd=round(evaluation.context.cost_usd, 6),
        not_assessed=merge_not_assessed(batch.not_assessed, evaluation.not_assessed),
    )
