"""Batches and comparisons as tables, on the terminal and as CSV."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from assessment.contracts.result_csv import to_csv
from assessment.contracts.views import BatchSummary
from assessment.domain.comparison import Comparison
from runner.judged_lists import LIST_COLUMNS, choose_list_columns, write_list

_COLUMNS = (
    "comparison_id", "wave", "first", "second", "winner", "degree", "confidence", "judge",
    "justification", "status", "failure",
)  # fmt: skip
_OF_VERDICT = ("winner", "degree", "confidence", "judge", "justification")


def batches_table(batches: Sequence[BatchSummary]) -> Table:
    """A row for each batch in the order in which they come."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("batch", "created", "status", "outcome", "assignment"):
        table.add_column(name, no_wrap=name == "batch", overflow="fold")
    table.add_column("essays", justify="right")
    table.add_column("anchors", justify="right")
    for batch in batches:
        table.add_row(
            batch.batch_id,
            f"{batch.created_at:%Y-%m-%d %H:%M}",
            batch.status,
            batch.outcome or "",
            Text(batch.assignment_id or ""),
            str(batch.essays),
            str(batch.anchors),
        )
    return table


def _describe(one: Comparison) -> dict[str, object]:
    """A comparison by the names of the columns; None where it has no such thing."""
    verdict = one.verdict.model_dump(mode="json") if one.verdict else {}
    said = {name: verdict.get(name) for name in _OF_VERDICT}
    failure = f"{one.failure.code}: {one.failure.message}" if one.failure else None
    return {
        **one.model_dump(mode="json"),
        **said,
        "wave": one.submitted_wave,
        "failure": failure,
        **dict(zip(LIST_COLUMNS, write_list(one), strict=True)),
    }


def comparisons_csv(comparisons: Sequence[Comparison]) -> str:
    """One row for each comparison; the winner is `first`, `second` or `tie`, NA without a verdict.

    NA is how R writes what is missing, and how `cj fit` reads it. Where there are lists, more
    columns have the essays that were shown, and their order.
    """
    rows = [row | {"winner": row["winner"] or "NA"} for row in map(_describe, comparisons)]
    columns = (*_COLUMNS, *choose_list_columns(comparisons))
    return to_csv(columns, ([row[name] for name in columns] for row in rows))


def comparisons_table(comparisons: Sequence[Comparison]) -> Table:
    """A row for each comparison: who won by whose judgement and why, or how it failed."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("wave", "first", "second", "winner", "degree", "judge", "reason"):
        table.add_column(name, overflow="fold", justify="right" if name == "wave" else "left")
    for one in comparisons:
        table.add_row(*_cells(_describe(one)))
    return table


def _cells(row: Mapping[str, object]) -> list[Text]:
    pair = (row["shown"], None) if row["shown"] else (row["first"], row["second"])
    cells = [row["wave"], *pair, row["winner"], row["degree"], row["judge"]]
    cells[3] = row["order"] or row["winner"] or str(row["status"]).lower()
    return [Text(str(cell or "")) for cell in (*cells, row["justification"] or row["failure"])]
