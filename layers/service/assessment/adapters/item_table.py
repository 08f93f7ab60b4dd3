"""What the stores need of a table: items under two keys, and writes under conditions.

DynamoDB has it in the cloud and SQLite on one machine. Conditions are written in DynamoDB's
language in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.keys import Key
from assessment.adapters.aws.table_requests import ItemUpdate, PageQuery


class ItemTable(Protocol):
    """One table; every write that has a condition raises ConditionFailedError if it fails."""

    def get(self, key: Key) -> Item | None:
        """The item, strongly consistent."""

    def put(self, item: Mapping[str, Any]) -> None:
        """Create or replace an item."""

    def put_new(self, item: Mapping[str, Any]) -> None:
        """Create an item; the error has the one that is there."""

    def put_new_many(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Create those items that do not exist; leave the others alone."""

    def put_many(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Create or replace many items."""

    def update(self, key: Key, update: ItemUpdate) -> Item:
        """Set or remove attributes, add to numbers; the new item."""

    def delete(self, key: Key) -> None:
        """Remove an item; removing nothing is not an error."""

    def delete_many(self, places: Sequence[Key]) -> None:
        """Remove many items."""

    def update_and_delete(self, key: Key, update: ItemUpdate, *, delete: Key) -> None:
        """Update one item and delete another, both or neither."""

    def update_and_put(
        self,
        key: Key,
        update: ItemUpdate,
        *,
        put: Mapping[str, Any],
        only_new: bool = False,
    ) -> None:
        """Update one item and put another, both or neither; `only_new` replaces no other item."""

    def put_new_and_put(self, new: Mapping[str, Any], *others: Mapping[str, Any]) -> None:
        """Create one item and put others, all or none."""

    def query(
        self,
        partition: str,
        *,
        prefix: str = "",
        limit: int | None = None,
        projection: Sequence[str] = (),
    ) -> list[Item]:
        """All items of a partition whose sort key has the prefix, by sort key in order."""

    def query_page(self, query: PageQuery) -> tuple[list[Item], str | None]:
        """Items out of the next `limit`, and the sort key that they end with; None at the end."""

    def get_many(self, wanted: Sequence[Key]) -> list[Item | None]:
        """The items, in the order of their keys."""

    def query_many(self, partitions: Sequence[str], *, prefix: str = "") -> list[Item]:
        """The items of several partitions."""
