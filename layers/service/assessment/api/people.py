"""People as judges: the next comparison, and their verdicts."""

from __future__ import annotations

from datetime import UTC, datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.composition import adapters, open_batch
from assessment.api.responses import answer, caller, json_body
from assessment.contracts.parsing import parse
from assessment.contracts.request import PersonVerdict
from assessment.usecases.judge_in_person import next_comparison, record_person_verdict

router = Router()  # type: ignore[no-untyped-call]


@router.get("/v1/batches/<batch_id>/next-comparison")
def offer_comparison(batch_id: str) -> Response[str]:
    """A comparison for the caller, or null when none waits for a person now."""
    offer = next_comparison(
        open_batch(batch_id),
        caller(router.current_event.raw_event),
        ports=adapters().person_ports,
        now=datetime.now(UTC),
    )
    comparison = offer.model_dump(mode="json") if offer else None
    return answer(200, {"comparison": comparison})


@router.post("/v1/batches/<batch_id>/verdicts")
def verdict(batch_id: str) -> Response[str]:
    """Take the caller's verdict."""
    event = router.current_event
    result = record_person_verdict(
        open_batch(batch_id),
        caller(event.raw_event),
        parse(PersonVerdict, json_body(event.body)),
        ports=adapters().person_ports,
        now=datetime.now(UTC),
    )
    return answer(202, {"status": "accepted", "correlation_id": result.correlation_id})
