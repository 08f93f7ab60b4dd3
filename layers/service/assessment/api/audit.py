"""The audit trail, for administrators."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guard_route
from assessment.api.composition import open_batch, own_adapters
from assessment.api.queries import encode_cursor, read_page
from assessment.api.responses import answer
from assessment.domain.access import Action
from assessment.usecases.audit_changes import read_batch_trail, read_trail

router = Router()


@guard_route(router, "GET", "/v1/audit", Action.READ_AUDIT)
def trail() -> Response[str]:
    """A page of the organisation's trail."""
    page = read_page(router.current_event)
    ports = own_adapters(router).audit_ports
    view = read_trail(ports.trail, limit=page.limit, cursor=page.cursor)
    return answer(200, view.model_copy(update={"cursor": encode_cursor(view.cursor)}))


@guard_route(router, "GET", "/v1/batches/<batch_id>/audit", Action.READ_AUDIT)
def batch_trail(batch_id: str) -> Response[str]:
    """All of the trail that is about one batch."""
    own = own_adapters(router)
    return answer(200, read_batch_trail(open_batch(batch_id, own), ports=own.audit_ports))
