"""The pages that the package ships, as `make web` builds them of what is in `web/`."""

from __future__ import annotations

import functools
import hashlib
import html
import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from urllib.parse import quote, urlsplit

from assessment.domain.sign_in import SignIn

_FOLDER = files("assessment") / "web"
_UNCHANGING = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src {connect}; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SCRIPT, _STYLE, _LICENCES = "app.js", "app.css", "licences.txt"
_PDF, _PDF_WORKER = "pdf.js", "pdf-worker.js"
_MEDIA_TYPES = {
    _SCRIPT: "text/javascript; charset=utf-8",
    _STYLE: "text/css; charset=utf-8",
    _LICENCES: "text/plain; charset=utf-8",
    _PDF: "text/javascript; charset=utf-8",
    _PDF_WORKER: "text/javascript; charset=utf-8",
}


@dataclass(frozen=True)
class PageFile:
    """A file as a browser gets it."""

    text: str
    media_type: str
    headers: dict[str, str]

    @property
    def etag(self) -> str:
        """What tells a browser that it has the file already."""
        return self.headers["ETag"]


@functools.cache
def read_page_file(name: str) -> str:
    """The text of a built file."""
    return (_FOLDER / name).read_text(encoding="utf-8")


@functools.cache
def compute_release() -> str:
    """What names this build of the rooms: another one has other addresses for its files."""
    built = "".join(read_page_file(name) for name in (_SCRIPT, _STYLE, _PDF, "app.html"))
    return hashlib.sha256(built.encode()).hexdigest()[:16]


@functools.cache
def make_page(sign_in: SignIn | None = None) -> PageFile:
    """The page of the rooms, which names its script and style by their release.

    Parameters
    ----------
    sign_in
        Where people may sign in. The page may then ask that token endpoint, and nobody else.
    """
    release = compute_release()
    document = json.dumps(None if sign_in is None else asdict(sign_in), sort_keys=True)
    text = read_page_file("app.html").replace("{{release}}", release)
    return PageFile(
        text=text.replace("{{sign-in}}", html.escape(document)),
        media_type="text/html; charset=utf-8",
        headers={
            "Cache-Control": _ASK_AGAIN,
            "Content-Security-Policy": _POLICY.format(connect=_list_origins(sign_in)),
            "Cross-Origin-Opener-Policy": "same-origin",
            "ETag": f'"{release}-{hashlib.sha256(document.encode()).hexdigest()[:8]}"',
            "Referrer-Policy": "no-referrer",
        },
    )


def _list_origins(sign_in: SignIn | None) -> str:
    """Whom the page may ask, as a source list of its policy."""
    if sign_in is None:
        return "'self'"
    parts = urlsplit(sign_in.token_endpoint)
    return f"'self' {parts.scheme}://{quote(parts.netloc, safe=':[]')}"


def find_page_file(address: str) -> PageFile | None:
    """A file by its name with the release in it (`app.0123456789abcdef.js`); None if it is none."""
    stem, _, rest = address.partition(".")
    release, _, ending = rest.partition(".")
    name = f"{stem}.{ending}"
    if release != compute_release() or name not in _MEDIA_TYPES:
        return None
    headers = {"Cache-Control": _UNCHANGING, "ETag": f'"{release}"'}
    return PageFile(read_page_file(name), _MEDIA_TYPES[name], headers)
