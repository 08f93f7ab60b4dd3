"""The watchdog: every way a batch can stand still, and the gentlest repair for it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from assessment.domain.batch import BatchStatus
from assessment.usecases.watch_batches import Repair
from tests.fakes.faults import CrashError, Fault
from tests.fakes.judges import callback_body
from tests.fakes.world import World
from tests.unit.assessment.conftest import WAVE_TIMEOUT, Started, submit_batch

HOUR = 3600.0


def repairs(started: Started) -> Repair:
    report = started.world.watch()
    return report.repairs.get(started.batch_id, Repair.NONE)


def answer(started: Started, *, lose_wake_up: bool) -> None:
    tokens = started.world.workflow.tokens
    if lose_wake_up:
        kept = tokens.pop(started.token)
    for comparison in started.world.list_comparisons(started.batch_id):
        started.world.record(callback_body(comparison, started.batch_id))
    if lose_wake_up:
        tokens[started.token] = kept


def test_a_young_batch_is_left_alone(submitted: Started) -> None:
    answer(submitted, lose_wake_up=True)
    assert repairs(submitted) is Repair.NONE


def test_a_waiting_wave_is_left_alone(submitted: Started) -> None:
    submitted.world.clock.forward(300)
    assert repairs(submitted) is Repair.NONE
    assert submitted.world.watch().statuses == {"WAITING_CALLBACKS": 1}


def test_a_lost_wake_up_is_repaired_within_one_round(submitted: Started) -> None:
    answer(submitted, lose_wake_up=True)
    submitted.world.clock.forward(300)
    assert not submitted.closed
    assert repairs(submitted) is Repair.CLOSED
    assert submitted.closed


def test_a_lost_deadline_is_kept_by_the_watch(submitted: Started) -> None:
    world = submitted.world
    world.clock.forward(WAVE_TIMEOUT + 60)
    assert repairs(submitted) is Repair.NONE
    world.clock.forward(120)
    assert repairs(submitted) is Repair.CLOSED_AT_DEADLINE
    assert submitted.closed
    assert world.tally(submitted.batch_id).pending == 0


def test_a_batch_that_never_started_is_started(world: World) -> None:
    batch = world.request(4)
    world.workflow.executions.clear()
    world.clock.forward(300)
    assert world.watch().repairs == {batch.batch_id: Repair.STARTED}
    assert world.workflow.is_running(batch.batch_id)


def test_a_batch_whose_execution_died_at_once_gets_another(world: World) -> None:
    # The name of an execution that has ended cannot be used again.
    batch = world.request(4)
    world.workflow.executions[batch.batch_id] = "FAILED"
    world.clock.forward(121)
    assert world.watch().repairs == {batch.batch_id: Repair.RESTARTED}
    assert world.workflow.is_running(f"{batch.batch_id}-2")


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "TIMED_OUT"])
def test_a_dead_execution_is_found_within_one_round(submitted: Started, status: str) -> None:
    world = submitted.world
    world.workflow.executions[submitted.batch_id] = status
    world.clock.forward(60)
    assert repairs(submitted) is Repair.NONE  # the grace
    world.clock.forward(61)
    assert repairs(submitted) is Repair.RESTARTED
    batch = world.batches.get_batch(submitted.batch_id)
    assert world.workflow.is_running(batch.execution_name)
    assert batch.status is BatchStatus.WAITING_CALLBACKS
    assert repairs(submitted) is Repair.NONE


def test_the_dead_are_not_woken(submitted: Started) -> None:
    answer(submitted, lose_wake_up=True)
    submitted.world.workflow.executions[submitted.batch_id] = "FAILED"
    submitted.world.clock.forward(300)
    assert repairs(submitted) is Repair.RESTARTED
    assert not submitted.closed


def test_a_wake_up_that_no_token_takes_is_not_counted(submitted: Started) -> None:
    answer(submitted, lose_wake_up=False)
    assert submitted.closed
    submitted.world.clock.forward(300)
    assert repairs(submitted) is Repair.NONE


def test_an_execution_that_dies_again_and_again_is_given_up_in_the_end(submitted: Started) -> None:
    world = submitted.world
    answer(submitted, lose_wake_up=False)
    world.clock.forward(4 * HOUR)
    seen = []
    for _ in range(20):
        name = world.batches.get_batch(submitted.batch_id).execution_name
        world.workflow.executions[name] = "FAILED"
        seen.append(repairs(submitted))
        world.clock.forward(300)
    assert seen[:6] == [Repair.RESTARTED] * 6
    assert seen[6] is Repair.FAILED
    assert seen.count(Repair.FAILED) == 1
    failure = world.batches.get_batch(submitted.batch_id).failure
    assert failure is not None
    assert failure.code == "stalled"
    assert "resume" in failure.remedy
    assert len(world.events.by_type["CJAssessmentFailed.v1"]) == 1


def test_a_round_that_is_short_of_time_goes_on_where_the_last_one_stopped(world: World) -> None:
    wanted = {world.request(3, key=f"batch {n}").batch_id for n in range(5)}
    world.workflow.executions.clear()
    world.clock.forward(300)
    seen: list[str] = []
    for _ in range(3):
        looks = iter([True, True, False])
        report = world.watch(has_time=partial(next, looks))
        seen += report.repairs
        world.clock.forward(300)
    assert set(seen) == wanted
    assert len(seen) == 5


def test_a_running_execution_that_stands_still_is_stopped_and_failed(planned: Started) -> None:
    world = planned.world
    world.clock.forward(4 * HOUR)
    assert repairs(planned) is Repair.FAILED
    assert world.workflow.executions[planned.batch_id] == "ABORTED"


def test_an_ended_batch_that_is_still_listed_is_unlisted(submitted: Started) -> None:
    world = submitted.world
    world.cancel(submitted.batch_id)
    world.batches.active.add(submitted.batch_id)
    assert repairs(submitted) is Repair.UNLISTED
    assert world.batches.list_active_batches() == []


def test_one_broken_batch_does_not_keep_the_others_waiting(world: World) -> None:
    started = submit_batch(world)
    answer(started, lose_wake_up=True)
    world.batches.active.add("00000000-gone")
    world.clock.forward(300)
    report = world.watch()
    assert report.repairs == {"00000000-gone": Repair.IMPOSSIBLE, started.batch_id: Repair.CLOSED}
    assert "UnknownBatchError" in report.errors["00000000-gone"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("case", ["lost wake-up", "lost deadline", "dead"])
def test_a_crash_at_any_call_is_mended_by_the_next_round(case: str, *, after: bool) -> None:
    def start() -> Started:
        started = submit_batch(World())
        world = started.world
        if case == "lost wake-up":
            answer(started, lose_wake_up=True)
        if case == "dead":
            world.workflow.executions[started.batch_id] = "gone"
        world.clock.forward({"lost wake-up": 300, "lost deadline": 900}.get(case, 5 * HOUR))
        return started

    def step(started: Started, fault: Any) -> None:
        report = started.world.watch(fault)
        if fault is not None and report.errors:
            # The watch holds a batch's crash back from the others; the next round is due.
            started.world.watch()

    for at in range(1, 100):
        started = start()
        fault = Fault(at, after)
        try:
            step(started, fault)
        except CrashError:
            step(started, None)
        if fault.calls < at:
            break
        batch = started.world.batches.get_batch(started.batch_id)
        assert started.closed or batch.status is BatchStatus.FAILED
        if batch.status is BatchStatus.FAILED:
            assert len(started.world.events.by_type["CJAssessmentFailed.v1"]) == 1
    assert at > 3
