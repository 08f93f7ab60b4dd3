"""Texts by reference: content, uploads and manifests."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.access import guard_route
from assessment.api.composition import own_adapters
from assessment.api.responses import answer, json_body
from assessment.contracts.manifest import ContentText, UploadRequest
from assessment.contracts.parsing import parse
from assessment.domain.access import Action
from assessment.usecases.store_content import announce_manifest, announce_texts, store_content

router = Router()


@guard_route(router, "POST", "/v1/content", Action.STORE_CONTENT)
def store() -> Response[str]:
    """Store one text."""
    body = parse(ContentText, json_body(router.current_event.body))
    ports = own_adapters(router).content_ports
    return answer(201, store_content(body, ports=ports, now=datetime.now(UTC)))


@guard_route(router, "POST", "/v1/content/uploads", Action.STORE_CONTENT)
def announce() -> Response[str]:
    """Links by which many texts are uploaded."""
    request = parse(UploadRequest, json_body(router.current_event.body))
    ports = own_adapters(router).content_ports
    return answer(201, announce_texts(request, ports=ports, now=datetime.now(UTC)))


@guard_route(router, "POST", "/v1/manifests", Action.STORE_CONTENT)
def manifest() -> Response[str]:
    """A link by which a manifest is uploaded."""
    ports = own_adapters(router).content_ports
    return answer(201, announce_manifest(uuid.uuid4().hex, ports=ports, now=datetime.now(UTC)))
