"""The report of a batch as a page, the text of one of its essays, and what a judge was told."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guard_route
from assessment.api.composition import open_batch, own_adapters
from assessment.api.queries import ReportQuery
from assessment.api.responses import answer, check_size, read_essay_id
from assessment.contracts.parsing import parse
from assessment.contracts.report import write_report
from assessment.domain.access import Action
from assessment.usecases.read_prompt import read_prompt
from assessment.usecases.read_report import read_essay, read_report

router = Router()


@guard_route(router, "GET", "/v1/batches/<batch_id>/report", Action.READ_BATCH)
def report(batch_id: str) -> Response[str]:
    """The batch's report as one page."""
    query = parse(ReportQuery, dict(router.current_event.query_string_parameters or {}))
    own = own_adapters(router)
    data = read_report(open_batch(batch_id, own), ports=own.progress_ports, now=datetime.now(UTC))
    page = check_size(write_report(data, without_names=query.hide_names))
    return Response(status_code=200, content_type="text/html; charset=utf-8", body=page)


@guard_route(router, "GET", "/v1/batches/<batch_id>/essays/<essay_id>", Action.READ_BATCH)
def essay(batch_id: str, essay_id: str) -> Response[str]:
    """An essay as its judges read it."""
    own = own_adapters(router)
    known_id = read_essay_id(essay_id)
    return answer(200, read_essay(open_batch(batch_id, own), known_id, ports=own.read_ports))


@guard_route(
    router, "GET", "/v1/batches/<batch_id>/comparisons/<comparison_id>/prompt", Action.READ_BATCH
)
def prompt(batch_id: str, comparison_id: str) -> Response[str]:
    """What the judge of a comparison was told, word by word, and what it answered."""
    own = own_adapters(router)
    shown = read_prompt(open_batch(batch_id, own), unquote(comparison_id), ports=own.prompt_ports)
    return answer(200, shown)
