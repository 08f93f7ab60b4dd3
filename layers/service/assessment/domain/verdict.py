"""Verdicts: which of two essays is better, and by how much."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.spending import Spending

MAX_JUSTIFICATION = 500
"""Characters of a justification that are kept."""


MAX_NOTES = 10


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


class Verdict(BaseModel):
    """A judge's answer to one comparison.

    Attributes
    ----------
    served_model, served_version, request_id, answered_at
        Which model answered, in which version, by which call and when, as the provider says.
    notes
        What of the answer could not be read and was left out.
    """

    model_config = ConfigDict(frozen=True)

    winner: Winner
    degree: Degree | None = None
    confidence: Annotated[int, Field(ge=1, le=5)] | None = None
    justification: Annotated[str | None, Field(max_length=MAX_JUSTIFICATION, repr=False)] = None
    judge: str
    prompt_sha256: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    served_model: str | None = None
    served_version: str | None = None
    request_id: str | None = None
    answered_at: datetime | None = None
    notes: list[str] = []

    @property
    def spent(self) -> Spending:
        """What it cost."""
        return Spending(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost_usd=self.cost_usd,
        )


def signed_outcome(verdict: Verdict, *, graded: bool) -> int:
    """The outcome as `scoring` takes it: +k first better by degree k, -k second, 0 a tie."""
    level = DEGREE_LEVEL[verdict.degree] if graded and verdict.degree is not None else 1
    return {Winner.FIRST: level, Winner.SECOND: -level, Winner.TIE: 0}[verdict.winner]
