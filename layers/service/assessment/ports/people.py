"""Ports of people who judge: what waits for them, and what they have done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from assessment.domain.comparison import Comparison, ComparisonLease, WaitingComparison
from assessment.domain.control_pair import ControlPair
from assessment.domain.invitation import Invitation, Person


class PeopleQueue(Protocol):
    """The comparisons of a batch that wait for people, and their leases."""

    def offer(self, batch_id: str, wave_number: int, comparisons: Sequence[Comparison]) -> None:
        """Let these wait for people; one that waits already stays as it is."""

    def list_waiting(
        self, batch_id: str, wave_number: int, *, limit: int, start: str | None = None
    ) -> list[ComparisonLease]:
        """The leases of the next comparisons that wait for people, whoever holds them.

        Their order is that of `find_queue_place`; `start` is such a place, and without it the
        first are listed.
        """

    def count_waiting(self, batch_id: str, wave_number: int) -> int:
        """How many were offered and not yet judged, as far as `note_judged` was told."""

    def note_judged(self, batch_id: str, wave_number: int) -> None:
        """Count one less of those that wait."""

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
        """Lease it to a person, or prolong their lease; None if it is another's, or is gone.

        Only its holder can have judged it.
        """

    def withdraw(self, batch_id: str, wave_number: int, comparison_id: str) -> None:
        """Let one wait no longer."""

    def withdraw_all(self, batch_id: str, wave_number: int) -> None:
        """Let none of the wave wait any longer."""


class People(Protocol):
    """The people who judge a batch: what they have done, and their invitations."""

    def get_person(self, batch_id: str, name: str) -> Person:
        """The person as the batch knows them; one who was never here has done nothing."""

    def note_held(
        self, batch_id: str, name: str, held: Sequence[ComparisonLease], *, until: datetime
    ) -> None:
        """Remember what the person holds, for when they ask again."""

    def count_verdict(self, batch_id: str, name: str, comparison_id: str, *, now: datetime) -> bool:
        """Count a verdict of the person; the same one counts once, and then this is true."""

    def list_judged(self, batch_id: str, name: str, *, limit: int) -> list[str]:
        """Ids of comparisons that the person has given a verdict on, in their order."""

    def note_controls(self, batch_id: str, name: str, controls: Sequence[ControlPair]) -> None:
        """Remember the person's control pairs, in place of those that were remembered."""

    def put_invitation(self, invitation: Invitation) -> Invitation:
        """Store an invitation; if one stands under its id, change nothing and return that."""

    def list_people(self, batch_id: str) -> list[Person]:
        """Everybody who was invited to judge the batch, or has begun to."""

    def revoke(self, batch_id: str, invitation_id: str, *, now: datetime) -> Person | None:
        """Take an invitation back; the person as they are then, None if there is none such."""
