"""Verdicts: which of two essays is better, and by how much.

Their fields are declared here once. On the wire the winner is a letter (`contracts.winner`); what
a model or a person says is `VerdictDetails`, what an endpoint or a provider sends is `JudgeAnswer`,
and `Verdict` is what a batch counts and keeps.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

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


def signed_outcome(verdict: Verdict, *, graded: bool) -> int:
    """The outcome as `scoring` takes it: +k first better by degree k, -k second, 0 a tie."""
    level = DEGREE_LEVEL[verdict.degree] if graded and verdict.degree is not None else 1
    return {Winner.FIRST: level, Winner.SECOND: -level, Winner.TIE: 0}[verdict.winner]
