"""The rooms in a real browser on the laptop cloud: a teacher, two judges, a result, a release."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from assessment.domain.access import Role
from local.demo import Stage
from local.judge.options import JudgeOptions
from tests.browsing import PHONE, Visitor, open_chromium
from tests.fakes.results import HOSTILE

N_ESSAYS = 5
ANCHORS = {"weak": ("F", 40), "poor": ("E", 180), "fair": ("C", 320), "fine": ("A", 460)}
PATIENCE = 600.0
SHOTS = os.environ.get("CJ_SHOTS")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with open_chromium() as browser:
        yield browser


def shoot(visitor: Visitor, name: str) -> None:
    """Keep a picture, for whoever wants to look at the pages."""
    if SHOTS:
        visitor.page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def write_text(n_words: int, name: str) -> str:
    """A text whose length is its quality, with something hostile in it."""
    return f"{name}: {HOSTILE[0]} {HOSTILE[2]} " + "word " * n_words


def enter(browser: Browser, stage: Stage, token: str, room: str, **visitor: object) -> Visitor:
    made = Visitor(browser, **visitor)  # type: ignore[arg-type] # a test's choice of size
    made.visit(f"{stage.outputs['ApiUrl']}/app/#token={token}&open={room}")
    made.page.locator("main").wait_for()
    assert "token" not in made.page.url
    return made


def invite(teacher: Visitor, *names: str) -> list[str]:
    """The links that the teacher gets for these people, who may judge this batch alone."""
    page = teacher.page
    page.locator("textarea[name=names]").fill("\n".join(names))
    page.get_by_role("button", name="Make links").click()
    links = page.locator("ul.links input")
    links.nth(len(names) - 1).wait_for()
    return [link.input_value() for link in links.all()]


def open_link(browser: Browser, link: str, **visitor: object) -> Visitor:
    """Somebody at the link that they were sent; it does not stay in the address."""
    made = Visitor(browser, **visitor)  # type: ignore[arg-type] # a test's choice of size
    made.visit(link)
    made.page.locator("main").wait_for()
    assert "invitation" not in made.page.url
    return made


def await_url(visitor: Visitor, part: str) -> None:
    visitor.page.wait_for_url(lambda url: part in url, timeout=PATIENCE * 1000)


def start_batch(teacher: Visitor, folder: Path) -> None:
    """A teacher makes a batch of files, with an assignment and graded essays."""
    essays, anchors = [], []
    for number in range(N_ESSAYS):
        path = folder / f"Åsa {number}.txt"
        path.write_text(write_text(60 + 90 * number, f"essay {number}"), encoding="utf-8")
        essays.append(path)
    for name, (_, n_words) in ANCHORS.items():
        path = folder / f"{name}.md"
        path.write_text(write_text(n_words, name), encoding="utf-8")
        anchors.append(path)
    page = teacher.page
    page.get_by_role("link", name="New batch").first.click()
    page.locator("input[name=essays]").set_input_files(essays)
    page.get_by_text(f"{N_ESSAYS} texts are read").wait_for()
    page.get_by_label("Assignment").select_option("+")
    page.get_by_label("Its name").fill("rooms")
    page.get_by_label("Fewest comparisons").fill("6")
    page.get_by_label("Most comparisons").fill("8")
    page.get_by_label("Rubric").fill("The longer text is better.")
    page.locator("input[name=anchors]").set_input_files(anchors)
    for name, (grade, _) in ANCHORS.items():
        page.get_by_label(f"Grade of {name}").select_option(grade)
    assert "comparisons." in page.get_by_text("Before you begin").locator("..").inner_text()
    shoot(teacher, "new")
    teacher.check_access(states=("light",))
    page.get_by_role("button", name="Start").click()
    await_url(teacher, "#/batch/")


def judge_pair(visitor: Visitor, *, by_keys: bool) -> bool:
    """Judge the pair that is shown: the longer text is better. False if none is shown."""
    lengths = visitor.page.evaluate(
        "[...document.querySelectorAll('.pair .essay-text')].map((text) => text.innerText.length)"
    )
    if len(lengths) != 2:
        return False
    longer = lengths[0] > lengths[1]
    if by_keys:
        visitor.page.keyboard.press("2" if longer else "6")
        return True
    try:
        visitor.page.locator(".choice.a" if longer else ".choice.b").nth(1).tap(timeout=5000)
    except PlaywrightTimeoutError:
        return False  # the pair has gone meanwhile
    return True


def judge_all(judges: dict[Visitor, bool]) -> None:
    """The judges take turns until both are told that they are done."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        shown = [judge_pair(visitor, by_keys=by_keys) for visitor, by_keys in judges.items()]
        done = [visitor.page.locator(".notice.good").count() for visitor in judges]
        if all(done):
            return
        if not any(shown):
            next(iter(judges)).page.wait_for_timeout(200)
    pytest.fail("the judges were not done in time")


def test_a_batch_from_files_to_the_pupils_sheet(chromium: Browser, stage, tmp_path: Path) -> None:
    with stage(JudgeOptions()) as (on, _):
        teacher = enter(chromium, on, on.token("teacher", role=Role.ASSESSOR), "/")
        teacher.page.get_by_role("heading", name="Batches").wait_for()
        teacher.check_access(states=("light",))
        shoot(teacher, "batches")
        start_batch(teacher, tmp_path)
        teacher.page.get_by_role("heading", name="This batch is being judged").wait_for()

        links = invite(teacher, "Anna", "Bo")
        anna = open_link(chromium, links[0], size=PHONE, touches=True)
        bo = open_link(chromium, links[1], language="sv")
        for judge, name in ((anna, "phone"), (bo, "keys")):
            judge.page.locator(".pair .essay-text").first.wait_for(timeout=PATIENCE * 1000)
            assert HOSTILE[0] in judge.page.locator(".pair .essay-text").first.inner_text()
            shoot(judge, f"judging-{name}")
        anna.check_access(states=("light",))
        undo_once(bo)
        judge_all({anna: False, bo: True})
        for judge in (anna, bo):
            judge.check()
            judge.close()

        decide_and_release(teacher)
        print_sheet(teacher)
        teacher.check()
        teacher.close()


def decide_and_release(teacher: Visitor) -> None:
    """The result opens by itself; a grade is changed with a reason, and all are released."""
    page = teacher.page
    page.locator("#decision h2").wait_for(timeout=PATIENCE * 1000)
    assert "Grades are proposed for 5 essays" in page.locator("#decision h2").inner_text()
    shoot(teacher, "result")
    teacher.check_access(states=("light",))

    page.get_by_role("button", name="Åsa 4").first.click()
    page.get_by_role("heading", name="Decision").wait_for()
    assert HOSTILE[0] in page.locator(".paper").inner_text()
    shoot(teacher, "essay")
    teacher.check_access(states=("light",))
    page.locator("select[name=grade]").select_option("B")
    page.locator("textarea[name=reason]").fill("The argument is stronger than its length.")
    page.get_by_role("button", name="Decide").click()
    page.get_by_text("Saved.").wait_for()
    assert "The argument is stronger" in page.locator(".history").inner_text()

    page.get_by_role("link", name="All essays").click()
    page.get_by_role("button", name="Release without decisions").click()
    page.get_by_text("by teacher").wait_for()


def print_sheet(teacher: Visitor) -> None:
    """The pupil's sheet has the decided grade and prints; the assignment says what was told."""
    page = teacher.page
    page.get_by_role("button", name="Åsa 4").first.click()
    page.get_by_role("link", name="Pupil's sheet").click()
    page.locator(".grade-line").wait_for()
    assert page.locator(".grade-line strong").inner_text() == "B"
    assert "logit" not in page.locator(".sheet").inner_text()
    shoot(teacher, "sheet")
    teacher.check_access(states=("light",))
    assert page.pdf(format="A4").startswith(b"%PDF")

    page.get_by_role("link", name="Assignments").click()
    page.get_by_role("link", name="rooms").click()
    page.get_by_text("The longer text is better.").first.wait_for()
    shoot(teacher, "assignment")
    teacher.check_access(states=("light",))


def undo_once(judge: Visitor) -> None:
    """Take a verdict back: the same pair is there again, and nothing of it was sent."""
    before = judge.page.locator(".pair").inner_text()
    judge.page.keyboard.press("1")
    judge.page.wait_for_function(
        "(before) => document.querySelector('.pair')?.innerText !== before", arg=before
    )
    judge.page.keyboard.press("u")
    judge.page.wait_for_function(
        "(before) => document.querySelector('.pair')?.innerText === before", arg=before
    )
