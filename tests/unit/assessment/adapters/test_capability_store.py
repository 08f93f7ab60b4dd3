"""What endpoints lack, remembered in the table for all workers and forgotten in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from assessment.adapters.aws.capability_store import DynamoDBCapabilities
from assessment.adapters.aws.dynamodb import Table
from assessment.domain.judge import JudgeSpec, Provider
from tests.fakes.messaging import Clock

JUDGE = JudgeSpec(provider=Provider.OPENAI, model="m")
OTHER = JudgeSpec(provider=Provider.OPENAI, model="n")


def test_what_one_worker_learns_the_others_know_within_a_minute(table: Table) -> None:
    clock = Clock(datetime(2026, 3, 2, 9, tzinfo=UTC))
    one, other = (DynamoDBCapabilities(table, clock=lambda: clock.now) for _ in range(2))
    assert not one.get_missing(JUDGE) | other.get_missing(JUDGE)
    one.record_missing(JUDGE, "json_schema")
    assert one.get_missing(JUDGE) == {"json_schema"}
    clock.forward(60)
    assert other.get_missing(JUDGE) == {"json_schema"}
    other.record_missing(JUDGE, "max_completion_tokens")
    clock.forward(60)
    assert one.get_missing(JUDGE) == {"json_schema", "max_completion_tokens"}
    assert not one.get_missing(OTHER)


def test_an_endpoint_is_asked_the_modern_way_again_after_a_week(table: Table) -> None:
    clock = Clock(datetime(2026, 3, 2, 9, tzinfo=UTC))
    worker = DynamoDBCapabilities(table, clock=lambda: clock.now)
    worker.record_missing(JUDGE, "json_schema")
    clock.forward(timedelta(days=6).total_seconds())
    assert worker.get_missing(JUDGE) == {"json_schema"}
    clock.forward(timedelta(days=2).total_seconds())
    assert not worker.get_missing(JUDGE)
