"""Clients of AWS services and of HTTP: how long they wait, and how often they try."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import boto3
import httpx
from botocore.config import Config

from assessment.adapters.checked_transport import CheckedTransport, find_endpoint_addresses

# A call that hangs at every try ends after 4 x 5 seconds and the pauses between the tries, 7 at
# most: before the 29 seconds of an API request are over. The pool covers our parallel writers.
_AWS_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=25,
)


_LIMITS = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=60)


def http_client(limits: httpx.Limits = _LIMITS) -> httpx.AsyncClient:
    """An HTTP client for judges' endpoints; every call brings its own time limit."""
    transport = CheckedTransport(find_endpoint_addresses, limits=limits, retries=1)
    return httpx.AsyncClient(transport=transport, follow_redirects=False)


class Clients:
    """Clients of AWS services and of HTTP, each made once."""

    def __init__(self, endpoint_url: str | None = None) -> None:
        self._endpoint_url = endpoint_url
        self._made: dict[str, Any] = {}
        self._bedrock: dict[float, Any] = {}

    def aws(self, service: str) -> Any:
        """A client of an AWS service."""
        if service not in self._made:
            self._made[service] = self._make(service, _AWS_CONFIG)
        return self._made[service]

    def bedrock(self, timeout_seconds: float) -> Any:
        """Bedrock's runtime with a time limit, and without retries: the queue does those."""
        if timeout_seconds not in self._bedrock:
            config = Config(
                connect_timeout=2,
                read_timeout=timeout_seconds,
                retries={"mode": "standard", "total_max_attempts": 1},
            )
            self._bedrock[timeout_seconds] = self._make("bedrock-runtime", config)
        return self._bedrock[timeout_seconds]

    @cached_property
    def http(self) -> httpx.AsyncClient:
        """The HTTP client: its connections outlive an invocation."""
        return http_client()

    def _make(self, service: str, config: Config) -> Any:
        # The name is a plain string here, so the typed overloads of boto3 do not apply.
        make: Any = boto3.client
        return make(service, config=config, endpoint_url=self._endpoint_url)
