"""Every event of the API through its handler: the good ones act, the bad ones are explained."""

from __future__ import annotations

import functools
import json
import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws

from assessment import bootstrap
from assessment.api.openapi import make_document
from assessment.contracts.parsing import parse
from assessment.contracts.request import BatchRequest
from assessment.domain.batch import BatchStatus
from assessment.domain.judge import BatchingMode
from assessment.usecases.request_batch import RequestCommand, request_batch
from tests.conftest import JudgeServer
from tests.fakes.judges import CALLBACK_KEY
from tests.handlers.api_calls import ask, call, header
from tests.handlers.conftest import BATCH_ID, EVENTS, Stack, adapters, event, invoke, make_stack
from tests.handlers.event_states import ACTING, PROBLEMS, REDIRECTS, find_operation, prepare_state


def test_every_event_of_the_api_has_its_test() -> None:
    acting = {name for _, names in ACTING for name in names}
    assert {path.stem for path in (EVENTS / "handle_api").glob("*.json")} == acting | set(PROBLEMS)


@pytest.fixture(scope="class")
def stack_in(judge_endpoint: JudgeServer) -> Iterator[Callable[[str], Stack]]:
    """An account in a state; the same one as long as no other state is asked for."""
    with ExitStack() as opened:

        @functools.lru_cache(maxsize=1)
        def prepare(state: str) -> Stack:
            opened.close()
            patch = opened.enter_context(pytest.MonkeyPatch.context())
            patch.delenv("AWS_ENDPOINT_URL", raising=False)
            opened.enter_context(mock_aws())
            opened.callback(bootstrap.process.cache_clear)
            stack = make_stack(judge_endpoint, patch.setenv)
            prepare_state(state, stack)
            return stack

        yield prepare


class TestProblems:
    """What is refused changes nothing, so that the refusals of one state share an account."""

    @pytest.mark.parametrize(
        "name",
        [name for _, name in sorted((problem[0], name) for name, problem in PROBLEMS.items())],
    )
    def test_problem_documents(self, stack_in: Callable[[str], Stack], name: str) -> None:
        state, status, kind, fields = PROBLEMS[name]
        stack = stack_in(state)
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
