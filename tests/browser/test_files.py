"""Files that are dropped on the page of a new batch read as the command reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from local.make_precision import TABLE
from runner.intake.reading import read_document
from tests.browser.rooms_server import RoomsServer, serving
from tests.browser.test_rooms import enter
from tests.unit.runner import office_files

FILES = {
    "latin.txt": "räksmörgås".encode("latin-1"),
    **office_files.OFFICE_FILES,
    "pages.pdf": office_files.pdf("Tides rise.", None, "Bees."),
    "forbids.pdf": office_files.make_locked_pdf(user_password=""),
    "rich.rtf": office_files.RICH_TEXT.encode(),
    "page 1251.rtf": rb"{\rtf1\ansi\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2, \u1084?\u1080?\u1088?!}",
    "plain.rtf": rb"{\rtf1{\fonttbl{\f0 Arial;}}{\b Bold\b0} \{braces\} and\line a line\tab.\par}",
}
REFUSED = {
    "locked.pdf": office_files.make_locked_pdf(user_password="pw"),
    "scan.pdf": office_files.pdf(None, None),
    "broken.pdf": b"%PDF-1.7\nnothing",
    "broken.rtf": b"%PDF-1.7\nnothing",
}
REASONS = {
    "locked": "locked with a password",
    "scan": "pages are pictures",
    "broken.pdf": "damaged",
    "broken.rtf": "damaged",
}


@pytest.fixture
def rooms() -> Iterator[RoomsServer]:
    with serving(RoomsServer()) as running:
        yield running


def check_precision(shown: str) -> None:
    """The forecast lies between those of the table around it: 12 to 25 essays here."""
    figures = [float(each) for each in re.findall(r"0\.\d\d", shown)]
    least, most = min(figures), max(figures)
    expected = figures[0]
    table = json.loads(TABLE.read_text())
    assert 12 <= len(FILES) <= 25
    rows = [table["reliability"][table["n_essays"].index(n)] for n in (12, 25)]
    cells = [row[table["comparisons"].index(k)][1] for row in rows for k in (6, 12)]
    assert min(cells) - 0.01 <= expected <= max(cells) + 0.01
    assert len(figures) == 3
    assert least < expected < most


def test_files_read_as_the_command_reads_them(
    chromium: Browser, rooms: RoomsServer, tmp_path: Path
) -> None:
    for name, content in (FILES | REFUSED).items():
        (tmp_path / name).write_bytes(content)
    teacher = enter(chromium, rooms, "/new")
    page = teacher.page
    page.locator("input[name=essays]").set_input_files(sorted(tmp_path.iterdir()))
    page.get_by_text(f"{len(FILES)} texts are read").wait_for()
    refused = page.locator(".notice.warn").last.inner_text()
    for name, reason in REASONS.items():
        assert any(name in line and reason in line for line in refused.splitlines()), refused
    assert "page 2: a picture, or empty" in page.locator(".notice.warn").first.inner_text()
    page.get_by_text("texts are read").click()
    listed = page.locator("ul.files").inner_text()
    for name in ("tracked.docx", "footnotes.docx", "lists.docx", "notes.odt"):
        assert " · ".join(read_document(tmp_path / name).notes) in listed, name
    check_precision(page.locator(".before").inner_text())
    teacher.check_access(states=("light",))
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/#/batch/**")
    texts = {one["essay_id"]: one["text"].split() for one in rooms.requested[0]["essays"]}
    expected = {
        Path(name).stem: read_document(tmp_path / name).text.split()
        for name in FILES
        if not name.endswith(".txt")
    }
    assert {name: texts[name] for name in expected} == expected
    assert texts["latin"] == ["räksmörgås"]
    whole = {one["essay_id"]: one["text"] for one in rooms.requested[0]["essays"]}
    for name in office_files.OFFICE_FILES:
        assert whole[Path(name).stem] == read_document(tmp_path / name).text, name
    teacher.check()
    teacher.close()
