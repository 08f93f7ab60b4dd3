"""The numbers a decision is made from, counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.comparison import Comparison, ComparisonStatus, JudgeFailure
from assessment.domain.config import BatchConfig
from assessment.domain.continuation import (
    PreviousLook,
    build_context,
    compute_score_change,
)
from assessment.domain.decision import ContinuationContext
from assessment.domain.not_assessed import split_assessed
from assessment.domain.result import AbilitySpread, AuditReport, Ranking, Reliability, Scores
from assessment.domain.verdict import Verdict, Winner

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
S = ComparisonStatus


def batch(wave: int = 1, n: int = 10, **config: Any) -> Batch:
    return Batch(
        batch_id="b",
        status=BatchStatus.SCORING,
        correlation_id="c",
        config=BatchConfig(**config),
        config_sources={},
        seed=1,
        request_sha256="r",
        essays=n,
        wave=wave,
        created_at=NOW - timedelta(minutes=10),
        updated_at=NOW,
    )


def make_comparison(at: int, status: S = S.RECORDED, *, wave: int = 1, **fields: Any) -> Comparison:
    verdict = Verdict(winner=Winner.FIRST, judge="j", cost_usd=0.5)
    retryable = fields.pop("retryable", True)
    failure = JudgeFailure(code="x", message="y", retryable=retryable)
    return Comparison(
        comparison_id=f"w{wave:03d}-{at:05d}",
        wave=wave,
        submitted_wave=wave,
        first=fields.pop("first", f"e{at % 10}"),
        second=fields.pop("second", f"e{(at + 1 + at // 10) % 10}"),
        status=status,
        verdict=verdict if status is S.RECORDED else None,
        failure=failure if status in (S.FAILED, S.TIMED_OUT) else None,
        **fields,
    )


def ranking(essay: str, score: float, count: int = 4) -> Ranking:
    return Ranking(
        rank=1, essay_id=essay, bradley_terry_score=score, bradley_terry_se=0.5,
        comparison_count=count, is_anchor=False,
    )  # fmt: skip


def scores(
    standardised_se: float = 0.25,
    *,
    values: dict[str, float] | None = None,
    sd: float = 2.0,
    low: float = 0.8,
    evidence: float | None = 2.4,
    **fields: Any,
) -> Scores:
    given = values or {"e0": 1.0, "e1": -1.0}
    return Scores(
        rankings=[ranking(essay, value) for essay, value in given.items()],
        reliability=Reliability(
            model_reliability=0.9,
            reliability_interval=(low, 0.95),
            spread=AbilitySpread(sd=sd, interval=(sd / 2, sd * 2), is_assumed=False),
            mean_se=standardised_se * sd,
            max_se=0.7,
            standardised_se=standardised_se,
        ),
        order_effects=[],
        audit=AuditReport(pairs=3, log_bayes_factor=evidence),
        components=1,
        isolated_essays=0,
        **fields,
    )


def make_look(context: ContinuationContext, values: dict[str, float] | None = None) -> PreviousLook:
    given = values or {"e0": 1.0, "e1": -1.0}
    return PreviousLook([ranking(essay, value) for essay, value in given.items()], context)


def context(known: list[Comparison], **kwargs: Any) -> ContinuationContext:
    given = {"scores": scores(), "previous": None, "now": NOW, "batch": batch(), **kwargs}
    part = split_assessed(known, max_failures=3)
    return build_context(given["batch"], part, given["scores"], given["previous"], now=given["now"])


def test_every_comparison_is_counted_once_under_one_name() -> None:
    known = [
        *[make_comparison(at) for at in range(7)],
        make_comparison(7, S.FAILED),
        make_comparison(8, S.FAILED, retryable=False),
        make_comparison(9, S.FAILED, attempt=3),
        make_comparison(10, S.TIMED_OUT),
        make_comparison(11, S.PENDING),
    ]
    found = context(known)
    assert (found.pairs_submitted, found.callbacks_received) == (12, 11)
    assert (found.successes, found.failures, found.outstanding) == (7, 4, 1)
    assert (found.retryable_failures, found.permanent_failures) == (2, 1)
    assert found.success_rate == pytest.approx(7 / 11)
    assert found.pairs_submitted == found.successes + found.failures + found.outstanding


def test_caps_and_what_is_left_of_them() -> None:
    known = [make_comparison(at) for at in range(20)]
    found = context(
        known,
        batch=batch(
            wave=3, max_waves=5, max_cost_usd=12.0, max_minutes=25, max_pairwise_comparisons=30
        ),
    )
    assert (found.completion_denominator, found.max_possible_pairs) == (30, 45)
    assert (found.pairs_remaining, found.waves_remaining) == (10, 2)
    assert (found.cost_usd, found.cost_remaining_usd) == (10.0, 2.0)
    # Ten comparisons fit under the cap; a whole wave of twenty does not.
    assert found.next_wave_cost_usd == pytest.approx(10 * 0.5)
    assert found.minutes_remaining == pytest.approx(15.0)


def test_retries_are_part_of_the_next_waves_cost() -> None:
    known = [make_comparison(at) for at in range(10)] + [
        make_comparison(at, S.FAILED) for at in range(10, 16)
    ]
    cheap = context(known, batch=batch(retry_pool_threshold=7))
    full = context(known, batch=batch(retry_pool_threshold=6))
    assert cheap.next_wave_cost_usd == pytest.approx(20 * 0.5)
    assert full.next_wave_cost_usd == pytest.approx(26 * 0.5)


def test_without_a_verdict_nothing_is_known() -> None:
    found = context([make_comparison(0, S.FAILED)], scores=None)
    assert found.zero_successes
    assert (found.success_rate, found.min_comparison_count) == (0.0, 0)
    assert (found.components, found.isolated_essays) == (10, 10)
    assert (found.mean_se, found.standardised_se) == (None, None)
    assert found.next_wave_cost_usd is None
    assert not found.se_target_met
    assert context([], scores=None).success_rate == 0.0


def test_score_change_takes_new_essays_as_moved_from_zero() -> None:
    before = [ranking("a", 1.0), ranking("b", -1.0)]
    now = [ranking("a", 1.2), ranking("b", -0.5), ranking("c", 0.1)]
    assert compute_score_change(now, before) == pytest.approx(0.5)
    assert compute_score_change([], before) == 0.0


@pytest.mark.parametrize(
    ("changes", "stable"),
    [
        ({}, True),
        ({"move": 0.11}, False),
        ({"stretch": 1.5}, True),
        ({"standardised_se": 0.35}, False),
        ({"settled": 29}, False),
        ({"failed": 8}, False),
    ],
)
def test_stability_gate(changes: dict[str, Any], *, stable: bool) -> None:
    failed = changes.get("failed", 0)
    known = [make_comparison(at) for at in range(changes.get("settled", 30) - failed)]
    known += [make_comparison(100 + at, S.FAILED) for at in range(failed)]
    # Where the judges' noise is found to be less, abilities and their spread grow alike.
    stretch = changes.get("stretch", 1.0)
    values = {"e0": stretch * (1.0 + changes.get("move", 0.09)), "e1": -stretch}
    found = context(
        known,
        scores=scores(changes.get("standardised_se", 0.25), values=values, sd=2.0 * stretch),
        previous=make_look(context(known)),
    )
    assert found.stability_passed is stable


def test_first_look_is_never_stable() -> None:
    assert not context([make_comparison(at) for at in range(40)]).stability_passed


def test_target_is_held_over_consecutive_looks_only() -> None:
    known = [make_comparison(at) for at in range(20)]
    first = context(known)
    assert (first.is_look, first.se_target_met, first.se_target_held_before) == (True, True, 0)
    more = known + [make_comparison(at, wave=2) for at in range(20, 40)]
    second = context(more, previous=make_look(first), batch=batch(wave=2))
    assert second.se_target_held_before == 1
    lost = context(more, previous=make_look(first), scores=scores(0.45), batch=batch(wave=2))
    third = context(more + [make_comparison(at) for at in range(50, 63)], previous=make_look(lost))
    assert third.se_target_held_before == 0


@pytest.mark.parametrize(
    ("low", "config", "met"),
    [
        (0.90, {}, True),
        (0.899, {}, False),
        (0.899, {"target_reliability": 0.7}, True),
        (0.99, {"target_reliability": None}, False),
    ],
)
def test_reliability_is_on_target_by_its_lower_limit(
    low: float, config: dict[str, Any], *, met: bool
) -> None:
    known = [make_comparison(at) for at in range(20)]
    first = context(known, scores=scores(low=low), batch=batch(**config))
    assert first.reliability_target_met is met
    assert first.reliability_interval == (low, 0.95)
    following = context(known, previous=make_look(first))
    assert following.reliability_target_held_before == int(met)


@pytest.mark.parametrize(("low", "evidence"), [(0.39, 2.4), (0.95, 2.3)])
def test_no_target_is_met_without_a_proven_signal(low: float, evidence: float) -> None:
    first = context([make_comparison(0)], scores=scores(0.1, low=low, evidence=evidence))
    assert (first.se_target_met, first.reliability_target_met) == (False, False)
    assert context([make_comparison(0)], previous=make_look(first)).se_target_held_before == 0


def test_no_standard_error_is_on_a_target_that_is_left_out() -> None:
    found = context([make_comparison(0)], scores=scores(0.01), batch=batch(target_mean_se=None))
    assert not found.se_target_met


@pytest.mark.parametrize(
    ("low", "evidence", "floor", "proven"),
    [
        (0.4, 2.4, 0.4, True),
        (0.39, 2.4, 0.4, False),
        (0.39, 2.4, 0.2, True),
        # log 10 = 2.303
        (0.8, 2.3, 0.4, False),
        (0.8, None, 0.4, False),
        (0.0, 2.31, 0.0, True),
    ],
)
def test_a_signal_is_proven_by_its_reliability_and_by_the_evidence(
    low: float, floor: float, *, evidence: float | None, proven: bool
) -> None:
    found = context(
        [make_comparison(0)],
        scores=scores(low=low, evidence=evidence),
        batch=batch(min_reliability=floor),
    )
    assert found.signal_proven is proven
    assert (found.min_reliability, found.log_bayes_factor) == (floor, evidence)


def test_without_a_verdict_or_an_interval_no_signal_is_proven() -> None:
    assert not context([make_comparison(0, S.FAILED)], scores=None).signal_proven
    bare = Reliability(model_reliability=0.9, mean_se=0.5, max_se=0.7)
    unknown = scores().model_copy(update={"reliability": bare})
    assert not context([make_comparison(0)], scores=unknown).signal_proven


def test_a_wave_below_the_cadence_is_no_look() -> None:
    known = [make_comparison(at) for at in range(20)]
    first = context(known)
    more = context(
        [*known, *[make_comparison(20 + at) for at in range(11)]], previous=make_look(first)
    )
    assert not more.is_look
    assert more.callbacks_at_last_look == 20
    later = context(
        [*known, *[make_comparison(20 + at) for at in range(12)]], previous=make_look(more)
    )
    assert later.is_look
    # The look before counts, not the wave in between that was none.
    assert later.se_target_held_before == more.se_target_held_before == 1


def test_small_net_fields() -> None:
    ids = ["e0", "e1", "e2"]
    pairs = [("e0", "e1"), ("e0", "e2"), ("e1", "e2")]
    once = [make_comparison(at, first=a, second=b) for at, (a, b) in enumerate(pairs)]
    twice = once + [make_comparison(10 + at, first=b, second=a) for at, (a, b) in enumerate(pairs)]
    small = batch(n=len(ids), small_net_resampling_cap=1)
    part, whole, again = (context(k, batch=small) for k in (once[:2], once, twice))
    assert part.is_small_net
    assert not part.unique_coverage_complete
    assert (part.pairs_remaining, whole.pairs_remaining) == (1, 0)
    assert whole.unique_coverage_complete
    assert (whole.resampling_pass_count, again.resampling_pass_count) == (0, 1)
    assert (whole.resampling_cap_reached, again.resampling_cap_reached) == (False, True)


def test_silent_waves_are_counted_from_the_end() -> None:
    spoke = [make_comparison(0, wave=1)]
    silent = [make_comparison(1, S.TIMED_OUT, wave=2), make_comparison(2, S.TIMED_OUT, wave=3)]
    assert context(spoke + silent, batch=batch(wave=3)).waves_without_verdict == 2
    assert context(silent, scores=None, batch=batch(wave=3)).waves_without_verdict == 3
    spoken = [*spoke, *silent, make_comparison(3, wave=3)]
    assert context(spoken, batch=batch(wave=3)).waves_without_verdict == 0


@pytest.mark.parametrize(("late", "met"), [(0, True), (3, True), (4, False), (20, False)])
def test_partial_completion_of_the_latest_wave(late: int, *, met: bool) -> None:
    earlier = [make_comparison(50 + at, S.TIMED_OUT, wave=1) for at in range(30)]
    latest = [
        make_comparison(at, S.TIMED_OUT if at < late else S.RECORDED, wave=2) for at in range(20)
    ]
    found = context(earlier + latest, batch=batch(wave=2))
    assert found.partial_completion_met is met
