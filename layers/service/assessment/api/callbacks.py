"""Callbacks over the web: verdicts of judges' endpoints, signed with the stack's secret."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.composition import adapters
from assessment.api.responses import answer
from assessment.api.rotation import check_with_versions
from assessment.contracts.list_protocol import ComparisonResult
from assessment.observability import count
from assessment.usecases.accept_callback import accept_callback

router = Router()


@router.post("/v1/callbacks")
def callback() -> Response[str]:
    """Take one verdict."""
    event = router.current_event

    def accept(secrets: Sequence[str]) -> ComparisonResult:
        return accept_callback(
            event.decoded_body or "",
            event.headers,
            secrets=secrets,
            ports=adapters().signed_callback_ports,
            now=datetime.now(UTC),
        )

    result = check_with_versions(adapters().callback_secret, accept)
    count("callbacks_accepted")
    return answer(202, {"status": "accepted", "correlation_id": result.correlation_id})
