"""Who holds which comparison, and how many verdicts each person gave."""

from __future__ import annotations

from datetime import datetime, timedelta

from assessment.adapters.aws import keys
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.item_table import ItemTable

_KEPT = timedelta(days=30)


class DynamoDBPersonLeases:
    """One item a leased comparison, and one a verdict that was given."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def take(
        self, batch_id: str, comparison_id: str, person: str, *, until: datetime, now: datetime
    ) -> bool:
        """Lease the comparison unless another person holds it; the condition lets one succeed."""
        try:
            self._table.update(
                keys.person_lease(batch_id, comparison_id),
                {
                    "person": person,
                    "lease_until": until,
                    "expires_at": int((now + _KEPT).timestamp()),
                },
                condition="attribute_not_exists(PK) OR person = :me OR lease_until < :now",
                values={":me": person, ":now": now},
            )
        except ConditionFailedError:
            return False
        return True

    def find_holder(self, batch_id: str, comparison_id: str, *, now: datetime) -> str | None:
        """Who holds the comparison now, strongly consistent."""
        item = self._table.get(keys.person_lease(batch_id, comparison_id))
        if item is None or datetime.fromisoformat(item["lease_until"]) < now:
            return None
        return str(item["person"])

    def list_held(self, batch_id: str, person: str, *, now: datetime) -> set[str]:
        """The comparisons that the person holds now, read in one query."""
        leases = self._table.query(
            keys.lease_partition(batch_id),
            prefix=keys.LEASE_PREFIX,
            projection=("SK", "person", "lease_until"),
        )
        return {
            str(lease["SK"]).removeprefix(keys.LEASE_PREFIX)
            for lease in leases
            if lease["person"] == person and datetime.fromisoformat(lease["lease_until"]) >= now
        }

    def list_judged(self, batch_id: str, person: str) -> set[str]:
        """The comparisons that the person gave a verdict on."""
        items = self._table.query(keys.person_partition(batch_id, person), projection=("SK",))
        return {str(item["SK"]) for item in items}

    def count_verdict(self, batch_id: str, person: str, comparison_id: str) -> None:
        """Count a verdict; the same one again counts once."""
        self._table.put(keys.person_verdict(batch_id, person, comparison_id))
