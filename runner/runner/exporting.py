"""A batch as flat tables for other programs: its essays and its comparisons."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assessment.contracts.result import ResultDocument
from assessment.contracts.result_csv import result_csv, to_csv
from assessment.domain.comparison import Comparison
from assessment.domain.verdict import Winner
from runner.errors import BadInputError, Problem
from runner.files import write_whole
from runner.judged_lists import LIST_COLUMNS, choose_list_columns, write_list

_SCORES = {Winner.FIRST: 1.0, Winner.SECOND: 0.0, Winner.TIE: 0.5}
_COLUMNS = (
    "comparison_id", "wave", "first", "second", "status", "winner", "score", "degree",
    "confidence", "judge", "audit", "predicted", "attempt", "cost_usd", "input_tokens",
    "output_tokens", "justification", "failure", "cache_read_tokens", "cache_write_tokens",
)  # fmt: skip
# Written by hand and not run here: R is not part of this package.
_R_SCRIPT = """\
# Reads the export of a batch. `score` is 1 where the essay shown first is better, 0 where the
# second is, and 0.5 for a tie.
essays <- read.csv("essays.csv", check.names = FALSE)
comparisons <- read.csv("comparisons.csv", check.names = FALSE)
judged <- comparisons[!is.na(comparisons$score), ]

# Bradley-Terry with ties by sirt (Robitzsch): columns id1, id2, result.
# fit <- sirt::btm(data.frame(id1 = judged$first, id2 = judged$second, result = judged$score))

# Bradley-Terry by BradleyTerry2 (Turner & Firth 2012, doi:10.18637/jss.v048.i09), without ties.
# decided <- judged[judged$score != 0.5, ]
# everybody <- unique(c(decided$first, decided$second))
# fit <- BradleyTerry2::BTm(decided$score, factor(decided$first, everybody),
#                           factor(decided$second, everybody))
"""


def _list_values(one: Comparison) -> list[Any]:
    verdict = one.verdict
    document = verdict.model_dump(mode="json") if verdict else {}
    spent = one.spent
    return [
        one.comparison_id, one.wave, one.first, one.second, str(one.status), document.get("winner"),
        _SCORES[one.pair_verdict.winner] if one.pair_verdict else None, document.get("degree"),
        document.get("confidence"), document.get("judge"), one.audit, one.predicted, one.attempt,
        spent.cost_usd, spent.input_tokens, spent.output_tokens, document.get("justification"),
        one.failure.code if one.failure else None, spent.cache_read_tokens,
        spent.cache_write_tokens,
        *write_list(one),
    ]  # fmt: skip


def comparisons_table_csv(comparisons: Sequence[Comparison]) -> str:
    """The rows as CSV."""
    columns = (*_COLUMNS, *choose_list_columns(comparisons))
    return to_csv(columns, (_list_values(one)[: len(columns)] for one in comparisons))


def export_csv(
    folder: Path, document: ResultDocument | None, comparisons: Sequence[Comparison], *, for_r: bool
) -> list[Path]:
    """Write essays.csv, if there is a result, and comparisons.csv; `for_r` adds a script."""
    files = {"comparisons.csv": comparisons_table_csv(comparisons)}
    if document is not None:
        files["essays.csv"] = result_csv(document)
    if for_r:
        files["read.R"] = _R_SCRIPT
    for name, text in files.items():
        write_whole(folder / name, text)
    return [folder / name for name in sorted(files)]


def export_parquet(
    folder: Path, document: ResultDocument | None, comparisons: Sequence[Comparison]
) -> list[Path]:
    """Write the same tables as Parquet, typed as their CSV reads.

    Raises
    ------
    BadInputError
        If duckdb is not installed.
    """
    try:
        import duckdb
    except ImportError:
        message = "Parquet needs duckdb: pip install 'cj-runner[parquet]'"
        raise BadInputError(Problem(message, field="--format")) from None
    written = []
    for source in export_csv(folder, document, comparisons, for_r=False):
        target = source.with_suffix(".parquet")
        with duckdb.connect() as connection:
            # Ids and grades stay text, whatever they look like.
            texts = {name: "VARCHAR" for name in _read_header(source) if name in _TEXTS}
            table = connection.read_csv(str(source), dtype=texts)
            table.write_parquet(str(target))
        source.unlink()
        written.append(target)
    return written


_TEXTS = frozenset(
    {
        "comparison_id", "first", "second", "winner", "judge", "justification", "failure",
        "essay_id", "anchor_grade", "primary_grade", "refined_grade", "grade_set",
        "calibrated_set", *LIST_COLUMNS,
    }
)  # fmt: skip


def _read_header(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return next(csv.reader(file))
