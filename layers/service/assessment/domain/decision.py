"""Decisions after a wave: their kinds and reasons, and all that they may depend on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.failure_cause import FailureCause


class DecisionKind(StrEnum):
    """What the state machine does next."""

    WAIT_FOR_CALLBACKS = "WAIT_FOR_CALLBACKS"
    REQUEST_MORE_COMPARISONS = "REQUEST_MORE_COMPARISONS"
    FINALIZE_SCORING = "FINALIZE_SCORING"
    FINALIZE_FAILURE = "FINALIZE_FAILURE"
    NO_OP = "NO_OP"


class Reason(StrEnum):
    """Why."""

    # waiting (no execution decides it: the wave's task token waits until the deadline), going on
    CALLBACKS_OUTSTANDING = "callbacks_outstanding"
    EVIDENCE_NOT_SUFFICIENT = "evidence_not_sufficient"
    RETRY_FAILED_COMPARISONS = "retry_failed_comparisons"
    CONNECT_COMPONENTS = "connect_components"
    LISTS_TOO_BLUNT = "lists_too_blunt"
    LISTS_UNANSWERED = "lists_unanswered"
    # finishing
    STABLE = "stable"
    RELIABILITY_TARGET_MET = "reliability_target_met"
    SE_TARGET_MET = "se_target_met"
    DENOMINATOR_REACHED = "denominator_reached"
    BUDGET_EXHAUSTED = "budget_exhausted"
    WAVES_EXHAUSTED = "waves_exhausted"
    COST_CAP = "cost_cap"
    TIME_CAP = "time_cap"
    SMALL_NET_SATURATED = "small_net_saturated"
    # refusing
    SUCCESS_RATE = "success_rate"
    ALL_TIES = "all_ties"
    ZERO_SUCCESSES = "zero_successes"
    JUDGE_AT_CHANCE = "judge_at_chance"
    JUDGE_REFUSED = "judge_refused"
    DISCONNECTED = "disconnected"
    # nothing to do
    BATCH_ENDED = "batch_ended"


class Decision(BaseModel):
    """A decision with its typed reason and the reason in words."""

    model_config = ConfigDict(frozen=True)

    decision: DecisionKind
    reason: Reason
    explanation: str


class ContinuationContext(BaseModel):
    """All that a decision may depend on; stored beside every decision, so it can be audited.

    `mean_se`, `max_se` and `ability_sd` are in logits; `standardised_se`, `target_mean_se` and
    `max_score_change` in standard deviations of the abilities, which further verdicts do not
    stretch; shares and rates between 0 and 1.
    """

    model_config = ConfigDict(frozen=True)

    wave: int
    batch_ended: bool = False
    n_essays: int
    n_not_assessed: int = 0

    # evidence
    pairs_submitted: int
    callbacks_received: int
    successes: int
    failures: int
    outstanding: int
    deadline_passed: bool = True
    partial_completion_met: bool = True
    retryable_failures: int = 0
    permanent_failures: int = 0
    refusal: str | None = None
    failure_cause: FailureCause | None = None
    success_rate: float
    zero_successes: bool
    all_ties: bool = False
    waves_without_verdict: int = 0
    min_comparison_count: int

    # caps and what is left of them
    completion_denominator: int
    max_possible_pairs: int
    pairs_remaining: int
    readings_budget: Annotated[int | None, Field(exclude_if=lambda value: value is None)] = None
    waves_remaining: int
    cost_usd: float = 0.0
    cost_remaining_usd: float | None = None
    next_wave_cost_usd: float | None = None
    minutes_remaining: float | None = None

    # fit
    mean_se: float | None = None
    max_se: float | None = None
    ability_sd: float | None = None
    standardised_se: float | None = None
    max_score_change: float | None = None
    reliability: float | None = None
    reliability_interval: tuple[float, float] | None = None
    components: int = 1
    isolated_essays: int = 0
    sparse_coverage: bool = False
    bt_se_inflated: bool = False
    is_look: bool = True
    callbacks_at_last_look: int = 0
    se_target_held_before: int = 0
    stability_passed: bool = False
    se_target_met: bool = False
    reliability_target_held_before: int = 0
    reliability_target_met: bool = False

    # small nets
    is_small_net: bool = False
    unique_coverage_complete: bool = False
    resampling_pass_count: int = 0
    resampling_cap_reached: bool = False

    # what the verdicts say of the judge: evidence for no signal, enough for grades, or neither
    judge_at_chance: bool = False
    signal_proven: bool = False
    log_bayes_factor: float | None = None

    # audit
    audit_pairs: int = 0
    tested_pairs: int = 0
    audit_agreement: float | None = None
    audit_log_loss: float | None = None
    audit_slope: float | None = None

    # judges who are asked for pairs only because they are blunt in lists, those of whom it is known
    # how sharp they are in lists, those who are likely blunt, and those who turned out blunt in
    # this wave
    blunt_judges: Annotated[tuple[str, ...], Field(exclude_if=lambda value: not value)] = ()
    settled_judges: Annotated[tuple[str, ...], Field(exclude_if=lambda value: not value)] = ()
    suspected_judges: Annotated[tuple[str, ...], Field(exclude_if=lambda value: not value)] = ()
    newly_blunt_judges: Annotated[tuple[str, ...], Field(exclude_if=lambda value: not value)] = ()

    # judges who are asked for pairs only because they answer pairs and none of their lists, and
    # those of whom this wave told so
    listless_judges: Annotated[tuple[str, ...], Field(exclude_if=lambda value: not value)] = ()
    newly_listless_judges: Annotated[
        tuple[str, ...], Field(exclude_if=lambda value: not value)
    ] = ()

    # rank correlation of the anchors' abilities with their grades; None with fewer than two grades
    anchor_order: float | None = None

    # thresholds the decision used
    min_success_rate_threshold: float
    min_comparisons_per_essay: int
    target_reliability: float | None = None
    target_mean_se: float | None = None
    min_reliability: float = 0.0
    looks_to_hold: int
