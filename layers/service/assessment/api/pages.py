"""The rooms for people: one page with its script and its style, open to everybody.

They hold nothing of anybody; what they show they ask of this API with the reader's token.
"""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment.api.composition import adapters
from assessment.contracts.page_files import PageFile, find_page_file, make_page
from assessment.domain.errors import NotFoundError

router = Router()


@router.get("/app")
def page() -> Response[str]:
    """The page; relative addresses in it need the slash at the end of its own."""
    if not router.current_event.path.endswith("/"):
        headers: dict[str, str | list[str]] = {"Location": "app/"}
        return Response(status_code=308, content_type="text/plain", body="app/", headers=headers)
    return _send(make_page(adapters().find_sign_in()))


@router.get("/app/<file_name>")
def file(file_name: str) -> Response[str]:
    """A file of the page. Its name has the release, so it never changes."""
    page_file = find_page_file(file_name)
    if page_file is None:
        raise NotFoundError("the rooms have no such file")
    return _send(page_file)


def _send(page_file: PageFile) -> Response[str]:
    cached_tags = router.current_event.headers.get("If-None-Match", "")
    headers: dict[str, str | list[str]] = dict(page_file.headers)
    if page_file.etag in cached_tags:
        return Response(
            status_code=304, content_type=page_file.media_type, body="", headers=headers
        )
    return Response(
        status_code=200, content_type=page_file.media_type, body=page_file.text, headers=headers
    )
