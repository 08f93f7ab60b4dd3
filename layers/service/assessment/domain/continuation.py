"""The context of a decision, derived from a batch's records and its latest fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assessment.domain.batch import (
    Batch,
    budget,
    completion_denominator,
    count_reachable_pairs,
    possible_pairs,
)
from assessment.domain.batch_evidence import BatchEvidence, count_evidence
from assessment.domain.comparison import Comparison, ComparisonStatus, has_preference
from assessment.domain.config import BatchConfig
from assessment.domain.decision import ContinuationContext
from assessment.domain.failure_cause import find_common_cause
from assessment.domain.finishing import minutes_until_finish
from assessment.domain.judges_in_lists import JudgesInLists
from assessment.domain.list_judging import choose_sizes, find_largest_list
from assessment.domain.not_assessed import AssessedPart
from assessment.domain.planning import select_retries
from assessment.domain.readings import PAIR, count_in_pairs_by_essay, count_readings
from assessment.domain.result import Ranking, Scores
from assessment.domain.spending import add_spending

_SECONDS_PER_MINUTE = 60.0
# An essay whose standard error is still this close to the prior's has told us nothing.
_UNINFORMED_SHARE = 0.95
_SPARSE_BELOW = 2


@dataclass(frozen=True)
class PreviousLook:
    """What the look before this one knew."""

    rankings: list[Ranking]
    context: ContinuationContext


def compute_score_change(present: Sequence[Ranking], previous: Sequence[Ranking]) -> float:
    """The largest move of an ability between two fits, in the unit of both."""
    earlier = {ranking.essay_id: ranking.bradley_terry_score for ranking in previous}
    return max(
        (abs(r.bradley_terry_score - earlier.get(r.essay_id, 0.0)) for r in present), default=0.0
    )


def _compute_standardised_change(scores: Scores, previous: PreviousLook) -> float | None:
    """The largest move of an ability between two looks, in standard deviations of the abilities.

    In logits all abilities would move with the unit, the judges' noise. None where a look does not
    say how far abilities lie apart.
    """
    spread, earlier_sd = scores.reliability.spread, previous.context.ability_sd
    if spread is None or earlier_sd is None:
        return None
    return compute_score_change(
        _divide_scores(scores.rankings, spread.sd), _divide_scores(previous.rankings, earlier_sd)
    )


def _divide_scores(rankings: Sequence[Ranking], unit: float) -> list[Ranking]:
    return [
        ranking.model_copy(update={"bradley_terry_score": ranking.bradley_terry_score / unit})
        for ranking in rankings
    ]


def _count_looks_held(previous: PreviousLook | None) -> tuple[int, int]:
    """At how many looks in a row, up to the last one, each target was met: reliability, then SE."""
    if previous is None:
        return 0, 0
    context = previous.context
    n_looks = context.reliability_target_held_before, context.se_target_held_before
    if not context.is_look:
        return n_looks
    met = context.reliability_target_met, context.se_target_met
    return n_looks[0] + 1 if met[0] else 0, n_looks[1] + 1 if met[1] else 0


def _check_targets(scores: Scores | None, config: BatchConfig) -> tuple[bool, bool]:
    """Whether the lower limit of the reliability, and the standard error, are on target.

    Where the signal is not proven neither is: a small standard error may also mean that abilities
    hardly differ. So a signal that is proven at one look by luck ends no batch.
    """
    if scores is None or not scores.is_proven(min_reliability=config.min_reliability):
        return False, False
    reliability, wanted_se = scores.reliability, config.target_mean_se
    wanted_reliability = config.target_reliability
    return (
        wanted_reliability is not None and reliability.low >= wanted_reliability,
        wanted_se is not None
        and reliability.standardised_se is not None
        and reliability.standardised_se <= wanted_se,
    )


def _count_seen_callbacks(previous: PreviousLook | None) -> int:
    """How many callbacks the last look had seen."""
    if previous is None:
        return 0
    context = previous.context
    return context.callbacks_received if context.is_look else context.callbacks_at_last_look


def _count_silent_waves(comparisons: Sequence[Comparison], wave_number: int) -> int:
    """How many of the latest waves in a row brought no verdict at all."""
    answered_waves = {c.submitted_wave for c in comparisons if c.verdict}
    return wave_number - max(answered_waves, default=0)


def _compute_share_in_time(comparisons: Sequence[Comparison], wave_number: int) -> float:
    """The share of the latest wave that was answered, with a verdict or an error."""
    submitted = [c for c in comparisons if c.submitted_wave == wave_number]
    late = sum(1 for c in submitted if c.status is ComparisonStatus.TIMED_OUT)
    return 1.0 - late / len(submitted) if submitted else 1.0


def _count_next_wave(batch: Batch, evidence: BatchEvidence, judges: JudgesInLists) -> int:
    """How many readings another wave would pay for: new ones, and failed ones tried again."""
    config = batch.config
    sizes = choose_sizes(
        batch.judges,
        wave_number=batch.wave + 1,
        n_essays=evidence.n_essays,
        config=config,
        n_readings=evidence.n_readings_left - PAIR * evidence.n_instead,
        judges_in_lists=judges,
    )
    retries = select_retries(
        evidence.retryable,
        threshold=config.retry_pool_threshold,
        n_new_pairs=len(sizes) + evidence.n_instead,
    )
    return sum(sizes) + PAIR * evidence.n_instead + count_readings(retries)


def _find_refusal(comparisons: Sequence[Comparison]) -> str | None:
    """What the judge says of its permanent failures, in its commonest words."""
    messages = Counter(
        c.failure.message for c in comparisons if c.failure is not None and not c.failure.retryable
    )
    return min(messages, key=lambda message: (-messages[message], message)) if messages else None


def _count_minutes_left(batch: Batch, now: datetime) -> float | None:
    minutes = [minutes_until_finish(batch.config, now=now)]
    if batch.config.max_minutes is not None:
        age = (now - batch.created_at).total_seconds() / _SECONDS_PER_MINUTE
        minutes.append(batch.config.max_minutes - age)
    return min((each for each in minutes if each is not None), default=None)


def _describe_evidence(batch: Batch, evidence: BatchEvidence) -> dict[str, Any]:
    comparisons, config = evidence.comparisons, batch.config
    in_time = _compute_share_in_time(comparisons, batch.wave)
    return {
        "n_essays": evidence.n_essays,
        "pairs_submitted": len(comparisons),
        "callbacks_received": evidence.n_settled,
        "successes": evidence.n_recorded,
        "failures": evidence.n_failed,
        "outstanding": evidence.n_pending,
        "partial_completion_met": in_time >= config.partial_completion,
        "waves_without_verdict": _count_silent_waves(comparisons, batch.wave),
        "retryable_failures": len(evidence.retryable),
        "permanent_failures": sum(
            1 for c in comparisons if c.failure is not None and not c.failure.retryable
        ),
        "refusal": _find_refusal(comparisons),
        "failure_cause": find_common_cause(comparisons),
        "success_rate": evidence.success_rate,
        "zero_successes": evidence.n_recorded == 0,
        "all_ties": evidence.n_recorded > 0 and not has_preference(comparisons),
    }


def _describe_caps(
    batch: Batch,
    part: AssessedPart,
    evidence: BatchEvidence,
    judges: JudgesInLists,
    now: datetime,
) -> dict[str, Any]:
    config, n = batch.config, evidence.n_essays
    cost = add_spending(c.spent for c in (*evidence.comparisons, *part.set_aside)).cost_usd
    next_wave = _count_next_wave(batch, evidence, judges)
    n_read = count_readings(c for c in evidence.comparisons if c.verdict)
    list_size = find_largest_list(batch.judges)
    reachable = count_reachable_pairs(config, n, list_size=list_size)
    cost_left = None if config.max_cost_usd is None else config.max_cost_usd - cost
    return {
        "completion_denominator": completion_denominator(config, n, list_size=list_size),
        "readings_budget": PAIR * budget(config, n) if list_size > PAIR else None,
        "max_possible_pairs": possible_pairs(n),
        "pairs_remaining": min(evidence.n_readings_left // PAIR, evidence.n_unjudged_pairs),
        "waves_remaining": config.max_waves - batch.wave,
        "cost_usd": cost,
        "cost_remaining_usd": cost_left,
        "next_wave_cost_usd": cost / n_read * next_wave if n_read else None,
        "minutes_remaining": _count_minutes_left(batch, now),
        "is_small_net": possible_pairs(n) <= reachable,
        "unique_coverage_complete": evidence.n_unjudged_pairs == 0,
        "resampling_pass_count": evidence.n_passes,
        "resampling_cap_reached": evidence.n_passes >= config.small_net_resampling_cap
        or evidence.n_readings_left < PAIR
        or (evidence.n_unjudged_pairs == 0 and not evidence.may_repeat),
    }


def _describe_fit(
    scores: Scores | None, config: BatchConfig, n_essays: int, comparisons: Sequence[Comparison]
) -> dict[str, Any]:
    """The fit's figures; without one every essay is on its own."""
    if scores is None:
        return {
            "min_comparison_count": 0,
            "components": n_essays,
            "isolated_essays": n_essays,
            "sparse_coverage": True,
        }
    n_judged = count_in_pairs_by_essay(c for c in comparisons if c.verdict)
    counts = [n_judged.get(ranking.essay_id, 0) for ranking in scores.rankings]
    reliability, spread = scores.reliability, scores.reliability.spread
    return {
        "min_comparison_count": min(counts, default=0),
        "mean_se": reliability.mean_se,
        "max_se": reliability.max_se,
        "ability_sd": None if spread is None else spread.sd,
        "standardised_se": reliability.standardised_se,
        "reliability": reliability.model_reliability,
        "reliability_interval": reliability.reliability_interval,
        "components": scores.components,
        "isolated_essays": scores.isolated_essays,
        "sparse_coverage": any(count < _SPARSE_BELOW for count in counts),
        "bt_se_inflated": spread is not None and reliability.max_se > _UNINFORMED_SHARE * spread.sd,
        "audit_pairs": scores.audit.pairs,
        "tested_pairs": scores.audit.tested_pairs,
        "audit_agreement": scores.audit.agreement,
        "audit_log_loss": scores.audit.log_loss,
        "audit_slope": scores.audit.slope,
        "judge_at_chance": scores.audit.at_chance,
        "signal_proven": scores.is_proven(min_reliability=config.min_reliability),
        "log_bayes_factor": scores.audit.log_bayes_factor,
        "anchor_order": scores.anchor_order,
    }


def _describe_look(
    config: BatchConfig,
    evidence: BatchEvidence,
    scores: Scores | None,
    previous: PreviousLook | None,
) -> dict[str, Any]:
    """Whether this is a look at the targets, and what it and those before it saw."""
    change = _compute_standardised_change(scores, previous) if scores and previous else None
    reliability_met, se_met = _check_targets(scores, config)
    reliability_held, se_held = _count_looks_held(previous)
    n_seen_callbacks = _count_seen_callbacks(previous)
    n_new_callbacks = evidence.n_settled - n_seen_callbacks
    n_in_pairs = evidence.n_settled_in_pairs
    worth = n_in_pairs / max(evidence.n_settled, 1)
    stable = change is not None and change <= config.score_stability_threshold
    enough = (
        n_in_pairs >= config.min_comparisons_for_stability_check
        and evidence.success_rate >= config.min_success_rate_threshold
    )
    return {
        "max_score_change": change,
        "is_look": n_new_callbacks * worth >= config.comparisons_per_stability_check_iteration
        or evidence.n_readings_left < PAIR
        or evidence.n_unjudged_pairs == 0,
        "callbacks_at_last_look": n_seen_callbacks,
        "se_target_held_before": se_held,
        "se_target_met": se_met,
        "reliability_target_held_before": reliability_held,
        "reliability_target_met": reliability_met,
        "stability_passed": stable and (reliability_met or se_met) and enough,
    }


_THRESHOLDS = {
    "min_success_rate_threshold",
    "min_comparisons_per_essay",
    "target_reliability",
    "target_mean_se",
    "min_reliability",
    "looks_to_hold",
}
"""Settings that a decision depends on, stored with it."""


def build_context(
    batch: Batch,
    part: AssessedPart,
    scores: Scores | None,
    previous: PreviousLook | None,
    *,
    now: datetime,
) -> ContinuationContext:
    """Everything `decide` may look at; `scores` is None when there is no verdict to fit."""
    before = JudgesInLists.from_context(previous.context if previous else None, batch.judges)
    judges = before.learn(scores.list_sharpness) if scores else before
    judges = judges.notice_failures(part.comparisons, batch.judges)
    evidence = count_evidence(batch, part, judges, now=now)
    return ContinuationContext(
        wave=batch.wave,
        batch_ended=batch.is_final,
        n_not_assessed=len(part.not_assessed),
        **_describe_evidence(batch, evidence),
        blunt_judges=tuple(sorted(judges.blunt)),
        settled_judges=tuple(sorted(judges.settled)),
        suspected_judges=tuple(sorted(judges.suspected)),
        newly_blunt_judges=tuple(sorted(judges.blunt - before.blunt)),
        listless_judges=tuple(sorted(judges.listless)),
        newly_listless_judges=tuple(sorted(judges.listless - before.listless)),
        **_describe_caps(batch, part, evidence, judges, now),
        **_describe_fit(scores, batch.config, evidence.n_essays, evidence.comparisons),
        **_describe_look(batch.config, evidence, scores, previous),
        **batch.config.model_dump(include=_THRESHOLDS),
    )
