"""Batches of requests to a provider, their lines and results."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from local.providers.json_lines import Problem

if TYPE_CHECKING:
    from local.providers.replies import Reply

DAY = timedelta(hours=24)


class Phase(StrEnum):
    """The state of a batch."""

    SUBMITTED = "submitted"
    VALIDATING = "validating"
    RUNNING = "running"
    CANCELLING = "cancelling"
    PUBLISHING = "publishing"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_end(self) -> bool:
        """Whether the batch has ended."""
        return self in {Phase.COMPLETED, Phase.EXPIRED, Phase.CANCELLED, Phase.FAILED}


class Ending(StrEnum):
    """The outcome of a line."""

    SUCCEEDED = "succeeded"
    ERRORED = "errored"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Line:
    """One request of a batch: the caller's id for it, and the body of a synchronous call."""

    key: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Result:
    """A line and its outcome; only a line that ran has a reply."""

    line: Line
    ending: Ending
    reply: Reply | None = None


@dataclass(kw_only=True)
class ProviderBatch[Order]:
    """One batch: its order and its state.

    Parameters
    ----------
    moments
        The beginning of each phase, in order of time.
    stopped
        Set when no further line may run.
    """

    id: str
    order: Order
    moments: dict[Phase, datetime] = field(default_factory=dict)
    lines: Sequence[Line] = ()
    results: list[Result] = field(default_factory=list)
    problems: tuple[Problem, ...] = ()
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def phase(self) -> Phase:
        """The present phase."""
        return next(reversed(self.moments))

    @property
    def submitted_at(self) -> datetime:
        """The time of acceptance."""
        return self.moments[Phase.SUBMITTED]

    @property
    def ended_at(self) -> datetime | None:
        """The time of its end, or None."""
        return self.moments[self.phase] if self.phase.is_end else None

    def enter(self, phase: Phase, moment: datetime) -> None:
        """Enter a phase; a batch that is being cancelled can only enter its last phase."""
        if phase.is_end or Phase.CANCELLING not in self.moments:
            self.moments[phase] = moment

    def end(self, moment: datetime) -> None:
        """Enter the last phase."""
        if self.problems:
            self.enter(Phase.FAILED, moment)
        elif self.stopped.is_set():
            self.enter(Phase.CANCELLED, moment)
        else:
            self.enter(Phase.EXPIRED if self.count(Ending.EXPIRED) else Phase.COMPLETED, moment)

    def count(self, ending: Ending) -> int:
        """The number of lines with this outcome."""
        return sum(result.ending is ending for result in self.results)


def rfc3339(moment: datetime) -> str:
    """A time in the format of RFC 3339."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
