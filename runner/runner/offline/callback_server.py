"""Where endpoints that answer later send their verdicts while a batch runs on this machine."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from assessment.domain.errors import CJError
from assessment.usecases.accept_callback import MAX_BODY_BYTES, accept_callback
from runner.offline.workspace import Workspace

PATH = "/v1/callbacks"
SECRET_FILE = "callback-secret"  # noqa: S105 - the name of the file


class _Handler(BaseHTTPRequestHandler):
    """One callback."""

    server: CallbackServer

    def do_POST(self) -> None:
        """Take a signed callback; what is refused is said in the status."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != PATH or not 0 < length <= MAX_BODY_BYTES:
            self._answer(HTTPStatus.NOT_FOUND if self.path != PATH else HTTPStatus.BAD_REQUEST)
            return
        body = self.rfile.read(length).decode(errors="replace")
        try:
            accept_callback(
                body,
                dict(self.headers.items()),
                secrets=[self.server.secret],
                ports=self.server.workspace.signed_callback_ports,
                now=Workspace.now(),
            )
        except CJError as error:
            self._answer(HTTPStatus(error.status))
        else:
            self._answer(HTTPStatus.ACCEPTED)

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name that the standard library gives it
        """Nothing: the terminal shows the batch."""


class CallbackServer(ThreadingHTTPServer):
    """Listens on this machine only."""

    daemon_threads = True
    # An endpoint calls back about many comparisons at once. With five, as is usual, a connection
    # more is tried again after a second.
    request_queue_size = 128

    def __init__(self, port: int, workspace: Workspace) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.workspace = workspace
        self.secret = read_secret(workspace.folder)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}{PATH}"


def read_secret(folder: Path) -> str:
    """The secret with which endpoints sign, made when it is first needed."""
    path = folder / SECRET_FILE
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip()


@contextmanager
def receiving(workspace: Workspace) -> Iterator[CallbackServer]:
    """A server on the port that the workspace had before, or on a free one.

    An endpoint may still owe verdicts to a process that has ended.
    """
    remembered = workspace.folder / "callback-port"
    port = int(remembered.read_text()) if remembered.exists() else 0
    try:
        server = CallbackServer(port, workspace)
    except OSError:
        server = CallbackServer(0, workspace)
    remembered.write_text(str(server.server_port))
    # Ending waits for half of this on average, and nobody should wait for that.
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
