"""A provider on a loopback port whose replies a test or a developer scripts.

Replies, errors and prompts have the formats of `wire_formats`, as those of the sample judge do.
The server is one of the standard library because it starts and stops in milliseconds, and every
test has one of its own.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from assessment.domain.prompt import LABELS
from local.providers.provider_formats import make_verdict, read_groups
from local.providers.replies import Reply
from local.providers.wire_formats import (
    CHAT_COMPLETIONS,
    CONVERSE,
    MESSAGES,
    Answer,
    Question,
    UnreadablePromptError,
    WireFormat,
)
from local.stack.processes import LOOPBACK

FORMATS: dict[str, WireFormat] = {
    "openai": CHAT_COMPLETIONS,
    "anthropic": MESSAGES,
    "bedrock": CONVERSE,
}
MODEL = "scripted-model"
VERDICT_TOOL = "record_verdicts"
TOKENS = (1000, 101)
_PAIR = 2
_TOOLS = {"openai": None, "anthropic": VERDICT_TOOL, "bedrock": VERDICT_TOOL}


def make_reply(
    provider: str, document: object, *, stop: str | None = None, refusal: str | None = None
) -> Reply:
    """A provider's answer with a document, or with a text in its place; 1000 tokens in, 101 out.

    OpenAI answers with text, as the adapters ask it for JSON; the others use the verdict tool.
    """
    answer = Answer(MODEL, document, _TOOLS[provider], TOKENS, stop, refusal)
    return Reply(FORMATS[provider].answer(answer))


openai_reply = partial(make_reply, "openai")
anthropic_reply = partial(make_reply, "anthropic")
bedrock_reply = partial(make_reply, "bedrock")


def provider_error(provider: str, status: int, message: str, **headers: str) -> Reply:
    """An error in the provider's format; a header `Retry-After` is written `Retry_After`."""
    reply = FORMATS[provider].error(status, message)
    reply.headers |= {name.replace("_", "-"): value for name, value in headers.items()}
    return reply


def verdict(comparison_id: str, winner: str = "A", **changes: str | int | None) -> dict[str, Any]:
    """A complete verdict."""
    details: dict[str, str | int | None] = {
        "degree": "clear" if winner != "tie" else None,
        "confidence": 4,
        "justification": "It argues better.",
    }
    return make_verdict(comparison_id, winner) | details | changes


@dataclass
class Received:
    """A request that the server received."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: tuple[str, int]
    method: str = "POST"
    content: bytes = b""


@dataclass
class ProviderServer:
    """Sends the scripted replies one by one; after them, a verdict on every comparison.

    Parameters
    ----------
    script
        The next replies, or functions that make them.
    winner
        The winner of a comparison, by its id.
    latency
        Seconds before an answer that is not scripted.
    """

    provider: str
    url: str = ""
    requests: list[Received] = field(default_factory=list)
    script: list[Reply | Callable[[Received], Reply]] = field(default_factory=list)
    winner: Callable[[str], str] = lambda _: "A"
    latency: float = 0.0

    def answer(self, request: Received) -> Reply:
        """The next reply."""
        self.requests.append(request)
        if self.script:
            step = self.script.pop(0)
            return step(request) if callable(step) else step
        form = FORMATS[self.provider]
        try:
            question = form.read_question(request.body)
            groups = read_groups(question.prompt)
        except UnreadablePromptError:
            question, groups = Question(""), []
        document = {"verdicts": [self._judge(name, len(texts)) for name, texts in groups]}
        answer = Answer(MODEL, document, question.tool, TOKENS)
        return Reply(form.answer(answer), delay=self.latency)

    def _judge(self, name: str, n_essays: int) -> dict[str, Any]:
        """A pair's winner; a list in the order shown, or turned where the pair's B would win."""
        winner = self.winner(name)
        if n_essays == _PAIR:
            return verdict(name, winner)
        labels = list(LABELS[:n_essays])
        return {
            "comparison_id": name,
            "ranking": labels if winner == "A" else labels[::-1],
            "gaps": ["clear"] * (n_essays - 1),
            "justification": "It argues better.",
        }

    @property
    def n_connections(self) -> int:
        """The number of connections that clients opened."""
        return len({request.connection for request in self.requests})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # With five, as is usual, a connection more is tried again after a second.
    request_queue_size = 128


@contextmanager
def provider_server(provider: str) -> Iterator[ProviderServer]:
    """A server on a free port; it stops when the context ends."""
    state = ProviderServer(provider)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            is_json = "json" in headers.get("content-type", "")
            body = json.loads(content) if is_json and content else {}
            request = Received(self.path, headers, body, self.client_address, self.command, content)
            reply = state.answer(request)
            time.sleep(reply.delay)
            content = reply.encode()
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.do_POST()

        def do_DELETE(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                return  # the client closed the connection before the reply

    server = _Server((LOOPBACK, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://{LOOPBACK}:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
