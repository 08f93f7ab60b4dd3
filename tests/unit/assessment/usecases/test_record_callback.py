"""Callbacks: the first verdict counts, the others change nothing, and the wave always closes."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessment.domain.verdict import Winner
from assessment.usecases.record_callback import CallbackEffect
from tests.examples import scale_examples
from tests.fakes.judges import callback_body
from tests.fakes.world import World
from tests.unit.assessment.conftest import WAVE_TIMEOUT, Started, plan_batch, submit_batch
from tests.unit.assessment.crashes import crash_everywhere
from tests.unit.assessment.usecases.callbacks import (
    PERMANENT,
    TRANSIENT,
    S,
    again,
    find_first,
    take_deadline,
)


def test_a_verdict_is_recorded_and_its_mark_removed(submitted: Started) -> None:
    world, comparison = submitted.world, find_first(submitted)
    recorded = world.record(callback_body(comparison, submitted.batch_id, degree="clear"))
    assert recorded.effect is CallbackEffect.VERDICT_RECORDED
    stored = again(submitted, comparison)
    assert stored.status is S.RECORDED
    assert stored.pair_verdict is not None
    assert (stored.pair_verdict.winner, stored.pair_verdict.cost_usd) == (Winner.FIRST, 0.002)
    assert comparison.comparison_id not in world.comparisons.list_pending(submitted.batch_id, 1)
    assert not submitted.closed


def test_duplicates_and_contradictions_change_nothing(submitted: Started) -> None:
    world, comparison = submitted.world, find_first(submitted)
    world.record(callback_body(comparison, submitted.batch_id))
    before = again(submitted, comparison)
    for winner in ("A", "B", "tie"):
        body = callback_body(comparison, submitted.batch_id, winner=winner)
        assert world.record(body).effect is CallbackEffect.DUPLICATE
    late_error = callback_body(comparison, submitted.batch_id, winner=None, error_detail=PERMANENT)
    assert world.record(late_error).effect is CallbackEffect.DUPLICATE
    assert again(submitted, comparison) == before


@given(seed=st.integers(0, 10_000))
@settings(max_examples=scale_examples(20))
def test_any_order_with_duplicates_records_all_and_wakes_once_at_the_last(seed: int) -> None:
    started = submit_batch(World())
    world, rng = started.world, random.Random(seed)
    known = world.list_comparisons(started.batch_id)
    bodies = [callback_body(c, started.batch_id) for c in [*known, *rng.choices(known, k=6)]]
    rng.shuffle(bodies)
    seen: set[str] = set()
    for body in bodies:
        assert started.closed is (len(seen) == len(known))
        world.record(body)
        seen.add(json.loads(body)["request_metadata"]["comparison_id"])
    assert started.closed
    assert world.tally(started.batch_id).recorded == len(known)


@pytest.mark.parametrize(("detail", "retried"), [(TRANSIENT, True), (PERMANENT, False)])
def test_error_callbacks(submitted: Started, detail: dict[str, Any], *, retried: bool) -> None:
    world, comparison = submitted.world, find_first(submitted)
    world.record(callback_body(comparison, submitted.batch_id, winner=None, error_detail=detail))
    failed = again(submitted, comparison)
    assert failed.status is S.FAILED
    assert failed.may_be_retried is retried


def test_an_endless_error_message_is_cut(submitted: Started) -> None:
    detail = {"code": "x" * 5000, "message": "y" * 500_000}
    comparison = find_first(submitted)
    submitted.world.record(
        callback_body(comparison, submitted.batch_id, winner=None, error_detail=detail)
    )
    failure = again(submitted, comparison).failure
    assert failure is not None
    assert (len(failure.code), len(failure.message)) == (100, 500)


def test_an_answer_after_an_error_still_counts(submitted: Started) -> None:
    world, comparison = submitted.world, find_first(submitted)
    world.record(callback_body(comparison, submitted.batch_id, winner=None, error_detail=PERMANENT))
    recorded = world.record(callback_body(comparison, submitted.batch_id))
    assert recorded.effect is CallbackEffect.VERDICT_RECORDED
    stored = again(submitted, comparison)
    assert (stored.status, stored.failure) == (S.RECORDED, None)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", ["verdict", "error", "unreadable", "deadline"])
def test_a_crash_at_any_call_is_mended_by_the_redelivery(kind: str, *, after: bool) -> None:
    def start() -> tuple[Started, str]:
        started = submit_batch(World())
        world, known = started.world, started.world.list_comparisons(started.batch_id)
        for comparison in known[:-1]:
            world.record(callback_body(comparison, started.batch_id))
        change: dict[str, Any] = {}
        if kind == "error":
            change = {"winner": None, "error_detail": TRANSIENT}
        if kind == "unreadable":
            change = {"winner": "?"}
        body = callback_body(known[-1], started.batch_id, **change)
        if kind == "deadline":
            body = take_deadline(started)
            world.clock.forward(WAVE_TIMEOUT + 1)
        return started, body

    for started, _ in crash_everywhere(
        start, lambda state, fault: state[0].world.record(state[1], fault), after=after
    ):
        tally = started.world.tally(started.batch_id)
        assert (tally.pending, tally.recorded) == (0, 12 if kind == "verdict" else 11)
        assert started.closed


def test_a_callback_before_the_marks_wakes_nothing(world: World) -> None:
    # The endpoint of another attempt answers while the wave is only planned.
    started = plan_batch(world)
    for comparison in world.list_comparisons(started.batch_id):
        world.record(callback_body(comparison, started.batch_id))
    assert not world.workflow.tokens
    world.workflow.issue("t")
    world.submit(started.batch_id, 1, "t")
    assert world.workflow.tokens["t"].settled
