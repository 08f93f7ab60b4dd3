"""Finding a stack: its outputs, its secret and the address that reaches it."""

import json
import socket
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto import mock_aws

from assessment.domain.access import Role
from assessment.domain.errors import TokenRefusedError
from runner.errors import NotAuthorisedError, StackNotReachableError
from runner.stack import Aws, find_stack, mint_token, reachable_url, read_secret
from tests.fakes.tokens import read_caller
from tests.unit.runner.api_server import FakeStack

NOW = datetime.now(UTC)
API = "https://abc123.execute-api.us-east-1.amazonaws.com/live"


def deploy(name: str, **outputs: str) -> None:
    """A stack with these outputs; what else it has does not matter here."""
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def test_a_stack_of_the_laptop_cloud(stack: FakeStack):
    cloud = Aws.local({"CJ_PORT": str(stack.port)})
    found = find_stack("cj-local", cloud)
    assert found.api_url == stack.url
    secret = read_secret(found.api_secret_arn, cloud)
    assert read_caller(mint_token(secret, now=NOW, role=Role.ADMIN), secret).is_admin
    with pytest.raises(StackNotReachableError, match="there is no stack cj-other"):
        find_stack("cj-other", cloud)


@mock_aws
def test_a_stack_in_an_account():
    arn = boto3.client("secretsmanager").create_secret(Name="api", SecretString="x" * 64)["ARN"]
    deploy("cj-prod", ApiUrl=API, ApiSecretArn=arn)
    stack = find_stack("cj-prod", Aws.from_environment({}))
    assert (stack.name, stack.api_url) == ("cj-prod", API)
    assert len(read_secret(stack.api_secret_arn, Aws.from_environment({}))) == 64


@mock_aws
def test_a_stack_that_is_not_there():
    with pytest.raises(StackNotReachableError, match="there is no stack cj-none"):
        find_stack("cj-none", Aws.from_environment({}))


@mock_aws
def test_a_stack_of_something_else():
    deploy("other", ApiUrl=API)
    with pytest.raises(StackNotReachableError, match="no output ApiSecretArn"):
        find_stack("other", Aws.from_environment({}))


@mock_aws
def test_a_secret_that_is_not_there():
    with pytest.raises(StackNotReachableError, match="there is no secret cj-none"):
        read_secret("cj-none", Aws.from_environment({}))


def test_a_laptop_cloud_that_is_not_running():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(StackNotReachableError, match="make local-up"):
        find_stack("cj-local", Aws.local({"CJ_PORT": str(port)}))


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(NotAuthorisedError, match="--local"):
        find_stack("cj-prod", Aws.from_environment({}))


@pytest.mark.parametrize(
    ("endpoint", "api_url", "reachable"),
    [
        (None, API, API),
        (None, API + "/", API),
        ("http://127.0.0.1:4999", API, "http://127.0.0.1:4999/_aws/execute-api/abc123/live"),
        ("http://127.0.0.1:4999", "http://127.0.0.1:1/live/", "http://127.0.0.1:1/live"),
    ],
)
def test_the_address_that_reaches_an_api(endpoint: str | None, api_url: str, reachable: str):
    assert reachable_url(api_url, Aws(endpoint)) == reachable


def test_the_endpoint_that_the_environment_names():
    assert Aws.from_environment({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}).endpoint_url == (
        "http://127.0.0.1:9"
    )
    assert Aws.from_environment({}).endpoint_url is None
    assert Aws.local({}).endpoint_url == "http://127.0.0.1:4566"


def test_a_token_lasts_as_long_as_it_says():
    secret = "s" * 64
    old = mint_token(secret, now=NOW - timedelta(hours=2), lifetime=timedelta(hours=1))
    with pytest.raises(TokenRefusedError, match="ExpiredSignatureError"):
        read_caller(old, secret)
