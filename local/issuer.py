"""A sample OIDC issuer: discovery, keys that can be rotated, and tokens, on this machine.

It is for tests and for trying a stack with `OidcIssuer`; it asks nobody who they are.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from local.judge.serving import serve

AUDIENCE = "cj-sample"
_LIFETIME_SECONDS = 600

type PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def make_key(algorithm: str) -> PrivateKey:
    """A new private key for the algorithm."""
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def public_document(key: PrivateKey) -> dict[str, object]:
    """The public half as a JSON Web Key."""
    public = key.public_key()
    text = (
        RSAAlgorithm.to_jwk(public)
        if isinstance(public, rsa.RSAPublicKey)
        else ECAlgorithm.to_jwk(public)
    )
    document: dict[str, object] = json.loads(text)
    return document


@dataclass
class SampleIssuer:
    """The issuer's address and its keys by id; `n_key_reads` counts how often they were asked for.

    While it is `down`, it answers 503. `claims` are in the tokens of whoever signs in. One that is
    `like_cognito` names no audience in access tokens, and not itself in its answer.
    """

    url: str = ""
    keys: dict[str, tuple[str, PrivateKey]] = field(default_factory=dict)
    n_key_reads: int = 0
    down: bool = False
    claims: dict[str, Any] = field(default_factory=dict)
    like_cognito: bool = False
    _flows: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def add_key(self, key_id: str, algorithm: str = "RS256") -> None:
        """Publish a new key."""
        self.keys[key_id] = (algorithm, make_key(algorithm))

    def token(self, key_id: str, *, audience: str = AUDIENCE, **claims: object) -> str:
        """A token of ten minutes for `subject`, unless the claims say otherwise; None drops one."""
        algorithm, key = self.keys[key_id]
        now = int(time.time())
        payload = {
            "iss": self.url, "aud": audience, "sub": "subject", "iat": now,
            "exp": now + _LIFETIME_SECONDS, **claims,
        }  # fmt: skip
        present_claims = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(present_claims, key, algorithm=algorithm, headers={"kid": key_id})

    def application(self) -> Starlette:
        """What it serves."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discover),
                Route("/keys", self._keys),
                Route("/authorize", self._sign_in),
                Route("/token", self._give_tokens, methods=["POST"]),
            ]
        )

    def _discover(self, _: Request) -> JSONResponse:
        if self.down:
            return JSONResponse({}, status_code=503)
        return JSONResponse(
            {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
            }
        )

    def _sign_in(self, request: Request) -> Response:
        """Send whoever comes back at once, with a code for the token endpoint (RFC 6749, 4.1)."""
        query = dict(request.query_params)
        if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            return JSONResponse({"error": "invalid_request"}, status_code=400)
        code = secrets.token_urlsafe(16)
        self._flows[code] = query
        answer = {"code": code, "state": query["state"]}
        if not self.like_cognito:
            answer["iss"] = self.url
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer)}")

    async def _give_tokens(self, request: Request) -> Response:
        """Tokens for a code, to whoever has the verifier of its challenge (RFC 7636, 4.6), once."""
        form = dict(parse_qsl((await request.body()).decode()))
        headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
        query = self._flows.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            query is None
            or query["code_challenge"] != challenge
            or any(query[name] != form.get(name) for name in ("client_id", "redirect_uri"))
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400, headers=headers)
        key_id = next(iter(self.keys))
        own: dict[str, Any] = {"aud": query["client_id"], "nonce": query["nonce"]}
        identity = self.token(key_id, **{**self.claims, **own})
        unnamed = {"aud": None, "client_id": query["client_id"]} if self.like_cognito else {}
        access = self.token(key_id, **{**self.claims, **unnamed})
        tokens = {"token_type": "Bearer", "access_token": access, "id_token": identity}
        return JSONResponse(tokens, headers=headers)

    def _keys(self, _: Request) -> JSONResponse:
        self.n_key_reads += 1
        if self.down:
            return JSONResponse({}, status_code=503)
        published = [
            public_document(key) | {"kid": key_id, "alg": algorithm, "use": "sig"}
            for key_id, (algorithm, key) in self.keys.items()
        ]
        return JSONResponse({"keys": published})


@contextmanager
def serve_issuer(first: rsa.RSAPrivateKey | None = None) -> Iterator[SampleIssuer]:
    """A sample issuer on a port of this machine, with one key, `first`, made unless it is given."""
    issuer = SampleIssuer()
    issuer.keys["first"] = "RS256", first or make_key("RS256")
    with serve(issuer.application()) as url:
        issuer.url = url
        yield issuer
