"""The report in a real browser: whole without a network, readable, and unmoved by hostile names."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator

from assessment.contracts.report import ReportData, report_result, write_report
from assessment.contracts.result import ResultDocument
from assessment.domain.baselines import Baseline, BaselineFinding, BaselineReport
from assessment.domain.verdict import Gap, ListVerdict
from tests.browsing import PHONE, STATES, WIDE, Visitor
from tests.fakes.results import HOSTILE, STEPS, make_comparisons, make_result
from tests.present import present
from tests.unit.runner import documents

PEOPLE = ("openai/gpt-4.1-mini", "person/anna", "person/bo")


def hostile_name(number: int) -> str:
    return HOSTILE[number] if number < len(HOSTILE) else f"{HOSTILE[0]}{number}"


RESULTS = {
    "one": make_result(1, n_anchors_each=0),
    "three": make_result(3),
    "class": make_result(30, judges=PEOPLE, groups=("7A", "7B")),
    "no anchors": make_result(12, n_anchors_each=0),
    "unproven": make_result(12, outcome="COMPLETE_UNPROVEN"),
    "18 grades": make_result(30, grades=STEPS),
    "hostile": make_result(len(HOSTILE), name=hostile_name),
}


def visit(browser: Browser, path: Path, data: ReportData, **visitor: object) -> Visitor:
    path.write_text(write_report(data), encoding="utf-8")
    made = Visitor(browser, **visitor)  # type: ignore[arg-type] # a test's choice of size
    made.visit(path.as_uri())
    return made


@pytest.mark.parametrize("kind", RESULTS)
def test_every_kind_of_result_is_drawn(chromium: Browser, tmp_path: Path, kind: str) -> None:
    result = RESULTS[kind]
    comparisons = make_comparisons(result) if len(result.rankings) > 1 else None
    reader = visit(chromium, tmp_path / "r.html", report_result(result, comparisons=comparisons))
    for section in ("decision", "ruler", "essays", "trust", "coverage", "record"):
        reader.page.locator(f"#{section} h2").wait_for()
    is_graded = result.grade_projections.projections_available
    assert reader.page.locator("#probabilities").count() == is_graded
    assert reader.page.locator("#ruler svg circle, #ruler svg path").count() >= result.n_students
    figures = reader.page.locator("figure")
    for index in range(figures.count()):
        assert figures.nth(index).locator("figcaption").inner_text().strip()
        assert figures.nth(index).locator("svg[role=img][aria-label]").count() == 1
    assert reader.page.locator("table.essays tbody tr").count() == len(result.rankings)
    reader.check()
    reader.close()


def test_a_thousand_essays_are_a_small_file_and_few_elements(
    chromium: Browser, tmp_path: Path
) -> None:
    result = make_result(1000)
    data = report_result(result, comparisons=make_comparisons(result))
    reader = visit(chromium, tmp_path / "r.html", data)
    for section in ("ruler", "probabilities", "coverage"):
        reader.page.locator(f"#{section} svg[role=img]").wait_for()
    assert (tmp_path / "r.html").stat().st_size < 5_000_000
    # With an element for each essay and pair there were 23,000, and they took most of the time.
    assert reader.page.locator("*").count() < 8_000
    bars, dots = (reader.page.locator("#ruler svg > path").nth(at) for at in (0, 1))
    assert (bars.get_attribute("d") or "").count("M") == 1000
    assert 0 < (dots.get_attribute("d") or "").count("M") <= 1000
    reader.check()
    reader.close()


def test_the_orders_of_lists_are_shown(chromium: Browser, tmp_path: Path) -> None:
    result = RESULTS["hostile"]
    (one, *_) = make_comparisons(result)
    shown = HOSTILE[:3]
    order = ListVerdict(
        ranking=(shown[1], shown[2], shown[0]), gaps=(Gap.TIE, None), justification="So.", judge="m"
    )
    listed = one.model_copy(
        update={
            "first": shown[0],
            "second": shown[1],
            "further_ids": (shown[2],),
            "verdict": order,
        }
    )
    reader = visit(chromium, tmp_path / "r.html", report_result(result, comparisons=[listed]))
    details = reader.page.locator("#disagreements details", has_text="1 ranked list")
    details.locator("summary").click()
    cells = details.locator("tbody tr").first.locator("td, th").all_inner_texts()
    assert any("=" in cell and ">?" in cell for cell in cells), cells
    assert any("So." in cell for cell in cells)
    assert reader.page.locator("img").count() == 0
    reader.check()
    reader.close()


def test_hostile_names_stand_there_as_text(chromium: Browser, tmp_path: Path) -> None:
    reader = visit(chromium, tmp_path / "r.html", report_result(RESULTS["hostile"]))
    shown = reader.page.locator("table.essays tbody th bdi").all_inner_texts()
    assert set(HOSTILE) <= {each.strip() for each in shown} | {HOSTILE[2], HOSTILE[-1]}
    assert reader.page.locator("img").count() == 0
    assert reader.page.locator("script").count() == 2
    reader.check()
    reader.close()


def check_bars(result: ResultDocument, cells: Locator) -> None:
    """A bar is the published interval with each of its sides shortened, and both stand there."""
    best = min(result.rankings, key=lambda ranking: ranking.rank)
    ability, (low, high) = best.bradley_terry_score, present(best.bradley_terry_interval)
    share = 1.6449 / 1.9600
    bar = (ability - share * (ability - low), ability + share * (high - ability))
    shown = [each.replace("−", "-") for each in cells.all_inner_texts()]
    assert shown[:3] == [
        f"{ability:+.2f}", f"{bar[0]:+.2f} to {bar[1]:+.2f}", f"{low:+.2f} to {high:+.2f}",
    ]  # fmt: skip


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_report_is_open_to_everybody(
    chromium: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    result = make_result(6, grades="CBA", judges=PEOPLE, groups=("7A", "7B"))
    data = report_result(result, comparisons=make_comparisons(result))
    reader = visit(chromium, tmp_path / "r.html", data, size=size)
    reader.page.locator("#ruler summary").first.click()
    check_bars(result, reader.page.locator("#ruler figure tbody tr").first.locator("td"))
    reader.check_access(states=STATES if size == WIDE else ("light",))
    reader.check()
    reader.close()


def test_a_batch_without_a_result_says_what_to_do(chromium: Browser, tmp_path: Path) -> None:
    failed = documents.make_failed_batch()
    reader = visit(chromium, tmp_path / "r.html", ReportData(progress=failed))
    assert "Take another judge" in reader.page.locator("#decision").inner_text()
    reader.check_access(states=("light", "dark"))
    reader.check()
    reader.close()


def test_a_swedish_reader_is_told_in_swedish_why_and_what_to_do(
    chromium: Browser, tmp_path: Path
) -> None:
    ungraded = report_result(RESULTS["no anchors"])
    reader = visit(chromium, tmp_path / "r.html", ungraded, language="sv")
    assert "inga betygsatta uppsatser" in reader.page.locator("#decision").inner_text()
    reader.check()
    reader.close()
    failed = ReportData(progress=documents.make_failed_batch())
    reader = visit(chromium, tmp_path / "f.html", failed, language="sv")
    assert "Ta en annan bedömare" in reader.page.locator("#decision").inner_text()
    reader.check()
    reader.close()
    failure = {
        "code": "CorruptStoreError",
        "message": "the table is <b>odd</b>",
        "remedy": "resume it",
    }
    kinds = {"problem": "corrupt-store", "remedy_code": "resume"}
    progress = documents.make_failed_batch().model_copy(update={"failure": failure | kinds})
    reader = visit(chromium, tmp_path / "e.html", ReportData(progress=progress), language="sv")
    decision = reader.page.locator("#decision")
    assert "Databasen kan inte användas" in decision.inner_text()
    assert "återuppta sedan omgången" in decision.inner_text()
    assert decision.locator('[lang="en"]').all_inner_texts() == ["the table is <b>odd</b>"]
    reader.close()


def test_it_says_where_counting_says_as_much(chromium: Browser, tmp_path: Path) -> None:
    baseline = Baseline(spearman=0.9, explains_all=True, explained_share=0.9)
    told = BaselineFinding(code="length_explains_abilities", message="in the words of the service")
    newer = BaselineFinding(code="of_a_later_version", message="<b>a finding</b> without a word")
    baselines = BaselineReport(
        essays=12, surface_model="features-1", length=baseline, surface=baseline,
        findings=[told, newer],
    )  # fmt: skip
    result = RESULTS["no anchors"].model_copy(update={"baselines": baselines})
    reader = visit(chromium, tmp_path / "r.html", report_result(result))
    words = reader.page.locator("#trust").inner_text()
    assert "more than the number of words does" in words
    assert "<b>a finding</b> without a word" in words
    reader.check()
    reader.close()


def test_search_filter_and_order(chromium: Browser, tmp_path: Path) -> None:
    reader = visit(chromium, tmp_path / "r.html", report_result(RESULTS["class"]))
    rows = reader.page.locator("table.essays tbody tr")
    assert "needs" in (rows.first.get_attribute("class") or "")
    reader.page.get_by_role("searchbox").fill("essay-0007")
    assert rows.count() == 1
    reader.page.get_by_role("searchbox").fill("")
    reader.page.get_by_label("Show").select_option("anchors")
    assert rows.count() == RESULTS["class"].n_anchors
    reader.page.get_by_label("Show").select_option("all")
    reader.page.get_by_role("button", name="Rank").click()
    assert rows.first.locator("td").first.inner_text().startswith("1")
    reader.check()
    reader.close()


def test_it_speaks_the_readers_language(chromium: Browser, tmp_path: Path) -> None:
    reader = visit(chromium, tmp_path / "r.html", report_result(RESULTS["class"]), language="sv")
    assert reader.page.locator("html").get_attribute("lang") == "sv"
    assert "Betyg föreslås för 30 uppsatser" in reader.page.locator("#decision h2").inner_text()
    reader.page.get_by_label("Språk").select_option("en")
    reader.page.get_by_text("Grades are proposed for 30 essays").wait_for()
    reader.check()
    reader.close()


def test_it_prints_with_all_essays(chromium: Browser, tmp_path: Path) -> None:
    reader = visit(chromium, tmp_path / "r.html", report_result(make_result(150)))
    rows = reader.page.locator("table.essays tbody tr")
    assert rows.count() == 100
    assert reader.page.pdf(format="A4").startswith(b"%PDF")
    reader.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    reader.page.wait_for_function(
        "document.querySelectorAll('table.essays tbody tr').length === 162"
    )
    reader.check()
    reader.close()


def test_at_twice_the_size_nothing_leaves_the_page(chromium: Browser, tmp_path: Path) -> None:
    """A zoom of 200% halves the width in CSS pixels."""
    reader = visit(chromium, tmp_path / "r.html", report_result(RESULTS["class"]), size=(640, 450))
    width = reader.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    reader.close()
