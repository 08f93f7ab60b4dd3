"""The rooms in a real browser: every page open to everybody, and no verdict lost or sent twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from assessment.contracts.tokens import sign_token
from assessment.domain.access import Caller, Role
from assessment.domain.comparison import ComparisonTally
from assessment.domain.verdict import Gap, ListVerdict
from tests.browser.rooms_server import DONE, FAILED, RUNNING, RoomsServer, serving
from tests.browsing import PHONE, Visitor
from tests.fakes.results import HOSTILE, make_result

LONG_WORD = "x" * 50_000


@pytest.fixture
def rooms() -> Iterator[RoomsServer]:
    with serving(RoomsServer()) as running:
        yield running


def make_token(role: Role, batch_id: str | None = None) -> str:
    caller = Caller(subject="somebody", roles=frozenset({role}), batch_id=batch_id)
    now = datetime.now(UTC)
    return sign_token(caller, secret="s" * 32, now=now, lifetime=timedelta(hours=1))


def enter(
    browser: Browser, rooms: RoomsServer, room: str = "/", *, judge: bool = False, **visitor: object
) -> Visitor:
    made = Visitor(browser, **visitor)  # type: ignore[arg-type] # a test's choice of size
    token = make_token(Role.JUDGE, RUNNING) if judge else make_token(Role.ASSESSOR)
    made.visit(f"{rooms.url}/app/#token={token}&open={room}")
    made.page.locator("main").wait_for()
    return made


PAGES = {
    "batches": ("/", ".card"),
    "new": ("/new", "fieldset"),
    "live": (f"/batch/{RUNNING}", ".tiles"),
    "failed": (f"/batch/{FAILED}", "#decision"),
    "result": (f"/batch/{DONE}", "table.essays"),
    "essay": (f"/batch/{DONE}/essay/essay-0003", ".decide select"),
    "sheet": (f"/batch/{DONE}/sheet/essay-0003", ".grade-line"),
    "assignments": ("/assignments", ".card"),
    "assignment": ("/assignment/rooms", "table"),
    "judging": (f"/judge/{RUNNING}", ".choices"),
}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_open_to_everybody(chromium: Browser, rooms: RoomsServer, name: str) -> None:
    rooms.pairs = [(f"{HOSTILE[0]} {word}", "short text") for word in ("one", "two", "three")]
    room, mark = PAGES[name]
    visitor = enter(chromium, rooms, room)
    visitor.page.locator(mark).first.wait_for()
    visitor.check_access(shoot=name)
    visitor.check_room()
    visitor.check()
    visitor.close()


def test_the_token_is_nowhere_but_in_memory(chromium: Browser, rooms: RoomsServer) -> None:
    visitor = enter(chromium, rooms, "/")
    visitor.page.locator(".card").first.wait_for()
    assert "token" not in visitor.page.url
    kept = visitor.page.evaluate(
        "[JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]"
    )
    assert "eyJ" not in "".join(kept)
    visitor.page.reload()
    visitor.page.get_by_role("heading", name="Come in by your link").wait_for()
    visitor.check_access(states=("light",))
    visitor.page.get_by_label("Link or token").fill("nonsense")
    visitor.page.get_by_role("button", name="Enter").click()
    visitor.page.get_by_text("neither a link nor a token").wait_for()
    link = f"{rooms.url}/app/#invitation={make_token(Role.JUDGE, RUNNING)}"
    rooms.pairs = [("one", "two")]
    visitor.page.get_by_label("Link or token").fill(link)
    visitor.page.get_by_role("button", name="Enter").click()
    visitor.page.locator(".pair").wait_for()
    assert visitor.page.get_by_role("link", name="Batches").count() == 0
    visitor.check()
    visitor.close()


def test_any_text_is_shown_as_it_is(chromium: Browser, rooms: RoomsServer) -> None:
    texts = [*HOSTILE, LONG_WORD, "=1+1\n\n<b>bold</b> & 'quoted'"]
    rooms.pairs = [(text, f"another {number}") for number, text in enumerate(texts)]
    judge = enter(chromium, rooms, judge=True, size=PHONE)
    for number, text in enumerate(texts):
        judge.page.get_by_text(f"another {number}", exact=True).wait_for()
        assert judge.page.locator(".pair .essay-text").first.evaluate("e => e.textContent") == text
        assert judge.page.locator(".pair img, .pair b, .pair script").count() == 0
        width = judge.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1]
        judge.page.keyboard.press("2")
    judge.check()
    judge.close()


def await_text(judge: Visitor, text: str) -> None:
    judge.page.locator(".pair .essay-text").first.get_by_text(text, exact=True).wait_for()


def await_verdicts(judge: Visitor, rooms: RoomsServer, n_verdicts: int) -> None:
    """Let the page send what waits: the next pair is shown before that has arrived."""
    patience = time.monotonic() + 30
    while len(rooms.verdicts) < n_verdicts and time.monotonic() < patience:
        judge.page.wait_for_timeout(20)


def make_pairs(n: int) -> list[tuple[str, str]]:
    return [(f"left {number}", f"right {number}") for number in range(n)]


def test_keys_degrees_reason_undo_and_the_end(chromium: Browser, rooms: RoomsServer) -> None:
    rooms.pairs = make_pairs(4)
    judge = enter(chromium, rooms, judge=True)
    await_text(judge, "left 0")
    judge.page.get_by_text("Add a reason").click()
    judge.page.get_by_label("Reason, goes with").fill("It has 7 reasons")  # a 7 that is no choice
    judge.page.locator("h2").first.click()
    judge.page.keyboard.press("1")
    await_text(judge, "left 1")
    judge.page.keyboard.press("4")
    await_text(judge, "left 2")
    judge.page.keyboard.press("u")
    await_text(judge, "left 1")
    for key, following in (("6", "left 2"), ("7", "left 3")):
        judge.page.keyboard.press(key)
        await_text(judge, following)
    judge.page.keyboard.press("b")
    judge.page.get_by_text("you are done here").wait_for()
    chosen = [
        (each["comparison_id"][-1], each["winner"], each.get("degree")) for each in rooms.verdicts
    ]
    assert chosen == [
        ("0", "A", "decisive"), ("1", "B", "clear"), ("2", "B", "decisive"), ("3", "B", "clear"),
    ]  # fmt: skip
    assert rooms.verdicts[0]["justification"] == "It has 7 reasons"
    assert all(0 <= each["decision_seconds"] < 60 for each in rooms.verdicts)
    judge.check()
    judge.close()


def test_the_next_pair_is_there_before_it_is_wanted(chromium: Browser, rooms: RoomsServer) -> None:
    rooms.pairs = make_pairs(12)
    judge = enter(chromium, rooms, judge=True, size=PHONE, touches=True)
    await_text(judge, "left 0")
    times = []
    for number in range(8):
        judge.page.wait_for_function(
            """(n) => performance.getEntriesByType('resource')
                .filter(entry => /next-comparison|offer=true/.test(entry.name)).length >= n + 2""",
            arg=number,
        )
        times.append(
            judge.page.evaluate(
                """async () => {
                  const text = () => document.querySelector('.pair .essay-text').textContent;
                  const before = text(), began = performance.now();
                  document.querySelector('.choice.a').click();
                  while (text() === before) await new Promise(requestAnimationFrame);
                  return performance.now() - began;
                }"""
            )
        )
    assert sorted(times)[len(times) // 2] < 100, times
    judge.close()


def test_a_verdict_outlives_a_bad_network_and_is_counted_once(
    chromium: Browser, rooms: RoomsServer
) -> None:
    rooms.pairs = make_pairs(6)
    judge = enter(chromium, rooms, judge=True)
    await_text(judge, "left 0")
    rooms.refuses_verdicts = 503
    judge.complaints = []
    judge.page.keyboard.press("2")
    await_text(judge, "left 1")
    judge.page.keyboard.press("2")
    await_text(judge, "left 2")
    judge.page.get_by_text("waits for the network").wait_for()
    assert rooms.verdicts == []
    rooms.refuses_verdicts, rooms.loses_answers = None, True  # it arrives, and nobody hears of it
    judge.page.keyboard.press("2")
    judge.page.get_by_text("for the network").wait_for(state="detached")
    assert [each["comparison_id"][-1] for each in rooms.verdicts] == ["0", "1"]
    judge.close()


def test_what_was_not_sent_is_sent_after_a_reload(chromium: Browser, rooms: RoomsServer) -> None:
    rooms.pairs = make_pairs(3)
    judge = enter(chromium, rooms, judge=True)
    await_text(judge, "left 0")
    rooms.refuses_verdicts = 503
    judge.page.keyboard.press("2")
    await_text(judge, "left 1")
    judge.page.keyboard.press("2")
    judge.page.get_by_text("waits for the network").wait_for()
    judge.page.reload()
    rooms.refuses_verdicts = None
    judge.visit(f"{rooms.url}/app/#token={make_token(Role.JUDGE, RUNNING)}")
    await_text(judge, "left 2")
    await_verdicts(judge, rooms, 2)
    assert {each["comparison_id"][-1] for each in rooms.verdicts} == {"0", "1"}
    judge.close()


def test_people_see_until_when_and_the_lead_how_consistent_they_are(
    chromium: Browser, rooms: RoomsServer
) -> None:
    now = datetime.now(UTC)
    rooms.pairs = make_pairs(2)
    for ahead, is_near in ((timedelta(days=5), 0), (timedelta(hours=5), 1)):
        rooms.judging_deadline = (now + ahead).isoformat()
        judge = enter(chromium, rooms, judge=True)
        judge.page.get_by_text("Open until").wait_for()
        assert judge.page.locator(".near").count() == is_near
        judge.check_access(states=("light", "dark"))
        judge.close()
    lead = enter(chromium, rooms, f"/batch/{RUNNING}")
    lead.page.get_by_text("People may judge until").first.wait_for()
    lead.page.get_by_text("They were reminded once.").wait_for()
    # The target is in standard deviations of the abilities, and so is what is shown beside it.
    assert "0.45" in lead.page.locator(".tiles").inner_text()
    assert "The target is reached" in lead.page.locator("#waves figcaption").inner_text()
    lead.page.locator("#waves summary").click()
    assert "1.40" not in lead.page.locator("#waves table").inner_text()
    assert "3/4 · 3/3" in lead.page.locator("#invitations").inner_text()
    lead.page.get_by_text("Under way: Anna Berg has 23 left.").wait_for()
    lead.page.locator("textarea[name=names]").fill("Cy\nDi")
    lead.page.get_by_role("button", name="Make links").click()
    links = lead.page.locator("ul.links input")
    links.nth(1).wait_for()
    assert links.nth(1).input_value() == f"{rooms.url}/app/#invitation=token1"
    lead.page.get_by_text("Move the deadline").first.click()
    lead.page.locator("input[name=until]").fill("2030-01-15T16:00")
    lead.page.get_by_role("button", name="Move the deadline").click()
    lead.page.get_by_text("1 link ends before that").wait_for()
    asked = datetime.fromisoformat(rooms.judging_deadline or "")
    assert f"{asked.astimezone():%Y-%m-%d %H:%M}" == "2030-01-15 16:00", "the reader's own time"
    lead.check_access(states=("light",))
    lead.check_room()
    lead.check()
    lead.close()


def test_the_places_of_a_list_are_no_defeats(chromium: Browser, rooms: RoomsServer) -> None:
    """An essay in the middle of a list is better than some and worse than others of it."""
    students = [one.essay_id for one in rooms.result.rankings if not one.is_anchor]
    best, middle, last = students[:3]
    order = ListVerdict(
        ranking=(best, middle, last), gaps=(Gap.CLEAR, None), justification="In order.", judge="m"
    )
    (pair, *_) = rooms.comparisons
    told = {"first": best, "second": middle, "further_ids": (last,), "verdict": order}
    rooms.lists = [pair.model_copy(update=told)]
    teacher = enter(chromium, rooms, f"/batch/{DONE}/essay/{middle}")
    rows = teacher.page.locator("#judgements tbody tr", has_text="In order.")
    rows.nth(1).wait_for()
    shown = [" ".join(row.split()) for row in rows.all_inner_texts()]
    assert [row.removesuffix("m In order.").split(maxsplit=1) for row in shown] == [
        [best, "worse clearly "], [last, "better "],
    ]  # fmt: skip
    teacher.page.get_by_role("link", name="Pupil's sheet").click()
    teacher.page.get_by_text("Yours came 2 of 3 in a list: In order.").wait_for()
    teacher.visit(f"{rooms.url}/app/#token={make_token(Role.ASSESSOR)}&open=/batch/{DONE}")
    teacher.page.get_by_text("1 ranked list").wait_for()
    teacher.check()
    teacher.close()


def test_a_large_batch_is_read_a_thousand_comparisons_at_a_time(
    chromium: Browser, rooms: RoomsServer
) -> None:
    rooms.result = make_result(400, grades="CBA")
    n_comparisons = len(rooms.comparisons)
    assert 1000 < n_comparisons <= 2000
    rooms.result = rooms.result.model_copy(
        update={"comparisons": ComparisonTally(planned=n_comparisons, recorded=n_comparisons)}
    )
    teacher = enter(chromium, rooms, f"/batch/{DONE}")
    left = teacher.page.get_by_role("status").filter(has_text="not read yet")
    left.wait_for()
    assert left.inner_text().startswith(f"{n_comparisons - 1000} comparisons")
    coverage = teacher.page.locator("#coverage .lead")
    partly = coverage.inner_text()
    teacher.check_access(states=("light", "dark"))
    teacher.page.get_by_role("button", name="Read on").click()
    left.wait_for(state="detached")
    assert coverage.inner_text() != partly, "it shows pairs once all comparisons are there"
    teacher.check()
    teacher.close()


def test_a_pause_hides_the_texts(chromium: Browser, rooms: RoomsServer) -> None:
    rooms.pairs = make_pairs(2)
    judge = enter(chromium, rooms, judge=True)
    await_text(judge, "left 0")
    judge.page.keyboard.press("p")
    judge.page.locator(".pair").wait_for(state="detached")
    judge.page.keyboard.press("2")  # chooses nothing that is not seen
    judge.page.keyboard.press("p")
    await_text(judge, "left 0")
    assert rooms.verdicts == []
    judge.check()
    judge.close()


def test_a_grade_is_decided_released_and_printed(chromium: Browser, rooms: RoomsServer) -> None:
    teacher = enter(chromium, rooms, f"/batch/{DONE}")
    page = teacher.page
    page.get_by_role("button", name="essay-0003").first.click()
    page.locator("select[name=grade]").select_option("A")
    page.locator("textarea[name=reason]").fill("Read twice <b>")
    page.get_by_role("button", name="Decide").click()
    page.get_by_text("Saved.").wait_for()
    assert rooms.decisions[-1]["grade"] == "A"
    assert page.get_by_role("link", name="Next to decide:").count() == 1
    assert "Read twice <b>" in page.locator(".history").inner_text()
    page.get_by_role("link", name="All essays").click()
    page.get_by_role("button", name="Release without decisions").click()
    page.get_by_text("by teacher").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as one page").click()
    assert 'id="data"' in Path(download.value.path()).read_text()
    page.get_by_role("button", name="essay-0003").first.click()
    page.get_by_role("link", name="Pupil's sheet").click()
    assert page.locator(".grade-line strong").inner_text() == "A"
    assert page.pdf(format="A4").startswith(b"%PDF")
    teacher.check()
    teacher.close()


def test_files_are_read_and_none_is_lost_in_silence(
    chromium: Browser, rooms: RoomsServer, tmp_path: Path
) -> None:
    from docx import Document

    document = Document()
    document.add_paragraph("Första stycket")
    document.add_paragraph("Andra stycket")
    document.save(str(tmp_path / "Åsa Öberg.docx"))
    (tmp_path / "latin.txt").write_bytes("räksmörgås".encode("latin-1"))
    (tmp_path / "empty.txt").write_text("  ")
    (tmp_path / "scan.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "broken.docx").write_bytes(b"PK no zip")
    teacher = enter(chromium, rooms, "/new")
    page = teacher.page
    page.locator("input[name=essays]").set_input_files(sorted(tmp_path.iterdir()))
    page.get_by_text("2 texts are read").click()
    assert "Åsa Öberg" in page.locator(".files").inner_text()
    assert "4 words" in page.locator(".files").inner_text()
    refused = page.locator(".notice.warn").inner_text()
    for name in ("empty", "scan.pdf", "broken.docx"):
        assert name in refused
    teacher.check()
    teacher.close()
