"""What is known of submissions to providers' batches, one item each, held by one worker a time."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from assessment.adapters.aws import keys
from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.table_requests import ItemUpdate
from assessment.adapters.item_table import ItemTable
from assessment.domain.errors import ComparisonLeasedError
from assessment.domain.provider_batch import ProviderBatch

_KEPT = timedelta(days=30)


class DynamoDBProviderBatchStore:
    """Records under conditional leases, and marks by the provider's ids."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def take(self, batch_id: str, name: str, *, now: datetime, seconds: int) -> ProviderBatch:
        """Create the record or take the stored one; the condition lets one worker have it."""
        try:
            item = self._table.update(
                keys.provider_batch(batch_id, name),
                ItemUpdate(
                    {"name": name, "held_until": now + timedelta(seconds=seconds)},
                    condition="attribute_not_exists(held_until) OR held_until < :now",
                    values={":now": now},
                ),
            )
        except ConditionFailedError as error:
            raise ComparisonLeasedError(f"submission {name} is held by another delivery") from error
        return read_provider_batch(item)

    def update(self, batch_id: str, name: str, **changes: Any) -> ProviderBatch:
        """Set attributes, remove those that are None."""
        return read_provider_batch(
            self._table.update(keys.provider_batch(batch_id, name), ItemUpdate(changes))
        )

    def find(self, batch_id: str, name: str) -> ProviderBatch | None:
        """The record, whoever holds it."""
        item = self._table.get(keys.provider_batch(batch_id, name))
        return None if item is None else read_provider_batch(item)

    def give_back(self, batch_id: str, name: str) -> None:
        """End the lease."""
        self._table.update(keys.provider_batch(batch_id, name), ItemUpdate({"held_until": None}))

    def claim(self, provider_batch_id: str, *, now: datetime) -> None:
        """Mark the provider's id; the mark outlives what the provider lists."""
        until = int((now + _KEPT).timestamp())
        self._table.update(keys.claim(provider_batch_id), ItemUpdate({"expires_at": until}))

    def is_claimed(self, provider_batch_id: str) -> bool:
        """Whether the mark is there, strongly consistent."""
        return self._table.get(keys.claim(provider_batch_id)) is not None


def read_provider_batch(item: Item) -> ProviderBatch:
    """The record as an item holds it."""
    fields = {name: item[name] for name in ProviderBatch.model_fields if name in item}
    if "left_out" in fields:
        fields["left_out"] = json.loads(fields["left_out"])
    return ProviderBatch.model_validate(fields)
