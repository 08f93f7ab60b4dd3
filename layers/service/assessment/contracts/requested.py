"""A `CJAssessmentRequested.v1` event: the request inside it and the key that makes it one."""

from __future__ import annotations

from typing import Any

from assessment.domain.access import DEFAULT_ORGANISATION, is_organisation
from assessment.domain.errors import InvalidRequestError
from assessment.domain.identifiers import join_key


def read_requested_batch(event: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The batch request of an EventBridge event and its idempotency key.

    The key is the envelope's own event id, so that a producer may publish again after a crash;
    without one it is EventBridge's, which only covers redelivery.

    Raises
    ------
    InvalidRequestError
        If the event has no `detail.data` object, or no id.
    """
    detail = _read_detail(event)
    _check_organisation(detail)
    data = dict(detail["data"])
    correlation_id = detail.get("correlation_id")
    if correlation_id:
        data.setdefault("correlation_id", correlation_id)
    key = detail.get("event_id") or event.get("id")
    if not key:
        raise InvalidRequestError("give the event an event_id", field="detail.event_id")
    return data, join_key("bus", str(key))


def read_organisation(event: dict[str, Any]) -> str:
    """The organisation that the event is of: its envelope's, or the default one.

    Who may put events on the bus is the account's to say, so the envelope is believed. A name that
    could not be part of a key counts as the default one's: such a request is refused.
    """
    detail = event.get("detail")
    name = detail.get("organisation") if isinstance(detail, dict) else None
    return name if isinstance(name, str) and is_organisation(name) else DEFAULT_ORGANISATION


def _check_organisation(detail: dict[str, Any]) -> None:
    name = detail.get("organisation", DEFAULT_ORGANISATION)
    if not isinstance(name, str) or not is_organisation(name):
        raise InvalidRequestError(
            "an organisation has 1 to 64 letters, digits or ._-", field="detail.organisation"
        )


def _read_detail(event: dict[str, Any]) -> dict[str, Any]:
    """The envelope, which has a `data` object."""
    detail = event.get("detail")
    if not isinstance(detail, dict) or not isinstance(detail.get("data"), dict):
        raise InvalidRequestError("put the batch request into detail.data", field="detail.data")
    return detail
