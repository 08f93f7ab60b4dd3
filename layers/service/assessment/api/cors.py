"""Whether a page of another origin may read an answer (CORS), as the Fetch standard has it.

Tokens are in a header that a page sets itself, never in cookies: no answer permits credentials.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match"
_SHOWN_HEADERS = "Allow, ETag, Location, Retry-After"
_PREFLIGHT_SECONDS = "600"


def make_cors_headers(
    origin: str | None, *, origins: Collection[str], methods: str | None
) -> Mapping[str, str]:
    """The headers that let the page of an origin read the answer to its request.

    Parameters
    ----------
    origin
        The request's `Origin`; None for a request that no page of another origin made.
    origins
        The origins that the stack admits; none of them switches CORS off.
    methods
        What the answer to a question for methods allows; None in all other answers.

    Returns
    -------
    Mapping
        Nothing for an origin that is not admitted: the browser refuses its page the answer.
    """
    if not origins:
        return {}
    varies = {"Vary": "Origin"}
    if origin not in origins:
        return varies
    headers = varies | {
        "Access-Control-Allow-Origin": str(origin),
        "Access-Control-Expose-Headers": _SHOWN_HEADERS,
    }
    if methods is None:
        return headers
    return headers | {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": _HEADERS,
        "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
    }
