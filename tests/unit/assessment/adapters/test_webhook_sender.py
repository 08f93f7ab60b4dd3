"""What is sent to receivers: to the address that was checked, signed, and read no further."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook

from assessment.adapters.webhook_sender import HTTPWebhookSender
from assessment.domain.webhook_errors import AddressRefusedError, WebhookUnavailableError
from assessment.ports.webhooks import OutgoingMessage, Reply
from tests.fakes.webhooks import Receiver, receiving
from tests.present import present

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLDER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
"""The example of the Standard Webhooks libraries."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


def send(message: OutgoingMessage, *, loopback_allowed: bool = True) -> Reply:
    sender = HTTPWebhookSender(loopback_allowed=loopback_allowed)
    return asyncio.run(sender.send(message, now=datetime.now(UTC)))


def make_message(url: str) -> OutgoingMessage:
    return OutgoingMessage(
        url=url, message_id="msg_1", body='{"grade":"Å"}', secrets=[SECRET, OLDER]
    )


def answer_names(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[list[str]]]) -> list[str]:
    """Let names have these addresses, one list for each time that they are looked up."""
    real, asked = socket.getaddrinfo, []

    def look_up(host: str, port: Any, *arguments: Any, **keywords: Any) -> Any:
        if host not in names:
            return real(host, port, *arguments, **keywords)
        asked.append(host)
        addresses = names[host].pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_receiver_can_verify_what_comes(receiver: Receiver) -> None:
    assert send(make_message(receiver.url)).status == 204
    ((headers, body),) = receiver.received
    # Whether it knows the new secret or still the one before.
    for secret in (SECRET, OLDER):
        assert Webhook(secret).verify(body, headers) == {"grade": "Å"}
    assert headers["webhook-id"] == "msg_1"


def test_the_connection_goes_to_the_address_that_was_checked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that would have another address the second time is not asked a second time."""
    asked = answer_names(monkeypatch, {"school.test": [["127.0.0.1"], ["10.0.0.1"]]})
    port = urlsplit(receiver.url).port
    assert send(make_message(f"http://school.test:{port}/events")).status == 204
    assert asked == ["school.test"]
    assert receiver.received[0][0]["Host"] == f"school.test:{port}"


@contextmanager
def certified(name: str, folder: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A port that speaks TLS under a certificate for this name, and a context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    stored = folder / "server.pem"
    stored.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(stored)
    with receiving(tls=server) as receiver:
        yield present(urlsplit(receiver.url).port), ssl.create_default_context(cafile=stored)


@pytest.mark.parametrize(("host", "is_taken"), [("school.test", True), ("other.test", False)])
def test_the_certificate_must_be_that_of_the_host_and_not_of_its_address(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_taken: bool
) -> None:
    answer_names(monkeypatch, {host: [["127.0.0.1"]]})
    with certified("school.test", tmp_path) as (port, trusting):
        sender = HTTPWebhookSender(loopback_allowed=True, verify=trusting)
        sending = sender.send(make_message(f"https://{host}:{port}/events"), now=datetime.now(UTC))
        if is_taken:
            assert asyncio.run(sending).status == 204
        else:
            with pytest.raises(WebhookUnavailableError):
                asyncio.run(sending)


def test_one_private_address_among_several_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_names(monkeypatch, {"school.test": [["8.8.8.8", "10.0.0.1"]] * 2})
    sender = HTTPWebhookSender()
    with pytest.raises(AddressRefusedError):
        sender.check("https://school.test/events")
    with pytest.raises(AddressRefusedError):
        send(make_message("https://school.test/events"))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::]",
        "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "169.254.169.254", "2852039166",
        "0251.0376.0251.0376", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]",
        "[fe80::1]", "[fec0::1]", "[fd00:ec2::254]", "10.0.0.1", "0x0a000001", "[fc00::1]", "0",
    ],
)  # fmt: skip
def test_however_a_private_address_is_written_it_is_refused(host: str) -> None:
    # It was read as an address, and refused for that.
    with pytest.raises(AddressRefusedError, match="public internet"):
        HTTPWebhookSender().check(f"https://{host}/events")


def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"Location": receiver.url}
    assert send(make_message(receiver.url)).status == 307
    assert len(receiver.received) == 1


def test_a_receiver_says_when_to_come_back(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": "120"}
    assert send(make_message(receiver.url)) == Reply(429, retry_after=120.0)


def test_a_receiver_that_is_not_there_is_unavailable(receiver: Receiver) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        with pytest.raises(WebhookUnavailableError):
            send(make_message(url))


def test_a_secret_is_shown_nowhere() -> None:
    message = make_message("https://school.example/")
    assert SECRET not in repr(replace(message, body=""))
