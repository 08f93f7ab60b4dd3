"""Remind people that a batch waits for them: by an event, for whoever writes to them."""

from __future__ import annotations

from datetime import datetime

from assessment.contracts.event_data import JudgeProgress
from assessment.contracts.events import EventType, envelope
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.invitation import InvitationState, Person
from assessment.domain.judge import PERSON_LABEL, JudgeSpec, Provider
from assessment.domain.judging_time import count_due_reminders
from assessment.ports.groups import WatchPorts

_MOST_COUNTED = 1000
_MOST_NAMED = 500


def remind_judges(batch: Batch, *, ports: WatchPorts, now: datetime) -> bool:
    """Publish the reminder that is due, if the batch waits for people; whether it did.

    The event comes before the note of it: published twice, it has the same id.
    """
    deadline = batch.config.judging_deadline
    if deadline is None or batch.status is not BatchStatus.WAITING_CALLBACKS:
        return False
    n_due = count_due_reminders(requested_at=batch.deadline_set_at, deadline=deadline, now=now)
    if n_due <= batch.n_reminders:
        return False
    n_waiting = _count_waiting(batch, ports)
    if not n_waiting:
        return False
    ports.events.publish(
        [
            envelope(
                EventType.JUDGING_REMINDER,
                batch_id=batch.batch_id,
                correlation_id=batch.correlation_id,
                organisation=batch.organisation,
                data={
                    "assignment_id": batch.assignment_id,
                    "judging_deadline": deadline,
                    "n_waiting": n_waiting,
                    "judges": _list_progress(batch, ports, now),
                },
                now=now,
                occasion=batch.name_reminder(n_due),
            )
        ]
    )
    ports.batches.note_reminders(batch.batch_id, n_due)
    return True


def _count_waiting(batch: Batch, ports: WatchPorts) -> int:
    waiting = ports.comparisons.list_waiting(batch.batch_id, batch.wave, limit=_MOST_COUNTED)
    return sum(not one.is_judged for one in waiting)


def _list_progress(batch: Batch, ports: WatchPorts, now: datetime) -> list[JudgeProgress]:
    """The people who may still judge, those who have judged least first."""
    judge = next(judge for judge in batch.judges if judge.provider is Provider.PERSON)
    people = [
        person
        for person in ports.people.list_people(batch.batch_id)
        if _may_judge(person, judge, now)
    ]
    people.sort(key=lambda person: (person.n_judged, person.name))
    return [
        JudgeProgress(
            judge=f"{PERSON_LABEL}{person.name}",
            n_judged=person.n_judged,
            quota=person.find_quota(judge),
        )
        for person in people[:_MOST_NAMED]
    ]


def _may_judge(person: Person, judge: JudgeSpec, now: datetime) -> bool:
    invitation, quota = person.invitation, person.find_quota(judge)
    is_open = invitation is None or invitation.find_state(now=now) is InvitationState.OPEN
    return is_open and (quota is None or person.n_judged < quota)
