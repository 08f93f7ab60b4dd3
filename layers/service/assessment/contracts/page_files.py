"""The pages that the package ships, as `make web` builds them of what is in `web/`."""

from __future__ import annotations

import functools
import hashlib
from importlib.resources import files

_FOLDER = files("assessment") / "web"


@functools.cache
def read_page_file(name: str) -> str:
    """The text of a built file."""
    return (_FOLDER / name).read_text(encoding="utf-8")


@functools.cache
def compute_release() -> str:
    """What names this build of the pages: another one has other addresses for its files."""
    built = "".join(read_page_file(name) for name in ("app.js", "app.css", "app.html"))
    return hashlib.sha256(built.encode()).hexdigest()[:16]
