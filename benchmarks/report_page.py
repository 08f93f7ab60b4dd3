"""A report of many essays as one file: its size, and how soon a browser shows its first chart.

The results are made up (`tests.fakes.results`), with grades, a judge and the comparisons with their
reasons. Debian's Chromium opens each file in a fresh context; times run from the navigation to the
frame after the one in which the chart is in the page, so that it has been painted. Run it by
itself: it measures wall time.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from assessment.contracts.report import report_result, write_report
from benchmarks._common import Bar, Claim, arguments, report
from tests.browsing import PHONE, WIDE, open_chromium
from tests.fakes.results import make_comparisons, make_result

SIZES = (30, 300, 1000)
N_COMPARISONS_EACH = 12
CHARTS = {"first": "#ruler svg", "last": "#coverage svg"}
_WATCH = """
(() => {
  const charts = %s;
  const seen = (window.charts_seen = {});
  const look = () => {
    for (const [name, selector] of Object.entries(charts)) {
      if (name in seen || !document.querySelector(selector)) continue;
      seen[name] = null;
      requestAnimationFrame(() => requestAnimationFrame(() => { seen[name] = performance.now(); }));
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
})();
"""


def time_charts(browser: Browser, path: Path, size: tuple[int, int]) -> dict[str, float]:
    """Seconds from the navigation to each chart."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.add_init_script(_WATCH % CHARTS)
    page.goto(path.as_uri())
    page.wait_for_function("Object.values(window.charts_seen).filter(Boolean).length === 2")
    seen: dict[str, float] = page.evaluate("window.charts_seen")
    context.close()
    return {name: milliseconds / 1000 for name, milliseconds in seen.items()}


def measure(browser: Browser, folder: Path, n: int, n_rounds: int) -> list[dict[str, object]]:
    """A row for each width: megabytes, and median and slowest seconds to the first chart."""
    result = make_result(n)
    comparisons = make_comparisons(result, n_each=N_COMPARISONS_EACH)
    path = folder / f"{n}.html"
    path.write_text(write_report(report_result(result, comparisons=comparisons)), encoding="utf-8")
    megabytes = path.stat().st_size / 1e6
    rows: list[dict[str, object]] = []
    for name, size in (("wide", WIDE), ("phone", PHONE)):
        times = [time_charts(browser, path, size) for _ in range(n_rounds)]
        first = [each["first"] for each in times]
        rows.append(
            {
                "essays": n,
                "screen": name,
                "megabytes": megabytes,
                "first_chart_s": median(first),
                "slowest_s": max(first),
                "last_chart_s": median(each["last"] for each in times),
            }
        )
    return rows


def main() -> None:
    """Measure and report."""
    options = arguments(__doc__)
    n_rounds = 3 if options.quick else 10
    with TemporaryDirectory() as folder, open_chromium() as browser:
        rows = [row for n in SIZES for row in measure(browser, Path(folder), n, n_rounds)]
    largest = [row for row in rows if row["essays"] == SIZES[-1]]
    name = f"{SIZES[-1]:,} essays"
    claims = [
        Claim(f"file of {name}", float(str(largest[0]["megabytes"])), "MB", Bar(high=5.0)),
        *(
            Claim(
                f"first chart of {name}, {row['screen']}", float(str(row["slowest_s"])), "s",
                Bar(high=2.0),
            )
            for row in largest
        ),
    ]  # fmt: skip
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main()
