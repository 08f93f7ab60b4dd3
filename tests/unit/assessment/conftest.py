"""A simulated stack for each test, and batches brought to the state a test begins in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from assessment.domain.wave import Wave
from tests.fakes.world import World

WAVE_TIMEOUT = 600


@dataclass
class Started:
    """A batch whose first wave is planned, and submitted if that was asked for."""

    world: World
    batch_id: str
    wave: Wave
    token: str = "token-1"

    @property
    def closed(self) -> bool:
        """Whether the waiting state was woken."""
        return self.world.workflow.tokens[self.token].settled


@pytest.fixture
def world() -> World:
    return World()


def plan_batch(world: World, essays: int = 6, **config: object) -> Started:
    """A batch whose first wave is planned."""
    settings = {"wave_timeout_seconds": WAVE_TIMEOUT, "retry_pool_threshold": 2, **config}
    batch_id = world.request(essays, key="first", config=settings).batch_id
    world.prepare(batch_id)
    return Started(world, batch_id, world.plan(batch_id))


def submit_batch(world: World, essays: int = 6, **config: object) -> Started:
    """A batch whose first wave awaits its verdicts."""
    started = plan_batch(world, essays, **config)
    world.workflow.issue(started.token)
    world.submit(started.batch_id, started.wave.wave, started.token)
    return started


@pytest.fixture
def planned(world: World) -> Started:
    return plan_batch(world)


@pytest.fixture
def submitted(world: World) -> Started:
    return submit_batch(world)


@pytest.fixture
def submit() -> Callable[..., Started]:
    """For tests that need several worlds or another configuration."""
    return submit_batch
