"""Verdicts: which of two essays is better and by how much, or the order of more than two.

Their fields are declared here once. On the wire the winner is a letter (`contracts.winner`); what
a model or a person says is `VerdictDetails`, what an endpoint or a provider sends is `JudgeAnswer`,
and `Verdict` is what a batch counts and keeps. A list of essays has a `ListVerdict`.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from math import isfinite
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from assessment.domain.spending import Spending

LOWEST_CONFIDENCE, HIGHEST_CONFIDENCE = 1, 5
"""A guess, and a certain verdict."""

MAX_JUSTIFICATION = 500
"""Characters of a justification that are kept."""

MAX_NOTES = 10

MAX_DECISION_SECONDS = 86_400
"""A day, which is the longest lease of a comparison."""


class Winner(StrEnum):
    """The better essay, in the order in which the two were shown."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"


class Degree(StrEnum):
    """By how much the winner is better."""

    SLIGHT = "slight"
    CLEAR = "clear"
    DECISIVE = "decisive"


DEGREE_LEVEL = {Degree.SLIGHT: 1, Degree.CLEAR: 2, Degree.DECISIVE: 3}


class Gap(StrEnum):
    """By how much an essay of a ranking is better than the next one."""

    TIE = "tie"
    SLIGHT = "slight"
    CLEAR = "clear"
    DECISIVE = "decisive"


GAP_LEVEL = {Gap.TIE: 0, Gap.SLIGHT: 1, Gap.CLEAR: 2, Gap.DECISIVE: 3}


class VerdictDetails(BaseModel):
    """What a judge says beside the winner: by how much it is better, how sure that is, and why."""

    degree: Degree | None = None
    confidence: Annotated[int, Field(ge=LOWEST_CONFIDENCE, le=HIGHEST_CONFIDENCE)] | None = None
    justification: Annotated[str | None, Field(max_length=MAX_JUSTIFICATION, repr=False)] = None


class Provenance(BaseModel):
    """Who answered, as the provider says.

    Attributes
    ----------
    served_model, served_version
        The id of the model that was served, and what tells its versions apart (OpenAI's
        `system_fingerprint`).
    request_id
        The provider's id of the call, for its support.
    answered_at
        When the provider answered, by its own clock.
    """

    served_model: str | None = None
    served_version: str | None = None
    request_id: str | None = None
    answered_at: AwareDatetime | None = None


class JudgeAnswer(VerdictDetails, Provenance):
    """What a judge says, and who said it; `notes` say what of it was left out as unreadable.

    `decision_seconds` is how long a person had the pair before them.
    """

    notes: list[str] = []
    decision_seconds: Annotated[float, Field(ge=0, le=MAX_DECISION_SECONDS)] | None = None


class Verdict(JudgeAnswer, Spending):
    """A judge's answer to one comparison, with what it cost.

    `judge` is what it is attributed to. `prompt_sha256` is the hash of the prompt that was
    answered; a person answers none.
    """

    model_config = ConfigDict(frozen=True)

    winner: Winner
    judge: str
    prompt_sha256: str | None = None

    @property
    def spent(self) -> Spending:
        """What it cost."""
        return Spending(**self.model_dump(include=set(Spending.model_fields)))

    @property
    def has_preference(self) -> bool:
        """Whether it prefers an essay."""
        return self.winner is not Winner.TIE


class ListVerdict(Provenance, Spending):
    """A judge's order of the essays of one list, with what it cost.

    Attributes
    ----------
    ranking
        The ids of all essays of the list, the best first.
    gaps
        By how much each essay is better than the next one, one fewer than essays; None stands for
        one that the judge did not say readably. None as a whole where it gave scores or no gaps.
    scores
        A score of each essay in the order of the ranking, on a scale of the judge's own, so that
        none is above the one before it. None where it gave gaps.
    judge, prompt_sha256, notes
        As in `Verdict`.
    """

    model_config = ConfigDict(frozen=True)

    ranking: Annotated[tuple[str, ...], Field(min_length=2)]
    gaps: tuple[Gap | None, ...] | None = None
    scores: tuple[float, ...] | None = None
    justification: Annotated[str | None, Field(max_length=MAX_JUSTIFICATION, repr=False)] = None
    judge: str
    prompt_sha256: str | None = None
    notes: list[str] = []

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        """Raise ValueError where ranking, gaps and scores do not belong together."""
        n_essays = len(self.ranking)
        if len(set(self.ranking)) < n_essays:
            message = "ranking names an essay twice"
            raise ValueError(message)
        if self.gaps is not None and len(self.gaps) != n_essays - 1:
            message = f"gaps has {len(self.gaps)} entries; {n_essays - 1} are needed"
            raise ValueError(message)
        if self.scores is not None:
            _check_scores(self.scores, n_essays)
        return self

    @property
    def spent(self) -> Spending:
        """What it cost."""
        return Spending(**self.model_dump(include=set(Spending.model_fields)))

    @property
    def has_preference(self) -> bool:
        """Whether it prefers any essay to another."""
        return any(level > 0 for level in rank_gaps(self))


def _check_scores(scores: tuple[float, ...], n_essays: int) -> None:
    if len(scores) != n_essays or not all(map(isfinite, scores)):
        message = f"scores needs {n_essays} finite numbers"
        raise ValueError(message)
    if any(better < worse for better, worse in pairwise(scores)):
        message = "scores must not rise along the ranking"
        raise ValueError(message)


def rank_gaps(verdict: ListVerdict, *, graded: bool = True) -> tuple[int, ...]:
    """By how many degrees each essay of a ranking is better than the next; 0 is a tie.

    Parameters
    ----------
    graded
        Whether degrees count; without them, and where a gap is unknown or the judge gave scores,
        any preference is 1.

    Returns
    -------
    tuple of int
        One fewer than essays, each 0 to 3.
    """
    if verdict.scores is not None:
        return tuple(int(better > worse) for better, worse in pairwise(verdict.scores))
    gaps = verdict.gaps or (None,) * (len(verdict.ranking) - 1)
    levels = [1 if gap is None else GAP_LEVEL[gap] for gap in gaps]
    return tuple(level if graded else min(level, 1) for level in levels)


ORDER_SIGNS = {Gap.TIE: "=", Gap.SLIGHT: ">", Gap.CLEAR: ">>", Gap.DECISIVE: ">>>", None: ">?"}


def list_signs(verdict: ListVerdict) -> list[str]:
    """What stands between neighbours of the ranking, as `describe_order` writes it."""
    gaps = verdict.gaps or tuple(None if level else Gap.TIE for level in rank_gaps(verdict))
    return [ORDER_SIGNS[gap] for gap in gaps]


def describe_order(verdict: ListVerdict) -> str:
    """The ranking in a line: `=` a tie, `>` slightly, `>>` clearly, `>>>` decisively better.

    `>?` stands for an unknown gap, also between scores that differ. No id has such a sign, so that
    the line can be read back.
    """
    first, *others = verdict.ranking
    steps = zip(list_signs(verdict), others, strict=True)
    return " ".join([first, *(f"{sign} {essay_id}" for sign, essay_id in steps)])


def signed_outcome(verdict: Verdict, *, graded: bool) -> int:
    """The outcome as `scoring` takes it: +k first better by degree k, -k second, 0 a tie."""
    level = DEGREE_LEVEL[verdict.degree] if graded and verdict.degree is not None else 1
    return {Winner.FIRST: level, Winner.SECOND: -level, Winner.TIE: 0}[verdict.winner]
