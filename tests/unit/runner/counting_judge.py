"""A judge endpoint on real HTTP: the longer text wins; it counts what it was asked, by key."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from assessment.contracts.llm_protocol import CompareRequestV1, LLMComparisonResultV1
from assessment.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign_body
from runner.offline.callback_server import SECRET_FILE


class CountingJudge(ThreadingHTTPServer):
    """`keys` counts requests by their correlation ids, which a repeat shares with its original.

    With `is_held` it answers only as often as `permits` allow.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *, latency: float, workspace: Path | None, is_held: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.latency = latency
        self.workspace = workspace
        self.keys: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.refusals: dict[str, int] = {}
        self.lock = threading.Lock()
        self.was_asked = threading.Semaphore(0)
        self.is_held = is_held
        self.permits = threading.Semaphore(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: CountingJudge
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = CompareRequestV1.model_validate_json(body)
        with self.server.lock:
            self.server.keys[request.correlation_id] += 1
        self.server.was_asked.release()
        if self.server.is_held:
            self.server.permits.acquire()
        time.sleep(self.server.latency)
        answer = judge(request)
        if self.server.workspace is None:
            self._answer(200, answer)
        else:
            self._answer(202, "{}")
            self._call_back(request, answer)
        with self.server.lock:
            self.server.answered[request.correlation_id] += 1

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def _call_back(self, request: CompareRequestV1, answer: str) -> None:
        assert self.server.workspace is not None
        url = request.callback.url or ""
        with self.server.lock:
            if not self.server.refusals:
                self.server.refusals = {
                    "unsigned": post(url, answer, {}),
                    "elsewhere": post(f"{url}/elsewhere", answer, {}),
                }
        secret = (self.server.workspace / SECRET_FILE).read_text()
        timestamp = str(int(time.time()))
        signed = sign_body(secret, timestamp, answer)
        assert post(url, answer, {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signed}) == 202

    def log_message(self, *_: Any) -> None:
        pass


def judge(request: CompareRequestV1) -> str:
    """The longer text wins, clearly."""
    longer = len(request.essay_a.text) > len(request.essay_b.text)
    result = LLMComparisonResultV1(
        correlation_id=request.correlation_id,
        request_metadata=request.metadata,
        winner="A" if longer else "B",
        provider="counting",
        model="length",
    )
    return result.model_dump_json(by_alias=True, exclude_none=True)


def post(url: str, body: str, headers: dict[str, str]) -> int:
    """The status of the answer."""
    headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url, body.encode(), headers)  # noqa: S310 - a local server
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@contextmanager
def serving_judge(
    *,
    latency: float = 0.0,
    calls_back: bool = False,
    workspace: Path | None = None,
    is_held: bool = False,
) -> Iterator[CountingJudge]:
    """The judge on a free port; with `calls_back` it signs with the secret of the workspace."""
    server = CountingJudge(
        latency=latency, workspace=workspace if calls_back else None, is_held=is_held
    )
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
