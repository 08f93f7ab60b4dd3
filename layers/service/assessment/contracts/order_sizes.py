"""By how much essays of an order differ, as judges say it: gaps between neighbours, or scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import FiniteFloat, TypeAdapter, ValidationError

from assessment.contracts.json_text import unwrap_string
from assessment.contracts.valid_values import read_degree
from assessment.contracts.winner import read_winner
from assessment.domain.verdict import Gap

_SCORES = TypeAdapter(dict[str, FiniteFloat])
SCORES_LOST = "scores: left out, they are not one number for each essay"
_GAPS_LOST = "gaps: left out, they are not one fewer than essays"
_GAP_LOST = "gaps: left out, some are not tie, slight, clear or decisive"


def read_gaps(value: object, n_essays: int) -> tuple[tuple[Gap | None, ...] | None, str | None]:
    """Gaps between neighbours, None for what is none, and a note of what was left out."""
    value = unwrap_string(value)
    if value is None:
        return None, None
    entries = _list_gaps(value, n_essays)
    if len(entries) != n_essays - 1:
        return None, _GAPS_LOST
    gaps = tuple(map(_read_gap, entries))
    return (gaps if any(gaps) else None), (None if all(gaps) else _GAP_LOST)


def _list_gaps(value: object, n_essays: int) -> list[object]:
    """What is written for gaps; the worst essay has none below it, and some say so."""
    entries = value if isinstance(value, list) else []
    return entries[:-1] if entries[n_essays - 1 :] in ([None], [""]) else entries


def _read_gap(value: object) -> Gap | None:
    if read_winner(value) == "tie":
        return Gap.TIE
    degree, _ = read_degree(value)
    return Gap(degree) if degree else None


def read_scores(
    value: object, essay_ids: Sequence[str], find: Callable[[str], str | None]
) -> dict[str, float] | None:
    """A score for every essay by its id; None unless there is exactly one of each.

    `find` gives the id of the essay that a name means.
    """
    try:
        table = _SCORES.validate_python(unwrap_string(value))
    except ValidationError:
        return None
    score_by_id = {find(name): score for name, score in table.items()}
    essay_scores = {
        essay_id: score_by_id[essay_id] for essay_id in essay_ids if essay_id in score_by_id
    }
    return essay_scores if len(table) == len(essay_scores) == len(essay_ids) else None
