"""Check the API's bearer tokens: the stack's own, and those of an OIDC issuer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import jwt
from pydantic import ValidationError

from assessment.contracts.tokens import ALGORITHM, AUDIENCE, INVITATION_AUDIENCE
from assessment.domain.access import DEFAULT_ORGANISATION, Caller, Issuer, Role
from assessment.domain.errors import TokenRefusedError
from assessment.domain.invitation import INVITED_PREFIX, LONGEST_DAYS

CLOCK_SKEW = timedelta(seconds=60)
_REQUIRED = ["exp", "sub", "aud"]
# Never a symmetric one: with it, whoever knows the public key could sign.
_ISSUERS_ALGORITHMS = ["RS256", "ES256"]
_MAX_SUBJECT_CHARACTERS = 255

_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What a token of anybody can make PyJWT raise; its JSON may be nested or infinite."""

Claims = Mapping[str, Any]


def verify_own_token(
    authorization: str, *, secrets: Sequence[str], max_life: timedelta, now: datetime
) -> Caller:
    """The caller that a token of the stack's own names, in an `Authorization: Bearer` header.

    Parameters
    ----------
    secrets
        The versions of the signing secret that are accepted.
    max_life
        The longest time from a token's issue to its expiry.

    Raises
    ------
    TokenRefusedError
        With a reason that does not repeat the token.
    """
    claims = _own_claims(_bearer_token(authorization), secrets)
    _check_life(claims, max_life=max_life, now=now)
    _refuse_invited(claims)
    return _caller(
        claims,
        organisation=claims.get("organisation", DEFAULT_ORGANISATION),
        roles=_role_names(claims.get("roles")),
        batch_id=claims.get("batch_id"),
    )


def is_invitation(authorization: str) -> bool:
    """Whether the header says to bring an invitation; nothing of it is proven yet."""
    try:
        claims = jwt.decode(_bearer_token(authorization), options={"verify_signature": False})
    except (TokenRefusedError, *_UNREADABLE):
        return False
    return claims.get("aud") == INVITATION_AUDIENCE


def verify_invitation(authorization: str, *, secrets: Sequence[str], now: datetime) -> Caller:
    """The judge whom an invitation names; whether it still holds is asked with every request.

    One that has expired names its judge too, who is then told so: an error of
    the token would say only that something is wrong with it.

    Parameters
    ----------
    secrets
        The versions of the secret of invitations that are accepted.

    Raises
    ------
    TokenRefusedError
        With a reason that does not repeat the token.
    """
    claims = _own_claims(
        _bearer_token(authorization), secrets, audience=INVITATION_AUDIENCE, may_be_expired=True
    )
    _check_life(claims, max_life=timedelta(days=LONGEST_DAYS), now=now)
    batch_id = claims.get("batch_id")
    if not isinstance(batch_id, str) or not str(claims["sub"]).startswith(INVITED_PREFIX):
        raise TokenRefusedError("it names no invitation of a batch")
    return _caller(
        claims,
        organisation=claims.get("organisation"),
        roles=[Role.JUDGE],
        batch_id=batch_id,
    )


def verify_issued_token(
    authorization: str,
    *,
    issuer: Issuer,
    find_key: Callable[[str], Any],
    max_life: timedelta,
    now: datetime,
) -> Caller:
    """The caller that a token of the issuer names, in an `Authorization: Bearer` header.

    Parameters
    ----------
    find_key
        The public key of the issuer that a token says it is signed with; raises TokenRefusedError.

    Raises
    ------
    TokenRefusedError
        With a reason that does not repeat the token.
    """
    token = _bearer_token(authorization)
    claims = _read_issued_claims(token, issuer, find_key)
    _check_life(claims, max_life=max_life, now=now)
    _refuse_invited(claims)
    names = _role_names(_claim(claims, issuer.roles_claim))
    organisation: Any = DEFAULT_ORGANISATION
    if issuer.organisation_claim:
        organisation = _claim(claims, issuer.organisation_claim)
    return _caller(
        claims,
        organisation=organisation,
        roles=[
            name.removeprefix(issuer.role_prefix)
            for name in names
            if name.startswith(issuer.role_prefix)
        ],
        batch_id=None,
    )


def _bearer_token(authorization: str) -> str:
    kind, _, token = authorization.partition(" ")
    if kind.lower() != "bearer" or not token:
        raise TokenRefusedError("send the header Authorization: Bearer <token>")
    return token


def _own_claims(
    token: str, secrets: Sequence[str], *, audience: str = AUDIENCE, may_be_expired: bool = False
) -> Claims:
    refusal = TokenRefusedError("the stack has no secret")
    for secret in secrets:
        try:
            return jwt.decode(
                token,
                secret,
                algorithms=[ALGORITHM],
                audience=audience,
                leeway=CLOCK_SKEW,
                options={"require": _REQUIRED, "verify_exp": not may_be_expired},
            )
        except jwt.InvalidSignatureError as error:
            refusal = TokenRefusedError(type(error).__name__)
        except _UNREADABLE as error:
            raise TokenRefusedError(type(error).__name__) from error
    raise refusal


def _read_issued_claims(token: str, issuer: Issuer, find_key: Callable[[str], Any]) -> Claims:
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in _ISSUERS_ALGORITHMS:
            raise TokenRefusedError("it is not signed with RS256 or ES256")
        return jwt.decode(
            token,
            find_key(str(header.get("kid", ""))),
            algorithms=_ISSUERS_ALGORITHMS,
            audience=issuer.audience,
            issuer=issuer.url,
            leeway=CLOCK_SKEW,
            options={"require": [*_REQUIRED, "iss"]},
        )
    except _UNREADABLE as error:
        raise TokenRefusedError(type(error).__name__) from error


def _check_life(claims: Claims, *, max_life: timedelta, now: datetime) -> None:
    """Refuse a token that lives longer than is allowed, from its issue or from now."""
    issued = float(claims.get("iat", now.timestamp()))
    begin = min(issued, now.timestamp())
    if float(claims["exp"]) - begin > (max_life + CLOCK_SKEW).total_seconds():
        hours = max_life.total_seconds() / 3600
        raise TokenRefusedError(f"it lives longer than the {hours:g} hours that are allowed")


def _claim(claims: Claims, name: str) -> Any:
    """The claim of this name, or at this path; None if there is none."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _role_names(value: Any) -> list[str]:
    """Names out of a list, or out of a text with spaces between them as scopes have."""
    if isinstance(value, str):
        return value.split()
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _caller(claims: Claims, *, organisation: Any, roles: Sequence[str], batch_id: Any) -> Caller:
    if isinstance(organisation, list) and len(organisation) == 1:
        organisation = organisation[0]
    try:
        return Caller(
            subject=_check_subject(claims),
            organisation=organisation,
            roles=frozenset(Role(name) for name in roles if name in set(Role)),
            batch_id=batch_id,
        )
    except ValidationError as error:
        raise TokenRefusedError(
            "it names no organisation, or one with characters other than letters, digits and ._-"
        ) from error


def _refuse_invited(claims: Claims) -> None:
    """Only an invitation may name a subject of the invited."""
    if str(claims["sub"]).startswith(INVITED_PREFIX):
        raise TokenRefusedError(f"subjects beginning with {INVITED_PREFIX} are for invitations")


def _check_subject(claims: Claims) -> str:
    subject = str(claims["sub"])
    if not subject.strip() or len(subject) > _MAX_SUBJECT_CHARACTERS or not subject.isprintable():
        raise TokenRefusedError("its subject (sub) is empty, too long or cannot be printed")
    return subject
