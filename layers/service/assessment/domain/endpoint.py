"""Addresses of endpoints that an administrator may name: what receives essays and keys."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from assessment.domain.field_problems import WrongFieldError

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
# The Lambda runtime's own interface listens here, on the machine that a function runs on.
_RUNTIME_PORT = 9001


def check_endpoint(url: str) -> None:
    """Refuse what would send essays or keys in the clear, to the machinery, or is no base URL.

    Raises
    ------
    ValueError
        That names the field, `base_url`.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.query or parts.fragment or "@" in parts.netloc or re.search(r"\s", url):
        raise WrongFieldError(
            "base_url", "give a URL such as https://llm.example.org/v1, without query or user"
        )
    if _is_of_machinery(host, port):
        raise WrongFieldError(
            "base_url", "this address belongs to the machine that the stack runs on"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOCAL_HOSTS):
        raise WrongFieldError(
            "base_url", "use https; plain http is for this machine only (localhost, 127.0.0.1)"
        )


def _is_of_machinery(host: str, port: int | None) -> bool:
    """Whether it is a cloud's metadata service, a Lambda's runtime, or an address in disguise."""
    if host in LOCAL_HOSTS:
        return port == _RUNTIME_PORT
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # Resolvers read "2852039166" and "0xa9fea9fe" as addresses.
        return re.fullmatch(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+))*", host) is not None
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_link_local or mapped.is_loopback or mapped.is_unspecified)
