"""HTTP replies of a provider."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

OK, BAD_REQUEST, NOT_FOUND, CONFLICT, UNAVAILABLE = 200, 400, 404, 409, 503


@dataclass
class Reply:
    """The reply to one request.

    Parameters
    ----------
    body
        A JSON document, or a text that is sent unchanged.
    delay
        Seconds until the reply is sent.
    silent
        The judge never answers this request; a caller that waits for an answer gets a 503.
    """

    body: Any
    status: int = OK
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    silent: bool = False

    @property
    def is_success(self) -> bool:
        """Whether it carries verdicts."""
        return self.status == OK

    @property
    def problem(self) -> str:
        """The message of an error."""
        return str(self.body.get("error", self.body)["message"])

    def encode(self) -> bytes:
        """The bytes of the body."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()
