"""Deciding after every wave: go on, finalise or refuse; one pure function of a frozen context."""

from __future__ import annotations

from math import exp

from assessment.domain.decision import ContinuationContext, Decision, DecisionKind, Reason
from assessment.domain.failure_cause import FailureCause

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
