"""Writing what a command leaves behind: whole or not at all, and known to be possible early."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.errors import BadInputError, Problem


def require_writable(path: Path) -> None:
    """Refuse, before any work is done, a path that the result could not be written to.

    Raises
    ------
    BadInputError
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"its folder cannot be made ({error.strerror})"
        raise BadInputError(Problem(message, file=str(path), field="--output")) from None
    refuse_folder(path)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise BadInputError(Problem("may not be written", file=str(path), field="--output"))


def refuse_folder(path: Path) -> None:
    """Refuse a folder where a file is to be written.

    Raises
    ------
    BadInputError
    """
    if path.is_dir():
        message = "is a folder; name a file in it"
        raise BadInputError(Problem(message, file=str(path), field="--output"))


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace a file by the text or bytes, so that a reader sees the old content or the new.

    Raises
    ------
    BadInputError
        If it cannot be written; the old content is still there then.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        part.replace(path)
    except OSError as error:
        message = f"cannot be written ({error.strerror}); `cj results` reads a result again"
        raise BadInputError(Problem(message, file=str(path), field="--output")) from None
    finally:
        part.unlink(missing_ok=True)


def to_json(document: Mapping[str, Any]) -> str:
    """A document as indented JSON."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
