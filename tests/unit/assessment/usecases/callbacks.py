"""Callbacks of a world's judge, and how often each effect was had."""

from __future__ import annotations

from assessment.domain.comparison import Comparison, ComparisonStatus
from tests.unit.assessment.conftest import Started

S = ComparisonStatus
PERMANENT = {"code": "refused", "message": "no", "retryable": False}
TRANSIENT = {"code": "overloaded", "message": "later", "retryable": True}


def find_first(started: Started) -> Comparison:
    return started.world.list_comparisons(started.batch_id)[0]


def again(started: Started, comparison: Comparison) -> Comparison:
    return started.world.comparisons.get_comparison(
        started.batch_id, comparison.wave, comparison.comparison_id
    )


def take_deadline(started: Started) -> str:
    """The deadline message of the wave, taken off the queue."""
    queue = started.world.callback_queue.messages
    message = next(m for m in queue if "WaveDeadlineV1" in m.body)
    queue.remove(message)
    return message.body
