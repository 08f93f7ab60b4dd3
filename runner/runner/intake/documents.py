"""Asking the process that parses documents, and ending it when it takes too long."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runner.errors import BadInputError, Problem
from runner.intake.document import Document

SECONDS_PER_DOCUMENT = 30.0
# Starting is slower on a busy machine, and is no document's fault.
_SECONDS_TO_START = 60.0


class DocumentReader:
    """Reads documents one after another in a process of its own. Use it as a context manager.

    The process starts with the first document; one that takes too long, or dies, is replaced.
    """

    def __init__(self, *, seconds: float = SECONDS_PER_DOCUMENT) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def read(self, path: Path, member: str | None = None, *, name: str) -> Document:
        """The text of a document; `name` is what its errors call it.

        Raises
        ------
        BadInputError
        """
        answer = self._ask({"action": "read", "path": str(path), "member": member}, name)
        return Document(answer["text"], tuple(answer["notes"]))

    def list_members(self, path: Path, *, name: str) -> list[str]:
        """The files of a zip archive.

        Raises
        ------
        BadInputError
        """
        members: list[str] = self._ask({"action": "list", "path": str(path)}, name)["members"]
        return members

    def _ask(self, question: dict[str, Any], name: str) -> dict[str, Any]:
        seconds = self._seconds if self._process else self._seconds + _SECONDS_TO_START
        process = self._process = self._process or _start()
        assert process.stdin is not None  # noqa: S101 - a pipe, as _start asks for
        assert process.stdout is not None  # noqa: S101 - as above
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            process.kill()

        watchdog = threading.Timer(seconds, expire)
        watchdog.start()
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watchdog.cancel()
        if not line.endswith("\n"):
            self._end()
            message = _explain_death(process, took_too_long=expired.is_set())
            raise BadInputError(Problem(message, file=name))
        answer: dict[str, Any] = json.loads(line)
        if "problem" in answer:
            raise BadInputError(Problem(answer["problem"], file=name))
        return answer

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _start() -> "subprocess.Popen[str]":
    """The parsing process; the current folder is no source of its modules (-P)."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "runner.intake.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="ascii",
    )


def _explain_death(process: "subprocess.Popen[str]", *, took_too_long: bool) -> str:
    if took_too_long:
        return "takes too long to read; open it, save it again as .docx or .txt"
    return (
        f"cannot be read: its parser ended (code {process.returncode}); open it and save it again "
        "as .docx or .txt"
    )
