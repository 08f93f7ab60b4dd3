"""Leases of people and signatures that were seen, in memory."""

from __future__ import annotations

from datetime import datetime


class InMemoryPersonLeases:
    """Who holds which comparison, and the verdicts of each person."""

    def __init__(self) -> None:
        self._leases: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._verdicts: dict[tuple[str, str], set[str]] = {}

    def take(
        self, batch_id: str, comparison_id: str, person: str, *, until: datetime, now: datetime
    ) -> bool:
        if self.find_holder(batch_id, comparison_id, now=now) not in (None, person):
            return False
        self._leases[batch_id, comparison_id] = person, until
        return True

    def find_holder(self, batch_id: str, comparison_id: str, *, now: datetime) -> str | None:
        person, until = self._leases.get((batch_id, comparison_id), (None, now))
        return person if until >= now else None

    def list_held(self, batch_id: str, person: str, *, now: datetime) -> set[str]:
        return {
            comparison_id
            for (batch, comparison_id), (holder, until) in self._leases.items()
            if batch == batch_id and holder == person and until >= now
        }

    def list_judged(self, batch_id: str, person: str) -> set[str]:
        return set(self._verdicts.get((batch_id, person), set()))

    def count_verdict(self, batch_id: str, person: str, comparison_id: str) -> None:
        self._verdicts.setdefault((batch_id, person), set()).add(comparison_id)


class InMemorySeenSignatures:
    """Signatures with the time until which they are kept."""

    def __init__(self) -> None:
        self.kept: dict[str, datetime] = {}

    def was_seen(self, signature: str) -> bool:
        return signature in self.kept

    def remember(self, signature: str, *, until: datetime) -> None:
        self.kept[signature] = until
