"""A result as CSV for spreadsheets and statistics programs: numbers at full precision."""

from collections.abc import Iterator

from assessment.contracts.result import ResultDocument
from assessment.domain.result import Ranking
from runner.csv_files import to_csv

_COLUMNS = (
    "rank",
    "essay_id",
    "kind",
    "bradley_terry_score",
    "bradley_terry_se",
    "comparison_count",
    "anchor_grade",
    "projected_grade",
    "confidence_label",
    "confidence_score",
    "needs_more_evidence",
)


def result_csv(result: ResultDocument) -> str:
    """One row for each essay by rank; a column `p_<grade>` for each grade of the scale."""
    grades = result.grade_projections.grade_scale
    columns = (*_COLUMNS, *(f"p_{grade}" for grade in grades))
    return to_csv(columns, (list(_cells(ranking, result)) for ranking in result.rankings))


def _cells(ranking: Ranking, result: ResultDocument) -> Iterator[object]:
    essay_id, projections = ranking.essay_id, result.grade_projections
    yield ranking.rank
    yield essay_id
    yield "anchor" if ranking.is_anchor else "student"
    yield ranking.bradley_terry_score
    yield ranking.bradley_terry_se
    yield ranking.comparison_count
    yield ranking.anchor_grade or ""
    yield projections.primary_grades.get(essay_id, "")
    yield str(projections.confidence_labels.get(essay_id, ""))
    yield projections.confidence_scores.get(essay_id, "")
    yield str(essay_id in projections.needs_more_evidence).lower()
    probabilities = projections.grade_probabilities.get(essay_id, {})
    for grade in projections.grade_scale:
        yield probabilities.get(grade, "")
