"""`finish_by`: a batch ends in time, with what its provider answered, and nothing asked twice."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assessment.contracts.queue_messages import JudgeRequestV1, ProviderBatchV1, read_judge_message
from assessment.domain.batch import BatchStatus
from assessment.domain.comparison import ComparisonStatus
from assessment.domain.errors import InvalidRequestError
from assessment.domain.finishing import FINAL_STEPS, find_switch
from assessment.domain.judge_errors import JudgeDeferredError, JudgeUnavailableError
from assessment.usecases.tend_provider_batch import SubmissionStep
from assessment.usecases.watch_batches import Repair
from tests.examples import scale_examples
from tests.fakes.judges import Habits
from tests.fakes.loop import Loop
from tests.fakes.world import START, World
from tests.unit.assessment.crashes import crash_everywhere
from tests.unit.assessment.judges.provider_submissions import (
    JUDGE,
    record_all,
    results,
    submit_world,
    take,
)

IN_SIX_HOURS = START + timedelta(hours=6)
N_COMPARISONS = 16


def make_world(duration=timedelta(hours=20), kept=0.5):
    """A provider that takes its time, and has answered a part when it is cancelled."""
    world = World(habits=Habits(at_once=1.0))
    world.batch_judge.duration = duration
    world.batch_judge.kept_at_cancel = kept
    return world


def start_world(world=None, *, finish_by=IN_SIX_HOURS, **config):
    return submit_world(world or make_world(), finish_by=finish_by.isoformat(), **config)


def handle(world, *, fault=None):
    """The next message of the judge queue, whatever it is about."""
    message = take(world)
    if isinstance(message, JudgeRequestV1):
        return world.ask(message, fault=fault)
    return world.tend(message, fault=fault)


def handle_all(world):
    n_messages = 0
    while world.judge_queue.messages:
        handle(world)
        n_messages += 1
        assert n_messages < 2000, "it never ends"


def count_answers(world):
    """How often each comparison was answered, in a batch or alone."""
    asked = Counter(world.judge.asked)
    for submission in world.batch_judge.submissions.values():
        share = world.batch_judge.kept_at_cancel if submission.is_cancelled else 1.0
        for request in submission.requests[: int(share * len(submission.requests))]:
            asked[request.metadata.comparison_id] += 1
    return asked


# --- the field -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_value", "told"),
    [
        ((START - timedelta(hours=1)).isoformat(), "has passed"),
        ((START + timedelta(minutes=9)).isoformat(), "at least 10 minutes from now"),
        ("2026-03-02T15:00:00", "timezone"),
        ("tomorrow", "datetime"),
        (True, "datetime"),
    ],
)
def test_a_time_that_cannot_be_kept_is_refused_by_name(given_value, told):
    with pytest.raises(InvalidRequestError) as refused:
        World().request(8, config={"finish_by": given_value})
    assert refused.value.field == "config.finish_by"
    assert told in str(refused.value)


def test_the_same_request_gets_the_same_batch_after_its_time_has_passed():
    world = World()
    config = {"finish_by": IN_SIX_HOURS.isoformat()}
    batch = world.request(8, key="mine", config=config)
    world.clock.forward(7 * 3600)
    assert world.request(8, key="mine", config=config).batch_id == batch.batch_id
    with pytest.raises(InvalidRequestError):
        world.request(8, key="another", config=config)


@pytest.mark.parametrize("zone", ["+00:00", "+05:30", "-08:00"])
def test_any_zone_names_the_same_moment(zone):
    hours = {"+00:00": 0, "+05:30": 5.5, "-08:00": -8}[zone]
    local = (IN_SIX_HOURS + timedelta(hours=hours)).replace(tzinfo=None).isoformat() + zone
    batch = World().request(8, config={"finish_by": local})
    assert batch.config.finish_by == IN_SIX_HOURS


# --- a provider's batch that comes late ----------------------------------------------------------


def test_what_is_outstanding_is_finished_on_demand_and_nothing_is_asked_twice():
    world, batch_id = start_world()
    handle_all(world)
    record_all(world)
    known = world.list_comparisons(batch_id)
    assert len(known) == N_COMPARISONS
    assert all(comparison.verdict for comparison in known)
    assert set(count_answers(world).values()) == {1}
    assert len(world.judge.asked) == N_COMPARISONS // 2, "the half that was answered is kept"
    assert world.batch_judge.submissions["batch-1"].is_cancelled
    switch_at = find_switch(IN_SIX_HOURS, N_COMPARISONS)
    assert switch_at <= world.now < IN_SIX_HOURS - FINAL_STEPS
    assert world.workflow.tokens["token"].settled
    assert all(comparison.paid_again == 0 for comparison in known)


def test_a_provider_that_does_not_say_whether_it_has_the_batch_is_not_awaited_beyond_the_time():
    """Anthropic's batches carry no name: whose one is shows when it ends."""
    world, batch_id = start_world()
    message = take(world)
    world.provider_batches.take(batch_id, message.name, now=world.now, seconds=1)
    world.provider_batches.update(batch_id, message.name, tried_at=world.now, size=N_COMPARISONS)
    world.provider_batches.give_back(batch_id, message.name)
    world.judge_queue.send([message])

    async def find(*_arguments, **_options):
        raise JudgeDeferredError("it may be this one", retry_after=300)

    world.batch_judge.find = find
    handle_all(world)
    record_all(world)
    known = world.list_comparisons(batch_id)
    assert all(comparison.verdict for comparison in known)
    assert set(Counter(world.judge.asked).values()) == {1}
    assert find_switch(IN_SIX_HOURS, N_COMPARISONS) <= world.now < IN_SIX_HOURS - FINAL_STEPS
    assert all(comparison.paid_again for comparison in known), "the provider may bill its batch"


def test_a_provider_in_time_is_left_alone():
    world, batch_id = start_world(make_world(timedelta(hours=3)))
    handle_all(world)
    record_all(world)
    assert not world.judge.asked
    assert not world.batch_judge.submissions["batch-1"].is_cancelled
    assert all(comparison.verdict for comparison in world.list_comparisons(batch_id))
    assert world.now < START + timedelta(hours=3, minutes=6)


def test_output_that_is_partial_before_the_time_comes_near_is_completed_at_once():
    world = make_world(timedelta(hours=1))
    world.batch_judge.unanswered_ids = frozenset({"w001-00003", "w001-00007"})
    world, batch_id = start_world(world)
    handle_all(world)
    record_all(world)
    assert sorted(world.judge.asked) == ["w001-00003", "w001-00007"]
    assert all(comparison.verdict for comparison in world.list_comparisons(batch_id))


def test_without_it_partial_output_is_left_to_the_next_wave():
    world = make_world(timedelta(hours=1))
    world.batch_judge.unanswered_ids = frozenset({"w001-00003"})
    world, _ = submit_world(world)
    handle_all(world)
    assert not world.judge.asked
    assert [body["error_detail"]["code"] for body in results(world) if "error_detail" in body] == [
        "provider-batch"
    ]


@pytest.mark.parametrize("minutes", [10, 25, 39])
def test_a_batch_without_the_time_for_one_is_asked_on_demand_from_the_start(minutes):
    world, batch_id = start_world(finish_by=START + timedelta(minutes=minutes))
    handle_all(world)
    record_all(world)
    assert not world.batch_judge.submissions
    assert all(comparison.verdict for comparison in world.list_comparisons(batch_id))


def test_a_submission_of_unknown_fate_is_searched_before_anything_is_asked():
    world = make_world()
    world.batch_judge.errors_after = [JudgeUnavailableError("the answer was lost")]
    world, batch_id = start_world(world)
    assert world.tend(take(world)) is SubmissionStep.DEFERRED
    world.clock.now = find_switch(IN_SIX_HOURS, N_COMPARISONS) + timedelta(minutes=1)
    handle_all(world)
    record_all(world)
    assert len(world.batch_judge.submissions) == 1
    assert set(count_answers(world).values()) == {1}
    assert all(comparison.verdict for comparison in world.list_comparisons(batch_id))


def test_a_submission_that_never_arrived_is_asked_on_demand():
    world = make_world()
    world.batch_judge.errors_before = [JudgeUnavailableError("no connection")]
    world, batch_id = start_world(world)
    assert world.tend(take(world)) is SubmissionStep.DEFERRED
    world.clock.now = find_switch(IN_SIX_HOURS, N_COMPARISONS) + timedelta(minutes=1)
    handle_all(world)
    record_all(world)
    assert not world.batch_judge.submissions
    assert set(count_answers(world).values()) == {1}
    assert all(comparison.verdict for comparison in world.list_comparisons(batch_id))


@pytest.mark.parametrize("after", [False, True])
def test_a_death_anywhere_in_the_change_asks_nothing_twice(after):
    def late():
        world, batch_id = start_world()
        switch_at = find_switch(IN_SIX_HOURS, N_COMPARISONS)
        world.tend(take(world))
        while world.judge_queue.messages[0].visible_at < switch_at:
            world.tend(take(world))
        return world, batch_id

    def change(state, fault):
        world, _ = state
        message = world.judge_queue.messages[0]
        if fault is None:
            # SQS brings the message back once its visibility has ended; its leases have, too.
            world.clock.forward(360)
            handle_all(world)
            return
        world.clock.now = max(world.now, message.visible_at)
        world.tend(read_judge_message(message.body), fault=fault)

    for world, batch_id in crash_everywhere(late, change, after=after):
        handle_all(world)
        record_all(world)
        known = world.list_comparisons(batch_id)
        assert all(comparison.verdict for comparison in known)
        assert set(count_answers(world).values()) == {1}


def test_a_message_that_is_lost_for_good_is_sent_again_by_the_watchdog():
    world, batch_id = start_world()
    world.tend(take(world))
    world.workflow.executions.setdefault(batch_id, "RUNNING")
    world.judge_queue.messages.clear()
    assert world.watch().repairs == {}, "it may only be late"
    world.clock.forward(3600)
    assert world.watch().repairs == {batch_id: Repair.LOOKED_AFTER}
    handle_all(world)
    record_all(world)
    assert all(comparison.verdict for comparison in world.list_comparisons(batch_id))
    assert set(count_answers(world).values()) == {1}


def test_the_watchdog_leaves_a_submission_alone_that_somebody_looks_after():
    world, _ = start_world()
    world.tend(take(world))
    for _ in range(6):
        world.clock.forward(300)
        while (
            world.judge_queue.messages
            and min(m.visible_at for m in world.judge_queue.messages) <= world.now
        ):
            handle(world)
        assert Repair.LOOKED_AFTER not in world.watch().repairs.values()


# --- the end -------------------------------------------------------------------------------------


def run(world, *, finish_by, judge=None, n=10, **config):
    batch = world.request(n, judge=judge, config={"finish_by": finish_by.isoformat(), **config})
    return Loop(world).run(batch.batch_id).batch


@given(
    hours=st.floats(0.05, 30), given_hours=st.floats(0.2, 30), kept=st.floats(0, 1),
    waves=st.integers(1, 3),
)  # fmt: skip
@example(hours=25.0, given_hours=26.0, kept=0.0, waves=1)
@settings(max_examples=scale_examples(12))
def test_whatever_the_provider_takes_a_batch_is_finished_by_its_time(
    hours, given_hours, kept, waves
):
    world = make_world(timedelta(hours=hours), kept)
    finish_by = START + timedelta(hours=given_hours)
    batch = run(world, finish_by=finish_by, judge=JUDGE, max_waves=waves)
    assert batch.status is BatchStatus.COMPLETED
    assert batch.updated_at <= finish_by
    assert set(count_answers(world).values()) == {1}


def test_other_judges_are_cut_off_too_and_what_they_gave_counts():
    habits = Habits(late=0.5, late_delay=5000.0, delay=60.0)
    world = World(habits=habits)
    finish_by = START + timedelta(minutes=30)
    batch = run(world, finish_by=finish_by, n=12)
    assert batch.status is BatchStatus.COMPLETED, batch.failure
    assert batch.decision.reason == "time_cap"
    assert batch.updated_at <= finish_by
    known = world.list_comparisons(batch.batch_id)
    cut_off = [c for c in known if c.status is ComparisonStatus.TIMED_OUT]
    assert len(cut_off) > 0.25 * len(known), "as many as would otherwise fail the batch"


def test_a_judge_that_failed_before_its_time_is_not_excused_by_it():
    world = World(habits=Habits(permanent_callback=0.6, delay=5.0))
    batch = run(world, finish_by=START + timedelta(hours=1), n=12)
    assert batch.status is BatchStatus.FAILED
    document = json.dumps(batch.failure.model_dump())
    assert "success_rate" in document


def test_no_part_of_it_is_an_error_of_another_kind():
    values: list[object] = ["", 0, [], {}, "2026-13-40T00:00:00Z", "∞", "0001-01-01T00:00:00Z"]
    for value in values:
        with pytest.raises(InvalidRequestError) as refused:
            World().request(6, config={"finish_by": value})
        assert refused.value.field == "config.finish_by"
    for far in ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00"):
        world = World()
        batch = world.request(6, config={"finish_by": far})
        assert Loop(world).run(batch.batch_id).batch.status is BatchStatus.COMPLETED


def test_the_messages_of_a_wave_are_the_same_with_it():
    with_it, _ = start_world()
    without, _ = submit_world(make_world())
    bodies = []
    for world in (with_it, without):
        (message,) = [read_judge_message(each.body) for each in world.judge_queue.messages]
        assert isinstance(message, ProviderBatchV1)
        bodies.append(message.comparisons)
    assert bodies[0] == bodies[1]
