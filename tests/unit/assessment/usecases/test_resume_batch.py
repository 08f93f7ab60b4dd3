"""Resuming: a batch that its surroundings brought down goes on with all that was recorded."""

from __future__ import annotations

import pytest

from assessment.domain.batch import BatchStatus
from assessment.domain.errors import IllegalTransitionError, UnknownBatchError
from assessment.ports.groups import FailPorts
from assessment.usecases.fail_batch import fail_batch, read_failure
from tests.fakes.faults import Fault
from tests.fakes.loop import Loop
from tests.fakes.world import World
from tests.unit.assessment.crashes import crash_everywhere

CONFIG = {"max_waves": 2, "retry_pool_threshold": 1}
DEAD = {"Error": "Lambda.Unknown", "Cause": "The Lambda function returned an unknown error"}
PLACES = [
    ("prepare", 0),
    *(("plan", wave) for wave in (0, 1)),
    *((step, wave) for step in ("submit", "score") for wave in (1, 2)),
    ("finalise", 2),
]
"""Steps, and the waves that the batch has had when they die."""


def request_batch() -> tuple[World, str]:
    world = World()
    return world, world.request(6, key="resumed", config=CONFIG).batch_id


def fail_critically(world: World, batch_id: str) -> None:
    """As the state machine does when the retries of a step are spent."""
    fail_batch(
        batch_id,
        read_failure(None, DEAD),
        by_decision=False,
        ports=FailPorts(batches=world.batches, events=world.events),
        now=world.now,
    )
    world.workflow.executions[world.batches.get_batch(batch_id).execution_name] = "FAILED"


class DeadStepError(Exception):
    """The step died in all its tries."""


def run_until_dead(world: World, batch_id: str, step: str, wave: int) -> None:
    """Run the loop until a step of a wave has died for good, and let the batch fail."""
    died = False
    work = getattr(world, step)

    def die(*arguments: object, **options: object) -> object:
        nonlocal died
        if not died and world.batches.get_batch(batch_id).wave >= wave:
            died = True
            raise DeadStepError
        return work(*arguments, **options)

    setattr(world, step, die)
    with pytest.raises(DeadStepError):
        Loop(world).run(batch_id)
    fail_critically(world, batch_id)


@pytest.mark.parametrize(("step", "wave"), PLACES)
def test_a_resumed_batch_ends_with_the_same_bytes(step: str, wave: int) -> None:
    calm, calm_id = request_batch()
    Loop(calm).run(calm_id)
    world, batch_id = request_batch()
    run_until_dead(world, batch_id, step, wave)
    before = world.batches.get_batch(batch_id)
    assert before.status is BatchStatus.FAILED
    assert before.failure is not None
    assert "resume" in before.failure.remedy
    resumed = world.resume(batch_id)
    assert resumed.status is before.failed_from
    assert world.workflow.is_running(f"{batch_id}-2")
    Loop(world).run(batch_id)
    ended, expected = world.batches.get_batch(batch_id), calm.batches.get_batch(calm_id)
    assert ended.status is BatchStatus.COMPLETED
    assert ended.result_sha256 == expected.result_sha256
    assert sorted(world.judge.asked) == sorted(calm.judge.asked), "a verdict was paid for twice"


def test_a_batch_that_fails_again_says_so_again() -> None:
    world, batch_id = request_batch()
    run_until_dead(world, batch_id, "score", 1)
    world.resume(batch_id)
    fail_critically(world, batch_id)
    assert len(world.events.by_type["CJAssessmentFailed.v1"]) == 2
    assert world.resume(batch_id).execution_name == f"{batch_id}-3"


def test_resuming_a_running_batch_changes_nothing() -> None:
    world, batch_id = request_batch()
    before = world.batches.get_batch(batch_id)
    assert world.resume(batch_id) == before
    assert list(world.workflow.executions) == [batch_id]


def test_a_batch_whose_execution_is_gone_gets_another() -> None:
    world, batch_id = request_batch()
    world.workflow.executions[batch_id] = "ABORTED"
    assert world.resume(batch_id).status is BatchStatus.INITIALIZING
    assert world.workflow.is_running(f"{batch_id}-2")


@pytest.mark.parametrize("ending", ["completed", "cancelled", "decided", "refused"])
def test_what_a_repeat_does_not_change_is_refused(ending: str) -> None:
    world, batch_id = request_batch()
    if ending == "completed":
        Loop(world).run(batch_id)
    elif ending == "cancelled":
        world.cancel(batch_id)
    else:
        error = {"Error": "UnknownAssignmentError", "Cause": "m"} if ending == "refused" else DEAD
        fail_batch(
            batch_id, read_failure(None, error), by_decision=ending == "decided",
            ports=FailPorts(batches=world.batches, events=world.events), now=world.now,
        )  # fmt: skip
    before = world.batches.get_batch(batch_id)
    with pytest.raises(IllegalTransitionError):
        world.resume(batch_id)
    assert world.batches.get_batch(batch_id) == before
    with pytest.raises(UnknownBatchError):
        world.resume("00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize("after", [False, True])
def test_resuming_survives_a_crash_at_any_call(*, after: bool) -> None:
    def start() -> tuple[World, str]:
        world, batch_id = request_batch()
        run_until_dead(world, batch_id, "score", 1)
        return world, batch_id

    def step(state: tuple[World, str], fault: Fault | None) -> None:
        state[0].resume(state[1], fault)

    for world, batch_id in crash_everywhere(start, step, after=after):
        batch = world.batches.get_batch(batch_id)
        assert world.workflow.is_running(batch.execution_name)
        Loop(world).run(batch_id)
        assert world.batches.get_batch(batch_id).status is BatchStatus.COMPLETED


def test_the_laptop_clouds_one_name_for_every_error_is_looked_behind() -> None:
    cause = '{"errorType": "ScoringFailedError", "errorMessage": "no order"}'
    failure = read_failure(None, {"Error": "Runtime.HandlerError", "Cause": cause})
    assert (failure.code, failure.message) == ("ScoringFailedError", "no order")
    assert "new idempotency key" in failure.remedy
