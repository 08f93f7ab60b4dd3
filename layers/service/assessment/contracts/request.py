"""What callers send: batch requests and anchor registrations, with errors that name the field."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Protocol, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from assessment.contracts.assignments import JudgeText
from assessment.contracts.manifest import ManifestId, ReferencedEssay
from assessment.contracts.winner import WinnerLetter
from assessment.domain.essay import SubmittedAnchor, SubmittedEssay
from assessment.domain.field_problems import WrongFieldError
from assessment.domain.grading_prior import PopulationPrior
from assessment.domain.group_report import MAX_GROUPS
from assessment.domain.identifiers import ANCHOR_PREFIX, AssignmentId
from assessment.domain.masking import Masking
from assessment.domain.plain_text import find_alike_names, spell_code_points
from assessment.domain.prompt import JudgeInstructions
from assessment.domain.retention import MAX_RETENTION_DAYS
from assessment.domain.verdict import MAX_DECISION_SECONDS, VerdictDetails

MAX_ESSAYS = 5000
MAX_ANCHORS = 1000
"""Of one assignment, however many registrations brought them."""


_SHOWN = 5
_FEWEST_ESSAYS = 2


def _check_distinct(names: list[str], kind: str) -> None:
    """Refuse names that occur twice or that a reader cannot tell apart.

    Raises
    ------
    ValueError
        Naming both of each pair.
    """
    repeated = sorted(name for name, times in Counter(names).items() if times > 1)
    if repeated:
        message = f"the {kind} {', '.join(repeated[:_SHOWN])} occur more than once"
        raise ValueError(message)
    alike = [
        f"{one} ({spell_code_points(one)}) and {other} ({spell_code_points(other)})"
        for one, other in find_alike_names(names)[:_SHOWN]
    ]
    if alike:
        message = f"the {kind} {'; '.join(alike)} print alike; rename one of each pair"
        raise ValueError(message)


class Named(Protocol):
    """What a request says of an essay beside its text."""

    @property
    def essay_id(self) -> str:
        """Its id."""

    @property
    def group(self) -> str | None:
        """The group that it is of."""


def check_essay_names(essays: Sequence[Named]) -> None:
    """Refuse ids and groups that cannot be distinguished, ids of anchors, and too many groups.

    Raises
    ------
    ValueError
    """
    _check_distinct([essay.essay_id for essay in essays], "essay ids")
    reserved = [e.essay_id for e in essays if e.essay_id.startswith(ANCHOR_PREFIX)]
    if reserved:
        message = f"{reserved[0]}: ids beginning with {ANCHOR_PREFIX} are kept for anchors"
        raise ValueError(message)
    groups = sorted({essay.group for essay in essays if essay.group is not None})
    if len(groups) > MAX_GROUPS:
        message = f"the essays have {len(groups)} groups; at most {MAX_GROUPS} are allowed"
        raise ValueError(message)
    _check_distinct(groups, "groups")


class BatchRequest(BaseModel):
    """A request to assess essays together.

    `grade_scale` states the grades that the caller expects; it must be the assignment's.
    The essays are in `essays` with their texts, in `contents` with the ids of texts that are stored
    already, or in a manifest that was uploaded: in one of them, at least two.
    `instructions`, `student_prompt` and `judge_rubric` hold for this batch instead of the
    assignment's; one that is left out is the assignment's.
    With `masking`, names, addresses and numbers in the essays are replaced by placeholders before
    anything is stored; the roster is not stored. The batch is erased `retention_days` after it was
    requested; without them after those of the stack.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    assignment_id: AssignmentId | None = None
    essays: Annotated[list[SubmittedEssay], Field(max_length=MAX_ESSAYS)] = []
    contents: Annotated[list[ReferencedEssay], Field(max_length=MAX_ESSAYS)] = []
    manifest_id: ManifestId | None = None
    grade_scale: str | list[str] | None = None
    instructions: JudgeText | None = None
    student_prompt: JudgeText | None = None
    judge_rubric: JudgeText | None = None
    config: dict[str, Any] = {}
    judge: Any = None
    masking: Masking | None = None
    retention_days: Annotated[int, Field(ge=1, le=MAX_RETENTION_DAYS)] | None = None
    correlation_id: str | None = None

    @field_validator("correlation_id")
    @classmethod
    def _read_uuid(cls, value: str | None) -> str | None:
        return None if value is None else str(uuid.UUID(value))

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [name for name in ("essays", "contents", "manifest_id") if getattr(self, name)]
        if len(sources) > 1:
            raise WrongFieldError(sources[1], f"{sources[0]} is there too; give one of them")
        if not sources or self._is_alone(sources[0]):
            raise WrongFieldError(
                sources[0] if sources else "essays", "at least 2 essays are needed"
            )
        return self

    def _is_alone(self, name: str) -> bool:
        value = getattr(self, name)
        return isinstance(value, list) and len(value) < _FEWEST_ESSAYS

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        check_essay_names([*self.essays, *self.contents])
        return self

    @property
    def judge_texts(self) -> dict[str, str]:
        """What the judge is told in this batch instead of the assignment's texts."""
        return self.model_dump(include=set(JudgeInstructions.model_fields), exclude_none=True)


class AnchorRegistration(BaseModel):
    """What is known of an assignment: its anchors, and what its judge is to be told.

    Either may be missing: a rubric needs no anchors. With `masking`, names, addresses and numbers
    in the anchors of this registration are replaced by placeholders before anything is stored; the
    roster is not stored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    assignment_id: AssignmentId
    grade_scale: str | list[str] | None = None
    population: PopulationPrior | None = None
    instructions: JudgeText | None = None
    student_prompt: JudgeText | None = None
    judge_rubric: JudgeText | None = None
    config: dict[str, Any] | None = None
    masking: Masking | None = None
    # The last, so that its validator sees what else is registered.
    anchors: Annotated[
        list[SubmittedAnchor], Field(max_length=MAX_ANCHORS, validate_default=True)
    ] = []

    @field_validator("anchors")
    @classmethod
    def _refuse_empty(
        cls, anchors: list[SubmittedAnchor], info: ValidationInfo
    ) -> list[SubmittedAnchor]:
        others = {name for name, value in info.data.items() if value is not None}
        if not anchors and others <= {"assignment_id", "masking"}:
            message = "register anchors, instructions, student_prompt or judge_rubric; none is here"
            raise ValueError(message)
        return anchors

    @model_validator(mode="after")
    def _check_references(self) -> Self:
        _check_distinct([anchor.anchor_ref for anchor in self.anchors], "anchor references")
        return self


class PersonVerdict(VerdictDetails):
    """What a person says of the comparison that was handed out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    comparison_id: Annotated[str, Field(max_length=64)]
    winner: WinnerLetter
    decision_seconds: Annotated[float, Field(ge=0, le=MAX_DECISION_SECONDS)] | None = None
