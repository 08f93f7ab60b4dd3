"""A pupil's data: erase a batch or one essay, export what is kept, and for how long it is."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guard_route
from assessment.api.composition import open_batch, own_adapters
from assessment.api.responses import answer, answer_nothing, json_body, read_essay_id
from assessment.contracts.erasure import ErasureList, ErasureView
from assessment.contracts.parsing import parse
from assessment.domain.access import Action
from assessment.domain.erasure import ErasureState
from assessment.domain.retention import RetentionPolicy
from assessment.observability import count
from assessment.usecases.export_essay import export_essay
from assessment.usecases.request_erasure import (
    list_erasures,
    request_batch_erasure,
    request_essay_erasure,
)

router = Router()


@guard_route(router, "DELETE", "/v1/batches/<batch_id>", Action.ERASE_DATA)
def erase_batch(batch_id: str) -> Response[str]:
    """Erase a batch everywhere; 204 when nothing is left of it."""
    own = own_adapters(router)
    erasure = request_batch_erasure(
        open_batch(batch_id, own),
        erasure_id=str(uuid.uuid4()),
        ports=own.erasure_request_ports,
        now=datetime.now(UTC),
    )
    if erasure.state is ErasureState.ERASED:
        return answer_nothing()
    count("erasures_requested")
    return answer(202, ErasureView.from_erasure(erasure))


@guard_route(router, "DELETE", "/v1/batches/<batch_id>/essays/<essay_id>", Action.ERASE_DATA)
def erase_essay(batch_id: str, essay_id: str) -> Response[str]:
    """Erase one pupil's essay from a batch that has ended."""
    own = own_adapters(router)
    erasure = request_essay_erasure(
        open_batch(batch_id, own),
        read_essay_id(essay_id),
        erasure_id=str(uuid.uuid4()),
        ports=own.erasure_request_ports,
        now=datetime.now(UTC),
    )
    count("erasures_requested")
    return answer(202, ErasureView.from_erasure(erasure))


@guard_route(router, "GET", "/v1/batches/<batch_id>/erasures", Action.READ_BATCH)
def erasures(batch_id: str) -> Response[str]:
    """What was erased of a batch, and how far that is."""
    own = own_adapters(router)
    records = list_erasures(open_batch(batch_id, own), ports=own.erasure_request_ports)
    views = [ErasureView.from_erasure(each) for each in records]
    return answer(200, ErasureList(batch_id=batch_id, erasures=views))


@guard_route(router, "GET", "/v1/batches/<batch_id>/essays/<essay_id>/export", Action.EXPORT_ESSAY)
def export(batch_id: str, essay_id: str) -> Response[str]:
    """Everything that is kept about one essay."""
    own = own_adapters(router)
    exported = export_essay(
        open_batch(batch_id, own),
        read_essay_id(essay_id),
        ports=own.export_ports,
        now=datetime.now(UTC),
    )
    count("essays_exported")
    return answer(200, exported)


@guard_route(router, "GET", "/v1/retention-policy", Action.READ_RETENTION_POLICY)
def policy() -> Response[str]:
    """How long the organisation keeps its batches."""
    return answer(200, own_adapters(router).retention_policies.get_policy())


@guard_route(router, "PUT", "/v1/retention-policy", Action.CHANGE_RETENTION_POLICY)
def change_policy() -> Response[str]:
    """Set how long the organisation keeps the batches that are requested from now on."""
    changed = parse(RetentionPolicy, json_body(router.current_event.body))
    own_adapters(router).retention_policies.put_policy(changed)
    return answer(200, changed)
