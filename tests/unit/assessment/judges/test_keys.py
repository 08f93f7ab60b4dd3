"""Keys of providers: found below the stack's prefix, cached, read anew in time, never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest import mock

import boto3
import pytest
from aws_lambda_powertools.utilities.parameters import base as powertools
from botocore.stub import Stubber
from moto import mock_aws

from assessment.adapters.aws.secrets import JudgeKeys, Secrets
from assessment.domain.errors import TransientError
from assessment.domain.judge_errors import JudgeRefusedError


@pytest.fixture
def secrets(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-north-1")


@pytest.mark.parametrize("text", ["sk-1234", " sk-1234\n", '{"api_key": "sk-1234"}'])
def test_a_key_is_the_secrets_text_or_its_api_key(secrets, text):
    secrets.create_secret(Name="cj/judge/openai", SecretString=text)
    keys = JudgeKeys(Secrets(secrets), "cj/judge/")
    assert keys.exists("openai")
    assert keys.get_key("openai") == "sk-1234"


@pytest.mark.parametrize("text", ["{}", '{"api_key": ""}', "{broken", "with\nline", "klíč"])
def test_a_secret_without_a_usable_key_is_refused_without_being_quoted(secrets, text):
    secrets.create_secret(Name="cj/judge/openai", SecretString=text)
    with pytest.raises(JudgeRefusedError, match="holds no key") as caught:
        JudgeKeys(Secrets(secrets), "cj/judge/").get_key("openai")
    assert text not in str(caught.value)


def test_a_missing_secret_is_named(secrets):
    keys = JudgeKeys(Secrets(secrets), "cj/judge/")
    assert not keys.exists("openai")
    with pytest.raises(JudgeRefusedError, match="cj/judge/openai"):
        keys.get_key("openai")


def test_a_key_is_kept_for_five_minutes_and_then_read_again(secrets):
    secrets.create_secret(Name="cj/judge/openai", SecretString="first")
    keys = JudgeKeys(Secrets(secrets), "cj/judge/")
    start = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    with mock.patch.object(powertools, "datetime", wraps=datetime) as clock:
        clock.now.return_value = start
        assert keys.get_key("openai") == "first"
        secrets.put_secret_value(SecretId="cj/judge/openai", SecretString="second")
        clock.now.return_value = start + timedelta(seconds=299)
        assert keys.get_key("openai") == "first"
        clock.now.return_value = start + timedelta(seconds=301)
        assert keys.get_key("openai") == "second"


def test_secrets_manager_without_an_answer_is_worth_repeating(secrets):
    with Stubber(secrets) as stub:
        stub.add_client_error("get_secret_value", "ThrottlingException")
        stub.add_client_error("describe_secret", "ThrottlingException")
        keys = JudgeKeys(Secrets(secrets), "cj/judge/")
        with pytest.raises(TransientError, match="Throttling"):
            keys.get_key("openai")
        with pytest.raises(TransientError, match="Throttling"):
            keys.exists("openai")


def test_a_signing_secret_that_is_rotated_takes_effect(secrets):
    arn = secrets.create_secret(Name="cj/api", SecretString="first")["ARN"]
    signing = Secrets(secrets, max_age=0)
    assert signing.read(arn) == "first"
    secrets.put_secret_value(SecretId=arn, SecretString="second")
    assert signing.read(arn) == "second"
