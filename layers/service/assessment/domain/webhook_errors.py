"""What is refused about webhooks, and deliveries that did not succeed.

InvalidRequestError
`-- AddressRefusedError            a URL that nothing may be sent to
NotFoundError
`-- UnknownWebhookError
CJError
`-- WebhookUnavailableError        a receiver that did not take a message
"""

from __future__ import annotations

from typing import Self

from assessment.domain.errors import CJError, InvalidRequestError, NotFoundError


class AddressRefusedError(InvalidRequestError):
    """The URL is malformed, its host is unknown, or its address is not public."""

    code = "address-refused"
    title = "Nothing is sent to this address"


class UnknownWebhookError(NotFoundError):
    """The organisation has no webhook with this id."""

    code = "unknown-webhook"
    title = "There is no such webhook"

    @classmethod
    def from_id(cls, webhook_id: str) -> Self:
        """The error for an id that no webhook of the organisation has."""
        return cls(f"there is no webhook {webhook_id}", field="webhook_id")


class WebhookUnavailableError(CJError):
    """The receiver did not take the message: it is sent again later.

    `retry_after` is in seconds, if the receiver said when.
    """

    code = "webhook-unavailable"
    title = "The receiver did not take the message"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
