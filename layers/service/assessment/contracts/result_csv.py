"""A result as a table that any spreadsheet opens and none executes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from assessment.contracts.result import ResultDocument
from assessment.domain.result import Ranking

# What makes a spreadsheet take a cell for a formula, full-width forms included (OWASP, "CSV
# Injection"). The package defusedcsv knows neither these nor tab and line ends.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_COLUMNS = (
    "rank",
    "rank_low",
    "rank_high",
    "essay_id",
    "kind",
    "bradley_terry_score",
    "bradley_terry_se",
    "bradley_terry_low",
    "bradley_terry_high",
    "comparison_count",
    "infit",
    "outfit",
    "misfit_flags",
    "essay_flags",
    "anchor_grade",
    "primary_grade",
    "refined_grade",
    "grade_set",
    "calibrated_set",
    "pass_probability",
    "confidence_label",
    "confidence_score",
    "needs_more_evidence",
    "further_comparisons",
)


def disarm_formula(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would take it for a formula.

    Grade labels are the callers' own, so `=1+1` may be one.
    """
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def to_csv(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows under a header (RFC 4180: comma, CRLF) that a spreadsheet opens without running any."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([disarm_formula(column) for column in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def result_csv(result: ResultDocument) -> str:
    """One row for each essay by rank, anchors among them; a column `p_<grade>` for each grade.

    Numbers have their full precision; a cell without a value is empty.
    """
    grades = result.grade_projections.grade_scale
    columns = (*_COLUMNS, *(f"p_{grade}" for grade in grades))
    return to_csv(columns, (_values(ranking, result) for ranking in result.rankings))


def _values(ranking: Ranking, result: ResultDocument) -> Iterator[object]:
    essay_id, projections = ranking.essay_id, result.grade_projections
    low, high = ranking.rank_interval or (None, None)
    ability_low, ability_high = ranking.bradley_terry_interval or (None, None)
    is_graded = projections.projections_available and not ranking.is_anchor
    derived = {
        "rank_low": low,
        "rank_high": high,
        "bradley_terry_low": ability_low,
        "bradley_terry_high": ability_high,
        "kind": "anchor" if ranking.is_anchor else "student",
        "misfit_flags": " ".join(ranking.misfit_flags),
        "essay_flags": " ".join(result.essay_flags.get(essay_id, [])),
        "primary_grade": projections.primary_grades.get(essay_id),
        "refined_grade": projections.refined_grades.get(essay_id),
        "grade_set": " ".join(projections.grade_sets.get(essay_id, [])),
        "calibrated_set": " ".join(projections.calibrated_sets.get(essay_id, [])),
        "pass_probability": projections.pass_probabilities.get(essay_id),
        "confidence_label": projections.confidence_labels.get(essay_id),
        "confidence_score": projections.confidence_scores.get(essay_id),
        "needs_more_evidence": essay_id in projections.needs_more_evidence if is_graded else None,
        "further_comparisons": projections.further_comparisons.get(essay_id),
    }
    for column in _COLUMNS:
        yield derived[column] if column in derived else getattr(ranking, column)
    probabilities = projections.grade_probabilities.get(essay_id, {})
    for grade in projections.grade_scale:
        yield probabilities.get(grade)


def _cell(value: object) -> object:
    """Numbers as they are: a negative one is no formula. Text is made disarm_formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, int | float) else disarm_formula(str(value))
