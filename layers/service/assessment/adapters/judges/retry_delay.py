"""How long a provider asks us to wait: in headers, or in the body of its error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_RESET_HEADERS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
)
"""Pairs of headers: what is left of a limit, and when it is full again."""

_AMOUNT = re.compile(
    r"(\d+(?:\.\d+)?)\s*(milliseconds?|ms|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])",
    re.IGNORECASE,
)
_REQUEST_TO_WAIT = re.compile(
    r"\b(?:again|retry(?:ing)?|retried|wait)\b\W+(?:(?:in|after|for)\W+)?(?:about\W+)?"
    rf"((?:{_AMOUNT.pattern}(?:,| and)? *)+)",
    re.IGNORECASE,
)
_EARLIEST_MOMENT = 1e9
"""Seconds that are no duration but count from 1970 (2001)."""

_EARLIEST_MILLISECONDS = 1e11
"""The same in milliseconds (1973): a moment in seconds is larger only from the year 5138 on."""


_BODY_NAMES = (
    "retryDelay", "retry_after", "retry_after_seconds", "retryAfter", "retryAfterSeconds",
    "estimated_time",
)  # fmt: skip
_BODY_NAMES_MILLISECONDS = ("retry_after_ms", "retryAfterMs")


def find_retry_delay(
    headers: Mapping[str, str],
    documents: Sequence[Mapping[str, Any]],
    *,
    words: str = "",
    now: datetime,
) -> float | None:
    """Seconds to wait, from the headers, else from the body, else from its words; None if none.

    Headers are `retry-after-ms`, `Retry-After` as a number or a date (RFC 9110, 10.2.3), or the
    time at which a limit that is used up is full again: a duration ("6m0s", OpenAI), a date
    (Anthropic), or a moment in seconds or milliseconds since 1970. In the body it is Gemini's
    `retryDelay`, the `retry_after` of a gateway, or headers that a gateway passes on there; in
    words "try again in 26 seconds" or "in 1h12m".
    """
    passed_on = (document.get("headers") for document in documents)
    for fields in (headers, *(each for each in passed_on if isinstance(each, Mapping))):
        delay = _find_delay_in_headers(fields, now)
        if delay is not None:
            return delay
    delay = _find_delay_in_body(documents, now)
    return _find_delay_in_words(words) if delay is None else delay


def _find_delay_in_headers(headers: Mapping[str, Any], now: datetime) -> float | None:
    fields = {name.lower(): str(value) for name, value in headers.items()}
    # Dates are by the clock of the server that sent them, which may differ from ours.
    now = _read_date(fields.get("date", "")) or now
    milliseconds = _read_number(fields.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    delay = _read_delay(fields.get("retry-after", ""), now)
    return _find_reset_delay(fields, now) if delay is None else delay


def _find_reset_delay(fields: Mapping[str, str], now: datetime) -> float | None:
    """The longest time until a limit that is used up is full again."""
    delays = [
        _read_delay(fields[reset], now)
        for remaining, reset in _RESET_HEADERS
        if reset in fields and _read_number(fields.get(remaining)) == 0
    ]
    return max((delay for delay in delays if delay is not None), default=None)


def _find_delay_in_body(documents: Iterable[Mapping[str, Any]], now: datetime) -> float | None:
    for document in documents:
        for name in _BODY_NAMES:
            value = document.get(name)
            if isinstance(value, int | float | str) and not isinstance(value, bool):
                return _read_delay(str(value), now)
        for name in _BODY_NAMES_MILLISECONDS:
            milliseconds = _read_number(str(document.get(name, "")))
            if milliseconds is not None:
                return milliseconds / 1000
    return None


def _find_delay_in_words(words: str) -> float | None:
    match = _REQUEST_TO_WAIT.search(words)
    return None if match is None else _sum_amounts(match[1])


def _sum_amounts(text: str) -> float:
    amounts = _AMOUNT.findall(text)
    return sum(float(number) * _find_unit(unit.lower()) for number, unit in amounts)


def _find_unit(name: str) -> float:
    """The seconds in a unit of time."""
    if name in ("ms", "millisecond", "milliseconds"):
        return 0.001
    return {"h": 3600.0, "m": 60.0}.get(name[0], 1.0)


def _read_delay(text: str, now: datetime) -> float | None:
    """A number of seconds, a duration, a moment or a date, as seconds from now."""
    text = text.strip()
    seconds = _read_numbers(text)
    if seconds is not None and seconds >= _EARLIEST_MOMENT:
        seconds = seconds / 1000 if seconds >= _EARLIEST_MILLISECONDS else seconds
        return max(0.0, seconds - now.timestamp())
    if seconds is None:
        seconds = _sum_amounts(text) if _AMOUNT.fullmatch(text) else _read_duration(text)
    if seconds is None:
        moment = _read_date(text)
        seconds = None if moment is None else max(0.0, (moment - now).total_seconds())
    return seconds


def _read_numbers(text: str) -> float | None:
    """The largest of several numbers: two headers of one name are joined by a comma."""
    numbers = [_read_number(part) for part in text.split(",")]
    delays = [number for number in numbers if number is not None]
    return max(delays) if delays and len(delays) == len(numbers) else None


def _read_number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _read_duration(text: str) -> float | None:
    match = _DURATION.fullmatch(text)
    if not match or not text:
        return None
    days, hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _read_date(text: str) -> datetime | None:
    """A date of HTTP, which is always in UTC, or of ISO 8601, if it names its zone."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        pass
    else:
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
