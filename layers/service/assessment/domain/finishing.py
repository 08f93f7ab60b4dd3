"""When a batch is to be finished, and from when on nothing may be left to a provider's batch."""

from __future__ import annotations

from datetime import datetime, timedelta

from assessment.domain.config import BatchConfig
from assessment.domain.errors import InvalidRequestError

FINAL_STEPS = timedelta(minutes=2)
"""How long before `finish_by` the last wave closes: it is still scored, and the result written."""

LEAST_BATCH_TIME = timedelta(minutes=10)
"""How long a provider must have for a batch before it is worth while to submit one."""

_LEAST_NOTICE = timedelta(minutes=10)
_RESERVE = timedelta(minutes=30)
_PER_COMPARISON = timedelta(seconds=1)


def check_finish_by(config: BatchConfig, *, now: datetime) -> None:
    """Refuse a time that no batch can keep.

    Raises
    ------
    InvalidRequestError
    """
    if config.finish_by is None or config.finish_by >= now + _LEAST_NOTICE:
        return
    minutes = _LEAST_NOTICE.total_seconds() / 60
    raise InvalidRequestError(
        f"is {config.finish_by.isoformat()}, which has passed or is near; give a time at least "
        f"{minutes:.0f} minutes from now ({now.isoformat(timespec='seconds')}), or leave it out",
        field="config.finish_by",
    )


def find_finish(config: BatchConfig) -> datetime | None:
    """When the batch is to be finished: as it says, or soon after people may judge no more."""
    ends = [] if config.finish_by is None else [config.finish_by]
    if config.judging_deadline is not None:
        ends.append(config.judging_deadline + FINAL_STEPS)
    return min(ends, default=None)


def find_wave_deadline(config: BatchConfig, *, now: datetime) -> datetime:
    """When a wave that is submitted now closes: before the batch's end, unless that has passed.

    A wave that waits for people waits until then: they have days.
    """
    usual = now + timedelta(seconds=config.wave_timeout_seconds)
    finish = find_finish(config)
    if finish is None or finish - FINAL_STEPS <= now:
        return usual
    if config.judging_deadline is not None:
        return finish - FINAL_STEPS
    return min(usual, finish - FINAL_STEPS)


def find_switch(finish_by: datetime, n_comparisons: int) -> datetime:
    """From when on what is outstanding is asked in single calls.

    Half an hour before the end, and a second earlier for each comparison of the wave: a provider
    may take ten minutes to cancel a batch, and calls are made side by side.
    """
    return finish_by - _RESERVE - n_comparisons * _PER_COMPARISON


def minutes_until_finish(config: BatchConfig, *, now: datetime) -> float | None:
    """How many minutes are left in which a wave may be asked about."""
    finish = find_finish(config)
    return None if finish is None else (finish - FINAL_STEPS - now).total_seconds() / 60
