"""Addresses of endpoints that an administrator may name: what receives essays and keys."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from assessment.domain.addresses import is_of_machine
from assessment.domain.field_problems import WrongFieldError
from assessment.domain.judge_errors import EndpointRefusedError

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
# The Lambda runtime's own interface listens here, on the machine that a function runs on.
_RUNTIME_PORT = 9001


def check_endpoint(url: str) -> None:
    """Refuse a base URL that is none, is not encrypted, or is the stack's own machine.

    Raises
    ------
    ValueError
        That names the field, `base_url`.
    """
    parts = _split(url)
    host = parts.hostname or ""
    if _is_of_machinery(host, parts.port):
        raise WrongFieldError(
            "base_url", "this address belongs to the machine that the stack runs on"
        )
    if not _is_encrypted_or_local(parts):
        raise WrongFieldError(
            "base_url", "use https; plain http is for this machine only (localhost, 127.0.0.1)"
        )


def check_endpoint_address(host: str, address: str) -> None:
    """Refuse an address that a host of a base URL has, if it is the stack's own machine.

    Networks of one's own are allowed, by name as by address: schools serve models there.

    Raises
    ------
    EndpointRefusedError
    """
    if host not in LOCAL_HOSTS and is_of_machine(ipaddress.ip_address(address.partition("%")[0])):
        raise EndpointRefusedError(
            f"base_url: the name {host} leads to the machine that the stack runs on; use another "
            "name, or localhost where that machine is meant"
        )


def _split(url: str) -> SplitResult:
    """The parts of a base URL: it has a host and a valid port, and no query, fragment or user."""
    try:
        parts = urlsplit(url)
        # Letters of other scripts may stand for digits and dots: names have an ASCII form.
        has_host = (parts.hostname or "").isascii() and bool(parts.hostname)
        has_host = has_host and (parts.port or 0) >= 0
    except ValueError:
        # A port that is no number, or brackets that do not close.
        parts, has_host = urlsplit(""), False
    if not has_host or _has_more_than_base(parts, url):
        raise WrongFieldError(
            "base_url", "give a URL such as https://llm.example.org/v1, without query or user"
        )
    return parts


def _has_more_than_base(parts: SplitResult, url: str) -> bool:
    return bool(parts.query or parts.fragment or "@" in parts.netloc or re.search(r"\s", url))


def _is_encrypted_or_local(parts: SplitResult) -> bool:
    is_local = parts.scheme == "http" and parts.hostname in LOCAL_HOSTS
    return is_local or parts.scheme == "https"


def _is_of_machinery(host: str, port: int | None) -> bool:
    """Whether it is a metadata service, a Lambda's runtime, or an address as a bare number."""
    host = host.removesuffix(".")
    if host in LOCAL_HOSTS:
        return port == _RUNTIME_PORT
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        # Resolvers read "2852039166" and "0xa9fea9fe" as addresses.
        return re.fullmatch(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+))*", host) is not None
    return is_of_machine(address)
