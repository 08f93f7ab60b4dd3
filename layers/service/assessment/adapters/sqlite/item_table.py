"""The one table in SQLite: the stores of DynamoDB's work on it, under the same conditions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from assessment.adapters.aws.attributes import Item, to_plain
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.keys import Key
from assessment.adapters.aws.table_requests import ItemUpdate, PageQuery
from assessment.adapters.sqlite.conditions import holds
from assessment.adapters.sqlite.database import Database

_DELETE = "DELETE FROM items WHERE pk = ? AND sk = ?"
_PUT = "INSERT OR REPLACE INTO items (pk, sk, body) VALUES (?, ?, ?)"
_PUT_NEW = "INSERT OR IGNORE INTO items (pk, sk, body) VALUES (?, ?, ?)"
_PARTITION = "SELECT body FROM items WHERE pk = ? AND sk >= ? ORDER BY sk"


class SQLiteItemTable:
    """Items as JSON; a condition is looked at within the transaction that writes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: Key) -> Item | None:
        """The item as it is committed."""
        rows = self._database.read("SELECT body FROM items WHERE pk = ? AND sk = ?", _place(key))
        return json.loads(rows[0][0]) if rows else None

    def put(self, item: Mapping[str, Any]) -> None:
        """Create or replace an item."""
        self._database.write(_PUT, _row(item))

    def put_new(self, item: Mapping[str, Any]) -> None:
        """Create an item; raises ConditionFailedError with the one that is there."""
        with self._database.transaction() as connection:
            _put_new(connection, item)

    def put_new_many(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Create those items that do not exist; leave the others alone."""
        self._database.write_many(_PUT_NEW, [_row(item) for item in items])

    def put_many(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Create or replace many items."""
        self._database.write_many(_PUT, [_row(item) for item in items])

    def update(self, key: Key, update: ItemUpdate) -> Item:
        """Set or remove attributes, add to numbers; the new item. Raises ConditionFailedError."""
        with self._database.transaction() as connection:
            return _update(connection, key, update)

    def delete(self, key: Key) -> None:
        """Remove an item; removing nothing is not an error."""
        self._database.write(_DELETE, _place(key))

    def delete_many(self, places: Sequence[Key]) -> None:
        """Remove many items."""
        self._database.write_many(_DELETE, [_place(key) for key in places])

    def update_and_delete(self, key: Key, update: ItemUpdate, *, delete: Key) -> None:
        """Update one item and delete another, both or neither. Raises ConditionFailedError."""
        with self._database.transaction() as connection:
            _update(connection, key, update)
            connection.execute(_DELETE, _place(delete))

    def update_and_put(
        self,
        key: Key,
        update: ItemUpdate,
        *,
        put: Mapping[str, Any],
        only_new: bool = False,
    ) -> None:
        """Update one item and put another, both or neither; `only_new` replaces no other item.

        Raises ConditionFailedError.
        """
        with self._database.transaction() as connection:
            _update(connection, key, update)
            if only_new:
                _put_new(connection, put)
            else:
                connection.execute(_PUT, _row(put))

    def put_new_and_put(self, new: Mapping[str, Any], *others: Mapping[str, Any]) -> None:
        """Create one item and put others, all or none. Raises ConditionFailedError."""
        with self._database.transaction() as connection:
            _put_new(connection, new)
            connection.executemany(_PUT, [_row(other) for other in others])

    def query(
        self,
        partition: str,
        *,
        prefix: str = "",
        limit: int | None = None,
        projection: Sequence[str] = (),
    ) -> list[Item]:
        """All items of a partition whose sort key has the prefix, by sort key in order."""
        if limit is None:
            rows = self._database.read(_PARTITION, (partition, prefix))
        else:
            rows = self._database.read(f"{_PARTITION} LIMIT ?", (partition, prefix, limit))
        items = [json.loads(body) for (body,) in rows]
        return _project([item for item in items if item["SK"].startswith(prefix)], projection)

    def query_page(self, query: PageQuery) -> tuple[list[Item], str | None]:
        """Items out of the next `limit`, and the sort key that they end with; None at the end."""
        beyond, order = ("AND sk < ?", "DESC") if query.last_first else ("AND sk > ?", "ASC")
        bounds = [query.since, query.until]
        if query.after is not None:
            bounds.append(query.after)
        # One more than is wanted tells whether there is more.
        rows = self._database.read(
            "SELECT body FROM items WHERE pk = ? AND sk BETWEEN ? AND ? "  # noqa: S608 - of our own words
            f"{beyond if query.after is not None else ''} ORDER BY sk {order} LIMIT ?",
            (query.partition, *bounds, query.limit + 1),
        )
        items = [json.loads(body) for (body,) in rows[: query.limit]]
        last = str(items[-1]["SK"]) if len(rows) > query.limit else None
        chosen = [item for item in items if _has(item, query.equal)]
        return _project(chosen, query.projection), last

    def get_many(self, wanted: Sequence[Key]) -> list[Item | None]:
        """The items, in the order of their keys."""
        return [self.get(key) for key in wanted]

    def query_many(self, partitions: Sequence[str], *, prefix: str = "") -> list[Item]:
        """The items of several partitions."""
        return [item for one in partitions for item in self.query(one, prefix=prefix)]


def _project(items: list[Item], projection: Sequence[str]) -> list[Item]:
    """The items with these attributes alone; without any, all that they have."""
    if not projection:
        return items
    return [{name: item[name] for name in projection if name in item} for item in items]


def _has(item: Item, wanted: Mapping[str, Any]) -> bool:
    """Whether an item has these values; None stands for any."""
    return all(
        item.get(name) == to_plain(value) for name, value in wanted.items() if value is not None
    )


def _place(key: Mapping[str, Any]) -> tuple[str, str]:
    return key["PK"], key["SK"]


def _row(item: Mapping[str, Any]) -> tuple[str, str, str]:
    body = {name: to_plain(value) for name, value in item.items() if value is not None}
    return item["PK"], item["SK"], json.dumps(body, ensure_ascii=False)


def _read(connection: sqlite3.Connection, key: Mapping[str, Any]) -> Item | None:
    row = connection.execute(
        "SELECT body FROM items WHERE pk = ? AND sk = ?", _place(key)
    ).fetchone()
    return None if row is None else json.loads(row[0])


def _put_new(connection: sqlite3.Connection, item: Mapping[str, Any]) -> None:
    if connection.execute(_PUT_NEW, _row(item)).rowcount == 0:
        raise ConditionFailedError(_read(connection, item))


def _update(connection: sqlite3.Connection, key: Key, update: ItemUpdate) -> Item:
    before = _read(connection, key)
    values = {name: to_plain(value) for name, value in update.values.items()}
    if update.condition and not holds(update.condition, before, names=update.names, values=values):
        raise ConditionFailedError(before)
    item: Item = {**(before or {}), **key}
    for name, value in update.changes.items():
        if value is None:
            item.pop(name, None)
        else:
            item[name] = to_plain(value)
    for name, number in update.add.items():
        item[name] = item.get(name, 0) + number
    connection.execute(_PUT, _row(item))
    return item
