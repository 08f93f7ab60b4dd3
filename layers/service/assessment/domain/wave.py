"""A wave as the table keeps it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from assessment.domain.batch import ClosedBy, WaveScore, WaveStatus
from assessment.domain.decision import ContinuationContext, Decision


class Wave(BaseModel):
    """A wave as it is stored: the plan is written once, the rest as the wave goes on.

    The pairs themselves are a document under `plan_key`: a large wave's plan would not fit into
    one item of the table.
    """

    model_config = ConfigDict(frozen=True)

    wave: int
    status: WaveStatus = WaveStatus.PLANNED
    plan_key: str | None = None
    new_pairs: int = 0
    retried: list[str] = []
    task_token: str | None = None
    markers_written: bool = False
    messages_sent: bool = False
    deadline: datetime | None = None
    closed_by: ClosedBy | None = None
    score: WaveScore | None = None
    context: ContinuationContext | None = None
    decision: Decision | None = None
    unjudged: list[str] = []
    scored_at: datetime | None = None

    @property
    def planned(self) -> int:
        """How many comparisons the wave submits."""
        return self.new_pairs + len(self.retried)
