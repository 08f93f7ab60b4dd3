"""What people decide about the grades that a batch proposes.

Decisions are only added. What an essay's decisions come to, follows from all of them: the same
entries give the same grade, whoever asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from assessment.domain.decision_errors import (
    AssessorsDisagreeError,
    OpenDecisionsError,
    ReasonMissingError,
    TooManyDecisionsError,
    name_essays,
)
from assessment.domain.plain_text import is_blank

MAX_DECISIONS_PER_ESSAY = 100
_N_ASSESSORS = 2


class GradeDecision(BaseModel):
    """One decision of one assessor about one essay; `number` counts the essay's from 1.

    `grade` is null where the essay gets none. `result_sha256` names the result whose proposal the
    assessor had before them, and `proposed_grade` is that proposal (null: nothing was proposed).
    """

    model_config = ConfigDict(frozen=True)

    essay_id: str
    number: int
    assessor: str
    grade: str | None
    reason: str | None = None
    proposed_grade: str | None
    result_sha256: str
    decided_at: datetime


class DecisionState(StrEnum):
    """How far the decision about an essay is."""

    OPEN = "open"
    AWAITING_SECOND = "awaiting_second_assessor"
    DISAGREED = "assessors_disagree"
    DECIDED = "decided"


class Basis(StrEnum):
    """What a released grade rests on.

    A decision that confirms the proposal, changes it, or gives a grade where none was proposed; or
    the proposal alone, released without a decision.
    """

    CONFIRMED = "confirmed"
    CHANGED = "changed"
    DECIDED = "decided"
    PROPOSED = "proposed"


@dataclass(frozen=True)
class EssayDecision:
    """What the decisions about one essay come to; `grade` counts only when it is decided."""

    state: DecisionState
    grade: str | None
    latest: tuple[GradeDecision, ...]


def settle(decisions: Sequence[GradeDecision], *, two_assessors: bool) -> EssayDecision:
    """What the decisions about one essay come to.

    Of each assessor the latest decision counts. One assessor: the latest of all. Two: the grade
    that two assessors have, if there is exactly one such grade; a third may settle what two
    disagree on.

    Parameters
    ----------
    decisions
        All decisions about the essay, in any order.
    """
    by_assessor = {
        decision.assessor: decision for decision in sorted(decisions, key=lambda d: d.number)
    }
    latest = tuple(sorted(by_assessor.values(), key=lambda decision: decision.number))
    if not latest:
        return EssayDecision(DecisionState.OPEN, None, ())
    if not two_assessors:
        return EssayDecision(DecisionState.DECIDED, latest[-1].grade, latest)
    if len(latest) < _N_ASSESSORS:
        return EssayDecision(DecisionState.AWAITING_SECOND, None, latest)
    votes = Counter(decision.grade for decision in latest)
    agreed = [grade for grade, n_votes in votes.items() if n_votes >= _N_ASSESSORS]
    if len(agreed) != 1:
        return EssayDecision(DecisionState.DISAGREED, None, latest)
    return EssayDecision(DecisionState.DECIDED, agreed[0], latest)


def list_visible(
    decisions: Sequence[GradeDecision], viewer: str, *, two_assessors: bool
) -> list[GradeDecision]:
    """The decisions that this person may see, by number in order.

    With two assessors nobody sees another's decision before the essay is decided; those who
    disagree see each other's once both have decided.
    """
    ordered = sorted(decisions, key=lambda decision: decision.number)
    state = settle(decisions, two_assessors=two_assessors).state
    is_open_to_all = not two_assessors or state is DecisionState.DECIDED
    has_decided = any(decision.assessor == viewer for decision in ordered)
    if is_open_to_all or (state is DecisionState.DISAGREED and has_decided):
        return ordered
    return [decision for decision in ordered if decision.assessor == viewer]


def check_reason(grade: str | None, reason: str | None, *, proposed_grade: str | None) -> None:
    """Refuse a changed grade, or no grade at all, without a reason.

    Raises
    ------
    ReasonMissingError
    """
    if reason is not None and not is_blank(reason):
        return
    if grade is None:
        raise ReasonMissingError("say why the essay gets no grade", field="reason")
    if proposed_grade is not None and grade != proposed_grade:
        raise ReasonMissingError(
            f"say why the grade is {grade} and not {proposed_grade}, which is proposed",
            field="reason",
        )


def check_room(essay_id: str, decisions: Sequence[GradeDecision]) -> None:
    """Refuse a decision about an essay that has as many as are kept.

    Raises
    ------
    TooManyDecisionsError
    """
    if len(decisions) >= MAX_DECISIONS_PER_ESSAY:
        raise TooManyDecisionsError(
            f"essay {essay_id!r} was decided on {len(decisions)} times, which is all that is kept; "
            "the latest decisions stand",
            field="essay_id",
        )


def tell_basis(decision: EssayDecision, proposed_grade: str | None) -> Basis:
    """What the grade of a released essay rests on."""
    if decision.state is not DecisionState.DECIDED:
        return Basis.PROPOSED
    if proposed_grade is None:
        return Basis.DECIDED
    return Basis.CONFIRMED if decision.grade == proposed_grade else Basis.CHANGED


_WAITS_FOR = {
    DecisionState.OPEN: "decide on it",
    DecisionState.AWAITING_SECOND: "a second assessor is to decide on it",
    DecisionState.DISAGREED: "its assessors disagree: one of them decides again, or a third does",
}


def check_settled(decisions: dict[str, EssayDecision]) -> None:
    """Refuse a release while any essay, by its id, waits for something.

    Raises
    ------
    OpenDecisionsError
        Naming the first hundred essays and what each waits for.
    AssessorsDisagreeError
        If disagreements are all that is left.
    """
    waiting = {
        essay_id: decision.state
        for essay_id, decision in sorted(decisions.items())
        if decision.state is not DecisionState.DECIDED
    }
    if not waiting:
        return
    problems = [(f"essays[{essay_id}]", _WAITS_FOR[state]) for essay_id, state in waiting.items()]
    n_disagreed = sum(state is DecisionState.DISAGREED for state in waiting.values())
    n_open = len(waiting) - n_disagreed
    disagreed = f"the assessors of {n_disagreed} of {len(decisions)} essays disagree"
    if not n_open:
        raise name_essays(AssessorsDisagreeError(f"{disagreed}; settle them first"), problems)
    rest = f", and {disagreed}" if n_disagreed else ""
    message = f"{n_open} of {len(decisions)} essays wait for a decision{rest}; decide on each first"
    raise name_essays(OpenDecisionsError(message), problems)
