"""Two results of the same essays side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text
from scipy.stats import kendalltau, spearmanr

from assessment.contracts.result import ResultDocument
from assessment.contracts.result_csv import to_csv
from assessment.domain.result import Ranking
from runner.errors import BadInputError, Problem
from runner.tables import display_id

_LEAST_ESSAYS = 3
# Two-sided 5% of a standard normal.
_NOTABLE = 1.96


@dataclass(frozen=True)
class EssayAgreement:
    """One essay in both results.

    Abilities are in logits, less the mean of the essays that both results have. `change` is
    the second less the first; `standardised_change` is in its standard errors, as if the two
    results were independent.
    """

    essay_id: str
    is_anchor: bool
    rank_first: int
    rank_second: int
    ability_first: float
    ability_second: float
    change: float
    standardised_change: float
    grade_first: str | None
    grade_second: str | None


@dataclass(frozen=True)
class GradeAgreement:
    """How many students have a grade in both results, the same, and one step apart."""

    n_graded: int
    n_same: int
    n_adjacent: int


@dataclass(frozen=True)
class Agreement:
    """How far two results agree on the students' essays that both have.

    `anchor_drift` is the mean change of the anchors less that of the students, logits; None
    without common anchors or students. `spearman` and `kendall` (tau-b) are None where one result
    has no order.
    """

    essays: list[EssayAgreement]
    only_first: list[str]
    only_second: list[str]
    n_students: int
    n_anchors: int
    spearman: float | None
    kendall: float | None
    grades: GradeAgreement
    anchor_drift: float | None


def compare_results(first: ResultDocument, second: ResultDocument) -> Agreement:
    """The agreement of two results.

    Raises
    ------
    BadInputError
        If they have fewer than three essays in common.
    """
    one, other = _rankings_by_id(first), _rankings_by_id(second)
    common = [essay_id for essay_id in one if essay_id in other]
    if len(common) < _LEAST_ESSAYS:
        message = f"the results have {len(common)} essays in common; at least {_LEAST_ESSAYS}"
        raise BadInputError(Problem(f"{message} are needed"))
    means = (_mean_ability(one, common), _mean_ability(other, common))
    essays = [
        _compare_essay(one[essay_id], other[essay_id], means, (first, second))
        for essay_id in common
    ]
    students = [essay for essay in essays if not essay.is_anchor]
    anchors = [essay for essay in essays if essay.is_anchor]
    return Agreement(
        essays=essays,
        only_first=_list_missing(one, other),
        only_second=_list_missing(other, one),
        n_students=len(students),
        n_anchors=len(anchors),
        spearman=_correlate(spearmanr, students),
        kendall=_correlate(kendalltau, students),
        grades=_compare_grades(students, first.grade_projections.grade_scale),
        anchor_drift=_drift(students, anchors),
    )


def _rankings_by_id(result: ResultDocument) -> dict[str, Ranking]:
    return {ranking.essay_id: ranking for ranking in result.rankings}


def _mean_ability(rankings: Mapping[str, Ranking], essay_ids: Sequence[str]) -> float:
    return float(np.mean([rankings[essay_id].bradley_terry_score for essay_id in essay_ids]))


def _list_missing(rankings: Mapping[str, Ranking], others: Mapping[str, Ranking]) -> list[str]:
    return [display_id(rankings[essay_id]) for essay_id in rankings if essay_id not in others]


def _compare_grades(students: list[EssayAgreement], scale: list[str]) -> GradeAgreement:
    place = {grade: position for position, grade in enumerate(scale)}
    pairs = [
        (place[one.grade_first], place[one.grade_second])
        for one in students
        if one.grade_first in place and one.grade_second in place
    ]
    steps = [abs(first - second) for first, second in pairs]
    return GradeAgreement(n_graded=len(steps), n_same=steps.count(0), n_adjacent=steps.count(1))


def _compare_essay(
    one: Ranking,
    other: Ranking,
    means: tuple[float, float],
    results: tuple[ResultDocument, ResultDocument],
) -> EssayAgreement:
    abilities = [r.bradley_terry_score - m for r, m in zip((one, other), means, strict=True)]
    error = float(np.hypot(one.bradley_terry_se, other.bradley_terry_se))
    change = abilities[1] - abilities[0]
    grades = [result.grade_projections.primary_grades.get(one.essay_id) for result in results]
    return EssayAgreement(
        essay_id=display_id(one),
        is_anchor=one.is_anchor,
        rank_first=one.rank,
        rank_second=other.rank,
        ability_first=abilities[0],
        ability_second=abilities[1],
        change=change,
        standardised_change=change / error if error > 0 else 0.0,
        grade_first=one.anchor_grade or grades[0],
        grade_second=other.anchor_grade or grades[1],
    )


def _correlate(measure: Callable[..., Any], essays: list[EssayAgreement]) -> float | None:
    first = np.array([essay.ability_first for essay in essays])
    second = np.array([essay.ability_second for essay in essays])
    if len(essays) < _LEAST_ESSAYS or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(measure(first, second).statistic)


def _drift(students: list[EssayAgreement], anchors: list[EssayAgreement]) -> float | None:
    if not students or not anchors:
        return None
    changes = [float(np.mean([essay.change for essay in part])) for part in (anchors, students)]
    return changes[0] - changes[1]


def agreement_table(agreement: Agreement) -> Table:
    """The common essays, the largest changes first; anchors are dimmed."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in ("essay", "rank", "ability", "change", "in SE", "grade"):
        table.add_column(name, justify="left" if name in ("essay", "grade") else "right")
    for essay in sorted(agreement.essays, key=lambda one: -abs(one.standardised_change)):
        table.add_row(*_cells(essay), style="dim" if essay.is_anchor else None)
    return table


def _cells(essay: EssayAgreement) -> list[Text]:
    cells = [
        essay.essay_id,
        f"{essay.rank_first} > {essay.rank_second}",
        f"{essay.ability_first:+.2f} > {essay.ability_second:+.2f}",
        f"{essay.change:+.2f}",
        f"{essay.standardised_change:+.1f}",
        " > ".join(dict.fromkeys([essay.grade_first or "", essay.grade_second or ""])),
    ]
    return [Text(cell) for cell in cells]


def agreement_lines(agreement: Agreement) -> list[str]:
    """The agreement in words."""
    lines = [f"{agreement.n_students} essays and {agreement.n_anchors} anchors in both results"]
    if agreement.spearman is not None:
        lines.append(
            f"rank correlation: Spearman {agreement.spearman:.3f}, Kendall {agreement.kendall:.3f}"
        )
    if agreement.grades.n_graded:
        lines.append(
            f"grades: {agreement.grades.n_same} of {agreement.grades.n_graded} the same, "
            f"{agreement.grades.n_adjacent} adjacent"
        )
    return lines + _anchor_lines(agreement) + _missing_lines(agreement)


def _anchor_lines(agreement: Agreement) -> list[str]:
    if agreement.anchor_drift is None:
        return []
    lines = [f"anchors moved by {agreement.anchor_drift:+.2f} logits against the essays on average"]
    moved = [
        one.essay_id
        for one in agreement.essays
        if one.is_anchor and abs(one.standardised_change) > _NOTABLE
    ]
    return lines + [f"anchors that moved by more than chance (5%): {', '.join(moved)}"] * bool(
        moved
    )


def _missing_lines(agreement: Agreement) -> list[str]:
    parts = {"first": agreement.only_first, "second": agreement.only_second}
    return [f"only in the {name}: {', '.join(ids)}" for name, ids in parts.items() if ids]


def agreement_csv(agreement: Agreement) -> str:
    """One row for each common essay, numbers at full precision."""
    rows = [asdict(essay) for essay in agreement.essays]
    return to_csv(list(rows[0]), (list(row.values()) for row in rows))


def agreement_document(agreement: Agreement) -> dict[str, Any]:
    """The agreement as a JSON document."""
    return asdict(agreement)
