"""A provider's error in one form, read from whatever form the provider chose.

Errors stand under `error`, `errors`, `detail` or at the top of a body; in a list (Gemini); one in
another, as text (`metadata.raw` of OpenRouter) or as an object (`innererror` of Azure).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from assessment.contracts.json_text import unwrap_string
from assessment.contracts.valid_values import clean_text
from assessment.domain.quotation import LONGEST_MESSAGE, remove_quotations

_CODE_NAMES = ("code", "type", "status", "reason", "finish_reason", "__type", "err_type", "title")
_MESSAGE_NAMES = ("message", "detail", "msg", "error_message", "failed_generation_message")
_INNER_NAMES = ("error", "errors", "innererror", "inner_error", "details", "metadata", "raw")
_DEEPEST = 6
_LONGEST_READ = 1500
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_RESET_HEADERS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
)


@dataclass(frozen=True)
class ProviderError:
    """An error as a provider tells it.

    Attributes
    ----------
    status
        The HTTP status, of the response or of the line of a batch; 0 where there was none.
    codes
        Every code, type and reason in it, in lower case.
    words
        Its messages, without any key and without any words of the prompt.
    param
        The field of the request that it names.
    retry_after
        Seconds to wait, from a header or from the body.
    is_moderated, has_failed_generation
        Whether it carries what only a moderation's, or a broken output's, error carries.
    """

    status: int
    codes: frozenset[str] = frozenset()
    words: str = ""
    param: str | None = None
    retry_after: float | None = None
    is_moderated: bool = False
    has_failed_generation: bool = False
    shown_code: str = field(default="", compare=False)

    @property
    def described(self) -> str:
        """Code and message, as they are shown."""
        parts = [self.shown_code, self.words[:LONGEST_MESSAGE]]
        return ": ".join(part for part in parts if part)


def read_provider_error(
    status: int,
    body: object,
    *,
    headers: Mapping[str, str] | None = None,
    secrets: Iterable[str] = (),
    texts: Iterable[str] = (),
    now: datetime | None = None,
) -> ProviderError:
    """Read an error from a status and a body, which is a document, a text, or None.

    Parameters
    ----------
    secrets
        Values of headers that carry the key; providers like to quote it.
    texts
        Texts of the prompt, of which no words may be passed on.
    """
    documents = list(_walk(body))
    codes = [code for each in documents for code in _read_codes(each)]
    messages = dict.fromkeys(m for each in documents for m in _read_messages(each))
    if not documents and isinstance(body, str):
        messages = dict.fromkeys([_without_markup(body)])
    words = _without_keys(clean_text(" | ".join(messages)), secrets)
    names = frozenset(_normalise(code) for code in codes if not code.isdigit())
    shown = _without_keys(next((code for code in codes if _is_name(code)), ""), secrets)
    params = [each["param"] for each in documents if isinstance(each.get("param"), str)]
    header_wait = read_retry_after(headers or {}, now=now)
    return ProviderError(
        status=_read_status(status, codes),
        codes=names,
        words=remove_quotations(words, texts, longest=_LONGEST_READ),
        param=params[0] if params else None,
        retry_after=header_wait if header_wait is not None else _read_delay(documents),
        is_moderated=any(_is_moderation(each) for each in documents),
        has_failed_generation=any("failed_generation" in each for each in documents),
        shown_code=shown,
    )


def _walk(node: object, depth: int = _DEEPEST) -> Iterator[dict[str, Any]]:
    """Every object of an error document, outermost first."""
    if depth == 0:
        return
    if isinstance(node, list):
        for each in node:
            yield from _walk(each, depth - 1)
    elif isinstance(node, dict):
        yield node
        for name in _INNER_NAMES:
            inner = unwrap_string(node.get(name))
            if isinstance(inner, str) and name in ("error", "raw"):
                inner = {"message": inner}
            yield from _walk(inner, depth - 1)


def _read_codes(document: Mapping[str, Any]) -> Iterator[str]:
    for name in _CODE_NAMES:
        value = document.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            yield str(value)
        elif isinstance(value, str) and value and value != "error":
            yield value.rpartition("#")[2].partition(":")[0]


def _read_messages(document: Mapping[str, Any]) -> Iterator[str]:
    for name in _MESSAGE_NAMES:
        value = document.get(name)
        if isinstance(value, str) and value.strip():
            yield value.strip()
        elif isinstance(value, list | dict) and name == "detail":
            yield json.dumps(value)


def _read_status(status: int, codes: Iterable[str]) -> int:
    """The status, or inside a 200 the one that the error itself names."""
    if status not in (0, 200):
        return status
    named = [int(code) for code in codes if code.isdigit() and 400 <= int(code[:4]) < 600]  # noqa: PLR2004 - HTTP's errors
    return named[0] if named else status


def _is_name(code: str) -> bool:
    return not code.isdigit() and bool(re.fullmatch(r"[\w.\-]{1,80}", code))


def _normalise(code: str) -> str:
    return code.strip().lower().replace("-", "_").replace(" ", "_")


def _is_moderation(document: Mapping[str, Any]) -> bool:
    """OpenRouter's metadata of a moderation, or Azure's results of its filters."""
    reasons = document.get("reasons")
    flagged = isinstance(reasons, list) and bool(reasons)
    return flagged or any(
        name in document
        for name in ("flagged_input", "content_filter_result", "content_filter_results",
                     "blockReason", "block_reason")
    )  # fmt: skip


def read_retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds that the headers ask to wait.

    `Retry-After` as a number or a date (RFC 9110, 10.2.3), `retry-after-ms`, or the time at which
    a limit that is used up is full again: a duration ("6m0s", OpenAI) or a date (Anthropic).
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    moment = now or datetime.now(UTC)
    milliseconds = _read_number(lowered.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    stated = lowered.get("retry-after")
    if stated is not None:
        wait = _read_wait(stated, moment)
        if wait is not None:
            return wait
    waits = [
        _read_wait(lowered[reset], moment)
        for remaining, reset in _RESET_HEADERS
        if reset in lowered and _read_number(lowered.get(remaining)) == 0
    ]
    return max((wait for wait in waits if wait is not None), default=None)


def _read_number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _read_wait(text: str, now: datetime) -> float | None:
    """A number of seconds, a duration, or a date, as seconds from now."""
    text = text.strip()
    number = _read_number(text)
    if number is not None:
        return number
    duration = _read_duration(text)
    if duration is not None:
        return duration
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            until = parse(text)
        except ValueError:
            continue
        if until.tzinfo is not None:
            return max(0.0, (until - now).total_seconds())
    return None


def _read_duration(text: str) -> float | None:
    match = _DURATION.fullmatch(text)
    if not match or not text:
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _read_delay(documents: Iterable[Mapping[str, Any]]) -> float | None:
    """Gemini's `retryDelay`, and `retry_after` of gateways that put it into the body."""
    for document in documents:
        for name in ("retryDelay", "retry_after", "retry_after_seconds"):
            value = document.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return _read_number(str(value))
            if isinstance(value, str):
                return _read_wait(value, datetime.now(UTC))
    return None


def _without_markup(text: str) -> str:
    """The words of a page that a proxy answered with, or of a text that is no JSON."""
    bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", text[:20_000], flags=re.DOTALL)
    return " ".join(bare.split())


def _without_keys(text: str, secrets: Iterable[str]) -> str:
    """The text with our key taken out."""
    for secret in secrets:
        bare = secret.removeprefix("Bearer ")
        if len(bare) >= 8:  # noqa: PLR2004 - shorter values are no keys but content types
            text = text.replace(bare, "[key]")
    words = text.split(" ")
    return " ".join("[key]" if word.lstrip("'\"").startswith("sk-") else word for word in words)
