"""People as judges: the next comparison, and their verdicts."""

from __future__ import annotations

from datetime import UTC, datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guard_route, read_caller
from assessment.api.composition import open_batch, own_adapters
from assessment.api.queries import OfferQuery, VerdictQuery
from assessment.api.responses import answer, json_body, name_person
from assessment.contracts.parsing import parse
from assessment.contracts.people import JudgingDeadline
from assessment.contracts.request import PersonVerdict
from assessment.contracts.views import VerdictAccepted
from assessment.domain.access import Action
from assessment.observability import count
from assessment.usecases.judge_in_person import (
    next_comparison,
    offer_after_verdict,
    record_person_verdict,
)
from assessment.usecases.move_deadline import move_deadline

router = Router()


@guard_route(router, "GET", "/v1/batches/<batch_id>/next-comparison", Action.JUDGE_BATCH)
def offer_comparison(batch_id: str) -> Response[str]:
    """A comparison for the caller, or null when none waits for a person now."""
    caller, own = read_caller(router.current_event.raw_event), own_adapters(router)
    query = parse(OfferQuery, dict(router.current_event.query_string_parameters or {}))
    offer = next_comparison(
        open_batch(batch_id, own),
        name_person(caller),
        kept_ids=query.comparison_ids,
        ports=own.person_ports,
        now=datetime.now(UTC),
    )
    return answer(200, offer)


@guard_route(router, "PUT", "/v1/batches/<batch_id>/judging-deadline", Action.CHANGE_BATCH)
def change_deadline(batch_id: str) -> Response[str]:
    """Move the time until which people may judge."""
    own = own_adapters(router)
    moved = move_deadline(
        open_batch(batch_id, own),
        parse(JudgingDeadline, json_body(router.current_event.body)),
        ports=own.deadline_ports,
        now=datetime.now(UTC),
    )
    count("deadlines_moved")
    return answer(200, moved)


@guard_route(router, "POST", "/v1/batches/<batch_id>/verdicts", Action.JUDGE_BATCH)
def verdict(batch_id: str) -> Response[str]:
    """Take the caller's verdict, and answer with the next comparison where that is wanted."""
    caller, own = read_caller(router.current_event.raw_event), own_adapters(router)
    event = router.current_event
    query = parse(VerdictQuery, dict(event.query_string_parameters or {}))
    person = name_person(caller)
    correlation_id = record_person_verdict(
        open_batch(batch_id, own),
        person,
        parse(PersonVerdict, json_body(event.body)),
        ports=own.person_ports,
        now=datetime.now(UTC),
    )
    accepted = VerdictAccepted(status="accepted", correlation_id=correlation_id)
    if not query.offer:
        return answer(202, accepted)
    offer = offer_after_verdict(
        batch_id,
        person,
        kept_ids=query.comparison_ids,
        ports=own.person_ports,
        now=datetime.now(UTC),
    )
    return answer(202, accepted.model_copy(update={"offer": offer}))
