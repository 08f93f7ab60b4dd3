"""A receiver of webhooks at a real address, and stores in memory."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from assessment.domain.webhook import Attempt, Webhook
from assessment.ports.webhooks import OutgoingMessage, Reply


@dataclass
class Receiver:
    """What came, and what is answered: the status of each path, 204 elsewhere."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    received: list[tuple[dict[str, str], str]] = field(default_factory=list)


@contextmanager
def receiving(*, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a free port of this machine, as long as the context lasts."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            receiver.received.append((dict(self.headers), body))
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: tests look at what came."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/events"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class InMemoryWebhooks:
    """Webhooks, their secrets and their dead letters, of one organisation; any URL is taken."""

    def __init__(self) -> None:
        self.stored: dict[str, Webhook] = {}
        self.secrets: dict[str, tuple[str, ...]] = {}
        self.n_dead = 0

    def put_webhook(self, webhook: Webhook) -> None:
        self.stored.setdefault(webhook.webhook_id, webhook)

    def find_webhook(self, webhook_id: str) -> Webhook | None:
        return self.stored.get(webhook_id)

    def list_webhooks(self) -> list[Webhook]:
        return sorted(self.stored.values(), key=lambda one: (one.created_at, one.webhook_id))

    def delete_webhook(self, webhook_id: str) -> None:
        self.stored.pop(webhook_id, None)

    def note_attempt(self, webhook_id: str, attempt: Attempt, *, disable: bool) -> None:
        if webhook_id not in self.stored:
            return
        changes: dict[str, object] = {"last_attempt": attempt}
        if disable:
            changes["disabled_at"] = attempt.moment
        self.stored[webhook_id] = self.stored[webhook_id].model_copy(update=changes)

    def keep(self, webhook_id: str, secret: str) -> None:
        self.secrets[webhook_id] = (secret,)

    def replace(self, webhook_id: str, secret: str) -> None:
        self.secrets[webhook_id] = (secret, *self.secrets[webhook_id][:1])

    def get_versions(self, webhook_id: str) -> tuple[str, ...]:
        return self.secrets[webhook_id]

    def forget(self, webhook_id: str) -> None:
        self.secrets.pop(webhook_id, None)

    def replay(self, *_: object, **__: object) -> tuple[int, bool]:
        return self.n_dead, False

    def check(self, url: str) -> None:
        """Every URL may be sent to."""

    async def send(self, message: OutgoingMessage, *, now: datetime) -> Reply:
        raise NotImplementedError
