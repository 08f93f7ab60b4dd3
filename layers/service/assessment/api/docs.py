"""The API's own description, open to everybody."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.responses import answer

router = Router()

_POLICY = "default-src 'none'; frame-ancestors 'none'"


@router.get("/v1/openapi.json")
def document() -> Response[str]:
    """The OpenAPI document."""
    # Imported when it is asked for: a cold start need not wait for it.
    from assessment.api.openapi import make_document

    return answer(200, make_document())


@router.get("/v1/docs")
def page() -> Response[str]:
    """The document as a page."""
    from assessment.api.openapi import make_page

    return Response(
        status_code=200,
        content_type="text/html; charset=utf-8",
        body=make_page(),
        headers={"Content-Security-Policy": _POLICY},
    )
