"""The decision after a wave: every gate, every cap, and which of two rules wins."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest

from assessment.domain.decision import ContinuationContext, DecisionKind, Reason
from assessment.domain.decision_rules import decide

WAIT, MORE = DecisionKind.WAIT_FOR_CALLBACKS, DecisionKind.REQUEST_MORE_COMPARISONS
DONE, REFUSE = DecisionKind.FINALIZE_SCORING, DecisionKind.FINALIZE_FAILURE

# A healthy batch in its middle: nothing ends it, nothing is wrong with it.
HEALTHY: dict[str, Any] = {
    "wave": 2,
    "n_essays": 20,
    "pairs_submitted": 80,
    "callbacks_received": 80,
    "successes": 80,
    "failures": 0,
    "outstanding": 0,
    "success_rate": 1.0,
    "zero_successes": False,
    "min_comparison_count": 8,
    "completion_denominator": 150,
    "max_possible_pairs": 190,
    "pairs_remaining": 70,
    "waves_remaining": 10,
    "mean_se": 0.9,
    "max_se": 1.0,
    "max_score_change": 0.5,
    "reliability": 0.8,
    "audit_pairs": 40,
    "tested_pairs": 60,
    "signal_proven": True,
    "min_success_rate_threshold": 0.8,
    "min_comparisons_per_essay": 6,
    "looks_to_hold": 2,
}


def context(*changes: dict[str, Any]) -> ContinuationContext:
    values = dict(HEALTHY)
    for change in changes:
        values |= change
    return ContinuationContext(**values)


ENDED = {"batch_ended": True}
OUTSTANDING = {"outstanding": 3, "deadline_passed": False}
REFUSED = {
    "successes": 0, "failures": 80, "permanent_failures": 80, "success_rate": 0.0,
    "zero_successes": True, "min_comparison_count": 0, "components": 20,
}  # fmt: skip
NO_VERDICT = {**REFUSED, "permanent_failures": 10}
CHANCE = {"judge_at_chance": True, "signal_proven": False, "log_bayes_factor": -3.2}
TIES = {"all_ties": True, "signal_proven": False, "min_comparison_count": 0, "components": 20}
FEW_TIES = {**TIES, "successes": 59}
UNPROVEN = {"signal_proven": False, "log_bayes_factor": -2.0}
STABLE = {"stability_passed": True, "se_target_met": True, "mean_se": 0.3}
TARGET_HELD = {"se_target_met": True, "se_target_held_before": 1, "mean_se": 0.3}
RELIABLE = {"reliability_target_met": True, "reliability_target_held_before": 1}
COST = {"cost_usd": 9.5, "cost_remaining_usd": 0.5, "next_wave_cost_usd": 0.6}
TIME = {"minutes_remaining": -1.0}
BUDGET = {"pairs_remaining": 0}
SATURATED = {
    "pairs_remaining": 0, "completion_denominator": 190, "is_small_net": True,
    "unique_coverage_complete": True, "resampling_cap_reached": True,
}  # fmt: skip
WAVES = {"waves_remaining": 0}
LOW_SUCCESS = {"success_rate": 0.7}
DISCONNECTED = {"components": 2}

# In the order of precedence: a rule wins over every rule below it.
LADDER = [
    ("ended", ENDED, DecisionKind.NO_OP, Reason.BATCH_ENDED),
    ("outstanding", OUTSTANDING, WAIT, Reason.CALLBACKS_OUTSTANDING),
    ("refused", REFUSED, REFUSE, Reason.JUDGE_REFUSED),
    ("ties", TIES, REFUSE, Reason.ALL_TIES),
    ("chance", CHANCE, REFUSE, Reason.JUDGE_AT_CHANCE),
    ("stable", STABLE, DONE, Reason.STABLE),
    ("reliable", RELIABLE, DONE, Reason.RELIABILITY_TARGET_MET),
    ("target held", TARGET_HELD, DONE, Reason.SE_TARGET_MET),
    ("cost", COST, DONE, Reason.COST_CAP),
    ("time", TIME, DONE, Reason.TIME_CAP),
    ("budget", BUDGET, DONE, Reason.BUDGET_EXHAUSTED),
    ("waves", WAVES, DONE, Reason.WAVES_EXHAUSTED),
]


@pytest.mark.parametrize(
    ("name", "change", "kind", "reason"), LADDER, ids=[entry[0] for entry in LADDER]
)
def test_each_rule_alone(
    name: str, change: dict[str, Any], kind: DecisionKind, reason: Reason
) -> None:
    decision = decide(context(change))
    assert (decision.decision, decision.reason) == (kind, reason)


def test_lists_that_leave_pairs_unjudged_end_by_the_budget() -> None:
    lists = {**SATURATED, "readings_budget": 240}
    assert decide(context(lists)).reason is Reason.SMALL_NET_SATURATED
    decision = decide(context({**lists, "unique_coverage_complete": False}))
    assert decision.reason is Reason.BUDGET_EXHAUSTED
    assert "all 240 readings of essays of the budget" in decision.explanation


def test_the_decision_names_who_is_asked_for_pairs_because_its_lists_fail() -> None:
    decision = decide(context({"listless_judges": ("j",), "newly_listless_judges": ("j",)}))
    assert (decision.decision, decision.reason) == (MORE, Reason.LISTS_UNANSWERED)
    assert decision.explanation.startswith("j answers pairs and gave no verdict on any list")
    assert "lists" not in decide(context({"listless_judges": ("j",)})).explanation


PAIRS = [
    (higher, lower)
    for higher, lower in combinations(LADDER, 2)
    # Without a verdict, or with ties alone, there is no estimate that could be stable, on target
    # or at chance.
    if not (
        higher[0] in ("refused", "ties")
        and lower[0] in ("ties", "chance", "stable", "reliable", "target held")
    )
]


@pytest.mark.parametrize(
    ("higher", "lower"), PAIRS, ids=[f"{high[0]} over {low[0]}" for high, low in PAIRS]
)
def test_pairwise_precedence(higher: Any, lower: Any) -> None:
    # The higher rule's fields come last: where both set one, the higher rule must hold.
    decision = decide(context(lower[1], higher[1]))
    assert (decision.decision, decision.reason) == (higher[2], higher[3])


def test_healthy_batch_goes_on() -> None:
    decision = decide(context())
    assert (decision.decision, decision.reason) == (MORE, Reason.EVIDENCE_NOT_SUFFICIENT)


GATES = [
    ("no verdict", {**NO_VERDICT, "retryable_failures": 5}, Reason.ZERO_SUCCESSES),
    ("success rate", LOW_SUCCESS, Reason.SUCCESS_RATE),
    ("ties", FEW_TIES, Reason.ALL_TIES),
    ("disconnected", DISCONNECTED, Reason.DISCONNECTED),
]
CAPS = [("cost", COST), ("time", TIME), ("budget", BUDGET), ("waves", WAVES)]


@pytest.mark.parametrize(("cap_name", "cap"), CAPS, ids=[cap[0] for cap in CAPS])
@pytest.mark.parametrize(("gate_name", "gate", "reason"), GATES, ids=[gate[0] for gate in GATES])
def test_cap_behind_a_failed_gate_is_a_failure(
    gate_name: str, gate: dict[str, Any], reason: Reason, cap_name: str, cap: dict[str, Any]
) -> None:
    change = {**gate, **cap}
    if cap_name == "budget":
        change["retryable_failures"] = 0
    decision = decide(context(change))
    assert (decision.decision, decision.reason) == (REFUSE, reason)


@pytest.mark.parametrize("enough", [STABLE, TARGET_HELD, RELIABLE])
@pytest.mark.parametrize("gate", [LOW_SUCCESS, DISCONNECTED])
def test_sufficient_evidence_behind_a_failed_gate_asks_for_more(
    enough: dict[str, Any], gate: dict[str, Any]
) -> None:
    assert decide(context(enough, gate)).decision is MORE


def test_order_of_the_gates() -> None:
    assert decide(context(WAVES, LOW_SUCCESS, DISCONNECTED)).reason is Reason.SUCCESS_RATE


def test_a_few_ties_ask_for_more() -> None:
    decision = decide(context(FEW_TIES))
    assert (decision.decision, decision.reason) == (MORE, Reason.EVIDENCE_NOT_SUFFICIENT)


def test_no_verdict_and_nothing_to_retry_ends_at_once() -> None:
    assert decide(context(NO_VERDICT)).reason is Reason.ZERO_SUCCESSES
    retrying = decide(context(NO_VERDICT, {"retryable_failures": 4}))
    assert retrying.decision is MORE


@pytest.mark.parametrize("enough", [STABLE, TARGET_HELD, RELIABLE])
def test_precision_without_a_proven_signal_ends_no_batch_early(enough: dict[str, Any]) -> None:
    assert decide(context(enough, UNPROVEN)).decision is MORE


@pytest.mark.parametrize(("cap_name", "cap"), CAPS, ids=[cap[0] for cap in CAPS])
def test_an_unproven_signal_is_no_failure_at_a_cap(cap_name: str, cap: dict[str, Any]) -> None:
    del cap_name
    assert decide(context(UNPROVEN, cap)).decision is DONE
    assert decide(context(CHANCE, cap)).reason is Reason.JUDGE_AT_CHANCE


@pytest.mark.parametrize("held_before", [0, 1])
@pytest.mark.parametrize("looks", [1, 2])
def test_targets_are_held_each_for_itself(*, held_before: int, looks: int) -> None:
    # One target at the look before and the other one now are not one target at two looks.
    changed = {
        "se_target_held_before": held_before, "se_target_met": False,
        "reliability_target_met": True, "looks_to_hold": looks,
    }  # fmt: skip
    decision = decide(context(changed))
    assert decision.decision is (DONE if looks == 1 else MORE)


@pytest.mark.parametrize(
    ("held_before", "on_target", "looks", "expected"),
    [
        (0, True, 1, DONE),
        (0, True, 2, MORE),
        (1, True, 2, DONE),
        (1, False, 2, MORE),
        (2, True, 4, MORE),
        (3, True, 4, DONE),
    ],
)
def test_target_must_hold_for_consecutive_looks(
    held_before: int, *, on_target: bool, looks: int, expected: DecisionKind
) -> None:
    changed = {
        "se_target_held_before": held_before, "se_target_met": on_target, "looks_to_hold": looks,
    }  # fmt: skip
    assert decide(context(changed)).decision is expected


@pytest.mark.parametrize("enough", [STABLE, TARGET_HELD])
def test_no_early_end_below_the_least_comparisons_per_essay(enough: dict[str, Any]) -> None:
    assert decide(context(enough, {"min_comparison_count": 5})).decision is MORE
    assert decide(context(enough, {"min_comparison_count": 6})).decision is DONE


@pytest.mark.parametrize(
    ("remaining", "next_wave", "expected"),
    [(1.0, 0.9, MORE), (1.0, 1.0, DONE), (0.5, 1.0, DONE), (0.5, None, MORE), (0.0, None, DONE)],
)
def test_money_cap_stops_before_it_is_passed(
    remaining: float, next_wave: float | None, expected: DecisionKind
) -> None:
    changed = {"cost_remaining_usd": remaining, "next_wave_cost_usd": next_wave}
    assert decide(context(changed)).decision is expected


@pytest.mark.parametrize(
    ("changed", "kind", "reason"),
    [
        (SATURATED, DONE, Reason.SMALL_NET_SATURATED),
        ({**SATURATED, "resampling_cap_reached": False}, MORE, Reason.EVIDENCE_NOT_SUFFICIENT),
        ({**SATURATED, "is_small_net": False}, DONE, Reason.DENOMINATOR_REACHED),
        ({**BUDGET, "retryable_failures": 3}, MORE, Reason.RETRY_FAILED_COMPARISONS),
        ({"components": 3}, MORE, Reason.CONNECT_COMPONENTS),
        (
            {**SATURATED, "resampling_cap_reached": False, **WAVES},
            DONE,
            Reason.WAVES_EXHAUSTED,
        ),
        (
            {**SATURATED, "resampling_cap_reached": False, **TIME},
            DONE,
            Reason.TIME_CAP,
        ),
    ],
)
def test_small_nets_and_retries(
    changed: dict[str, Any], kind: DecisionKind, reason: Reason
) -> None:
    decision = decide(context(changed))
    assert (decision.decision, decision.reason) == (kind, reason)


def test_deadline_ends_the_waiting() -> None:
    assert decide(context({"outstanding": 3, "deadline_passed": True})).decision is MORE


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (OUTSTANDING, "3 callbacks"),
        ({**LOW_SUCCESS, **WAVES}, "only 70% .* 80% are needed"),
        ({**DISCONNECTED, **WAVES}, "2 groups"),
        (CHANCE, "80 verdicts are 25 times likelier"),
        (TARGET_HELD, "standard error .* 2 looks"),
        (RELIABLE, "reliability .* 2 looks"),
        (BUDGET, "150 comparisons"),
        (SATURATED, "190 pairs"),
    ],
)
def test_explanation_carries_the_numbers(changed: dict[str, Any], words: str) -> None:
    assert re.search(words, decide(context(changed)).explanation)


def test_context_survives_its_storage() -> None:
    stored = context(COST, STABLE)
    assert ContinuationContext.model_validate_json(stored.model_dump_json()) == stored
