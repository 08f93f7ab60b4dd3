"""Tokens of an OIDC issuer: keys found by discovery, rotated, cached; nothing else gets in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from assessment.adapters import issuer_keys
from assessment.adapters.issuer_keys import IssuerKeys
from assessment.api.tokens import verify_issued_token
from assessment.domain.access import Caller, Issuer, Role
from assessment.domain.errors import MissingSettingError, TokenRefusedError, TransientError
from local.issuer import AUDIENCE, SampleIssuer, make_key, serve_issuer
from tests.fakes.tokens import MAX_LIFE

CLAIMS: dict[str, Any] = {
    "org": "north",
    "realm_access": {"roles": ["cj-assessor", "cj-owner", "admin"]},
}


@cache
def rsa_key(owner: str) -> Any:
    """A key for all tests: to make one takes longer than a test does."""
    return make_key("RS256")


@pytest.fixture(scope="module")
def served() -> Iterator[SampleIssuer]:
    """One server for all tests: to start and stop it takes longer than a test does."""
    with serve_issuer(rsa_key("issuer")) as issuer:
        yield issuer


@pytest.fixture
def issuer(served: SampleIssuer) -> SampleIssuer:
    """The issuer as every test finds it: it is up, and has one key that nobody asked for yet."""
    served.keys = {"first": ("RS256", rsa_key("issuer"))}
    served.n_key_reads = 0
    served.down = False
    return served


@pytest.fixture
def keys(issuer: SampleIssuer) -> IssuerKeys:
    return IssuerKeys(issuer.url)


def read_caller(token: str, issuer: SampleIssuer, keys: IssuerKeys, **settings: str) -> Caller:
    trusted: dict[str, str] = {
        "organisation_claim": "org", "roles_claim": "realm_access.roles", "role_prefix": "cj-",
        **settings,
    }  # fmt: skip
    return verify_issued_token(
        f"Bearer {token}",
        issuer=Issuer(url=issuer.url, audience=AUDIENCE, **trusted),
        find_key=keys.find,
        max_life=MAX_LIFE,
        now=datetime.now(UTC),
    )


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_of_the_issuer_names_its_caller(
    issuer: SampleIssuer, keys: IssuerKeys, algorithm: str
) -> None:
    issuer.add_key("second", algorithm)
    token = issuer.token("second", **CLAIMS)
    expected = Caller(subject="subject", organisation="north", roles=frozenset({Role.ASSESSOR}))
    assert read_caller(token, issuer, keys) == expected


def test_names_of_claims_may_have_dots_themselves(issuer: SampleIssuer, keys: IssuerKeys) -> None:
    claims: dict[str, Any] = {"https://cj.example/roles": "admin judge", "org": ["north"]}
    token = issuer.token("first", **claims)
    names = {"roles_claim": "https://cj.example/roles", "role_prefix": ""}
    caller = read_caller(token, issuer, keys, **names)
    assert caller.roles == {Role.ADMIN, Role.JUDGE}
    assert caller.organisation == "north"


def test_a_user_pools_token_names_its_caller_by_group_and_attribute(
    issuer: SampleIssuer, keys: IssuerKeys
) -> None:
    # As Cognito writes an id token.
    claims: dict[str, Any] = {
        "custom:organisation": "north",
        "cognito:groups": ["assessor"],
        "token_use": "id",
    }
    names = {"organisation_claim": "custom:organisation", "roles_claim": "cognito:groups"}
    caller = read_caller(issuer.token("first", **claims), issuer, keys, **names, role_prefix="")
    assert caller.organisation == "north"
    assert caller.roles == {Role.ASSESSOR}


def test_an_issuer_invites_no_judge_to_a_batch(issuer: SampleIssuer, keys: IssuerKeys) -> None:
    assert read_caller(issuer.token("first", **CLAIMS, batch_id="b"), issuer, keys).batch_id is None


def test_one_organisation_for_all_where_no_claim_names_it(
    issuer: SampleIssuer, keys: IssuerKeys
) -> None:
    caller = read_caller(issuer.token("first"), issuer, keys, organisation_claim="")
    assert (caller.organisation, caller.roles) == ("default", frozenset())


def public_text(issuer: SampleIssuer) -> bytes:
    public = issuer.keys["first"][1].public_key()
    return bytes(
        public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def hmac_with_public_key(issuer: SampleIssuer) -> str:
    """HS256 under the text of the public key, which PyJWT itself refuses to make."""
    import base64
    import hashlib
    import hmac
    import json

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    now = int(time.time())
    claims = {"iss": issuer.url, "aud": AUDIENCE, "sub": "s", "exp": now + 60, **CLAIMS}
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'first'})}.{part(claims)}"
    digest = hmac.new(public_text(issuer), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def foreign(issuer: SampleIssuer) -> str:
    """Signed with another key under the id of the issuer's."""
    other = SampleIssuer(url=issuer.url, keys={"first": ("RS256", rsa_key("stranger"))})
    return other.token("first", **CLAIMS)


def make_unsigned_token(issuer: SampleIssuer) -> str:
    claims = {"iss": issuer.url, "aud": AUDIENCE, "sub": "s", "exp": int(time.time()) + 60}
    return jwt.encode(claims, "", algorithm="none", headers={"kid": "first"})


def other_kind_of_key(issuer: SampleIssuer) -> str:
    """ES256 in the header where the key is an RSA key."""
    other = SampleIssuer(url=issuer.url, keys={"first": ("ES256", make_key("ES256"))})
    return other.token("first", **CLAIMS)


now = int(time.time())
ATTACKS = {
    "no signature": make_unsigned_token,
    "HS256 with the public key": hmac_with_public_key,
    "another key under the same id": foreign,
    "another kind of key": other_kind_of_key,
    "an unknown key": lambda issuer: foreign(issuer).replace(
        foreign(issuer).split(".")[0], jwt.encode({}, "k" * 32, headers={"kid": "x"}).split(".")[0]
    ),
    "another audience": lambda issuer: issuer.token("first", **CLAIMS, audience="other"),
    "another issuer": lambda issuer: issuer.token("first", **CLAIMS, iss="https://other.example"),
    "no issuer": lambda issuer: issuer.token("first", **CLAIMS, iss=None),
    "no expiry": lambda issuer: issuer.token("first", **CLAIMS, exp=None),
    "expired": lambda issuer: issuer.token("first", **CLAIMS, exp=now - 61, iat=now - 600),
    "an empty subject": lambda issuer: issuer.token("first", **CLAIMS, sub=""),
    "a life of ten years": lambda issuer: issuer.token("first", **CLAIMS, exp=now + 315_360_000),
    "no organisation": lambda issuer: issuer.token("first"),
    "two organisations": lambda issuer: issuer.token("first", org=["north", "south"]),
    "a path as organisation": lambda issuer: issuer.token("first", org="../south"),
    "the stack's own token": lambda _: jwt.encode(
        {"sub": "s", "aud": "cj-assessment", "exp": now + 60}, "k" * 64, algorithm="HS256"
    ),
}


@pytest.mark.parametrize("forge", ATTACKS.values(), ids=ATTACKS)
def test_attacks_are_refused(issuer: SampleIssuer, keys: IssuerKeys, forge: Any) -> None:
    with pytest.raises(TokenRefusedError):
        read_caller(forge(issuer), issuer, keys)


def test_a_new_key_is_found_and_a_withdrawn_one_refused(
    issuer: SampleIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_keys, "NEW_KEY_SECONDS", 0)
    keys = IssuerKeys(issuer.url)
    before = issuer.token("first", **CLAIMS)
    assert read_caller(before, issuer, keys).subject == "subject"
    issuer.add_key("second")
    del issuer.keys["first"]
    assert read_caller(issuer.token("second", **CLAIMS), issuer, keys).subject == "subject"
    with pytest.raises(TokenRefusedError):
        read_caller(before, issuer, keys)


def test_keys_are_kept_and_strangers_do_not_make_it_ask_again(
    issuer: SampleIssuer, keys: IssuerKeys
) -> None:
    known, unknown = issuer.token("first", **CLAIMS), ATTACKS["an unknown key"](issuer)
    for _ in range(20):
        read_caller(known, issuer, keys)
        with pytest.raises(TokenRefusedError):
            read_caller(unknown, issuer, keys)
    assert issuer.n_key_reads == 1


def test_an_issuer_that_is_down_locks_nobody_out_whose_key_is_known(
    issuer: SampleIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_keys, "KEYS_LIFESPAN_SECONDS", 0.001)
    keys = IssuerKeys(issuer.url)
    token = issuer.token("first", **CLAIMS)
    assert read_caller(token, issuer, keys).organisation == "north"
    issuer.down = True
    time.sleep(0.01)
    assert read_caller(token, issuer, keys).organisation == "north"


def test_an_issuer_that_never_answered_is_an_error_of_ours(issuer: SampleIssuer) -> None:
    issuer.down = True
    with pytest.raises(TransientError):
        read_caller(issuer.token("first", **CLAIMS), issuer, IssuerKeys(issuer.url))


def test_an_issuer_by_another_name_is_not_trusted(issuer: SampleIssuer) -> None:
    with pytest.raises(MissingSettingError, match="set OidcIssuer"):
        IssuerKeys(f"{issuer.url}/").find("first")


@pytest.mark.parametrize("url", ["http://issuer.example", "ftp://issuer.example", "issuer"])
def test_keys_come_over_https_only(url: str) -> None:
    with pytest.raises(MissingSettingError, match="https"):
        IssuerKeys(url)
