"""Connections go to addresses that were checked, and to no other."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from assessment.adapters.checked_transport import CheckedTransport
from assessment.adapters.judges.transport import call
from assessment.bootstrap.clients import http_client
from assessment.domain.endpoint import check_endpoint_address
from assessment.domain.judge_errors import EndpointRefusedError, JudgeUnavailableError
from tests.fakes.webhooks import Receiver, receiving


async def ask(url: str, client: httpx.AsyncClient) -> httpx.Response:
    async with client:
        return await call(
            client, "POST", url, headers={}, timeout_seconds=5, provider="a judge", json={}
        )


def answer_names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name have these addresses."""

    def look_up(_host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def ask_by_name(receiver: Receiver, addresses: Sequence[str]) -> httpx.Response:
    transport = CheckedTransport(lambda _host, _port: addresses, limits=httpx.Limits())
    port = urlsplit(receiver.url).port
    return asyncio.run(ask(f"http://llm.test:{port}/v1", httpx.AsyncClient(transport=transport)))


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["169.254.169.254"], ["::1"], ["::ffff:7f00:1"]],
)
def test_a_judge_whose_name_leads_to_the_machine_itself_is_sent_nothing(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as receiver:
        port = urlsplit(receiver.url).port
        answer_names(monkeypatch, *addresses)
        with pytest.raises(EndpointRefusedError, match=r"base_url: the name llm\.test leads"):
            asyncio.run(ask(f"http://llm.test:{port}/v1", http_client()))
    assert receiver.received == []


def test_authorities_are_read_once_for_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading them for each message to a webhook took longer than sending it."""
    contexts = []

    def keep_context(**settings: Any) -> None:
        contexts.append(settings["ssl_context"])

    monkeypatch.setattr("httpcore.AsyncConnectionPool", keep_context)
    own = ssl.create_default_context()
    for verify in (None, None, own):
        CheckedTransport(lambda _host, _port: [], limits=httpx.Limits(), verify=verify)
    first, second, third = contexts
    assert first is second
    assert first.verify_mode is ssl.CERT_REQUIRED
    assert first.check_hostname
    assert third is own


def test_the_machine_itself_is_reached_by_the_names_that_say_so() -> None:
    with receiving() as receiver:
        port = urlsplit(receiver.url).port
        asyncio.run(ask(f"http://127.0.0.1:{port}/v1", http_client()))
    assert len(receiver.received) == 1


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.1.5", "fd12::1", "8.8.8.8"])
def test_networks_of_ones_own_are_allowed_by_name_as_they_are_by_address(address: str) -> None:
    check_endpoint_address("llm.school.example", address)
    with pytest.raises(EndpointRefusedError):
        check_endpoint_address("llm.school.example", "127.0.0.1")


def test_the_connection_goes_to_the_address_and_the_request_to_the_name() -> None:
    with receiving() as receiver:
        ask_by_name(receiver, ["127.0.0.1"])
        assert receiver.received[0][0]["Host"] == f"llm.test:{urlsplit(receiver.url).port}"


def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    with receiving() as receiver:
        # Nothing listens on the second loopback address.
        ask_by_name(receiver, ["127.0.0.2", "127.0.0.1"])
        assert len(receiver.received) == 1


def test_a_name_that_is_not_found_is_a_judge_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look_up(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(JudgeUnavailableError) as caught:
        asyncio.run(ask("https://llm.test/v1", http_client()))
    assert not caught.value.may_be_paid


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "RemoteProtocolError"),
        (b"no HTTP at all\r\n\r\n", "RemoteProtocolError"),
        (b"", "RemoteProtocolError"),
    ],
    ids=["half a body", "another protocol", "nothing"],
)
def test_an_answer_that_breaks_off_is_a_judge_that_may_have_been_paid(
    sent: bytes, error: str
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        writer.close()

    async def ask_once() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await ask(f"http://127.0.0.1:{port}/v1", http_client())

    with pytest.raises(JudgeUnavailableError, match=error) as caught:
        asyncio.run(ask_once())
    assert caught.value.may_be_paid
