"""`--judging-deadline`: a day or a moment of here, or a moment with its zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runner.commands.options import join_settings
from runner.errors import BadInputError


def read_moment(deadline: datetime) -> datetime:
    (setting,) = join_settings(None, None, deadline)
    name, _, value = setting.partition("=")
    assert name == "judging_deadline"
    return datetime.fromisoformat(value)


def test_a_day_means_its_end_here() -> None:
    moment = read_moment(datetime(2026, 3, 12))  # noqa: DTZ001 - as the option gives it
    assert moment.tzinfo is not None
    assert moment == datetime(2026, 3, 12, 23, 59).astimezone()


def test_a_moment_with_a_zone_is_kept() -> None:
    moment = datetime(2026, 3, 12, 16, 0, tzinfo=UTC)
    assert read_moment(moment) == moment


def test_it_is_given_once() -> None:
    with pytest.raises(BadInputError, match="give it once"):
        join_settings(["judging_deadline=2026-03-12T16:00Z"], None, datetime.now(UTC))
