"""Score all verdicts after a wave, decide what is next, and store why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from assessment.contracts.events import EventType, envelope
from assessment.domain.batch import Batch, BatchStatus, ClosedBy, WaveScore, WaveStatus
from assessment.domain.comparison import ComparisonStatus
from assessment.domain.continuation import PreviousLook, continuation_context
from assessment.domain.decision import ContinuationContext, Decision, DecisionKind, Reason, decide
from assessment.domain.document_keys import scores_key
from assessment.domain.identifiers import canonical_json
from assessment.domain.not_assessed import AssessedPart, merge_not_assessed, split_assessed
from assessment.domain.result import Ranking, Scores
from assessment.ports.groups import ScorePorts
from assessment.ports.messaging import EventPublisher
from assessment.ports.statistics import Statistics
from assessment.ports.stores import BatchStore, ContentStore
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.close_wave import settle_outstanding
from assessment.usecases.keep_comparisons import keep_comparisons
from assessment.usecases.wave_documents import store_unjudged


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


def score_batch(
    batch_id: str,
    number: int,
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
    wave = ports.batches.get_wave(batch_id, number)
    if wave is not None and wave.decision is not None and wave.context is not None:
        _publish(batch, wave.context, wave.decision, ports.events, wave.scored_at or now)
        known = ports.comparisons.list_comparisons(batch_id, number)
        part = split_assessed(known, max_failures=batch.config.max_essay_failures)
        _follow(ports.batches, batch, wave.decision, part, now)
        return ScoredWave(wave.decision, wave.context)
    settled = settle_outstanding(batch_id, number, comparisons=ports.comparisons, now=now)
    if settled and wave is not None:
        closed_by = wave.closed_by or ClosedBy.TIMEOUT
        ports.batches.update_wave(batch_id, number, closed_by=closed_by)
    batch = ports.batches.transition(batch_id, BatchStatus.SCORING, now=now)
    known = ports.comparisons.list_comparisons(batch_id, number)
    part = split_assessed(known, max_failures=batch.config.max_essay_failures)
    scores = _score(batch, part, ports.content, ports.statistics)
    previous = _previous(batch_id, number, ports.batches, ports.content)
    context = continuation_context(batch, part, scores, previous, now=now)
    decision = decide(context)
    if scores is not None:
        ports.content.put_document(
            scores_key(batch_id, number), canonical_json(scores.model_dump(mode="json"))
        )
    if decision.decision is DecisionKind.FINALIZE_FAILURE:
        keep_comparisons(batch_id, known, content=ports.content)
    unjudged = [c.comparison_id for c in known if c.status is not ComparisonStatus.RECORDED]
    ports.batches.update_wave(
        batch_id,
        number,
        status=WaveStatus.SCORED,
        score=_summary(context, scores),
        context=context,
        decision=decision,
        scored_at=now,
        unjudged_key=store_unjudged(batch_id, number, unjudged, content=ports.content),
    )
    _publish(batch, context, decision, ports.events, now)
    _follow(ports.batches, batch, decision, part, now)
    return ScoredWave(decision, context)


def _score(
    batch: Batch, part: AssessedPart, content: ContentStore, statistics: Statistics
) -> Scores | None:
    if not any(comparison.verdict for comparison in part.comparisons):
        return None
    spec = load_spec(batch.batch_id, content=content).without(part.set_aside_ids)
    return statistics.score(spec, part.comparisons, config=batch.config)


def _previous(
    batch_id: str, number: int, batches: BatchStore, content: ContentStore
) -> PreviousLook | None:
    before = batches.get_wave(batch_id, number - 1) if number > 1 else None
    document = content.get_document(scores_key(batch_id, number - 1)) if before else None
    if before is None or before.context is None or document is None:
        return None
    rankings = [Ranking.model_validate(entry) for entry in json.loads(document)["rankings"]]
    return PreviousLook(rankings=rankings, context=before.context)


def _summary(context: ContinuationContext, scores: Scores | None) -> WaveScore | None:
    if scores is None:
        return None
    return WaveScore(
        mean_se=scores.reliability.mean_se,
        max_se=scores.reliability.max_se,
        max_score_change=context.max_score_change,
        reliability=None if context.judge_at_chance else context.reliability,
        reliability_interval=None if context.judge_at_chance else context.reliability_interval,
        recorded=context.successes,
        failed=context.failures,
    )


def _publish(
    batch: Batch,
    context: ContinuationContext,
    decision: Decision,
    events: EventPublisher,
    now: datetime,
) -> None:
    data = {
        "wave": context.wave,
        "decision": decision.model_dump(mode="json"),
        "comparisons": {
            "planned": context.pairs_submitted,
            "recorded": context.successes,
            "failed": context.failures,
        },
        "mean_se": context.mean_se,
        # A reliability of verdicts that speak for a coin would mean nothing.
        "reliability": None if context.judge_at_chance else context.reliability,
        "reliability_interval": None if context.judge_at_chance else context.reliability_interval,
    }
    events.publish(
        [
            envelope(
                EventType.WAVE_SCORED,
                batch_id=batch.batch_id,
                correlation_id=batch.correlation_id,
                data=data,
                now=now,
                occasion=str(context.wave),
            )
        ]
    )


def _follow(
    batches: BatchStore, batch: Batch, decision: Decision, part: AssessedPart, now: datetime
) -> None:
    more = decision.decision is DecisionKind.REQUEST_MORE_COMPARISONS
    batches.transition(
        batch.batch_id,
        BatchStatus.GENERATING_PAIRS if more else BatchStatus.SCORING,
        now=now,
        decision=decision,
        not_assessed=merge_not_assessed(batch.not_assessed, part.not_assessed),
    )
