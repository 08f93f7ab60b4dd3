"""Pictures of the pages for the README: `python -m docs.make_screenshots`.

The result is made up, the judging room shows two texts of the sample.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from assessment.contracts.report import report_result, write_report
from assessment.contracts.tokens import sign_token
from assessment.domain.access import Caller, Role
from local import sample
from local.demo import SAMPLE
from tests.browser.rooms_server import RUNNING, RoomsServer, serving
from tests.browsing import MIDDLE, Visitor, open_chromium
from tests.fakes.results import make_comparisons, make_result

FIGURES = Path(__file__).parent / "figures"
JUDGES = ("openai/gpt-4.1-mini", "person/anna", "person/bo")


def save(visitor: Visitor, name: str) -> None:
    """The part of the page that is on the screen."""
    visitor.page.screenshot(path=FIGURES / name)
    visitor.close()


def main() -> None:
    """Take the pictures."""
    result = make_result(24, judges=JUDGES)
    page = write_report(report_result(result, comparisons=make_comparisons(result)))
    texts = [essay["text"] for essay in sample.load(SAMPLE).essays]
    token = sign_token(
        Caller(subject="anna", roles=frozenset({Role.JUDGE}), batch_id=RUNNING),
        secret="s" * 32,
        now=datetime.now(UTC),
        lifetime=timedelta(hours=1),
    )
    rooms = RoomsServer(pairs=[(texts[2], texts[5]), *zip(texts[6:12], texts[12:18], strict=True)])
    with TemporaryDirectory() as folder, open_chromium() as browser, serving(rooms):
        path = Path(folder) / "report.html"
        path.write_text(page, encoding="utf-8")
        reader = Visitor(browser, size=(1000, 1330))
        reader.visit(path.as_uri()).locator("#ruler svg").wait_for()
        save(reader, "page-result.png")
        judge = Visitor(browser, size=(MIDDLE[0] + 200, 620))
        judge.visit(f"{rooms.url}/app/#token={token}").locator(".choices").wait_for()
        save(judge, "page-judging.png")


if __name__ == "__main__":
    main()
