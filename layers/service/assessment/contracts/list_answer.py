"""What a model answers about lists: the orders of one call, each read by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, cast

from assessment.contracts.answer_entries import Entry, EntryFinder, fold_id
from assessment.contracts.json_text import Contradiction, load_json, read_objects, unwrap_string
from assessment.contracts.model_answer import AnswerForm
from assessment.contracts.rankings import (
    CONTRADICTING,
    MALFORMED,
    AnswerProblem,
    Order,
    ShownEssays,
    read_label,
    read_order,
    unite_orders,
)
from assessment.contracts.valid_values import read_justification
from assessment.domain.judge import ListForm
from assessment.domain.prompt import LABELS
from assessment.domain.verdict import MAX_JUSTIFICATION, Gap

_LABEL_SCHEMA = {"type": "string", "enum": list(LABELS)}


def _make_form(description: str, order: Mapping[str, Any]) -> AnswerForm:
    """The document about lists, within the subset that strict structured output takes."""
    properties = {
        "comparison_id": {"type": "string"},
        **order,
        "justification": {
            "type": "string",
            "description": f"At most {MAX_JUSTIFICATION} characters.",
        },
    }
    verdicts = {
        "type": "array",
        "description": "Exactly one verdict for every comparison.",
        "items": _make_object(properties),
    }
    return AnswerForm(description, _make_object({"verdicts": verdicts}))


def _make_object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


LIST_ANSWER = _make_form(
    "Records the order of the essays of each list, the best first.",
    {
        "ranking": {
            "type": "array",
            "items": _LABEL_SCHEMA,
            "description": "All essays of the list, each once, the best first.",
        },
        "gaps": {
            "type": "array",
            "items": {"type": "string", "enum": [*map(str, Gap)]},
            "description": "By how much each essay is better than the next one "
            "of the ranking; one fewer than essays.",
        },
    },
)
SCORES_ANSWER = _make_form(
    "Records a score for each essay of each list.",
    {
        "scores": {
            "type": "array",
            "items": _make_object({"essay": _LABEL_SCHEMA, "score": {"type": "number"}}),
            "description": "All essays of the list, each once, the best first; scores from 0 to "
            "100, the better essay the higher one.",
        },
    },
)
LIST_FORMS = {ListForm.GAPS: LIST_ANSWER, ListForm.SCORES: SCORES_ANSWER}
"""What a model is asked for, by the form in which it is to say how much essays differ."""

_NAMES = ("ranking", "scores")
_BEGINNING = re.compile(
    r'\s*(?:```(?:json)?\s*)?[\[{\s]*(?:"verdicts"\s*:\s*[\[{\s]*)?'
    r'(?:"comparison_id"\s*:\s*"(?P<id>[^"]*)"\s*,\s*)?"ranking"\s*:\s*(?P<ranking>\[[^\[\]]*\])'
    r'\s*,(?:\s*"gaps"\s*:\s*(?P<gaps>\[[^\[\]]*\])\s*,)?'
)
_RANKING_NAME = re.compile(r"ranking\W{1,3}:")


@dataclass(frozen=True)
class ModelOrder:
    """The order of one list with the reason for it."""

    order: Order
    justification: str | None = None
    notes: tuple[str, ...] = ()


def read_list_answer(
    candidates: Sequence[object], lists: Mapping[str, Sequence[str]]
) -> dict[str, ModelOrder | AnswerProblem]:
    """An order for every list that was asked about, or what is wrong with it.

    Parameters
    ----------
    candidates
        As in `model_answer.read_answer`.
    lists
        The essays of each list in the order shown, by its comparison id.
    """
    problem = AnswerProblem(MALFORMED, "the answer is not JSON")
    finder = _make_finder(list(lists))
    for candidate in candidates:
        documents, entries = finder.read(candidate)
        if entries:
            return {
                name: _choose(finder.select(entries, name), ShownEssays(ids, takes_ids=False))
                for name, ids in lists.items()
            }
        if documents:
            problem = AnswerProblem(MALFORMED, "the answer has no list of verdicts")
        elif (beginning := _read_beginning(candidate, lists)) is not None:
            return {next(iter(lists)): beginning}
    return dict.fromkeys(lists, problem)


def find_label_orders(candidates: Sequence[object], comparison_id: str) -> set[tuple[str, ...]]:
    """The orders of labels in an answer about one list, whether they are whole or not."""
    finder = _make_finder([comparison_id])
    for candidate in candidates:
        _, entries = finder.read(candidate)
        if entries:
            rankings = [_find_ranking(entry.document) for entry in entries]
            return {tuple(map(str, each)) for each in rankings if isinstance(each, list)}
    return set()


def _find_ranking(document: Mapping[str, Any]) -> object:
    ranking = document.get("ranking")
    return _list_scores(document.get("scores"))[0] if ranking is None else ranking


def _make_finder(comparison_ids: Sequence[str]) -> EntryFinder:
    return EntryFinder(comparison_ids, _NAMES, "ranking", _is_bare_ranking)


def _is_bare_ranking(part: object) -> bool:
    return isinstance(part, list) and all(isinstance(e, str) and read_label(e) for e in part)


def _choose(entries: Sequence[Entry], shown: ShownEssays) -> ModelOrder | AnswerProblem:
    if not entries:
        return AnswerProblem(MALFORMED, "the answer has no verdict for this comparison")
    orders: list[Order] = []
    for entry in entries:
        order = _read_entry(entry.document, shown)
        if isinstance(order, AnswerProblem):
            return order
        orders.append(order)
    united = unite_orders(orders)
    if isinstance(united, AnswerProblem):
        return united
    justification, note = read_justification(entries[0].document.get("justification"))
    return ModelOrder(united, justification, (*united.notes, *([note] if note else [])))


def _read_entry(document: Mapping[str, Any], shown: ShownEssays) -> Order | AnswerProblem:
    ranking, scores = document.get("ranking"), document.get("scores")
    if isinstance(ranking, Contradiction) or isinstance(scores, Contradiction):
        return AnswerProblem(CONTRADICTING, "the answer has two different orders of the essays")
    by_score, table = _list_scores(scores)
    return read_order(
        ranking=by_score if ranking is None else ranking,
        gaps=document.get("gaps"),
        scores=table,
        shown=shown,
    )


def _list_scores(scores: object) -> tuple[list[str] | None, object]:
    """The essays of scored ones, the best first, and the scores by the names of the essays.

    Where a score is no number, they are in the order in which they are written.
    """
    entries = read_objects(unwrap_string(scores))
    names = [each["essay"] for each in entries if isinstance(each.get("essay"), str)]
    if not entries or len(names) < len(entries):
        return None, scores
    values = [each.get("score") for each in entries]
    table = dict(zip(names, values, strict=True))
    if not all(map(_is_score, values)):
        return names, table
    order = sorted(range(len(names)), key=lambda at: -cast("float", values[at]))
    return [names[at] for at in order], table


def _is_score(value: object) -> bool:
    return isinstance(value, int | float) and isfinite(value)


def _read_beginning(
    text: object, lists: Mapping[str, Sequence[str]]
) -> ModelOrder | AnswerProblem | None:
    """The order of an answer that begins as asked, and of which a later text breaks the JSON.

    As `model_answer` does for a winner: only where a single list was asked about.
    """
    match = _BEGINNING.match(text) if isinstance(text, str) and len(lists) == 1 else None
    if match is None or not _is_whole(match.string):
        return None
    ((name, essay_ids),) = lists.items()
    if fold_id(match["id"] or name) != fold_id(name):
        return None
    ranking, gaps = _load(match["ranking"]), _load(match["gaps"] or "null")
    order = read_order(ranking=ranking, gaps=gaps, shown=ShownEssays(essay_ids, takes_ids=False))
    if isinstance(order, AnswerProblem):
        return order
    return ModelOrder(order, notes=(*order.notes, "justification: left out, it breaks the answer"))


def _is_whole(text: str) -> bool:
    """Whether the text ends as an answer does, and has one ranking."""
    return text.rstrip("`\n ").endswith(("}", "]")) and len(_RANKING_NAME.findall(text)) == 1


def _load(text: str) -> object:
    try:
        return load_json(text)
    except (ValueError, RecursionError):
        return None
