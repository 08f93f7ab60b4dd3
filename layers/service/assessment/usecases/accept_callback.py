"""Take a signed callback from the web and put it where all verdicts come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError

from assessment.contracts.json_text import load_json
from assessment.contracts.list_protocol import ComparisonResult, choose_result_type
from assessment.contracts.signature import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    WINDOW_SECONDS,
    check_signature,
)
from assessment.domain.errors import MalformedCallbackError, ReplayedCallbackError
from assessment.domain.field_problems import describe_problems, list_problems
from assessment.ports.groups import SignedCallbackPorts

# A verdict is small; what is longer is no verdict and would not fit the queue, which counts bytes.
MAX_BODY_BYTES = 100_000


def accept_callback(
    body: str,
    headers: Mapping[str, str],
    *,
    secrets: Sequence[str],
    ports: SignedCallbackPorts,
    now: datetime,
) -> ComparisonResult:
    """Queue the result; what is not recorded yet can be sent again under a new timestamp.

    Raises
    ------
    SignatureRefusedError, MalformedCallbackError
    ReplayedCallbackError
        If this very signature was accepted before.
    """
    fields = {name.lower(): value for name, value in headers.items()}
    timestamp, signed = fields.get(TIMESTAMP_HEADER.lower()), fields.get(SIGNATURE_HEADER.lower())
    check_signature(body, timestamp=timestamp, signature=signed, secrets=secrets, now=now)
    n_bytes = len(body.encode(errors="replace"))
    if n_bytes > MAX_BODY_BYTES:
        raise MalformedCallbackError(
            f"the callback has {n_bytes} bytes; a verdict has at most {MAX_BODY_BYTES}",
            field="body",
        )
    result = _result(body)
    if ports.signatures.was_seen(signed or ""):
        raise ReplayedCallbackError("this callback was accepted before; nothing was changed")
    # Queued before it is marked: a crash in between lets it come twice, which changes nothing,
    # rather than not at all.
    ports.callback_queue.send_result(result)
    ports.signatures.remember(signed or "", until=now + timedelta(seconds=2 * WINDOW_SECONDS))
    return result


def _result(body: str) -> ComparisonResult:
    try:
        document = load_json(body)
    except (ValueError, RecursionError):
        raise MalformedCallbackError("the callback is not JSON", field="body") from None
    try:
        return choose_result_type(document).model_validate(document)
    except ValidationError as error:
        path, _ = list_problems(error)[0]
        raise MalformedCallbackError(describe_problems(error), field=path) from None
