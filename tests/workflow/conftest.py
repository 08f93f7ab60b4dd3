"""The template's view of the functions, and a whole stack in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infrastructure.conftest import functions, template
from tests.workflow.stack import Stack, running_stack

__all__ = ["functions", "template"]


@pytest.fixture
def stack() -> Iterator[Stack]:
    """Table, bucket, queues, bus and state machine under moto, with the real handlers."""
    with running_stack() as made:
        yield made
