"""What a model answers: the verdicts of one call, each read by itself and matched by id."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assessment.domain.verdict import Degree

VERDICT_TOOL = "record_verdicts"
VERDICT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "verdicts": {
            "type": "array",
            "description": "Exactly one verdict for every comparison.",
            "items": {
                "type": "object",
                "properties": {
                    "comparison_id": {"type": "string"},
                    "winner": {"type": "string", "enum": ["A", "B", "tie"]},
                    "degree": {
                        "type": ["string", "null"],
                        "enum": ["slight", "clear", "decisive", None],
                        "description": "By how much the winner is better; null for a tie.",
                    },
                    "confidence": {
                        "type": "integer",
                        "enum": [1, 2, 3, 4, 5],
                        "description": "From 1, a guess, to 5, certain.",
                    },
                    "justification": {
                        "type": "string",
                        "description": "At most 500 characters.",
                    },
                },
                "required": ["comparison_id", "winner", "degree", "confidence", "justification"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["verdicts"],
    "additionalProperties": False,
}
"""JSON Schema of an answer, within the subset that strict structured output takes."""


class ModelVerdict(BaseModel):
    """One verdict of a model's answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    winner: Literal["A", "B", "tie"]
    degree: Degree | None = None
    confidence: Annotated[int, Field(ge=1, le=5)] | None = None
    justification: Annotated[str | None, Field(repr=False)] = None


def read_answer(document: object, wanted: Sequence[str]) -> dict[str, ModelVerdict | str]:
    """A verdict for every wanted comparison, or what is wrong with it in words.

    A verdict about anything else is left alone: it may belong to nobody. A comparison that is
    answered twice with different winners has no answer.
    """
    entries = _entries(document, wanted)
    if isinstance(entries, str):
        return dict.fromkeys(wanted, entries)
    found: dict[str, list[ModelVerdict | str]] = {}
    for entry in entries:
        if isinstance(entry, dict) and entry.get("comparison_id") in wanted:
            found.setdefault(entry["comparison_id"], []).append(_verdict(entry))
    return {name: _the_one(found.get(name, [])) for name in wanted}


def json_in(text: str) -> object | None:
    """The JSON document in a text: all of it, or the object that a model wrapped in words."""
    for part in (text, text[text.find("{") : text.rfind("}") + 1]):
        try:
            found: object = json.loads(part)
        except (ValueError, RecursionError):
            continue
        return found
    return None


def _entries(document: object, wanted: Sequence[str]) -> list[Any] | str:
    if not isinstance(document, dict):
        return "the answer is not a JSON object"
    entries = document.get("verdicts")
    if isinstance(entries, list):
        return entries
    alone = len(wanted) == 1 and "winner" in document
    if alone and document.get("comparison_id", wanted[0]) == wanted[0]:
        return [{**document, "comparison_id": wanted[0]}]
    return "the answer has no list of verdicts"


def _verdict(entry: dict[str, Any]) -> ModelVerdict | str:
    try:
        return ModelVerdict.model_validate(entry)
    except ValidationError as error:
        return "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}"
            for e in error.errors(include_input=False, include_url=False)
        )


def _the_one(found: list[ModelVerdict | str]) -> ModelVerdict | str:
    if not found:
        return "the answer has no verdict for this comparison"
    verdicts = [entry for entry in found if isinstance(entry, ModelVerdict)]
    if len(verdicts) < len(found):
        return next(entry for entry in found if isinstance(entry, str))
    if len({(verdict.winner, verdict.degree) for verdict in verdicts}) > 1:
        return "the answer has contradictory verdicts for this comparison"
    return verdicts[0]


def split_evenly(total: int, parts: int) -> list[int]:
    """A total in whole parts that differ by one at most and sum to it."""
    share, rest = divmod(total, parts)
    return [share + (1 if n < rest else 0) for n in range(parts)]
