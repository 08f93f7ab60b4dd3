"""How long a provider asks us to wait: in headers, or in the body of its error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_RESET_HEADERS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
)
"""Pairs of headers: what is left of a limit, and when it is full again."""

_BODY_NAMES = ("retryDelay", "retry_after", "retry_after_seconds")


def find_retry_delay(
    headers: Mapping[str, str], documents: Iterable[Mapping[str, Any]], *, now: datetime
) -> float | None:
    """Seconds to wait, from the headers or else from the body's documents; None if neither says.

    Headers are `retry-after-ms`, `Retry-After` as a number or a date (RFC 9110, 10.2.3), or the
    time at which a limit that is used up is full again: a duration ("6m0s", OpenAI) or a date
    (Anthropic). In the body it is Gemini's `retryDelay`, or the `retry_after` of a gateway.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    milliseconds = _read_number(fields.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    delay = _read_delay(fields.get("retry-after", ""), now)
    if delay is None:
        delay = _find_reset_delay(fields, now)
    return _find_delay_in_body(documents, now) if delay is None else delay


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
    return None


def _read_delay(text: str, now: datetime) -> float | None:
    """A number of seconds, a duration, or a date, as seconds from now."""
    text = text.strip()
    seconds = _read_number(text)
    if seconds is None:
        seconds = _read_duration(text)
    if seconds is None:
        moment = _read_date(text)
        seconds = None if moment is None else max(0.0, (moment - now).total_seconds())
    return seconds


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
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _read_date(text: str) -> datetime | None:
    """A date of HTTP or of ISO 8601, if it names its zone."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = parse(text)
        except ValueError:
            continue
        if moment.tzinfo is not None:
            return moment
    return None
