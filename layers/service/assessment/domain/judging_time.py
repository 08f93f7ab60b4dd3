"""How long people may judge: days, with reminders, and no pair asked again unless it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from assessment.domain.config import BatchConfig, ResolvedConfig, Source
from assessment.domain.errors import InvalidRequestError
from assessment.domain.judge import JudgeSpec, Provider

USUAL_DAYS = 14
LONGEST_DAYS = 90
"""The state machine waits for a wave a day longer."""

_LEAST_NOTICE = timedelta(minutes=10)
_LAST_CALL = timedelta(days=1)
_CHOSEN = frozenset({Source.ASSIGNMENT, Source.REQUEST})


def includes_people(judges: Sequence[JudgeSpec]) -> bool:
    """Whether people are among the judges."""
    return any(judge.provider is Provider.PERSON for judge in judges)


def give_people_time(
    resolved: ResolvedConfig, judges: Sequence[JudgeSpec], *, now: datetime
) -> ResolvedConfig:
    """The configuration of a batch that may wait for people.

    Who names neither `judging_deadline` nor `wave_timeout_seconds` gives people fourteen days, or
    until the time or the end that the batch has. People are asked about no pair again in reversed
    order, unless `small_net_resampling_cap` was chosen.

    Raises
    ------
    InvalidRequestError
        If the batch has a `judging_deadline` that nobody needs, or one after its `finish_by`.
    """
    config, sources = resolved.config, dict(resolved.sources)
    _check_use(config, judges)
    if not includes_people(judges):
        return resolved
    changes: dict[str, object] = {}
    if config.judging_deadline is None and sources["wave_timeout_seconds"] not in _CHOSEN:
        changes["judging_deadline"] = _find_usual_deadline(config, now)
    if sources["small_net_resampling_cap"] not in _CHOSEN:
        changes["small_net_resampling_cap"] = 0
    sources.update(dict.fromkeys(changes, Source.JUDGE))
    return ResolvedConfig(config=config.model_copy(update=changes), sources=sources)


def _check_use(config: BatchConfig, judges: Sequence[JudgeSpec]) -> None:
    deadline = config.judging_deadline
    if deadline is None:
        return
    if not includes_people(judges):
        raise InvalidRequestError(
            'is for people, and none judges this batch; use finish_by, or add {"provider": '
            '"person"} to judge',
            field="config.judging_deadline",
        )
    if config.finish_by is not None and deadline > config.finish_by:
        raise InvalidRequestError(
            f"is {deadline.isoformat()}, after finish_by ({config.finish_by.isoformat()}); give an "
            "earlier time, or leave finish_by out",
            field="config.judging_deadline",
        )


def _find_usual_deadline(config: BatchConfig, now: datetime) -> datetime:
    ends = [now + timedelta(days=USUAL_DAYS)]
    if config.max_minutes is not None:
        ends.append(now + timedelta(minutes=config.max_minutes))
    if config.finish_by is not None:
        ends.append(config.finish_by)
    return min(ends)


def check_judging_deadline(config: BatchConfig, *, now: datetime) -> None:
    """Refuse a time that has passed, is near, or is further away than a batch can wait.

    Raises
    ------
    InvalidRequestError
    """
    deadline = config.judging_deadline
    if deadline is None or now + _LEAST_NOTICE <= deadline <= now + timedelta(days=LONGEST_DAYS):
        return
    minutes = _LEAST_NOTICE.total_seconds() / 60
    raise InvalidRequestError(
        f"is {deadline.isoformat()}; give a time between {minutes:.0f} minutes and {LONGEST_DAYS} "
        f"days from now ({now.isoformat(timespec='seconds')}), or leave it out for {USUAL_DAYS} "
        "days",
        field="config.judging_deadline",
    )


def check_moved_deadline(
    config: BatchConfig, judges: Sequence[JudgeSpec], *, requested_at: datetime, now: datetime
) -> None:
    """Refuse a time that a batch which runs cannot wait for.

    The state machine waits for a wave from its submission on, so the longest time counts from the
    request.

    Raises
    ------
    InvalidRequestError
    """
    deadline = config.judging_deadline
    latest = requested_at + timedelta(days=LONGEST_DAYS)
    try:
        _check_use(config, judges)
    except InvalidRequestError as error:
        raise InvalidRequestError(str(error), field="judging_deadline") from None
    if deadline is None or now + _LEAST_NOTICE <= deadline <= latest:
        return
    minutes = _LEAST_NOTICE.total_seconds() / 60
    raise InvalidRequestError(
        f"is {deadline.isoformat()}; give a time that is {minutes:.0f} minutes from now "
        f"({now.isoformat(timespec='seconds')}) or later, and no later than {LONGEST_DAYS} days "
        f"after the request ({latest.isoformat(timespec='seconds')})",
        field="judging_deadline",
    )


def list_reminder_times(*, requested_at: datetime, deadline: datetime) -> tuple[datetime, ...]:
    """When people are reminded: halfway, and a day before the end where that comes later."""
    halfway = requested_at + (deadline - requested_at) / 2
    last_call = deadline - _LAST_CALL
    return (halfway, last_call) if last_call > halfway else (halfway,)


def count_due_reminders(*, requested_at: datetime, deadline: datetime, now: datetime) -> int:
    """How many of the reminders are due; none any more when the time is over."""
    if now >= deadline:
        return 0
    times = list_reminder_times(requested_at=requested_at, deadline=deadline)
    return sum(time <= now for time in times)
