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
from typing import Any

from assessment.adapters.judges.retry_delay import find_retry_delay
from assessment.contracts.json_text import unwrap_string
from assessment.contracts.valid_values import clean_text
from assessment.domain.quotation import LONGEST_MESSAGE, remove_quotations

_CODE_NAMES = ("code", "type", "status", "reason", "finish_reason", "__type", "err_type", "title")
_MESSAGE_NAMES = (
    "message", "detail", "msg", "status_msg", "error_message", "failed_generation_message",
)  # fmt: skip
_INNER_NAMES = (
    "error", "errors", "innererror", "inner_error", "details", "metadata", "raw", "base_resp",
)  # fmt: skip
_DEEPEST = 6
_LONGEST_READ = 1500


@dataclass(frozen=True)
class ProviderError:
    """An error as a provider tells it.

    Attributes
    ----------
    status
        The HTTP status, of the response or of the line of a batch; 0 where there was none.
    codes
        Every code, type and reason in it, as `normalise_code` has them.
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
    def description(self) -> str:
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
    codes = [code for document in documents for code in _read_codes(document)]
    said = _join_messages(documents) if documents else _read_plain_text(body)
    words = remove_quotations(_remove_keys(said, secrets), texts, longest=_LONGEST_READ)
    return ProviderError(
        status=_read_status(status, codes),
        codes=_normalise_codes(codes),
        words=words,
        param=_find_param(documents),
        retry_after=find_retry_delay(
            headers or {}, documents, words=words, now=now or datetime.now(UTC)
        ),
        is_moderated=any(_is_moderation(document) for document in documents),
        has_failed_generation=any("failed_generation" in document for document in documents),
        shown_code=_remove_keys(_find_name(codes), secrets),
    )


def _walk(node: object, depth: int = _DEEPEST) -> Iterator[dict[str, Any]]:
    """Every object of an error document, outermost first."""
    if depth == 0:
        return
    if isinstance(node, list):
        for entry in node:
            yield from _walk(entry, depth - 1)
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


def _join_messages(documents: Iterable[Mapping[str, Any]]) -> str:
    messages = dict.fromkeys(
        message for document in documents for message in _read_messages(document)
    )
    return clean_text(" | ".join(messages))


def _find_param(documents: Iterable[Mapping[str, Any]]) -> str | None:
    params = (document.get("param") for document in documents)
    return next((param for param in params if isinstance(param, str)), None)


def _read_status(status: int, codes: Iterable[str]) -> int:
    """The status, or inside a 200 the one that the error itself names."""
    if status not in (0, 200):
        return status
    statuses = [int(code) for code in codes if code.isdigit() and 400 <= int(code[:4]) < 600]  # noqa: PLR2004 - HTTP's errors
    return statuses[0] if statuses else status


def _find_name(codes: Iterable[str]) -> str:
    """The first code that is a short name rather than a number or a sentence."""
    names = (code for code in codes if re.fullmatch(r"[\w.\-]{1,80}", code))
    return next((name for name in names if not name.isdigit()), "")


def normalise_code(code: str) -> str:
    """The letters and digits of a code: services write one name in many ways."""
    return "".join(character for character in code.lower() if character.isalnum())


def _normalise_codes(codes: Iterable[str]) -> frozenset[str]:
    return frozenset(normalise_code(code) for code in codes if not code.isdigit())


def _is_moderation(document: Mapping[str, Any]) -> bool:
    """OpenRouter's metadata of a moderation, or Azure's results of its filters."""
    reasons = document.get("reasons")
    flagged = isinstance(reasons, list) and bool(reasons)
    return flagged or any(
        name in document
        for name in ("flagged_input", "content_filter_result", "content_filter_results",
                     "contentFilter", "blockReason", "block_reason")
    )  # fmt: skip


def _read_plain_text(body: object) -> str:
    """The words of a page that a proxy answered with, or of a text that is no JSON."""
    if not isinstance(body, str):
        return ""
    bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", body[:20_000], flags=re.DOTALL)
    return clean_text(" ".join(bare.split()))


def _remove_keys(text: str, secrets: Iterable[str]) -> str:
    """The text with our key taken out."""
    for secret in secrets:
        bare = secret.removeprefix("Bearer ")
        if len(bare) >= 8:  # noqa: PLR2004 - shorter values are no keys but content types
            text = text.replace(bare, "[key]")
    words = text.split(" ")
    return " ".join("[key]" if word.lstrip("'\"").startswith("sk-") else word for word in words)
