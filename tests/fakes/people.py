"""What waits for people, the people themselves, and signatures that were seen, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from assessment.domain.comparison import Comparison, ComparisonLease, WaitingComparison
from assessment.domain.control_pair import ControlPair
from assessment.domain.identifiers import find_queue_place
from assessment.domain.invitation import INVITED_PREFIX, Invitation, Person


class InMemoryPeopleQueue:
    """The comparisons that wait for people, with their leases."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, int, str], WaitingComparison] = {}
        self._n_left: dict[tuple[str, int], int] = {}

    def offer(self, batch_id: str, wave_number: int, comparisons: Sequence[Comparison]) -> None:
        for one in comparisons:
            waiting = WaitingComparison(
                comparison_id=one.comparison_id,
                wave=wave_number,
                home_wave=one.wave,
                attempt=one.attempt,
                first=one.first,
                second=one.second,
            )
            self._waiting.setdefault((batch_id, wave_number, one.comparison_id), waiting)
        if comparisons:
            self._n_left.setdefault((batch_id, wave_number), len(comparisons))

    def list_waiting(
        self, batch_id: str, wave_number: int, *, limit: int, start: str | None = None
    ) -> list[ComparisonLease]:
        found = [
            one
            for (batch, wave, _), one in sorted(self._waiting.items(), key=_find_place)
            if (batch, wave) == (batch_id, wave_number)
            and (start is None or _name_place(one.comparison_id) > start)
        ]
        names = set(ComparisonLease.model_fields)
        return [ComparisonLease(**one.model_dump(include=names)) for one in found[:limit]]

    def count_waiting(self, batch_id: str, wave_number: int) -> int:
        return self._n_left.get((batch_id, wave_number), 0)

    def note_judged(self, batch_id: str, wave_number: int) -> None:
        if (batch_id, wave_number) in self._n_left:
            self._n_left[batch_id, wave_number] -= 1

    def take(
        self,
        batch_id: str,
        waiting: ComparisonLease,
        person: str,
        *,
        until: datetime,
        now: datetime,
        is_judged: bool = False,
    ) -> WaitingComparison | None:
        key = (batch_id, waiting.wave, waiting.comparison_id)
        present = self._waiting.get(key)
        if present is None:
            return None
        holder = present.find_holder(now=now)
        may_take = holder == person if is_judged else holder in (None, person)
        if not may_take or (present.is_judged and holder is not None and not is_judged):
            return None
        changes = {"person": person, "lease_until": until, "is_judged": is_judged}
        self._waiting[key] = present.model_copy(update=changes)
        return self._waiting[key]

    def withdraw(self, batch_id: str, wave_number: int, comparison_id: str) -> None:
        self._waiting.pop((batch_id, wave_number, comparison_id), None)

    def withdraw_all(self, batch_id: str, wave_number: int) -> None:
        for key in [key for key in self._waiting if key[:2] == (batch_id, wave_number)]:
            del self._waiting[key]
        self._n_left.pop((batch_id, wave_number), None)


def _name_place(comparison_id: str) -> str:
    return f"{find_queue_place(comparison_id)}#{comparison_id}"


def _find_place(waiting: tuple[tuple[str, int, str], WaitingComparison]) -> str:
    return _name_place(waiting[1].comparison_id)


class InMemoryPeople:
    """What each person has done, and their invitations."""

    def __init__(self) -> None:
        self._people: dict[tuple[str, str], Person] = {}
        self._verdicts: set[tuple[str, str, str]] = set()

    def get_person(self, batch_id: str, name: str) -> Person:
        return self._people.get((batch_id, name), Person(name=name))

    def _set(self, batch_id: str, name: str, **changes: object) -> Person:
        person = self.get_person(batch_id, name).model_copy(update=changes)
        self._people[batch_id, name] = person
        return person

    def note_held(
        self, batch_id: str, name: str, held: Sequence[ComparisonLease], *, until: datetime
    ) -> None:
        self._set(batch_id, name, held=tuple(held), held_until=until)

    def count_verdict(self, batch_id: str, name: str, comparison_id: str, *, now: datetime) -> bool:
        if (batch_id, name, comparison_id) in self._verdicts:
            return False
        self._verdicts.add((batch_id, name, comparison_id))
        n_judged = self.get_person(batch_id, name).n_judged + 1
        self._set(batch_id, name, n_judged=n_judged, last_verdict_at=now, last_judged=comparison_id)
        return True

    def list_judged(self, batch_id: str, name: str, *, limit: int) -> list[str]:
        found = [one for batch, who, one in self._verdicts if (batch, who) == (batch_id, name)]
        return sorted(found)[:limit]

    def note_controls(self, batch_id: str, name: str, controls: Sequence[ControlPair]) -> None:
        self._set(batch_id, name, controls=tuple(controls))

    def put_invitation(self, invitation: Invitation) -> Invitation:
        present = self.get_person(invitation.batch_id, invitation.subject).invitation
        if present is not None:
            return present
        self._set(invitation.batch_id, invitation.subject, invitation=invitation)
        return invitation

    def list_people(self, batch_id: str) -> list[Person]:
        return [one for (batch, _), one in sorted(self._people.items()) if batch == batch_id]

    def revoke(self, batch_id: str, invitation_id: str, *, now: datetime) -> Person | None:
        person = self.get_person(batch_id, f"{INVITED_PREFIX}{invitation_id}")
        if person.invitation is None or person.invitation.revoked_at is not None:
            return person if person.invitation else None
        revoked = person.invitation.model_copy(update={"revoked_at": now})
        return self._set(batch_id, person.name, invitation=revoked)


class InMemorySeenSignatures:
    """Signatures with the time until which they are kept."""

    def __init__(self) -> None:
        self.kept: dict[str, datetime] = {}

    def was_seen(self, signature: str) -> bool:
        return signature in self.kept

    def remember(self, signature: str, *, until: datetime) -> None:
        self.kept[signature] = until
