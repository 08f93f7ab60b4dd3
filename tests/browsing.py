"""Real Chromium for tests of the pages: a visitor whose page may not complain nor ask others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

WIDE, MIDDLE, PHONE = (1400, 900), (800, 900), (360, 740)
# The last two are a screen of 1,400 pixels at 200% and one of 1,280 at 400%.
ROOM = (WIDE, MIDDLE, PHONE, (700, 450), (320, 256))
_FIND_OVERLAPS = """() => {
  const controls = "a[href], button, input, select, textarea, summary";
  const seen = [...document.querySelectorAll(controls)]
    .map((element) => [element, element.getBoundingClientRect()])
    .filter(([element, box]) => box.width > 1 && box.height > 1
      && !element.closest('svg, .scroll, .choose'));
  const found = [];
  for (let i = 0; i < seen.length; i += 1)
    for (let j = i + 1; j < Math.min(seen.length, i + 40); j += 1) {
      const [[one, a], [other, b]] = [seen[i], seen[j]];
      const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (width > 2 && height > 2 && !one.contains(other) && !other.contains(one))
        found.push([one.textContent || one.name, other.textContent || other.name]);
    }
  return found;
}"""
_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
_CHROMIUM = Path(__file__).with_name("chromium.sh")
# A busy machine may be slow; what never comes is still told.
_PATIENCE_MS = 120_000
STATES = ("light", "dark", "print")
SHOTS = os.environ.get("CJ_SHOTS")
_SERIOUS = {"serious", "critical"}
# A person is told in the page; the browser's own line about the status cannot be switched off.
_REFUSED = re.compile(r"Failed to load resource: .* status of 409")


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """Debian's Chromium; where it is missing the test is skipped, and fails in CI."""
    if which("chromium") is None:
        message = "CHROMIUM IS MISSING, so the pages are not tested: run make browser"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS.split())
        try:
            yield browser
        finally:
            browser.close()


@dataclass(eq=False)
class Visitor:
    """Somebody at a page; what the page complains of and asks elsewhere is kept."""

    browser: Browser
    size: tuple[int, int] = WIDE
    language: str = "en"
    touches: bool = False
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        width, height = self.size
        self.context = self.browser.new_context(
            viewport={"width": width, "height": height},
            locale={"en": "en-GB", "sv": "sv-SE"}[self.language],
            has_touch=self.touches,
            is_mobile=self.touches,
        )
        self.context.set_default_timeout(_PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._watch)
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.origin = ""

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"} and not _REFUSED.search(message.text):
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")

    def _watch(self, request: Any) -> None:
        parts = urlsplit(request.url)
        is_own = not self.origin or f"{parts.scheme}://{parts.netloc}" == self.origin
        if parts.scheme not in {"data", "blob"} and not is_own:
            self.strangers.append(request.url)

    def visit(self, url: str) -> Page:
        """Open an address; from now on everything else of another origin is a stranger's."""
        parts = urlsplit(url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.page.goto(url)
        return self.page

    def check(self) -> None:
        """Nothing was complained of, and nothing asked of others."""
        assert not self.complaints, self.complaints
        assert not self.strangers, self.strangers

    def check_room(self) -> None:
        """At every width and zoomed in, nothing is wider than the page or covers another thing."""
        for size in ROOM:
            self.page.set_viewport_size({"width": size[0], "height": size[1]})
            width = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert width[0] <= width[1], f"{size}: wider than the page"
            overlaps = self.page.evaluate(_FIND_OVERLAPS)
            assert overlaps == [], f"{size}: {overlaps}"
        self._become("light")

    def check_access(self, *, states: tuple[str, ...] = STATES, shoot: str | None = None) -> None:
        """Nothing that axe finds is serious or critical, and nothing is wider than the page.

        `shoot` names pictures of the page, which are kept where CJ_SHOTS names a folder.
        """
        for state in states:
            self._become(state)
            if shoot and SHOTS:
                path = Path(SHOTS) / f"{shoot}-{state}.png"
                self.page.screenshot(path=path, full_page=True)
            found = [
                f"{state}: {violation['id']} {violation['nodes'][0]['target']}: "
                f"{violation['nodes'][0]['failureSummary']}"
                for violation in Axe().run(self.page).response["violations"]
                if violation["impact"] in _SERIOUS
            ]
            assert not found, "\n".join(found)
            width = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert width[0] <= width[1], f"{state}: wider than the page"
        self._become("light")

    def _become(self, state: str) -> None:
        """Light on a wide screen, dark on a phone, or on paper."""
        size = PHONE if state == "dark" else self.size
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.emulate_media(
            media="print" if state == "print" else "screen",
            color_scheme="dark" if state == "dark" else "light",
        )

    def close(self) -> None:
        """Leave."""
        self.context.close()
