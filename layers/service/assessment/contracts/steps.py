"""What the state machine hands its steps: ids only."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.decision import Decision, DecisionKind, Reason


class BatchStep(BaseModel):
    """A step about a batch."""

    model_config = ConfigDict(frozen=True)

    batch_id: str


class WaveStep(BatchStep):
    """A step about one wave of a batch."""

    wave: Annotated[int, Field(ge=1)]


class SubmitStep(WaveStep):
    """The waiting step: the task token resumes it."""

    task_token: Annotated[str, Field(repr=False)]


class DecisionTaken(BaseModel):
    """The decision that led to a step, as ScoreBatch returned it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    decision: DecisionKind
    reason: Reason
    explanation: str = ""

    def as_decision(self) -> Decision:
        """The decision with its words."""
        return Decision.model_validate(self.model_dump())


class FailStep(BatchStep):
    """The failing step: a refusal, or an error that the state machine caught."""

    decision: DecisionTaken | None = None
    error: dict[str, str] | None = None
