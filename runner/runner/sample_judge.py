"""Whether a stack's own judge can judge these texts: the demo's knows only its sample."""

import hashlib
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from runner.errors import BadInputError, Problem

TEXTS_PATH = "/texts"
"""Where a judge that knows only certain texts says which; other judges have no such path."""

_TIMEOUT = httpx.Timeout(5.0, connect=2.0)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CHOICES = """Choose who judges:
  --judge openai/gpt-4.1-mini           key: OPENAI_API_KEY, or `cj key set openai{options}`
  --judge anthropic/claude-haiku-4-5    key: ANTHROPIC_API_KEY, or `cj key set anthropic{options}`
  --judge openai/llama3.1:8b,base_url=http://127.0.0.1:11434/v1,context_tokens=8192 --admin
                                        a local Ollama, no key
  --judge person                        people ask the API for the next comparison
  --judge surface                       counts words and marks, needs no key; it judges the surface:
                                        a baseline, not an assessment"""


def fingerprint(text: str) -> str:
    """The hash by which such a judge knows a text: SHA-256 without white space at its ends."""
    return hashlib.sha256(text.strip().encode()).hexdigest()


def check_default_judge(
    judge_url: str | None, texts: Sequence[str], *, connection: str = ""
) -> None:
    """Refuse, before anything is stored, texts that the stack's own judge cannot judge.

    Only an endpoint on this machine is asked; what it does not answer is found out by the batch.

    Raises
    ------
    BadInputError
        Naming the choices.
    """
    if judge_url is None or urlsplit(judge_url).hostname not in _LOOPBACK:
        return
    hashes = [fingerprint(text) for text in texts]
    try:
        answer = httpx.post(
            judge_url.rstrip("/") + TEXTS_PATH, json={"sha256": hashes}, timeout=_TIMEOUT
        )
    except httpx.TransportError as error:
        reason = f"none is named, and the stack's own at {judge_url} does not answer"
        reason = f"{reason} ({type(error).__name__})"
        raise BadInputError(_problem(reason, connection)) from None
    if answer.status_code != HTTPStatus.OK:
        return
    listing = answer.json()
    if listing["unknown"]:
        reason = (
            f"none is named, and the demo's judge knows only its {listing['known_texts']} sample "
            f"texts; {listing['unknown']} of these {len(texts)} are others"
        )
        raise BadInputError(_problem(reason, connection))


def _problem(reason: str, connection: str) -> Problem:
    return Problem(f"{reason}. {CHOICES.format(options=connection)}", field="--judge")
