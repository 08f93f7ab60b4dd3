"""Comparisons that wait for people, and the people: who holds what, and who was invited."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from assessment.adapters.aws import keys
from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.table_requests import ItemUpdate, PageQuery
from assessment.adapters.item_table import ItemTable
from assessment.domain.comparison import Comparison, ComparisonLease, WaitingComparison
from assessment.domain.control_pair import ControlPair
from assessment.domain.invitation import INVITED_PREFIX, Invitation, Person

_KEPT = timedelta(days=200)
_IS_FREE = (
    "attribute_exists(PK) AND (attribute_not_exists(person) OR person = :me OR lease_until < :now)"
)
# Who judged it does not get it again before their verdict has had time to arrive.
_IS_OPEN = f"{_IS_FREE} AND (attribute_not_exists(is_judged) OR lease_until < :now)"

_IS_HELD = "attribute_exists(PK) AND person = :me AND lease_until >= :now"

# A page is listed for each offer, and most have nothing but their key of this.
_LEASE = ("SK", "person", "lease_until", "is_judged")


class DynamoDBPeopleQueue:
    """One item for each comparison that waits for a person; its lease is in it."""

    _table: ItemTable

    def offer(self, batch_id: str, wave_number: int, comparisons: Sequence[Comparison]) -> None:
        """Create the items; one that is leased already stays as it is."""
        self._table.put_new_many(
            [
                {
                    **keys.waiting(batch_id, wave_number, one.comparison_id),
                    "home_wave": one.wave,
                    "attempt": one.attempt,
                    "first": one.first,
                    "second": one.second,
                }
                for one in comparisons
            ]
        )
        count = {**keys.waiting_count(batch_id, wave_number), "n_left": len(comparisons)}
        self._table.put_new_many([count] if comparisons else [])

    def list_waiting(
        self, batch_id: str, wave_number: int, *, limit: int, start: str | None = None
    ) -> list[ComparisonLease]:
        """One page of the wave's items, without what only their holder needs."""
        items, _ = self._table.query_page(
            PageQuery(
                keys.waiting_partition(batch_id, wave_number),
                limit=limit,
                after=start,
                last_first=False,
                projection=_LEASE,
            )
        )
        return [_lease(item, wave_number) for item in items if item["SK"] != keys.WAITING_COUNT]

    def count_waiting(self, batch_id: str, wave_number: int) -> int:
        """The number in the item that counts them."""
        item = self._table.get(keys.waiting_count(batch_id, wave_number))
        return 0 if item is None else max(0, int(item["n_left"]))

    def note_judged(self, batch_id: str, wave_number: int) -> None:
        """One less; where the wave is over, nothing counts any more."""
        try:
            self._table.update(
                keys.waiting_count(batch_id, wave_number),
                ItemUpdate({}, add={"n_left": -1}, condition="attribute_exists(PK)"),
            )
        except ConditionFailedError:
            return

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
        """Lease it unless another person holds it; the condition lets one succeed.

        The id and the wave are all that is needed of what waits.
        """
        try:
            item = self._table.update(
                keys.waiting(batch_id, waiting.wave, waiting.comparison_id),
                ItemUpdate(
                    {"person": person, "lease_until": until, "is_judged": is_judged or None},
                    condition=_IS_HELD if is_judged else _IS_OPEN,
                    values={":me": person, ":now": now},
                ),
            )
        except ConditionFailedError:
            return None
        return _waiting(item, waiting.wave)

    def withdraw(self, batch_id: str, wave_number: int, comparison_id: str) -> None:
        """Remove the item."""
        self._table.delete(keys.waiting(batch_id, wave_number, comparison_id))

    def withdraw_all(self, batch_id: str, wave_number: int) -> None:
        """Remove what is left of the wave."""
        partition = keys.waiting_partition(batch_id, wave_number)
        items = self._table.query(partition, projection=("SK",))
        self._table.delete_many([{"PK": partition, "SK": str(item["SK"])} for item in items])


class DynamoDBPeople:
    """One item a person, with the invitation, and one a verdict that was given."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def get_person(self, batch_id: str, name: str) -> Person:
        """The person, strongly consistent; one who was never here has done nothing."""
        return read_person_item(name, self._table.get(keys.person(batch_id, name)))

    def note_held(
        self, batch_id: str, name: str, held: Sequence[ComparisonLease], *, until: datetime
    ) -> None:
        """Write it into the person's item."""
        self._table.update(
            keys.person(batch_id, name),
            ItemUpdate(
                {
                    "held": [one.model_dump(mode="json") for one in held],
                    "held_until": until,
                    "expires_at": int((until + _KEPT).timestamp()),
                }
            ),
        )

    def count_verdict(self, batch_id: str, name: str, comparison_id: str, *, now: datetime) -> bool:
        """The mark of the verdict and the person's count, both or neither; once."""
        try:
            self._table.update_and_put(
                keys.person(batch_id, name),
                ItemUpdate(
                    {"last_verdict_at": now, "last_judged": comparison_id},
                    add={"n_judged": 1},
                    condition="attribute_not_exists(#none)",
                    names={"#none": "none"},
                ),
                put=keys.person_verdict(batch_id, name, comparison_id),
                only_new=True,
            )
        except ConditionFailedError:
            return False
        return True

    def list_judged(self, batch_id: str, name: str, *, limit: int) -> list[str]:
        """The marks of the person's verdicts."""
        items = self._table.query(
            keys.person_partition(batch_id, name), limit=limit, projection=("SK",)
        )
        return [str(item["SK"]) for item in items]

    def note_controls(self, batch_id: str, name: str, controls: Sequence[ControlPair]) -> None:
        """Write them into the person's item."""
        documents = [control.model_dump(mode="json") for control in controls]
        self._table.update(keys.person(batch_id, name), ItemUpdate({"controls": documents}))

    def put_invitation(self, invitation: Invitation) -> Invitation:
        """Create the person's item with the invitation; the first stays."""
        item = {
            **keys.person(invitation.batch_id, invitation.subject),
            "invitation": invitation,
        }
        try:
            self._table.put_new(item)
        except ConditionFailedError as error:
            return _invitation(error.item or {}) or invitation
        return invitation

    def list_people(self, batch_id: str) -> list[Person]:
        """All items of people, in one query."""
        items = self._table.query(keys.people_partition(batch_id), prefix=keys.PERSON_PREFIX)
        names = [str(item["SK"]).removeprefix(keys.PERSON_PREFIX) for item in items]
        return [read_person_item(name, item) for name, item in zip(names, items, strict=True)]

    def revoke(self, batch_id: str, invitation_id: str, *, now: datetime) -> Person | None:
        """Write the time of the revocation into the invitation, once."""
        name = f"{INVITED_PREFIX}{invitation_id}"
        person = self.get_person(batch_id, name)
        if person.invitation is None or person.invitation.revoked_at is not None:
            return person if person.invitation else None
        revoked = person.invitation.model_copy(update={"revoked_at": now})
        item = self._table.update(keys.person(batch_id, name), ItemUpdate({"invitation": revoked}))
        return read_person_item(name, item)


def _lease(item: Item, wave_number: int) -> ComparisonLease:
    fields = {name: item[name] for name in _LEASE[1:] if name in item}
    return ComparisonLease(comparison_id=_read_id(item), wave=wave_number, **fields)


def _read_id(item: Item) -> str:
    return str(item["SK"]).partition("#")[2]


def _waiting(item: Item, wave_number: int) -> WaitingComparison:
    fields = {name: item[name] for name in WaitingComparison.model_fields if name in item}
    return WaitingComparison.model_validate(
        fields | {"comparison_id": _read_id(item), "wave": wave_number}
    )


def read_person_item(name: str, item: Item | None) -> Person:
    """The person that an item tells of; without one, somebody who has done nothing."""
    if item is None:
        return Person(name=name)
    fields = {key: item[key] for key in Person.model_fields if key in item}
    lists = {key: json.loads(item.get(key, "[]")) for key in ("held", "controls")}
    documents = {"invitation": _invitation(item), **lists}
    return Person.model_validate(fields | documents | {"name": name})


def _invitation(item: Item) -> Invitation | None:
    text = item.get("invitation")
    return None if text is None else Invitation.model_validate(json.loads(text))
