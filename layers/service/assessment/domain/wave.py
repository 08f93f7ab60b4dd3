"""A wave as the table keeps it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from assessment.domain.batch import ClosedBy, WaveScore, WaveStatus
from assessment.domain.decision import ContinuationContext, Decision


class Wave(BaseModel):
    """A wave as it is stored: the plan is written once, the rest as the wave goes on.

    What grows with the batch is a document: its pairs and the ids of retried comparisons under
    `plan_key`, the ids of those without a verdict at its decision under `unjudged_key`, and the
    essays that were set aside by then under `not_assessed_key`. A large wave's would not fit into
    one item of the table.
    """

    model_config = ConfigDict(frozen=True)

    wave: int
    status: WaveStatus = WaveStatus.PLANNED
    plan_key: str | None = None
    new_pairs: int = 0
    n_retried: int = 0
    task_token: str | None = None
    markers_written: bool = False
    messages_sent: bool = False
    deadline: datetime | None = None
    closed_by: ClosedBy | None = None
    score: WaveScore | None = None
    context: ContinuationContext | None = None
    decision: Decision | None = None
    unjudged_key: str | None = None
    not_assessed_key: str | None = None
    scored_at: datetime | None = None

    @property
    def n_planned(self) -> int:
        """How many comparisons the wave submits."""
        return self.new_pairs + self.n_retried
