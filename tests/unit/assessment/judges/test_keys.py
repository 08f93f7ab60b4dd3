"""Keys of providers: found below the stack's prefix, cached, read anew in time, never guessed."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from assessment.adapters.judges.registry import JudgeKeys
from assessment.domain.errors import JudgeRefusedError


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
    keys = JudgeKeys(secrets, "cj/judge/")
    assert keys.exists("openai")
    assert keys.key("openai") == "sk-1234"


@pytest.mark.parametrize("text", ["{}", '{"api_key": ""}', "{broken", "with\nline", "klíč"])
def test_a_secret_without_a_usable_key_is_refused_without_being_quoted(secrets, text):
    secrets.create_secret(Name="cj/judge/openai", SecretString=text)
    with pytest.raises(JudgeRefusedError, match="holds no key") as caught:
        JudgeKeys(secrets, "cj/judge/").key("openai")
    assert text not in str(caught.value)


def test_a_missing_secret_is_named(secrets):
    keys = JudgeKeys(secrets, "cj/judge/")
    assert not keys.exists("openai")
    with pytest.raises(JudgeRefusedError, match="cj/judge/openai"):
        keys.key("openai")


def test_a_key_is_kept_for_five_minutes_and_then_read_again(secrets):
    now = [0.0]
    secrets.create_secret(Name="cj/judge/openai", SecretString="first")
    keys = JudgeKeys(secrets, "cj/judge/", clock=lambda: now[0])
    assert keys.key("openai") == "first"
    secrets.put_secret_value(SecretId="cj/judge/openai", SecretString="second")
    now[0] = 299
    assert keys.key("openai") == "first"
    now[0] = 301
    assert keys.key("openai") == "second"
