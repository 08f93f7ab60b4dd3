"""What a result says in words: a stable code beside the English sentence, so that any page can say
it in its reader's language.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class NoteCode(StrEnum):
    """What a note says; codes may be added, and none changes its meaning.

    Its `values` are in brackets: pairs were judged again in reversed order; the ranking is not
    proven; the provider served several models (judge, models); a judge only counts (judge); a judge
    is too blunt in lists (judge); nobody knows how sharp it is there (judge); the result was scored
    again (changes); essays were erased since. Of groups: one judge cannot show whether it favours
    one; there is too much to estimate.
    """

    JUDGED_AGAIN = "pairs_judged_again"
    NOT_PROVEN = "not_proven"
    SEVERAL_MODELS = "several_models_served"
    SURFACE_JUDGE = "surface_judge"
    LISTS_TOO_BLUNT = "lists_too_blunt"
    LIST_SHARPNESS_UNKNOWN = "list_sharpness_unknown"
    SCORED_AGAIN = "scored_again"
    ESSAYS_ERASED = "essays_erased"
    ONE_JUDGE = "one_judge"
    TOO_MUCH_TO_ESTIMATE = "too_much_to_estimate"


class Note(BaseModel):
    """A sentence about a result.

    `code` is one of `NoteCode` (None in a result of schema version 2, which had the words alone);
    `message` says it in English, with the `values` that another language needs.
    """

    model_config = ConfigDict(frozen=True)

    code: str | None = None
    message: str
    values: dict[str, str] = {}


def _read_note(value: Any) -> Any:
    """A note of schema version 2 was its words."""
    return {"message": value} if isinstance(value, str) else value


type ReadableNote = Annotated[Note, BeforeValidator(_read_note)]
"""A note of this schema version or of the one before."""
