"""The sample judge's callbacks over the web, against a server on a real port."""

import json
from datetime import UTC, datetime

import boto3
import httpx
import pytest
from moto import mock_aws

from assessment.contracts.signature import check_signature
from local.judge import webhooks
from local.providers.replies import Reply
from local.providers.scripted_server import provider_server

BODY = json.dumps({"winner": "A"})
SECRET = "a secret of the stack"


@pytest.fixture
def api(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with provider_server("openai") as server:
        yield server
    webhooks._client().close()
    webhooks._client.cache_clear()


@pytest.fixture
def secret_file(tmp_path, monkeypatch):
    file = tmp_path / "callback-secret"
    file.write_text(f"{SECRET}\n")
    monkeypatch.setenv(webhooks.VARIABLE, str(file))


def is_signed(asked):
    headers, body = asked.headers, json.dumps(asked.body)
    check_signature(
        body,
        timestamp=headers["x-cj-timestamp"],
        signature=headers["x-cj-signature"],
        secrets=(SECRET,),
        now=datetime.now(UTC),
    )
    return body == BODY


def test_a_callback_is_signed_with_the_secret_of_a_file(api, secret_file):
    api.script = [Reply({}, 202)]
    webhooks.post(f"{api.url}/v1/callbacks", BODY)
    (asked,) = api.requests
    assert asked.path == "/v1/callbacks"
    assert is_signed(asked)


def test_or_with_the_secret_that_an_arn_names(api, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    with mock_aws():
        made = boto3.client("secretsmanager").create_secret(Name="s", SecretString=SECRET)
        monkeypatch.setenv(webhooks.VARIABLE, made["ARN"])
        webhooks._secret(made["ARN"])
    webhooks.post(f"{api.url}/v1/callbacks", BODY)
    assert is_signed(api.requests[0])


def test_the_laptop_clouds_api_is_reached_where_it_is(api, secret_file, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", api.url)
    webhooks.post("https://abc1.execute-api.us-east-1.amazonaws.com/live/v1/callbacks", BODY)
    assert api.requests[0].path == "/_aws/execute-api/abc1/live/v1/callbacks"


def test_a_busy_api_is_tried_again(api, secret_file):
    api.script = [Reply({}, 503), Reply({}, 202)]
    webhooks.post(f"{api.url}/v1/callbacks", BODY)
    assert len(api.requests) == 2


def test_what_was_accepted_before_is_delivered_and_a_refusal_is_told(api, secret_file):
    api.script = [Reply({}, 409), Reply({}, 401)]
    webhooks.post(f"{api.url}/v1/callbacks", BODY)
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        webhooks.post(f"{api.url}/v1/callbacks", BODY)


def test_without_a_secret_the_variable_is_named(api, monkeypatch):
    monkeypatch.delenv(webhooks.VARIABLE, raising=False)
    with pytest.raises(LookupError, match="CJ_CALLBACK_SECRET"):
        webhooks.post(f"{api.url}/v1/callbacks", BODY)
    assert api.requests == []
