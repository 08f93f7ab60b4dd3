"""Bearer tokens: what opens the door, for how long, and what a rotation changes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import jwt
import pytest
from moto import mock_aws

from assessment.adapters.aws.secrets import SigningSecret
from assessment.api.rotation import check_with_versions
from assessment.api.tokens import verify_own_token
from assessment.contracts.tokens import sign_token
from assessment.domain.access import Caller, Role
from assessment.domain.errors import TokenRefusedError
from tests.fakes.tokens import MAX_LIFE, read_caller

SECRET = "a test's own signing key, long enough for HS256 and used nowhere else"
LATER = "the key that it is rotated to, which is long enough for HS256 as well"
NEWEST = "the key after that one, which is again long enough for HS256's needs"


def token(secret: str = SECRET, **claims: Any) -> str:
    now = datetime.now(UTC)
    given = {
        "sub": "s", "aud": "cj-assessment", "iat": now, "exp": now + timedelta(minutes=1), **claims,
    }  # fmt: skip
    return jwt.encode({k: v for k, v in given.items() if v is not None}, secret, algorithm="HS256")


def add_hours(hours: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def test_tokens_round_trip() -> None:
    caller = Caller(
        subject="teacher",
        organisation="north",
        roles=frozenset({Role.ADMIN, Role.JUDGE}),
        batch_id="b",
    )
    lifetime = timedelta(minutes=1)
    made = sign_token(caller, secret=SECRET, now=datetime.now(UTC), lifetime=lifetime)
    assert read_caller(made, SECRET) == caller


def test_without_caller_in_them_there_is_the_default_organisation_and_no_role() -> None:
    assert read_caller(token(), SECRET) == Caller(subject="s")
    assert (
        read_caller(token(roles=["owner", 7, None], scope="cj:admin"), SECRET).roles == frozenset()
    )


@pytest.mark.parametrize("name", ["", "a/b", "a#b", "../x", "a b", "x" * 65, 7, None, ["a", "b"]])
def test_an_organisation_that_could_leave_its_keys_is_refused(name: Any) -> None:
    made = jwt.encode(
        {"sub": "s", "aud": "cj-assessment", "exp": add_hours(1), "organisation": name},
        SECRET,
        algorithm="HS256",
    )
    with pytest.raises(TokenRefusedError, match="organisation"):
        read_caller(made, SECRET)


def segment(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


NESTED = "[" * 100_000
REFUSED = {
    "nothing": "",
    "no token": "Bearer",
    "an empty token": "Bearer ",
    "another scheme": f"Basic {token()}",
    "another audience": f"Bearer {token(aud='other')}",
    "no audience": f"Bearer {token(aud=None)}",
    "no expiry": f"Bearer {token(exp=None)}",
    "expired": f"Bearer {token(exp=add_hours(-1))}",
    "no subject": f"Bearer {token(sub=None)}",
    "an empty subject": f"Bearer {token(sub='')}",
    "a blank subject": f"Bearer {token(sub='  ')}",
    "a subject with a line end": f"Bearer {token(sub='a' + chr(10) + 'b')}",
    "a very long subject": f"Bearer {token(sub='a' * 256)}",
    "not yet valid": f"Bearer {token(nbf=add_hours(1))}",
    "issued in the future": f"Bearer {token(iat=add_hours(1), exp=add_hours(2))}",
    "ten years": f"Bearer {token(exp=add_hours(24 * 3650))}",
    "an hour more than a day": f"Bearer {token(exp=add_hours(25))}",
    "ten years without an issue": f"Bearer {token(iat=None, exp=add_hours(24 * 3650))}",
    "issued long ago": f"Bearer {token(iat=add_hours(-30), exp=add_hours(1))}",
    "cut": f"Bearer {token()[:-2]}",
    "another key": f"Bearer {token(LATER)}",
    "no algorithm": "Bearer "
    + jwt.encode({"sub": "s", "aud": "cj-assessment", "exp": 9e9}, "", "none"),
    "a header nested without end": f"Bearer {segment(NESTED)}.{segment('{}')}.x",
    "a body nested without end": f"Bearer {token().split('.')[0]}.{segment(NESTED)}.x",
}


@pytest.mark.parametrize("header", REFUSED.values(), ids=REFUSED)
def test_other_tokens_are_refused_without_repeating_them(header: str) -> None:
    with pytest.raises(TokenRefusedError) as refused:
        verify_own_token(header, secrets=(SECRET,), max_life=MAX_LIFE, now=datetime.now(UTC))
    assert len(header) < 20 or header[8:] not in str(refused.value)


def test_a_clock_that_is_half_a_minute_off_is_no_reason_to_refuse() -> None:
    ahead = datetime.now(UTC) + timedelta(seconds=30)
    assert read_caller(token(iat=ahead, nbf=ahead), SECRET).subject == "s"


@pytest.fixture
def secret() -> Any:
    """A secret in the simulated account, and the seconds that have passed for its reader."""
    with mock_aws():
        manager = boto3.client("secretsmanager", region_name="eu-north-1")
        manager.create_secret(Name="api", SecretString=SECRET)
        passed = [0.0]
        yield manager, SigningSecret(manager, "api", clock=lambda: passed[0]), passed


def read_subject(reader: SigningSecret, made: str) -> str:
    def check(secrets: Sequence[str]) -> Caller:
        return verify_own_token(
            f"Bearer {made}", secrets=secrets, max_life=MAX_LIFE, now=datetime.now(UTC)
        )

    return check_with_versions(reader, check).subject


def test_both_versions_hold_while_a_secret_is_rotated(secret: Any) -> None:
    manager, reader, passed = secret
    assert read_subject(reader, token()) == "s"
    manager.put_secret_value(SecretId="api", SecretString=LATER)
    passed[0] += 16
    assert read_subject(reader, token(LATER)) == "s", "the new version counts at once"
    assert read_subject(reader, token()) == "s", "the version before it still counts"


def test_a_second_rotation_ends_the_first_version_within_minutes(secret: Any) -> None:
    manager, reader, passed = secret
    assert read_subject(reader, token()) == "s"
    manager.put_secret_value(SecretId="api", SecretString=LATER)
    manager.put_secret_value(SecretId="api", SecretString=NEWEST)
    passed[0] += 301
    with pytest.raises(TokenRefusedError):
        read_subject(reader, token())
    assert read_subject(reader, token(NEWEST)) == "s"


def test_strangers_do_not_make_it_read_the_secret_at_every_try(secret: Any) -> None:
    manager, reader, passed = secret
    asked: list[str] = []
    manager.meta.events.register("before-call.secretsmanager", lambda **_: asked.append("read"))
    for _ in range(50):
        with pytest.raises(TokenRefusedError):
            read_subject(reader, token("a key of nobody, which is long enough for the algorithm"))
        passed[0] += 0.1
    assert len(asked) <= 4, "the two versions at first, and once more"
