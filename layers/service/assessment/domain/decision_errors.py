"""What is refused when people decide on grades and release them.

InvalidRequestError
`-- ReasonMissingError           a proposed grade is changed without a reason
NotFoundError
`-- UnknownEssayError            the batch has no such essay
ConflictError
|-- ErasureRefusedError          an essay of a batch that still runs
|-- NoGradeScaleError            the batch has no grades to choose from
|-- TooManyDecisionsError        an essay was decided on too often
|-- OpenDecisionsError           a release while essays wait for their decisions
|-- AssessorsDisagreeError       a release while assessors of an essay disagree
|-- DecisionsRequiredError       the organisation releases no grade without a decision
|-- AlreadyReleasedError         the batch was released before
`-- NotReleasedError             the batch was not released yet
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from assessment.domain.errors import ConflictError, InvalidRequestError, NotFoundError

MOST_NAMED = 100
"""Essays that an error names one by one; its message has the number of all."""


def name_essays[E: ConflictError](error: E, problems: Sequence[tuple[str, str]]) -> E:
    """The error with what is the matter with the first essays, as (field, message)."""
    error.problems = list(problems[:MOST_NAMED])
    return error


class ReasonMissingError(InvalidRequestError):
    """A decision that needs a reason and has none."""

    code = "reason-missing"
    title = "The decision needs a reason"


class UnknownEssayError(NotFoundError):
    """The batch has no essay with this id."""

    code = "unknown-essay"
    title = "There is no such essay in the batch"

    @classmethod
    def from_id(cls, batch_id: str, essay_id: str) -> Self:
        """The error for an id that no essay of the batch has."""
        return cls(
            f"batch {batch_id} has no essay {essay_id[:128]!r}; use an essay_id of its result",
            field="essay_id",
        )


class ErasureRefusedError(ConflictError):
    """An essay of a batch that still runs cannot be erased alone."""

    code = "erasure-refused"
    title = "The essay cannot be erased now"


class NoGradeScaleError(ConflictError):
    """The batch was requested without an assignment, so it has no grades."""

    code = "no-grade-scale"
    title = "The batch has no grade scale"


class TooManyDecisionsError(ConflictError):
    """An essay was decided on so often that something must be wrong with the caller."""

    code = "too-many-decisions"
    title = "The essay was decided on too often"


class OpenDecisionsError(ConflictError):
    """Some essays have no decision, or only one of two."""

    code = "open-decisions"
    title = "Some essays have no decision yet"


class AssessorsDisagreeError(ConflictError):
    """Every essay has its decisions, but not all assessors agree."""

    code = "assessors-disagree"
    title = "Assessors disagree on some essays"


class DecisionsRequiredError(ConflictError):
    """Grades are to be released that nobody decided on, where that is not allowed."""

    code = "decisions-required"
    title = "Every grade needs a decision"


class AlreadyReleasedError(ConflictError):
    """The grades of the batch are released; nothing about them changes any more."""

    code = "already-released"
    title = "The batch is released"


class NotReleasedError(ConflictError):
    """The grades of the batch are not released yet."""

    code = "not-released"
    title = "The batch is not released"
