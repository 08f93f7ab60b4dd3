"""What callers send: batch requests and anchor registrations, with errors that name the field."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from assessment.domain.errors import InvalidRequestError, ManyInvalidFieldsError
from assessment.domain.essay import SubmittedAnchor, SubmittedEssay
from assessment.domain.grading_prior import PopulationPrior
from assessment.domain.identifiers import ANCHOR_PREFIX, AssignmentId

MAX_ESSAYS = 5000


def _repeated(values: list[str]) -> list[str]:
    return sorted(value for value, times in Counter(values).items() if times > 1)


class BatchRequest(BaseModel):
    """A request to assess essays together.

    `grade_scale` states the grades that the caller expects; it must be the assignment's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    assignment_id: AssignmentId | None = None
    essays: Annotated[list[SubmittedEssay], Field(min_length=2, max_length=MAX_ESSAYS)]
    grade_scale: str | list[str] | None = None
    config: dict[str, Any] = {}
    judge: Any = None
    correlation_id: str | None = None

    @field_validator("correlation_id")
    @classmethod
    def _uuid(cls, value: str | None) -> str | None:
        return None if value is None else str(uuid.UUID(value))

    @model_validator(mode="after")
    def _distinct_ids(self) -> Self:
        repeated = _repeated([essay.essay_id for essay in self.essays])
        if repeated:
            message = f"the essay ids {', '.join(repeated[:5])} occur more than once"
            raise ValueError(message)
        reserved = [e.essay_id for e in self.essays if e.essay_id.startswith(ANCHOR_PREFIX)]
        if reserved:
            message = f"{reserved[0]}: ids beginning with {ANCHOR_PREFIX} are kept for anchors"
            raise ValueError(message)
        return self


class AnchorRegistration(BaseModel):
    """The anchors of an assignment, with what its judge is to be told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    assignment_id: AssignmentId
    anchors: Annotated[list[SubmittedAnchor], Field(min_length=1, max_length=1000)]
    grade_scale: str | list[str] | None = None
    population: PopulationPrior | None = None
    instructions: Annotated[str, Field(max_length=20_000)] | None = None
    student_prompt: Annotated[str, Field(max_length=20_000)] | None = None
    judge_rubric: Annotated[str, Field(max_length=20_000)] | None = None
    config: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _distinct_refs(self) -> Self:
        repeated = _repeated([anchor.anchor_ref for anchor in self.anchors])
        if repeated:
            message = f"the anchor references {', '.join(repeated[:5])} occur more than once"
            raise ValueError(message)
        return self


def field_path(location: tuple[int | str, ...]) -> str:
    """A pydantic location as a reader writes it: `essays[3].text`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


_NOT_TEXT = "has half of a surrogate pair, which is no character; send valid Unicode"


def _surrogates(value: object, place: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    """Where strings are that cannot be stored: JSON's escapes may spell what UTF-8 cannot."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            yield place
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _surrogates(key, place)
            yield from _surrogates(entry, (*place, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _surrogates(entry, (*place, index))


def _plain(error: dict[str, Any]) -> str:
    message: str = error["msg"]
    return message.removeprefix("Value error, ")


def parse[M: BaseModel](model: type[M], data: object) -> M:
    """The data as a model.

    Raises
    ------
    ManyInvalidFieldsError
        With one entry per wrong field. Neither the values nor any essay text are repeated.
    """
    if not isinstance(data, dict):
        raise InvalidRequestError("send a JSON object", field="body")
    broken = [(field_path(place) or "body", _NOT_TEXT) for place in _surrogates(data, ())]
    if broken:
        raise ManyInvalidFieldsError(broken)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ManyInvalidFieldsError(
            [
                (field_path(e["loc"]) or "body", _plain(dict(e)))
                for e in error.errors(include_input=False, include_url=False)
            ]
        ) from None
