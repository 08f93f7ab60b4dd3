"""A `CJAssessmentRequested.v1` event: the request inside it and the key that makes it one."""

from __future__ import annotations

from typing import Any

from assessment.domain.errors import InvalidRequestError


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
    data = dict(detail["data"])
    correlation_id = detail.get("correlation_id")
    if correlation_id:
        data.setdefault("correlation_id", correlation_id)
    key = detail.get("event_id") or event.get("id")
    if not key:
        raise InvalidRequestError("give the event an event_id", field="detail.event_id")
    return data, f"bus/{key}"


def _read_detail(event: dict[str, Any]) -> dict[str, Any]:
    """The envelope, which has a `data` object."""
    detail = event.get("detail")
    if not isinstance(detail, dict) or not isinstance(detail.get("data"), dict):
        raise InvalidRequestError("put the batch request into detail.data", field="detail.data")
    return detail
