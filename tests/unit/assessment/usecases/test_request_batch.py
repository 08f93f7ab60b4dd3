"""Requesting: checked whole before anything is stored, and one key is one batch."""

from __future__ import annotations

from typing import Any

import pytest

from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.config import Source
from assessment.domain.errors import (
    IdempotencyConflictError,
    InvalidRequestError,
    NotPermittedError,
    QuotaExceededError,
    UnknownAssignmentError,
)
from tests.fakes.faults import CrashError, Fault
from tests.fakes.world import World, make_essays

ANCHORS = [{"anchor_ref": "a", "grade": "A", "text": "Simulated anchor of quality 2.0"}]


def test_a_request_is_stored_listed_and_started(world: World) -> None:
    batch = world.request(4, config={"max_waves": 3}, stack={"target_mean_se": "0.5"})
    assert batch.status is BatchStatus.INITIALIZING
    assert world.batches.list_active_batches() == [batch.batch_id]
    assert world.workflow.is_running(batch.batch_id)
    assert (batch.config.max_waves, batch.config.target_mean_se) == (3, 0.5)
    assert batch.config_sources["max_waves"] is Source.REQUEST
    assert batch.config_sources["target_mean_se"] is Source.STACK
    assert len(world.content.texts) == 4


def test_the_same_key_and_request_is_the_same_batch(world: World) -> None:
    first = world.request(4, key="k")
    world.clock.forward(100)
    again = world.request(4, key="k")
    assert again == first
    assert world.request(4, key="other").batch_id != first.batch_id
    assert len(world.batches.batches) == 2


def test_without_a_key_every_request_is_a_batch(world: World) -> None:
    assert world.request(4).batch_id != world.request(4).batch_id


def test_an_organisation_has_so_many_batches_in_a_day_and_repeats_count_none(world: World) -> None:
    first = world.request(4, key="first", max_batches_per_day=2)
    world.request(4, key="second", max_batches_per_day=2)
    n_texts = len(world.content.texts)
    for _ in range(2):  # its key is claimed by then, and opens nothing
        with pytest.raises(QuotaExceededError):
            world.request(4, key="third", max_batches_per_day=2)
    assert (len(world.batches.batches), len(world.content.texts)) == (2, n_texts)
    assert world.request(4, key="first", max_batches_per_day=2) == first
    world.clock.forward(24 * 3600 + 1)
    world.request(4, key="third", max_batches_per_day=2)
    assert len(world.batches.batches) == 3


def test_what_the_batches_of_a_day_may_cost_together_is_limited(world: World) -> None:
    def ask(key: str, **config: float) -> Batch:
        return world.request(4, key=key, config=config, max_usd_per_day=10.0)

    with pytest.raises(InvalidRequestError, match=r"10\.00 US dollars are left") as refused:
        ask("silent")
    assert refused.value.field == "config.max_cost_usd"
    first = ask("first", max_cost_usd=6.5)
    with pytest.raises(QuotaExceededError, match=r"3\.50 are left"):
        ask("second", max_cost_usd=4.0)
    ask("second, for less", max_cost_usd=3.5)
    assert ask("first", max_cost_usd=6.5) == first
    # Where nobody is paid there is nothing to limit.
    world.request(4, judge={"provider": "person"}, max_usd_per_day=10.0)
    world.cancel(first.batch_id)
    ask("instead of the first", max_cost_usd=6.5)
    world.clock.forward(24 * 3600 + 1)
    ask("the day after", max_cost_usd=10.0)


def test_money_is_counted_over_all_pages_of_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assessment.usecases.quotas._PAGE", 2)
    for _ in range(5):
        world.request(4, config={"max_cost_usd": 2.0}, max_usd_per_day=10.0)
    with pytest.raises(QuotaExceededError, match=r"0\.00 are left"):
        world.request(4, config={"max_cost_usd": 0.01}, max_usd_per_day=10.0)


DIFFERENT: list[dict[str, Any]] = [
    {"essays": 5},
    {"essays": 4, "config": {"max_waves": 3}},
    {"essays": make_essays([0.0, 1.0, 2.0, 3.5])},
]


@pytest.mark.parametrize("other", DIFFERENT)
def test_the_same_key_with_another_request_is_refused_and_harms_nothing(
    world: World, other: dict[str, Any]
) -> None:
    first = world.request(4, key="k")
    with pytest.raises(IdempotencyConflictError, match="Idempotency-Key"):
        world.request(key="k", **other)
    assert world.batches.get_batch(first.batch_id) == first
    world.prepare(first.batch_id)
    assert world.batches.get_batch(first.batch_id).essays == 4
    untouched = World()
    untouched.request(4, key="k")
    prepared = untouched.prepare(first.batch_id)
    assert world.batches.get_batch(first.batch_id).spec_hash == prepared.spec_hash


BAD: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"assignment_id": "nobody-registered-this"}, UnknownAssignmentError),
    ({"config": {"max_wave": 1}}, InvalidRequestError),
    ({"config": {"max_waves": 0}}, InvalidRequestError),
    ({"config": {"strategy": "anchor_first"}}, InvalidRequestError),
    ({"config": {"strategy": "grades"}}, InvalidRequestError),
    ({"config": {"prior_sd": 1}, "is_admin": False}, NotPermittedError),
    ({"config": {"max_comparisons": "1001"}, "is_admin": False}, NotPermittedError),
]


@pytest.mark.parametrize(("request_", "error"), BAD)
def test_a_bad_request_stores_and_starts_nothing(
    world: World, request_: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        world.request(4, key="k", **request_)
    assert not world.batches.batches
    assert not world.content.documents
    assert not world.workflow.starts


def test_an_assignments_settings_lie_between_stack_and_request(world: World) -> None:
    world.register(assignment_id="x", anchors=ANCHORS, config={"max_waves": 7, "audit_share": 0.5})
    batch = world.request(
        4, assignment_id="x", stack={"max_waves": "9"}, config={"audit_share": 0.3}
    )
    assert (batch.config.max_waves, batch.config.audit_share) == (7, 0.3)
    assert batch.config_sources["max_waves"] is Source.ASSIGNMENT


def test_an_assignment_cannot_lift_the_stacks_cap_without_rights(world: World) -> None:
    stack = {"max_pairwise_comparisons": "200"}
    with pytest.raises(NotPermittedError, match="max_pairwise_comparisons"):
        world.register(
            assignment_id="x",
            anchors=ANCHORS,
            config={"max_pairwise_comparisons": 900},
            stack=stack,
        )
    assert world.assignments.get_assignment("x") is None


def test_a_finished_batch_is_not_started_again(world: World) -> None:
    batch = world.request(4, key="k")
    world.cancel(batch.batch_id)
    starts = len(world.workflow.starts)
    assert world.request(4, key="k").status is BatchStatus.CANCELLED
    assert len(world.workflow.starts) == starts


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_is_mended_by_the_same_request(*, after: bool) -> None:
    for at in range(1, 50):
        world = World()
        fault = Fault(at, after)
        try:
            world.request(4, key="k", fault=fault)
        except CrashError:
            pass
        else:
            assert at > 5
            return
        batch = world.request(4, key="k")
        assert list(world.batches.batches) == [batch.batch_id]
        assert world.workflow.is_running(batch.batch_id)
        world.prepare(batch.batch_id)
        assert world.batches.get_batch(batch.batch_id).essays == 4
    pytest.fail("the request never got through")
