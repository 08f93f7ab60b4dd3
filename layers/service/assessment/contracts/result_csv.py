"""The students' records as a table that any spreadsheet opens and none executes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from assessment.contracts.result import EssayRecord
from assessment.domain.grading_result import GradeProjections

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_COLUMNS = (
    "essay_id",
    "rank",
    "rank_low",
    "rank_high",
    "ability",
    "standard_error",
    "comparisons",
    "projected_grade",
    "refined_grade",
    "grade_set",
    "pass_probability",
    "normalised_entropy",
    "confidence_label",
    "confidence_score",
    "needs_more_evidence",
    "further_comparisons",
    "misfit_flags",
)


def harmless(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would take it for a formula.

    See OWASP, "CSV Injection". Grade labels are the callers' own, so `=1+1` may be one.
    """
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def essays_csv(essays: list[EssayRecord], projections: GradeProjections) -> str:
    """One row for each student, one column `p_<grade>` for each grade; UTF-8, RFC 4180."""
    grades = projections.grade_scale
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([*_COLUMNS, *(f"p_{grade}" for grade in grades)])
    for essay in essays:
        writer.writerow([_cell(value) for value in _values(essay, grades)])
    return buffer.getvalue()


def _values(essay: EssayRecord, grades: list[str]) -> Iterator[Any]:
    low, high = essay.rank_interval or (None, None)
    derived = {
        "rank_low": low,
        "rank_high": high,
        "grade_set": " ".join(essay.grade_set or []),
        "misfit_flags": " ".join(essay.misfit_flags),
    }
    for column in _COLUMNS:
        yield derived[column] if column in derived else getattr(essay, column)
    probabilities = essay.grade_probabilities or {}
    for grade in grades:
        yield probabilities.get(grade)


def _cell(value: Any) -> Any:
    """Numbers as they are: a negative one is no formula. Text is made harmless."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, int | float) else harmless(str(value))
