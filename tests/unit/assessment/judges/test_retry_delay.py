"""How long a provider asks us to wait, in each of the forms in which it says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from assessment.adapters.judges.provider_error import read_provider_error

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=90)
GROQ = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "2m59.56s"}


def read(headers: dict[str, str] | None = None, body: Any = None) -> float | None:
    return read_provider_error(429, body, headers=headers, now=NOW).retry_after


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "86400"}, 86400),
        ({"Retry-After": "20, 30"}, 30),
        ({"Retry-After": "20s"}, 20),
        ({"Retry-After": format_datetime(LATER, usegmt=True)}, 90),
        ({"Retry-After": format_datetime(NOW - timedelta(hours=1), usegmt=True)}, 0),
        ({"Retry-After": "Monday, 02-Mar-26 09:01:30 GMT"}, 90),
        ({"Retry-After": str(int(LATER.timestamp()))}, 90),
        ({"retry-after-ms": "1500", "Retry-After": "2"}, 1.5),
        ({"Retry-After": LATER.strftime("%a %b %e %H:%M:%S %Y")}, 90),
        ({"Retry-After": "1d"}, 86400),
        ({"Retry-After": "30 seconds"}, 30),
        # By the clock of the server that sent it, which is not ours.
        (
            {
                "Retry-After": format_datetime(LATER, usegmt=True),
                "Date": format_datetime(NOW + timedelta(seconds=60), usegmt=True),
            },
            30,
        ),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "nan"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "6m0s"}, None),
        (GROQ, 179.56),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "90"}, 90),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{LATER.timestamp():.0f}"}, 90),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{LATER.timestamp():.0f}000"}, 90),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "40"}, 40),
        (
            {
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": LATER.isoformat(),
            },
            90,
        ),
    ],
)
def test_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert read(headers) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ([{"error": {"details": [{"retryDelay": "34.07s"}]}}], 34.07),
        ({"error": {"metadata": {"retry_after_seconds": 12}}}, 12),
        ({"error": {"metadata": {"headers": {"Retry-After": 5}}}}, 5),
        (
            {
                "error": {
                    "metadata": {
                        "headers": {
                            "X-RateLimit-Remaining": "0",
                            "X-RateLimit-Reset": f"{LATER.timestamp():.0f}000",
                        }
                    }
                }
            },
            90,
        ),
        ({"error": {"message": "Rate limit exceeded. Try again in 26 seconds."}}, 26),
        ({"error": {"message": "Please retry after 2 minutes"}}, 120),
        ({"error": {"message": "Please try again in 6m0s. Visit the site."}}, 360),
        ({"error": {"message": "Limit 3, Used 3. Please try again in 1h12m3.5s."}}, 4323.5),
        ({"error": {"message": "Please try again in 204ms."}}, 0.204),
        ({"error": {"message": "Please wait 38 seconds before retrying."}}, 38),
        ("Retry in 30 sec", 30),
        ({"error": {"message": "Retry in about 45 secs"}}, 45),
        ({"error": {"message": "Please wait 1 minute and 5 seconds before trying again"}}, 65),
        ({"error": {"retryAfter": 12}}, 12),
        ({"error": {"retry_after_ms": 12000}}, 12),
        ({"error": "Model x is currently loading", "estimated_time": 20.0}, 20),
        ({"error": {"message": "You sent 20 requests in 60 seconds, please wait"}}, None),
        ({"error": {"message": "wait 5 more requests"}}, None),
    ],
)
def test_bodies(body: Any, seconds: float | None) -> None:
    assert read(body=body) == (None if seconds is None else pytest.approx(seconds))


def test_headers_come_before_words_and_a_text_of_the_call_says_nothing() -> None:
    words = {"error": {"message": "Slow down: try again in 24 hours, said the old man there"}}
    assert read({"Retry-After": "3"}, words) == 3
    quoted = read_provider_error(
        429, words, texts=["try again in 24 hours, said the old man there"], now=NOW
    )
    assert quoted.retry_after is None
