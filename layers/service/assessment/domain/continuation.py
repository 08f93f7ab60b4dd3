"""The context of a decision, derived from a batch's records and its latest fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from assessment.domain.batch import (
    Batch,
    budget,
    completion_denominator,
    compute_wave_size,
    possible_pairs,
)
from assessment.domain.comparison import Comparison, ComparisonStatus, retry_pool
from assessment.domain.config import BatchConfig
from assessment.domain.decision import ContinuationContext
from assessment.domain.failure_cause import find_common_cause
from assessment.domain.not_assessed import AssessedPart
from assessment.domain.planning import (
    due_for_retry,
    pair_of,
    resampling_passes,
    room_for_new_pairs,
)
from assessment.domain.result import Ranking, Scores
from assessment.domain.spending import total

_SECONDS_PER_MINUTE = 60.0
# An essay whose standard error is still this close to the prior's has told us nothing.
_UNINFORMED_SHARE = 0.95
_SPARSE_BELOW = 2


@dataclass(frozen=True)
class PreviousLook:
    """What the look before this one knew."""

    rankings: list[Ranking]
    context: ContinuationContext


def max_score_change(now: Sequence[Ranking], before: Sequence[Ranking]) -> float:
    """The largest move of an ability between two fits, in logits."""
    earlier = {ranking.essay_id: ranking.bradley_terry_score for ranking in before}
    return max(
        (abs(r.bradley_terry_score - earlier.get(r.essay_id, 0.0)) for r in now), default=0.0
    )


def _held_before(previous: PreviousLook | None) -> tuple[int, int]:
    """At how many looks in a row, up to the last one, each target was met: reliability, then SE."""
    if previous is None:
        return 0, 0
    before = previous.context
    held = before.reliability_target_held_before, before.se_target_held_before
    if not before.is_look:
        return held
    met = before.reliability_target_met, before.se_target_met
    return held[0] + 1 if met[0] else 0, held[1] + 1 if met[1] else 0


def _targets_met(scores: Scores | None, config: BatchConfig) -> tuple[bool, bool]:
    """Whether the lower limit of the reliability, and the mean standard error, are on target.

    Where the signal is not proven neither is: a small standard error may also mean that abilities
    hardly differ. So a signal that is proven at one look by luck ends no batch.
    """
    if scores is None or not scores.is_proven(min_reliability=config.min_reliability):
        return False, False
    reliability, wanted_se = scores.reliability, config.target_mean_se
    wanted = config.target_reliability
    return (
        wanted is not None and reliability.low >= wanted,
        wanted_se is not None and reliability.mean_se <= wanted_se,
    )


def _last_look(previous: PreviousLook | None) -> int:
    """How many callbacks the last look had seen."""
    if previous is None:
        return 0
    before = previous.context
    return before.callbacks_received if before.is_look else before.callbacks_at_last_look


def _silent_waves(known: Sequence[Comparison], wave: int) -> int:
    """How many of the latest waves in a row brought no verdict at all."""
    speaking = {c.submitted_wave for c in known if c.verdict}
    return wave - max(speaking, default=0)


def _in_time_share(known: Sequence[Comparison], wave: int) -> float:
    """The share of the latest wave that was answered, with a verdict or an error."""
    submitted = [c for c in known if c.submitted_wave == wave]
    late = sum(1 for c in submitted if c.status is ComparisonStatus.TIMED_OUT)
    return 1.0 - late / len(submitted) if submitted else 1.0


def _next_wave_size(config: BatchConfig, n_essays: int, known: list[Comparison], room: int) -> int:
    """How many comparisons another wave would pay for: new ones, and failed ones tried again."""
    new = min(compute_wave_size(config, n_essays), room)
    pool = retry_pool(known, max_attempts=config.max_attempts)
    return new + len(due_for_retry(pool, threshold=config.retry_pool_threshold, new_pairs=new))


def _refusal(known: Sequence[Comparison]) -> str | None:
    """What the judge says of its permanent failures, in its commonest words."""
    told = Counter(
        c.failure.message for c in known if c.failure is not None and not c.failure.retryable
    )
    return min(told, key=lambda message: (-told[message], message)) if told else None


def _minutes_remaining(batch: Batch, now: datetime) -> float | None:
    if batch.config.max_minutes is None:
        return None
    return batch.config.max_minutes - (now - batch.created_at).total_seconds() / _SECONDS_PER_MINUTE


def continuation_context(
    batch: Batch,
    part: AssessedPart,
    scores: Scores | None,
    previous: PreviousLook | None,
    *,
    now: datetime,
) -> ContinuationContext:
    """Everything `decide` may look at; `scores` is None when there is no verdict to fit."""
    config, known = batch.config, part.comparisons
    n = batch.n_essays - len(part.not_assessed)
    statuses = Counter(comparison.status for comparison in known)
    recorded = statuses[ComparisonStatus.RECORDED]
    pending = statuses[ComparisonStatus.PENDING]
    failed = len(known) - recorded - pending
    retryable = len(retry_pool(known, max_attempts=config.max_attempts))
    settled = recorded + failed
    cost = total(c.spent for c in (*known, *part.set_aside)).cost_usd
    change = max_score_change(scores.rankings, previous.rankings) if scores and previous else None
    mean_se = scores.reliability.mean_se if scores else None
    success_rate = recorded / settled if settled else 0.0
    pairs = {pair_of(comparison) for comparison in known}
    passes = resampling_passes(known) if len(pairs) == possible_pairs(n) else 0
    room = room_for_new_pairs(known, config=config, n_essays=n, n_set_aside=len(part.set_aside))
    unjudged_pairs = possible_pairs(n) - len(pairs)
    last_look = _last_look(previous)
    reliability_met, se_met = _targets_met(scores, config)
    reliability_held, se_held = _held_before(previous)
    return ContinuationContext(
        wave=batch.wave,
        batch_ended=batch.is_final,
        n_essays=n,
        n_not_assessed=len(part.not_assessed),
        pairs_submitted=len(known),
        callbacks_received=settled,
        successes=recorded,
        failures=failed,
        outstanding=pending,
        partial_completion_met=_in_time_share(known, batch.wave) >= config.partial_completion,
        waves_without_verdict=_silent_waves(known, batch.wave),
        retryable_failures=retryable,
        permanent_failures=sum(
            1 for c in known if c.failure is not None and not c.failure.retryable
        ),
        refusal=_refusal(known),
        failure_cause=find_common_cause(known),
        success_rate=success_rate,
        zero_successes=recorded == 0,
        min_comparison_count=min((r.comparison_count for r in scores.rankings), default=0)
        if scores
        else 0,
        completion_denominator=completion_denominator(config, n),
        max_possible_pairs=possible_pairs(n),
        pairs_remaining=min(room, unjudged_pairs),
        waves_remaining=config.max_waves - batch.wave,
        cost_usd=cost,
        cost_remaining_usd=None if config.max_cost_usd is None else config.max_cost_usd - cost,
        next_wave_cost_usd=cost / recorded * _next_wave_size(config, n, known, room)
        if recorded
        else None,
        minutes_remaining=_minutes_remaining(batch, now),
        mean_se=mean_se,
        max_se=scores.reliability.max_se if scores else None,
        max_score_change=change,
        reliability=scores.reliability.model_reliability if scores else None,
        reliability_interval=scores.reliability.reliability_interval if scores else None,
        components=scores.components if scores else n,
        isolated_essays=scores.isolated_essays if scores else n,
        sparse_coverage=scores is None
        or any(r.comparison_count < _SPARSE_BELOW for r in scores.rankings),
        bt_se_inflated=scores is not None
        and scores.reliability.spread is not None
        and scores.reliability.max_se > _UNINFORMED_SHARE * scores.reliability.spread.sd,
        is_look=settled - last_look >= config.comparisons_per_stability_check_iteration
        or room == 0
        or unjudged_pairs == 0,
        callbacks_at_last_look=last_look,
        se_target_held_before=se_held,
        se_target_met=se_met,
        reliability_target_held_before=reliability_held,
        reliability_target_met=reliability_met,
        stability_passed=change is not None
        and change <= config.score_stability_threshold
        and (reliability_met or se_met)
        and settled >= config.min_comparisons_for_stability_check
        and success_rate >= config.min_success_rate_threshold,
        is_small_net=possible_pairs(n) <= budget(config, n),
        unique_coverage_complete=unjudged_pairs == 0,
        resampling_pass_count=passes,
        resampling_cap_reached=passes >= config.small_net_resampling_cap or room == 0,
        audit_pairs=scores.audit.pairs if scores else 0,
        tested_pairs=scores.audit.tested_pairs if scores else 0,
        audit_agreement=scores.audit.agreement if scores else None,
        audit_log_loss=scores.audit.log_loss if scores else None,
        audit_slope=scores.audit.slope if scores else None,
        judge_at_chance=scores.audit.at_chance if scores else False,
        signal_proven=scores.is_proven(min_reliability=config.min_reliability) if scores else False,
        log_bayes_factor=scores.audit.log_bayes_factor if scores else None,
        anchor_order=scores.anchor_order if scores else None,
        min_success_rate_threshold=config.min_success_rate_threshold,
        min_comparisons_per_essay=config.min_comparisons_per_essay,
        target_reliability=config.target_reliability,
        target_mean_se=config.target_mean_se,
        min_reliability=config.min_reliability,
        looks_to_hold=config.looks_to_hold,
    )
