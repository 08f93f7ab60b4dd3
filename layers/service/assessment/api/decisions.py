"""People's decisions about grades, their release, and what needs a person first."""

from __future__ import annotations

from datetime import UTC, datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guard_route, read_caller
from assessment.api.composition import open_batch, own_adapters
from assessment.api.queries import AttentionQuery, DecisionQuery
from assessment.api.responses import answer, json_body, read_essay_id
from assessment.contracts.decisions import DecisionRequest, ReleaseRequest, ReleaseView
from assessment.contracts.parsing import parse
from assessment.domain.access import Action
from assessment.domain.release import ReleasePolicy
from assessment.observability import count
from assessment.usecases.decide_grade import (
    decide_grade,
    read_attention,
    read_decision,
    read_decisions,
)
from assessment.usecases.release_batch import read_release, release_batch

router = Router()

_ESSAY = "/v1/batches/<batch_id>/essays/<essay_id>/decision"


@guard_route(router, "PUT", _ESSAY, Action.DECIDE_GRADE)
def decide(batch_id: str, essay_id: str) -> Response[str]:
    """Confirm or change the grade that is proposed for an essay."""
    event = router.current_event
    caller, own = read_caller(event.raw_event), own_adapters(router)
    view = decide_grade(
        open_batch(batch_id, own),
        read_essay_id(essay_id),
        parse(DecisionRequest, json_body(event.body)),
        assessor=caller.subject,
        ports=own.decision_ports,
        now=datetime.now(UTC),
    )
    count("grades_decided")
    return answer(200, view)


@guard_route(router, "GET", _ESSAY, Action.READ_BATCH)
def essay_decision(batch_id: str, essay_id: str) -> Response[str]:
    """What is proposed and decided about an essay."""
    caller, own = read_caller(router.current_event.raw_event), own_adapters(router)
    view = read_decision(
        open_batch(batch_id, own),
        read_essay_id(essay_id),
        viewer=caller.subject,
        ports=own.decision_ports,
    )
    return answer(200, view)


@guard_route(router, "GET", "/v1/batches/<batch_id>/decisions", Action.READ_BATCH)
def decisions(batch_id: str) -> Response[str]:
    """How far the decisions about a batch are."""
    own = own_adapters(router)
    query = parse(DecisionQuery, dict(router.current_event.query_string_parameters or {}))
    view = read_decisions(
        open_batch(batch_id, own),
        limit=query.limit,
        cursor=query.cursor,
        ports=own.decision_ports,
    )
    return answer(200, view)


@guard_route(router, "GET", "/v1/batches/<batch_id>/attention", Action.READ_BATCH)
def attention(batch_id: str) -> Response[str]:
    """The essays that need a person, the most urgent first."""
    own = own_adapters(router)
    query = parse(AttentionQuery, dict(router.current_event.query_string_parameters or {}))
    view = read_attention(open_batch(batch_id, own), limit=query.limit, ports=own.decision_ports)
    return answer(200, view)


@guard_route(router, "POST", "/v1/batches/<batch_id>/release", Action.RELEASE_BATCH)
def release(batch_id: str) -> Response[str]:
    """Release the grades of a batch."""
    event = router.current_event
    caller, own = read_caller(event.raw_event), own_adapters(router)
    released = release_batch(
        open_batch(batch_id, own),
        parse(ReleaseRequest, json_body(event.body or "{}")),
        assessor=caller.subject,
        ports=own.release_ports,
        now=datetime.now(UTC),
    )
    count("batches_released")
    return answer(200, ReleaseView(batch_id=batch_id, **released.model_dump()))


@guard_route(router, "GET", "/v1/batches/<batch_id>/release", Action.READ_BATCH)
def get_release(batch_id: str) -> Response[str]:
    """The released grades with all decisions, byte by byte as they are kept."""
    own = own_adapters(router)
    return answer(200, read_release(open_batch(batch_id, own), ports=own.decision_ports))


@guard_route(router, "GET", "/v1/release-policy", Action.READ_RELEASE_POLICY)
def policy() -> Response[str]:
    """What the organisation demands of a release."""
    return answer(200, own_adapters(router).release_policies.get_policy())


@guard_route(router, "PUT", "/v1/release-policy", Action.CHANGE_RELEASE_POLICY)
def change_policy() -> Response[str]:
    """Forbid or allow the release of grades without decisions in the organisation."""
    changed = parse(ReleasePolicy, json_body(router.current_event.body))
    own_adapters(router).release_policies.put_policy(changed)
    return answer(200, changed)
