"""A wave as the table keeps it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assessment.domain.batch import ClosedBy, WaveScore, WaveStatus
from assessment.domain.comparison import ComparisonTally
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
    n_readings: Annotated[int | None, Field(exclude_if=lambda value: value is None)] = None
    """How many essays its new comparisons read, where there are lists among them."""
    n_submitted: int | None = None
    """How many comparisons it submitted, less those that a later wave took over."""
    n_recorded: int = 0
    n_failed: int = 0
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
    def tally(self) -> ComparisonTally:
        """What became of its comparisons, as counted when each was settled."""
        planned = self.n_planned if self.n_submitted is None else self.n_submitted
        return ComparisonTally(
            planned=planned,
            recorded=self.n_recorded,
            failed=self.n_failed,
            pending=max(0, planned - self.n_recorded - self.n_failed),
        )

    @property
    def n_planned(self) -> int:
        """How many comparisons the wave submits."""
        return self.new_pairs + self.n_retried
