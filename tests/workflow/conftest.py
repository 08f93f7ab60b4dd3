"""The template's view of the functions, and a whole stack in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infrastructure.conftest import functions, template
from tests.workflow.quick_machines import quick_state_machines
from tests.workflow.stack import Stack, running_stack

__all__ = ["functions", "template"]


@pytest.fixture(scope="session", autouse=True)
def less_work_in_state_machines() -> Iterator[None]:
    """Let moto run the same state machines in less time."""
    with quick_state_machines():
        yield


@pytest.fixture
def stack() -> Iterator[Stack]:
    """Table, bucket, queues, bus and state machine under moto, with the real handlers."""
    with running_stack() as made:
        yield made
