"""What waits for people, and who they are: in memory, in the table and in SQLite."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from assessment.adapters.aws.comparison_store import DynamoDBComparisonStore
from assessment.adapters.aws.person_leases import DynamoDBPeople
from assessment.domain.comparison import Comparison, ComparisonLease, WaitingComparison
from assessment.domain.control_pair import ControlPair
from assessment.domain.identifiers import find_queue_place
from assessment.domain.invitation import Invitation, InvitationState, Person
from assessment.domain.verdict import Winner
from assessment.ports.people import People, PeopleQueue
from tests.fakes.people import InMemoryPeople
from tests.fakes.stores import InMemoryComparisonStore
from tests.unit.assessment.adapters.conftest import get_table

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("kind", ["memory", "aws", "sqlite"])


@pytest.fixture
def people(kind: str, request: pytest.FixtureRequest) -> People:
    return InMemoryPeople() if kind == "memory" else DynamoDBPeople(get_table(kind, request))


@pytest.fixture
def queue(kind: str, request: pytest.FixtureRequest) -> PeopleQueue:
    if kind == "memory":
        return InMemoryComparisonStore()
    return DynamoDBComparisonStore(get_table(kind, request))


def offer_pairs(queue: PeopleQueue, n: int = 3) -> list[ComparisonLease]:
    """Comparisons of the second wave that wait; the first of them was planned in the first."""
    comparisons = [
        Comparison(
            comparison_id=f"w00{2 if at else 1}-{at:05d}",
            wave=2 if at else 1,
            submitted_wave=2,
            attempt=1 if at else 2,
            first="a",
            second="b",
        )
        for at in range(n)
    ]
    queue.offer("b", 2, comparisons)
    queue.offer("b", 2, comparisons)
    return queue.list_waiting("b", 2, limit=100)


@dataclass
class Leasing:
    """Short words for the leases of one batch."""

    queue: PeopleQueue
    waiting: list[ComparisonLease]
    lasting: timedelta = field(default=timedelta(minutes=10))

    def take(
        self, person: str, at: int = 0, *, after: int = 0, is_judged: bool = False
    ) -> WaitingComparison | None:
        now = NOW + timedelta(seconds=after)
        return self.queue.take(
            "b", self.waiting[at], person, until=now + self.lasting, now=now, is_judged=is_judged
        )

    def holder(self, at: int = 0, *, after: int = 0) -> str | None:
        return self.queue.list_waiting("b", 2, limit=9)[at].find_holder(
            now=NOW + timedelta(seconds=after)
        )


def test_a_lease_is_of_one_person_until_it_lapses(queue: PeopleQueue) -> None:
    leasing = Leasing(queue, offer_pairs(queue))
    assert leasing.holder() is None
    taken = leasing.take("ann")
    assert taken is not None
    lease = taken.model_dump(include=set(ComparisonLease.model_fields))
    assert queue.list_waiting("b", 2, limit=1) == [ComparisonLease(**lease)]
    assert (taken.first, taken.second, taken.person) == ("a", "b", "ann")
    assert not leasing.take("bob")
    assert leasing.take("bob", 1)
    assert (leasing.holder(), leasing.holder(1)) == ("ann", "bob")
    assert leasing.take("ann", after=60), "her own lease is prolonged"
    assert leasing.holder(after=650) == "ann"
    assert not leasing.take("bob", after=650)
    # The last moment belongs to the holder.
    assert leasing.holder(after=660) == "ann"
    assert not leasing.take("bob", after=660)
    assert leasing.holder(after=661) is None
    assert leasing.take("bob", after=661)
    assert leasing.holder(after=661) == "bob"


def test_what_waits_is_listed_found_and_withdrawn(queue: PeopleQueue) -> None:
    leasing = Leasing(queue, offer_pairs(queue, 5))
    ids = [one.comparison_id for one in leasing.waiting]
    held = [leasing.take("eve", ids.index(each)) for each in ("w001-00000", "w002-00001")]
    assert [(one.home_wave, one.attempt) for one in held if one] == [(1, 2), (2, 1)]
    leasing = Leasing(queue, queue.list_waiting("b", 2, limit=9))
    assert queue.list_waiting("b", 2, limit=2) == leasing.waiting[:2]
    places = [find_queue_place(one.comparison_id) for one in leasing.waiting]
    assert places == sorted(places)
    fourth = queue.list_waiting("b", 2, limit=9, start=places[3])
    assert fourth == leasing.waiting[3:], "a place begins with what stands there"
    assert not leasing.take("ann", is_judged=True), "only who holds it can have judged it"
    assert leasing.take("ann")
    assert not leasing.take("bob", is_judged=True)
    assert leasing.take("ann", is_judged=True)
    assert queue.count_waiting("b", 2) == 5
    queue.note_judged("b", 2)
    queue.offer("b", 2, [])
    assert (queue.count_waiting("b", 2), queue.count_waiting("b", 1)) == (4, 0)
    queue.offer("b", 2, [])
    (first, *_) = queue.list_waiting("b", 2, limit=1)
    assert (first.person, first.is_judged) == ("ann", True)
    assert first.lease_until == NOW + leasing.lasting
    assert not leasing.take("ann"), "it is judged"
    assert leasing.take("ann", is_judged=True), "the same verdict again"
    assert leasing.take("bob", after=601), "the verdict did not arrive"
    queue.withdraw("b", 2, first.comparison_id)
    assert first.comparison_id not in {
        one.comparison_id for one in queue.list_waiting("b", 2, limit=9)
    }
    assert not leasing.take("ann"), "what is gone cannot be leased"
    assert queue.list_waiting("b", 1, limit=9) == []
    queue.withdraw_all("b", 2)
    queue.note_judged("b", 2)
    assert queue.list_waiting("b", 2, limit=9) == []
    assert queue.count_waiting("b", 2) == 0


def test_verdicts_count_once_for_each_person_and_batch(people: People, queue: PeopleQueue) -> None:
    waiting = offer_pairs(queue)[0]
    assert people.get_person("b", "ann") == Person(name="ann")
    until = NOW + timedelta(minutes=1)
    people.note_held("b", "ann", [waiting], until=until)
    held = people.get_person("b", "ann")
    assert (held.held, held.held_until) == ((waiting,), until)
    counted = [
        people.count_verdict("b", "ann", comparison_id, now=NOW)
        for comparison_id in ("w001-00001", "w001-00002", "w001-00001")
    ]
    assert counted == [True, True, False]
    people.count_verdict("b", "bob", "w001-00003", now=NOW)
    assert people.list_judged("b", "bob", limit=9) == ["w001-00003"]
    assert len(people.list_judged("b", "ann", limit=1)) == 1
    control = ControlPair(comparison_id="w001-00003", is_own=False, winner=Winner.TIE, agrees=True)
    people.note_controls("b", "bob", [control])
    bob = people.get_person("b", "bob")
    assert (bob.controls, bob.n_judged, bob.n_controls) == ((control,), 1, 1)
    ann = people.get_person("b", "ann")
    assert (ann.n_judged, ann.last_verdict_at, ann.last_judged) == (2, NOW, "w001-00002")
    assert people.get_person("b", "bob").n_judged == 1
    assert people.get_person("other", "ann").n_judged == 0


def test_an_invitation_is_stored_once_and_taken_back_once(people: People) -> None:
    made = Invitation(
        invitation_id="0" * 16,
        batch_id="b",
        name="Ann Åberg",
        quota=3,
        created_at=NOW,
        created_by="teacher",
        expires_at=NOW + timedelta(days=1),
    )
    assert people.put_invitation(made) == made
    assert people.put_invitation(made.model_copy(update={"name": "Bo"})) == made
    people.count_verdict("b", made.subject, "w001-00001", now=NOW)
    (person,) = people.list_people("b")
    assert (person.invitation, person.n_judged) == (made, 1)
    later = NOW + timedelta(hours=1)
    revoked = people.revoke("b", made.invitation_id, now=NOW)
    assert revoked is not None
    assert people.revoke("b", made.invitation_id, now=later) == revoked
    assert revoked.invitation is not None
    assert revoked.invitation.find_state(now=NOW) is InvitationState.REVOKED
    assert people.revoke("b", "1" * 16, now=NOW) is None
    assert people.revoke("other", made.invitation_id, now=NOW) is None
