"""Who gets in at the gateway, and what the others are told."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from assessment.api.responses import HEADERS, PROBLEM_TYPE
from assessment.contracts.request import BatchRequest
from local.judge.options import JudgeOptions
from runner.stack import mint_token, read_secret
from tests.local_cloud.asking import A_BATCH, ask

pytestmark = pytest.mark.local_cloud

FORGED = "a key of nobody that is long enough for the algorithm of the tokens"


@pytest.fixture(scope="module")
def on(stage):
    with stage(JudgeOptions()) as (set_up, _):
        yield set_up


@pytest.fixture(scope="module")
def secret(on):
    return read_secret(on.outputs["ApiSecretArn"], on.cloud.aws)


def assert_problem(response, status):
    assert response.headers["Content-Type"] == PROBLEM_TYPE, response.text
    assert (response.status_code, response.json()["status"]) == (status, status)
    for name, value in HEADERS.items():
        assert response.headers[name] == value


def authorizer_failures(on):
    """How many lines of the authorizer's log tell of an error."""
    logs = on.cloud.session().client("logs", endpoint_url=on.cloud.url)
    events = logs.filter_log_events(logGroupName="/aws/lambda/cj-local-authorize-request")
    return [line["message"] for line in events["events"] if '"level":"ERROR"' in line["message"]]


def read_errors(on):
    """What the API's log tells of errors that nobody foresaw."""
    logs = on.cloud.session().client("logs", endpoint_url=on.cloud.url)
    events = logs.filter_log_events(logGroupName="/aws/lambda/cj-local-handle-api")
    return [line["message"] for line in events["events"] if "unexpected error" in line["message"]]


@pytest.mark.parametrize("token", [None, "Bearer x", "Basic dGVhY2hlcg==", "Bearer a.b.c"])
def test_what_is_no_token_is_refused(on, token):
    assert_problem(ask(on, token), 401)


def test_a_strangers_token_is_refused_without_an_error(on):
    forged = mint_token(FORGED, now=datetime.now(UTC))
    assert_problem(ask(on, f"Bearer {forged}"), 401)
    assert authorizer_failures(on) == []


def test_a_token_of_ten_years_is_refused(on, secret):
    old = mint_token(secret, now=datetime.now(UTC), lifetime=timedelta(days=3650))
    assert_problem(ask(on, f"Bearer {old}"), 401)


def test_the_answers_to_a_caller_have_the_same_headers(on, secret):
    token = f"Bearer {mint_token(secret, now=datetime.now(UTC))}"
    assert_problem(ask(on, token), 404)
    assert ask(on, path="/v1/healthz").headers["Cache-Control"] == "no-store"


def test_an_unknown_path_is_a_problem_document(on, secret):
    token = f"Bearer {mint_token(secret, now=datetime.now(UTC))}"
    assert_problem(ask(on, token, "/v1/nothing"), 404)


def test_a_method_that_a_path_lacks_reaches_the_api_and_open_paths_stay_open(on, secret):
    url = on.outputs["ApiUrl"]
    headers = {"Authorization": f"Bearer {mint_token(secret, now=datetime.now(UTC))}"}
    refused = httpx.patch(f"{url}{A_BATCH}", headers=headers, timeout=35)
    assert_problem(refused, 405)
    assert refused.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert_problem(httpx.patch(f"{url}{A_BATCH}", timeout=35), 401)
    asked = httpx.options(f"{url}/admin/v1/webhooks", headers={"Origin": url}, timeout=35)
    assert (asked.status_code, asked.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert "Access-Control-Allow-Origin" not in asked.headers
    assert httpx.head(f"{url}/v1/healthz", timeout=35).status_code == 200


def test_an_organisation_does_not_see_the_batches_of_another(on, secret, sample):
    tokens = {
        name: f"Bearer {mint_token(secret, now=datetime.now(UTC), organisation=name)}"
        for name in ("north", "south")
    }
    body = BatchRequest.model_validate(
        {"essays": sample.essays[:4], "judge": {"provider": "person"}}
    )
    url = f"{on.outputs['ApiUrl']}/v1/batches"
    headers = {"Authorization": tokens["north"], "Idempotency-Key": str(uuid.uuid4())}
    accepted = httpx.post(url, content=body.model_dump_json(), headers=headers, timeout=60)
    batch_id = accepted.json()["batch_id"]
    assert ask(on, tokens["north"], f"/v1/batches/{batch_id}").status_code == 200
    assert_problem(ask(on, tokens["south"], f"/v1/batches/{batch_id}"), 404)
    listed = {
        name: [each["batch_id"] for each in ask(on, token, "/v1/batches").json()["batches"]]
        for name, token in tokens.items()
    }
    assert batch_id in listed["north"]
    assert listed["south"] == []
    cancel = f"{url}/{batch_id}/cancel"
    assert (
        httpx.post(cancel, headers={"Authorization": tokens["south"]}, timeout=60).status_code
        == 404
    )
    assert (
        httpx.post(cancel, headers={"Authorization": tokens["north"]}, timeout=60).status_code
        == 200
    )


# In every run tests/handlers/test_api_events.py tries fifty at once, in process.
@pytest.mark.conformance
def test_fifty_requests_with_one_key_start_one_execution(on, secret, sample):
    machines = on.cloud.session().client("stepfunctions", endpoint_url=on.cloud.url)
    machine = on.outputs["StateMachineArn"]

    def list_executions():
        pages = machines.get_paginator("list_executions").paginate(stateMachineArn=machine)
        return {each["name"] for page in pages for each in page["executions"]}

    before = list_executions()
    token = f"Bearer {mint_token(secret, now=datetime.now(UTC), subject='hasty')}"
    headers = {"Authorization": token, "Idempotency-Key": str(uuid.uuid4())}
    request = {"essays": sample.essays[:4], "judge": {"provider": "person"}}
    body = BatchRequest.model_validate(request).model_dump_json()
    url = f"{on.outputs['ApiUrl']}/v1/batches"

    # More at once would find no free worker; the others wait for a connection. The workers start a
    # few at a time, or they would keep each other from being ready before the gateway gives up.
    limits = httpx.Limits(max_connections=16)
    with httpx.Client(limits=limits, timeout=300) as client, ThreadPoolExecutor(50) as pool:
        for n_workers in (1, 2, 4, 8, 16):
            asked = [f"{on.outputs['ApiUrl']}{A_BATCH}"] * n_workers
            list(pool.map(lambda path: client.get(path, headers=headers), asked))
        sent = [pool.submit(client.post, url, content=body, headers=headers) for _ in range(50)]
        answers = [each.result() for each in sent]
    assert {each.status_code for each in answers} == {202}, read_errors(on)
    (batch_id,) = {each.json()["batch_id"] for each in answers}
    (started,) = list_executions() - before
    assert started.startswith(batch_id)
    cancelled = httpx.post(f"{url}/{batch_id}/cancel", headers={"Authorization": token}, timeout=60)
    assert cancelled.status_code == 200
