"""A circuit breaker as a value: it opens after failures in a row and lets single probes through."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

FAILURES_TO_OPEN = 10
FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 300.0
PROBE_SECONDS = 60.0
# A probe is mostly answered in seconds: who meets one looks again before it would be given up.
PROBE_LOOK_SECONDS = 15.0


class Circuit(BaseModel):
    """What is known of a provider's health: failures in a row, and until when it is not asked.

    `reason` has the words of the latest failure and `code` its kind, `failing_since` the time of
    the first in a row.
    """

    model_config = ConfigDict(frozen=True)

    failures: int = 0
    openings: int = 0
    open_until: datetime | None = None
    probe_until: datetime | None = None
    failing_since: datetime | None = None
    reason: str | None = None
    code: str | None = None


class Admission(BaseModel):
    """Whether a call may be made; if so, the circuit to store before it is made."""

    model_config = ConfigDict(frozen=True)

    wait_seconds: float = 0.0
    circuit: Circuit | None = None


def check_admission(circuit: Circuit, *, now: datetime) -> Admission:
    """Admit while closed; refuse while open; then admit one probe at a time."""
    if circuit.open_until is None:
        return Admission()
    if circuit.open_until > now:
        return Admission(wait_seconds=(circuit.open_until - now).total_seconds())
    if circuit.probe_until is not None and circuit.probe_until > now:
        remaining = (circuit.probe_until - now).total_seconds()
        return Admission(wait_seconds=min(remaining, PROBE_LOOK_SECONDS))
    probing = now + timedelta(seconds=PROBE_SECONDS)
    return Admission(circuit=circuit.model_copy(update={"probe_until": probing}))


def count_failure(
    circuit: Circuit,
    *,
    now: datetime,
    retry_after: float | None = None,
    reason: str | None = None,
    code: str | None = None,
) -> Circuit:
    """One more failure; with enough of them, or with a failed probe, a pause that doubles."""
    failed = circuit.model_copy(
        update={
            "failures": circuit.failures + 1,
            "failing_since": circuit.failing_since or now,
            "reason": reason or circuit.reason,
            "code": code if reason else circuit.code,
        }
    )
    if failed.failures < FAILURES_TO_OPEN and circuit.open_until is None:
        return failed
    if circuit.open_until is not None and circuit.open_until > now:
        # A call that was under way when the circuit opened says nothing new.
        return failed
    pause = min(FIRST_PAUSE_SECONDS * 2**circuit.openings, LONGEST_PAUSE_SECONDS)
    pause = max(pause, retry_after or 0.0)
    return failed.model_copy(
        update={
            "openings": circuit.openings + 1,
            "open_until": now + timedelta(seconds=pause),
            "probe_until": None,
        }
    )
