"""A sample OIDC issuer: discovery, keys that can be rotated, and tokens, on this machine.

It is for tests and for trying a stack with `OidcIssuer`; it asks nobody who they are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
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

    While it is `down`, it answers 503.
    """

    url: str = ""
    keys: dict[str, tuple[str, PrivateKey]] = field(default_factory=dict)
    n_key_reads: int = 0
    down: bool = False

    def add_key(self, key_id: str, algorithm: str = "RS256") -> None:
        """Publish a new key."""
        self.keys[key_id] = (algorithm, make_key(algorithm))

    def token(self, key_id: str, *, audience: str = AUDIENCE, **claims: object) -> str:
        """A token of ten minutes for `subject`, unless the claims say otherwise; None drops one."""
        algorithm, key = self.keys[key_id]
        now = int(time.time())
        given = {
            "iss": self.url, "aud": audience, "sub": "subject", "iat": now,
            "exp": now + _LIFETIME_SECONDS, **claims,
        }  # fmt: skip
        kept = {name: value for name, value in given.items() if value is not None}
        return jwt.encode(kept, key, algorithm=algorithm, headers={"kid": key_id})

    def application(self) -> Starlette:
        """What it serves."""
        discovery = "/.well-known/openid-configuration"
        return Starlette(routes=[Route(discovery, self._discover), Route("/keys", self._keys)])

    def _discover(self, _: Request) -> JSONResponse:
        if self.down:
            return JSONResponse({}, status_code=503)
        return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})

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
