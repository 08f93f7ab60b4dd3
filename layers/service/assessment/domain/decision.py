"""Deciding after every wave: go on, finalise or refuse; one pure function of a frozen context."""

from __future__ import annotations

from enum import StrEnum
from math import exp
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

    # waiting and going on
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


# One wave without a verdict may be an outage; after two a third is not worth its cost.
_MOST_WAVES_WITHOUT_VERDICT = 2

# None of m verdicts prefers an essay: with 95% confidence less than 3/m of such verdicts would
# (rule of three, Hanley & Lippman-Hand 1983), here one in twenty.
_TIES_THAT_SUFFICE = 60


def _finalise(reason: Reason, explanation: str) -> Decision:
    return Decision(decision=DecisionKind.FINALIZE_SCORING, reason=reason, explanation=explanation)


def _request_more(reason: Reason, explanation: str) -> Decision:
    return Decision(
        decision=DecisionKind.REQUEST_MORE_COMPARISONS, reason=reason, explanation=explanation
    )


def _refuse(reason: Reason, explanation: str, cause: FailureCause | None = None) -> Decision:
    """A refusal, with the cause that most failures share."""
    return Decision(
        decision=DecisionKind.FINALIZE_FAILURE,
        reason=reason,
        explanation=f"{explanation}; {cause.description}" if cause else explanation,
    )


def _find_spent_cap(context: ContinuationContext) -> Decision | None:
    """The cap that ends the batch, if one does; caps of money and time before those of pairs."""
    if context.cost_remaining_usd is not None and context.cost_remaining_usd <= (
        context.next_wave_cost_usd or 0.0
    ):
        return _finalise(Reason.COST_CAP, "another wave would cost more than the limit allows")
    if context.minutes_remaining is not None and context.minutes_remaining <= 0:
        return _finalise(Reason.TIME_CAP, "the time limit has passed")
    no_pairs_left = _find_spent_pairs(context)
    if no_pairs_left is not None:
        return no_pairs_left
    if context.waves_remaining <= 0:
        return _finalise(Reason.WAVES_EXHAUSTED, "the last allowed wave was scored")
    return None


def _find_spent_pairs(context: ContinuationContext) -> Decision | None:
    """The end of the budget, or of all pairs that there are, if nothing is left to retry."""
    if context.pairs_remaining > 0 or context.retryable_failures > 0:
        return None
    # With lists all pairs may have been in reach and yet not all have met.
    is_cut_short = context.readings_budget is not None and not context.unique_coverage_complete
    if context.completion_denominator < context.max_possible_pairs or is_cut_short:
        return _finalise(
            Reason.BUDGET_EXHAUSTED,
            f"all {_describe_budget(context)} of the budget were made",
        )
    if context.is_small_net and not context.resampling_cap_reached:
        return None
    return _finalise(
        Reason.SMALL_NET_SATURATED if context.is_small_net else Reason.DENOMINATOR_REACHED,
        f"every one of the {context.max_possible_pairs} pairs was judged",
    )


def _describe_budget(context: ContinuationContext) -> str:
    if context.readings_budget is None:
        return f"{context.completion_denominator} comparisons"
    return f"{context.readings_budget} readings of essays"


def _find_sufficient_evidence(context: ContinuationContext) -> Decision | None:
    """The evidence that ends the batch early, if it suffices."""
    if not _may_end_early(context):
        return None
    if context.stability_passed:
        return _finalise(
            Reason.STABLE,
            "abilities moved less than the threshold and a target of precision is met",
        )
    n_looks = context.reliability_target_held_before + 1
    if context.reliability_target_met and n_looks >= context.looks_to_hold:
        return _finalise(
            Reason.RELIABILITY_TARGET_MET,
            f"the lower limit of the reliability met its target at {n_looks} looks in a row",
        )
    n_looks = context.se_target_held_before + 1
    if context.se_target_met and n_looks >= context.looks_to_hold:
        return _finalise(
            Reason.SE_TARGET_MET,
            f"the standard error met its target at {n_looks} looks in a row",
        )
    return None


def _may_end_early(context: ContinuationContext) -> bool:
    """Whether this is a look at the targets, with enough comparisons of every essay.

    While the signal is not proven only a cap ends the batch, and the outcome says so.
    """
    return (
        context.is_look
        and context.partial_completion_met
        and context.signal_proven
        and context.min_comparison_count >= context.min_comparisons_per_essay
    )


def _find_refusal(context: ContinuationContext) -> Decision | None:
    """What forbids a result, whatever else is reached: the refusal, or None."""
    if context.zero_successes:
        return _refuse_without_verdicts(context)
    if context.success_rate < context.min_success_rate_threshold:
        return _refuse(
            Reason.SUCCESS_RATE,
            f"only {context.success_rate:.0%} of the comparisons brought a verdict; "
            f"{context.min_success_rate_threshold:.0%} are needed",
            context.failure_cause,
        )
    if context.all_ties:
        return _refuse_ties(context)
    if context.components > 1:
        return _refuse(
            Reason.DISCONNECTED,
            f"the essays fall into {context.components} groups that were never compared",
        )
    return None


def _refuse_without_verdicts(context: ContinuationContext) -> Decision:
    if context.permanent_failures == context.failures > 0:
        reported = f": {context.refusal}" if context.refusal else ""
        return _refuse(
            Reason.JUDGE_REFUSED, f"the judge refused every comparison for good{reported}"
        )
    return _refuse(Reason.ZERO_SUCCESSES, "no comparison brought a verdict", context.failure_cause)


def _refuse_ties(context: ContinuationContext) -> Decision:
    return _refuse(
        Reason.ALL_TIES,
        f"all {context.successes} verdicts are ties: they put no essay above another",
    )


def _refuse_chance(context: ContinuationContext) -> Decision:
    odds = (
        "" if context.log_bayes_factor is None else f" {exp(-context.log_bayes_factor):,.0f} times"
    )
    return _refuse(
        Reason.JUDGE_AT_CHANCE,
        f"{context.successes} verdicts are{odds} likelier from a judge who ignores the essays than "
        "from one who orders them even weakly",
    )


def decide(context: ContinuationContext) -> Decision:
    """What to do after a wave.

    The order is the rule: an ended batch is not changed; outstanding callbacks are awaited until
    the deadline; a judge that refuses everything, or whose verdicts are evidence of no signal, ends
    the batch at once; then sufficient evidence or a spent cap ends it, unless something forbids a
    result: then sufficient evidence asks for more comparisons, and a spent cap is a failure;
    otherwise more comparisons are requested. A judge is never refused because a signal is not
    proven: that batch goes on to a cap and its result says what is not known.
    """
    return (
        _find_nothing_to_do(context)
        or _find_useless_judge(context)
        or _find_end(context)
        or _describe_need(context)
    )


def _find_nothing_to_do(context: ContinuationContext) -> Decision | None:
    if context.batch_ended:
        return Decision(
            decision=DecisionKind.NO_OP,
            reason=Reason.BATCH_ENDED,
            explanation="the batch has already ended",
        )
    if context.outstanding > 0 and not context.deadline_passed:
        return Decision(
            decision=DecisionKind.WAIT_FOR_CALLBACKS,
            reason=Reason.CALLBACKS_OUTSTANDING,
            explanation=f"{context.outstanding} callbacks are outstanding",
        )
    return None


def _find_useless_judge(context: ContinuationContext) -> Decision | None:
    """The refusal of a judge that gives no verdicts, only ties, or evidence of no signal."""
    is_silent = context.zero_successes and (
        context.retryable_failures == 0
        or context.waves_without_verdict >= _MOST_WAVES_WITHOUT_VERDICT
    )
    if is_silent:
        return _refuse_without_verdicts(context)
    if context.all_ties and context.successes >= _TIES_THAT_SUFFICE:
        return _refuse_ties(context)
    return _refuse_chance(context) if context.judge_at_chance else None


def _find_end(context: ContinuationContext) -> Decision | None:
    """The end of the batch, with a result or a refusal; None while it goes on."""
    spent_cap = _find_spent_cap(context)
    end = _find_sufficient_evidence(context) or spent_cap
    if end is None:
        return None
    refusal = _find_refusal(context)
    if refusal is None:
        return end
    return refusal if spent_cap else None


def _describe_need(context: ContinuationContext) -> Decision:
    """What more comparisons are needed for."""
    if context.newly_blunt_judges:
        return _request_more(
            Reason.LISTS_TOO_BLUNT,
            f"{', '.join(context.newly_blunt_judges)} tells essays apart much less sharply in "
            "lists than in pairs: from now on it is asked for pairs; its lists are kept",
        )
    if context.newly_listless_judges:
        return _request_more(
            Reason.LISTS_UNANSWERED,
            f"{', '.join(context.newly_listless_judges)} answers pairs and gave no verdict on any "
            "list: from now on it is asked for pairs",
        )
    if context.components > 1 and not context.all_ties:
        return _request_more(Reason.CONNECT_COMPONENTS, "some essays are not connected yet")
    if context.pairs_remaining <= 0 and context.retryable_failures > 0:
        return _request_more(
            Reason.RETRY_FAILED_COMPARISONS,
            f"{context.retryable_failures} failed comparisons are submitted again",
        )
    return _request_more(Reason.EVIDENCE_NOT_SUFFICIENT, "the abilities are not precise enough yet")
