"""Providers on a real port of this machine, in their documented wire formats.

Shapes: OpenAI chat completions (platform.openai.com/docs/api-reference/chat/object), Anthropic
Messages (docs.anthropic.com/en/api/messages, .../en/api/errors) and Bedrock Converse
(docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMPARISON = re.compile(r"# Comparison (\S+)\n")


@dataclass
class Reply:
    """What goes over the wire, and when."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0

    def encoded(self) -> bytes:
        """The body's bytes; a string goes out as it is."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass
class Asked:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: tuple[str, int]
    method: str = "POST"
    content: bytes = b""

    @property
    def comparison_ids(self) -> list[str]:
        """The comparisons that the prompt asks about."""
        return COMPARISON.findall(json.dumps(self.body).replace("\\n", "\n"))


def verdict(comparison_id: str, winner: str = "A", **changes: Any) -> dict[str, Any]:
    """One well-formed verdict."""
    made = {
        "comparison_id": comparison_id,
        "winner": winner,
        "degree": "clear" if winner != "tie" else None,
        "confidence": 4,
        "justification": "It argues better.",
    }
    return made | changes


def openai_reply(document: Any, *, finish: str = "stop", refusal: str | None = None) -> Reply:
    """A chat completion whose content is the document's JSON (or a text as it is)."""
    content = document if isinstance(document, str) else json.dumps(document)
    return Reply(
        {
            "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
            "object": "chat.completion",
            "created": 1741569952,
            "model": "gpt-4.1-2025-04-14",
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": None if refusal else content,
                        "refusal": refusal,
                    },
                    "logprobs": None,
                    "finish_reason": finish,
                }
            ],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 101, "total_tokens": 1101},
        }
    )


def anthropic_reply(document: Any, *, stop: str = "tool_use") -> Reply:
    """A message that uses the verdict tool."""
    return Reply(
        {
            "id": "msg_013Zva2CMHLNnXjNJJKqJ2EF",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-20250514",
            "content": [
                {
                    "type": "tool_use",
                    "id": "toolu_01D7FLrfh4GYq7yT1ULFeyMV",
                    "name": "record_verdicts",
                    "input": document,
                }
            ],
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": {"input_tokens": 1000, "output_tokens": 101},
        }
    )


def bedrock_reply(document: Any, *, stop: str = "tool_use") -> Reply:
    """A turn of Converse that uses the verdict tool."""
    used = {"toolUseId": "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q", "name": "record_verdicts"}
    return Reply(
        {
            "output": {
                "message": {
                    "role": "assistant",
                    "content": [{"toolUse": {**used, "input": document}}],
                }
            },
            "stopReason": stop,
            "usage": {"inputTokens": 1000, "outputTokens": 101, "totalTokens": 1101},
            "metrics": {"latencyMs": 1234},
        }
    )


REPLIES: dict[str, Callable[..., Reply]] = {
    "openai": openai_reply,
    "anthropic": anthropic_reply,
    "bedrock": bedrock_reply,
}


def provider_error(provider: str, status: int, message: str, **headers: str) -> Reply:
    """An error in the provider's form."""
    body: dict[str, Any] = {
        "openai": {"error": {"message": message, "type": "invalid_request_error", "code": None}},
        "anthropic": {"type": "error", "error": {"type": "some_error", "message": message}},
        "bedrock": {"message": message},
    }[provider]
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if provider == "bedrock":
        kind = {429: "ThrottlingException", 500: "InternalServerException"}
        sent["x-amzn-errortype"] = kind.get(status, "ValidationException")
    return Reply(body, status, sent)


@dataclass
class ProviderServer:
    """Answers by script, one reply a request; after the script every comparison gets a verdict."""

    provider: str
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    script: list[Reply | Callable[[Asked], Reply]] = field(default_factory=list)
    winner: Callable[[str], str] = lambda _: "A"
    latency: float = 0.0

    def answer(self, asked: Asked) -> Reply:
        """The next reply."""
        self.asked.append(asked)
        if self.script:
            step = self.script.pop(0)
            return step(asked) if callable(step) else step
        verdicts = [verdict(name, self.winner(name)) for name in asked.comparison_ids]
        reply = REPLIES[self.provider]({"verdicts": verdicts})
        reply.delay = self.latency
        return reply

    @property
    def connections(self) -> int:
        """How many connections clients opened."""
        return len({asked.connection for asked in self.asked})


@contextmanager
def provider_server(provider: str) -> Iterator[ProviderServer]:
    """A server on a free port of the loopback interface."""
    served = ProviderServer(provider)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            is_json = "json" in headers.get("content-type", "")
            body = json.loads(content) if is_json and content else {}
            reply = served.answer(
                Asked(self.path, headers, body, self.client_address, self.command, content)
            )
            time.sleep(reply.delay)
            content = reply.encoded()
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

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                return  # the client has given up waiting

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
