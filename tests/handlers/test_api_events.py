"""Every event of the API through its handler: the good ones act, the bad ones are explained."""

from __future__ import annotations

import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from assessment import bootstrap
from assessment.api.openapi import make_document
from assessment.contracts.parsing import parse
from assessment.contracts.request import BatchRequest
from assessment.domain.batch import BatchStatus
from assessment.domain.judge import BatchingMode
from assessment.usecases.request_batch import RequestCommand, request_batch
from tests.fakes.judges import CALLBACK_KEY
from tests.handlers.conftest import BATCH_ID, EVENTS, Stack, adapters, event, invoke
from tests.handlers.event_states import (
    ACTING,
    PROBLEMS,
    REDIRECTS,
    find_operation,
    prepare_state,
)


def call(name: str) -> tuple[int, dict[str, Any], str]:
    """The handler's answer to an event: status, body and content type."""
    response = invoke("handle_api", event(f"handle_api/{name}.json"))
    headers = {**response.get("headers", {}), **response.get("multiValueHeaders", {})}
    content_type = headers["Content-Type"]
    kind = content_type if isinstance(content_type, str) else content_type[0]
    return response["statusCode"], json.loads(response["body"]), kind


def test_every_event_of_the_api_has_its_test() -> None:
    acting = {name for _, names in ACTING for name in names}
    assert {path.stem for path in (EVENTS / "handle_api").glob("*.json")} == acting | set(PROBLEMS)


@pytest.mark.parametrize("name", PROBLEMS)
def test_problem_documents(stack: Stack, name: str) -> None:
    state, status, kind, fields = PROBLEMS[name]
    prepare_state(state, stack)
    got, body, content_type = call(name)
    assert (got, content_type) == (status, "application/problem+json")
    assert body["type"] == f"urn:cj-assessment:problem:{kind}"
    assert (body["status"], bool(body["title"]), bool(body["detail"])) == (status, True, True)
    assert [error["field"] for error in body.get("errors", [])] == (
        fields.split() if fields else []
    )
    if name.startswith("create_batch") and not state:
        assert not stack.executions("RUNNING")
        assert "water" not in json.dumps(body)  # a word of the essays


@pytest.mark.parametrize(
    ("state", "names"), ACTING, ids=[f"{state or 'new'}-{names[0]}" for state, names in ACTING]
)
def test_the_other_events_act(stack: Stack, state: str, names: tuple[str, ...]) -> None:
    prepare_state(state, stack)
    for name in names:
        answered = invoke("handle_api", event(f"handle_api/{name}.json"))
        operation = find_operation(name)
        status = REDIRECTS.get(name, operation.status)
        assert (name, answered["statusCode"]) == (name, status), answered["body"]
        if operation.answer is not None:
            operation.answer.model_validate_json(answered["body"])


def test_healthz(stack: Stack) -> None:
    status, body, kind = call("healthz")
    assert (status, body["status"], kind) == (200, "ok", "application/json")


def test_register_anchors_twice(stack: Stack) -> None:
    first = call("register_anchors")
    assert first[0] == 201
    assert first[1]["registered"] == 3
    assert [anchor["grade"] for anchor in first[1]["anchors"]] == ["A", "E", "C"]
    assert call("register_anchors") == first


def test_create_batch_twice_starts_one_execution(stack: Stack) -> None:
    stack.registered()
    status, body, _ = call("create_batch")
    assert (status, body["status"]) == (202, "INITIALIZING")
    assert body["links"]["self"] == f"/v1/batches/{body['batch_id']}"
    assert call("create_batch")[1]["batch_id"] == body["batch_id"]
    assert stack.executions("RUNNING") == [body["batch_id"]]


def test_create_batch_without_anchors(stack: Stack) -> None:
    one, other = call("create_batch_without_anchors"), call("create_batch_without_anchors")
    assert one[0] == other[0] == 202
    assert one[1]["batch_id"] != other[1]["batch_id"]


def test_an_administrator_may_set_more(stack: Stack) -> None:
    status, body, _ = call("create_batch_as_admin")
    assert status == 202
    asked = event("handle_api/get_batch.json")
    asked["path"] = f"/v1/batches/{body['batch_id']}"
    asked["pathParameters"] = {"batch_id": body["batch_id"]}
    progress = json.loads(invoke("handle_api", asked)["body"])
    assert progress["config"]["prior_sd"] == 1.5
    assert progress["config_sources"]["prior_sd"] == "request"


def test_get_batch_counts_its_comparisons(stack: Stack) -> None:
    stack.answered()
    status, body, _ = call("get_batch")
    planned = len(stack.list_comparisons())
    assert (status, body["status"], body["outcome"]) == (200, "WAITING_CALLBACKS", None)
    assert (body["essays"], body["anchors"]) == (4, 3)
    assert body["comparisons"] == {
        "planned": planned,
        "recorded": planned,
        "failed": 0,
        "pending": 0,
    }
    [wave] = body["waves"]
    assert (wave["wave"], wave["planned"], wave["recorded"]) == (1, planned, planned)


def test_get_results(stack: Stack) -> None:
    stack.completed()
    status, body, _ = call("get_results")
    assert (status, body["batch_id"], body["status"]) == (200, BATCH_ID, "COMPLETED")
    assert len(body["rankings"]) == 7
    # Seven essays in one wave prove nothing: a ranking with its reliability, and no grades.
    assert body["outcome"] == "COMPLETE_UNPROVEN"
    low, high = body["reliability"]["reliability_interval"]
    assert 0 <= low < body["reliability"]["model_reliability"] < high <= 1
    assert body["grade_projections"]["projections_available"] is False
    assert body["grade_projections"]["reason"]
    assert body["decision"]["explanation"]


def test_cancel_batch_twice(stack: Stack) -> None:
    stack.submitted()
    first = call("cancel_batch")
    assert (first[0], first[1]["status"]) == (200, "CANCELLED")
    assert call("cancel_batch") == first
    assert stack.status() is BatchStatus.CANCELLED
    assert stack.executions("ABORTED") == [BATCH_ID]


def test_a_batch_that_its_surroundings_brought_down_is_resumed(stack: Stack) -> None:
    stack.submitted()
    died = {"Error": "Lambda.Unknown", "Cause": "The worker was killed"}
    invoke("fail_batch", {"batch_id": BATCH_ID, "decision": None, "error": died})
    assert stack.status() is BatchStatus.FAILED
    status, body, _ = call("resume_batch")
    assert (status, body["status"]) == (202, "WAITING_CALLBACKS")
    assert f"{BATCH_ID}-2" in stack.executions("RUNNING")
    assert call("resume_batch")[1] == body


TRICKS = [
    '{"essays": [], "config": {"seed": ' + "9" * 5000 + "}}",
    "[" * 50_000,
    json.dumps({"essays": [{"essay_id": "a", "text": "\ud800"}, {"essay_id": "b", "text": "x"}]}),
    json.dumps(
        {"essays": [{"essay_id": "a", "text": "x" * 60_001}, {"essay_id": "b", "text": "x"}]}
    ),
    '{"essays": NaN}',
    '"text"',
    "null",
]


@pytest.mark.parametrize("body", TRICKS, ids=range(len(TRICKS)))
def test_no_body_is_a_server_error(stack: Stack, body: str) -> None:
    given = event("handle_api/create_batch_without_anchors.json")
    response = invoke("handle_api", {**given, "body": body})
    assert response["statusCode"] == 400
    assert json.loads(response["body"])["errors"]


def header(response: dict[str, Any], name: str) -> list[str]:
    several: dict[str, list[str]] = response["multiValueHeaders"]
    return several.get(name, [])


def test_every_answer_is_kept_nowhere_on_its_way(stack: Stack) -> None:
    for name in ("healthz", "get_batch_unknown", "unknown_route"):
        response = invoke("handle_api", event(f"handle_api/{name}.json"))
        assert header(response, "Cache-Control") == ["no-store"], name
        assert header(response, "X-Content-Type-Options") == ["nosniff"], name
        assert header(response, "Strict-Transport-Security")[0].startswith("max-age="), name


def test_an_error_that_nobody_foresaw_is_a_problem_document_too(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise KeyError("a word of an essay: water")

    monkeypatch.setattr("assessment.api.batches.read_batch", breaks)
    status, body, kind = call("get_batch")
    assert (status, kind) == (500, "application/problem+json")
    assert body["type"] == "urn:cj-assessment:problem:unexpected"
    told = [str(vars(record)) for record in caplog.records]
    assert any("'KeyError'" in line for line in told)
    assert "water" not in "".join(told) + json.dumps(body)


def test_the_log_says_who_got_which_answer(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    call("get_batch_unknown")
    lines = [vars(record) for record in caplog.records]
    (line,) = [line for line in lines if line["msg"] == "request answered"]
    given = event("handle_api/get_batch_unknown.json")
    assert line["subject"] == given["requestContext"]["authorizer"]["principalId"]
    assert (line["route"], line["method"], line["status"]) == ("/v1/batches/{batch_id}", "GET", 404)


ORIGIN = "https://school.example.org"


def ask_otherwise(name: str, method: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of the answer to an event's path under another method."""
    given = event(f"handle_api/{name}.json") | {"httpMethod": method, "body": None}
    given["headers"] |= headers
    response = invoke("handle_api", given)
    shown = {key: ", ".join(values) for key, values in response["multiValueHeaders"].items()}
    return response["statusCode"], shown, response["body"]


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("get_batch", "DELETE, GET, HEAD, OPTIONS"),
        ("create_batch", "GET, HEAD, OPTIONS, POST"),
        ("cancel_batch", "OPTIONS, POST"),
        ("healthz", "GET, HEAD, OPTIONS"),
        ("register_anchors", "OPTIONS, POST"),
        ("get_rooms", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_method_that_a_path_lacks_is_told_apart_from_a_missing_path(
    stack: Stack, name: str, allowed: str
) -> None:
    for method in ("PATCH", "TRACE", "QUERY"):
        status, headers, body = ask_otherwise(name, method)
        assert (status, headers["Allow"]) == (405, allowed)
        assert headers["Content-Type"] == "application/problem+json"
        problem = json.loads(body)
        assert (problem["type"], problem["status"]) == (
            "urn:cj-assessment:problem:method-not-allowed", 405,
        )  # fmt: skip
    assert ask_otherwise(name, "OPTIONS")[0] == 204
    assert ask_otherwise(name, "OPTIONS")[1]["Allow"] == allowed


def test_the_path_that_registers_anchors_lists_none(stack: Stack) -> None:
    # It is no path of an assignment, and no assignment can be called so.
    status, headers, _ = ask_otherwise("register_anchors", "GET")
    assert (status, headers["Allow"]) == (405, "OPTIONS, POST")
    given = event("handle_api/register_anchors.json")
    body = json.loads(given["body"]) | {"assignment_id": "register"}
    refused = invoke("handle_api", {**given, "body": json.dumps(body)})
    assert refused["statusCode"] == 400
    assert json.loads(refused["body"])["errors"][0]["field"] == "assignment_id"


def test_a_missing_path_is_missing_under_every_method(stack: Stack) -> None:
    given = event("handle_api/get_batch.json") | {"path": "/v1/nothing/here"}
    for method in ("GET", "PATCH", "OPTIONS", "HEAD"):
        assert invoke("handle_api", given | {"httpMethod": method})["statusCode"] == 404


def test_head_is_get_without_the_body(stack: Stack) -> None:
    status, headers, body = ask_otherwise("healthz", "HEAD")
    assert (status, headers["Content-Type"], body) == (200, "application/json", "")
    assert ask_otherwise("get_batch_unknown", "HEAD")[0] == 404


@pytest.fixture
def admitted(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    """A stack that admits the pages of one origin."""
    monkeypatch.setenv("CORS_ORIGINS", f"{ORIGIN},http://localhost:5173")
    bootstrap.process.cache_clear()


CORS = {"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Vary"}


def test_nothing_is_said_to_other_origins_unless_the_stack_admits_them(stack: Stack) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS"):
        assert not CORS & ask_otherwise("healthz", method, **asked)[1].keys()


@pytest.mark.usefixtures("admitted")
def test_pages_of_an_admitted_origin_read_answers_and_refusals() -> None:
    for name, method in (("healthz", "GET"), ("get_batch_unknown", "GET"), ("healthz", "PATCH")):
        headers = ask_otherwise(name, method, Origin=ORIGIN)[1]
        assert (headers["Access-Control-Allow-Origin"], headers["Vary"]) == (ORIGIN, "Origin")
        assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.usefixtures("admitted")
def test_a_preflight_tells_the_methods_and_headers_of_the_path() -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    status, headers, _ = ask_otherwise("create_batch", "OPTIONS", **asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS, POST"
    allowed = headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "Content-Type", "Idempotency-Key"} <= set(allowed)


@pytest.mark.usefixtures("admitted")
@pytest.mark.parametrize("origin", ["https://evil.example.org", f"{ORIGIN}.evil.org", "null", ""])
def test_pages_of_another_origin_are_told_nothing(origin: str) -> None:
    headers = ask_otherwise("healthz", "GET", Origin=origin)[1]
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Vary"] == "Origin"


def test_the_batch_after_the_last_one_of_a_day_is_refused(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_BATCHES_PER_DAY", "2")
    bootstrap.process.cache_clear()
    statuses = [call("create_batch_without_anchors")[0] for _ in range(3)]
    assert statuses == [202, 202, 429]
    refused = invoke("handle_api", event("handle_api/create_batch_without_anchors.json"))
    assert refused["multiValueHeaders"]["Retry-After"] == ["3600"]


def test_a_batch_that_passes_the_money_of_a_day_is_refused(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_USD_PER_DAY", "5")
    bootstrap.process.cache_clear()
    given = event("handle_api/create_batch_without_anchors.json")
    body = json.loads(given["body"])

    def ask(**config: float) -> dict[str, Any]:
        asked = {**given, "body": json.dumps(body | {"config": body.get("config", {}) | config})}
        return invoke("handle_api", asked)

    answers = [ask(), ask(max_cost_usd=3.0), ask(max_cost_usd=3.0), ask(max_cost_usd=2.0)]
    assert [each["statusCode"] for each in answers] == [400, 202, 429, 202]
    (wrong,) = json.loads(answers[0]["body"])["errors"]
    assert wrong["field"] == "config.max_cost_usd"


def test_a_problem_names_the_first_hundred_wrong_fields(stack: Stack) -> None:
    given = event("handle_api/create_batch_without_anchors.json")
    body = json.loads(given["body"]) | {"config": {f"{n}" + "x" * 5000: n for n in range(500)}}
    response = invoke("handle_api", {**given, "body": json.dumps(body)})
    assert response["statusCode"] == 400
    assert len(json.loads(response["body"])["errors"]) == 100
    assert len(response["body"]) < 500_000


def test_an_idempotency_key_has_a_length(stack: Stack) -> None:
    given = event("handle_api/create_batch.json")
    given["headers"]["Idempotency-Key"] = "k" * 256
    response = invoke("handle_api", given)
    assert response["statusCode"] == 400
    assert json.loads(response["body"])["errors"][0]["field"] == "Idempotency-Key"


def ask(name: str, **query: str) -> dict[str, Any]:
    """The answer to an event with another query."""
    given = event(f"handle_api/{name}.json")
    given["queryStringParameters"] = query
    body: dict[str, Any] = json.loads(invoke("handle_api", given)["body"])
    return body


def test_batches_are_listed_by_what_they_are(stack: Stack) -> None:
    stack.submitted()
    status, body, _ = call("list_batches")
    assert (status, body["cursor"]) == (200, None)
    (found,) = body["batches"]
    assert (found["batch_id"], found["status"]) == (BATCH_ID, "WAITING_CALLBACKS")
    assert ask("list_batches", assignment_id="another")["batches"] == []
    assert ask("list_batches", status="COMPLETED")["batches"] == []
    assert ask("list_batches", created_before="2020-01-01T00:00:00Z")["batches"] == []
    assert len(ask("list_batches", created_since="2020-01-01T00:00:00Z")["batches"]) == 1


def test_pages_of_batches_hold_each_once_the_newest_first(stack: Stack) -> None:
    made = [call("create_batch_without_anchors")[1]["batch_id"] for _ in range(5)]
    page = ask("list_batches", limit="2")
    listed = [batch["batch_id"] for batch in page["batches"]]
    while page["cursor"]:
        page = ask("list_batches", limit="2", cursor=page["cursor"])
        listed += [batch["batch_id"] for batch in page["batches"]]
    assert listed == made[::-1]


def test_a_change_has_two_entries_with_who_what_and_the_hashes(stack: Stack) -> None:
    stack.submitted()
    call("cancel_batch")
    begun, ended = call("get_batch_audit")[1]["entries"]
    assert begun["change_id"] == ended["change_id"]
    assert [begun["phase"], ended["phase"]] == ["begun", "ended"]
    assert (ended["subject"], ended["roles"]) == ("teacher", ["assessor"])
    assert (ended["action"], ended["status"]) == ("change_batch", 200)
    assert begun["before_sha256"] == ended["before_sha256"] != ended["after_sha256"]


def test_the_trail_has_every_change_and_no_text(stack: Stack) -> None:
    call("register_anchors")
    batch_id = call("create_batch")[1]["batch_id"]
    call("create_batch_one_essay")
    entries = call("get_audit")[1]["entries"]
    told = [(e["phase"], e["action"], e["status"], e["batch_id"]) for e in entries[::-1]]
    assert told == [
        ("begun", "register_assignment", None, None),
        ("ended", "register_assignment", 201, None),
        ("begun", "request_batch", None, None),
        ("ended", "request_batch", 202, batch_id),
        ("begun", "request_batch", None, None),
        ("ended", "request_batch", 400, None),
    ]
    assert entries[-2]["before_sha256"] is None
    assert entries[-2]["after_sha256"]
    assert "water" not in json.dumps(entries)


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("policy", ["release", "retention"])
def test_a_change_of_a_policy_has_the_hashes_before_and_after(policy: str) -> None:
    for _ in range(2):
        assert call(f"change_{policy}_policy")[0] == 200
    entries = call("get_audit")[1]["entries"]
    again, first = (entry for entry in entries if entry["phase"] == "ended")
    assert first["before_sha256"]
    assert first["after_sha256"]
    assert first["before_sha256"] != first["after_sha256"]
    # The same policy is set again.
    assert again["before_sha256"] == again["after_sha256"] == first["after_sha256"]


def test_storing_a_text_has_its_hash_after_it(stack: Stack) -> None:
    stored = call("store_content")[1]
    ended, begun = call("get_audit")[1]["entries"]
    assert (begun["before_sha256"], begun["after_sha256"]) == (None, None)
    assert (ended["before_sha256"], ended["after_sha256"]) == (None, stored["content_id"])


def test_a_change_that_is_broken_off_has_begun(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.submitted()

    def dies(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr("assessment.api.batches.cancel_batch", dies)
    with pytest.raises(SystemExit):
        call("cancel_batch")
    assert [entry["phase"] for entry in call("get_batch_audit")[1]["entries"]] == ["begun"]


def test_pages_of_comparisons_hold_each_once_with_its_verdict(stack: Stack) -> None:
    stack.answered()
    page = call("get_comparisons")[1]
    listed = page["comparisons"]
    while page["cursor"]:
        page = ask("get_comparisons", limit="5", cursor=page["cursor"])
        listed += page["comparisons"]
    assert [c["comparison_id"] for c in listed] == [
        c.comparison_id for c in stack.list_comparisons()
    ]
    assert {c["verdict"]["judge"] for c in listed} == {"seed/1"}


def test_the_document_of_the_api_and_its_page_are_served(stack: Stack) -> None:
    status, document, kind = call("get_openapi")
    assert (status, kind, document["openapi"]) == (200, "application/json", "3.1.0")
    page = invoke("handle_api", event("handle_api/get_docs.json"))
    assert page["statusCode"] == 200
    assert header(page, "Content-Type") == ["text/html; charset=utf-8"]
    assert "default-src 'none'" in header(page, "Content-Security-Policy")[0]
    assert all(path in page["body"] for path in document["paths"])


def test_fifty_requests_at_once_with_one_key_start_one_execution(stack: Stack) -> None:
    stack.registered()
    given = event("handle_api/create_batch.json")
    # Past the handler, which answers one request at a time.
    command = RequestCommand(
        request=parse(BatchRequest, json.loads(given["body"])),
        idempotency_key="one key",
        is_admin=False,
        stack_config={},
        batching_mode=BatchingMode.SERIAL_BUNDLE,
        batch_id="",
        callback_key=CALLBACK_KEY,
    )
    ports = adapters().request_ports
    with ThreadPoolExecutor(50) as pool:
        ids = {
            batch.batch_id
            for batch in pool.map(
                lambda _: request_batch(
                    replace(command, batch_id=str(uuid.uuid4())), ports=ports, now=datetime.now(UTC)
                ),
                range(50),
            )
        }
    assert len(ids) == 1
    assert stack.executions("RUNNING") == list(ids)


def test_every_route_has_an_event() -> None:
    files = [json.loads(path.read_text()) for path in (EVENTS / "handle_api").glob("*.json")]
    asked = {(each["httpMethod"], each["path"].removesuffix("/")) for each in files}
    paths = make_document()["paths"]
    for path, operations in paths.items():
        pattern = re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path))
        sent = {method.lower() for method, at in asked if re.fullmatch(pattern, at)}
        assert operations.keys() <= sent, path
