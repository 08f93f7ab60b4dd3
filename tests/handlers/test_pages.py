"""The rooms, the report and an essay's text through the API's handler."""

from __future__ import annotations

import json
from typing import Any

from assessment.contracts.page_files import compute_release
from tests.handlers.conftest import BATCH_ID, Stack, event, invoke

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"


def get(name: str, **changes: Any) -> tuple[int, dict[str, str], str]:
    answered = invoke("handle_api", {**event(f"handle_api/{name}.json"), **changes})
    headers = {key: values[0] for key, values in answered["multiValueHeaders"].items()}
    return answered["statusCode"], headers, answered["body"]


def get_file(file_name: str, **headers: str) -> tuple[int, dict[str, str], str]:
    return get(
        "get_rooms_file_unknown",
        path=f"/app/{file_name}",
        pathParameters={"file_name": file_name},
        headers=headers,
    )


def test_the_rooms_name_files_that_never_change(stack: Stack) -> None:
    status, headers, page = get("get_rooms")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert headers["Content-Security-Policy"].startswith(POLICY)
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-cache"
    for ending, kind in (("js", "text/javascript"), ("css", "text/css")):
        name = f"app.{compute_release()}.{ending}"
        assert f'"{name}"' in page
        status, headers, body = get_file(name)
        assert (status, headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert body


def test_what_a_browser_has_is_not_sent_again(stack: Stack) -> None:
    etag = get("get_rooms")[1]["ETag"]
    status, _, body = get("get_rooms", headers={"If-None-Match": f"W/{etag}"})
    assert (status, body) == (304, "")
    assert get("get_rooms", headers={"If-None-Match": '"0123"'})[0] == 200


def test_without_the_slash_the_browser_is_sent_to_it(stack: Stack) -> None:
    status, headers, _ = get("get_rooms_without_slash")
    assert (status, headers["Location"]) == (308, "app/")


def test_other_names_are_no_files(stack: Stack) -> None:
    for name in ("app.html", "report.js", f"report.{compute_release()}.js", "..", "app.js", "%2e"):
        assert get_file(name)[0] == 404, name


def test_the_report_of_a_completed_batch(stack: Stack) -> None:
    stack.completed()
    status, headers, page = get("get_report")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert headers["Cache-Control"] == "no-store"
    assert '"anna"' not in page
    assert '"anna"' in get("get_report", queryStringParameters=None)[2]


def test_the_report_of_a_batch_without_a_result(stack: Stack) -> None:
    stack.failed()
    status, _, page = get("get_report")
    assert status == 200
    assert '"result":null' in page
    assert '"status":"FAILED"' in page


def test_a_prompt_is_read_word_by_word(stack: Stack) -> None:
    stack.submitted()
    status, headers, body = get("get_prompt")
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    shown = json.loads(body)
    assert shown["comparison"]["comparison_id"] == "w001-00000"
    assert shown["judge"] == "callback_endpoint"
    told = "".join(block["content"] for block in shown["prompt"])
    body_of_request = json.loads(event("handle_api/create_batch.json")["body"])
    texts = {each["essay_id"]: each["text"] for each in body_of_request["essays"]}
    shown_ids = [shown["comparison"]["first"], shown["comparison"]["second"]]
    assert all(texts[each] in told for each in shown_ids if each in texts)
    assert any(each in texts for each in shown_ids)


def test_an_essay_is_read_as_its_judges_read_it(stack: Stack) -> None:
    stack.submitted()
    status, headers, body = get("get_essay")
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    essay = json.loads(body)
    assert (essay["batch_id"], essay["essay_id"]) == (BATCH_ID, "anna")
    assert essay["is_anchor"] is False
    assert essay["text"].startswith("Bottled water should be kept")
