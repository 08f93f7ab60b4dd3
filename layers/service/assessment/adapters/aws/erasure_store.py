"""Records of erasures in the table, and the marks that they leave on batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from assessment.adapters.aws import keys
from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.batch_items import read_batch_item
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.table_requests import ItemUpdate, PageQuery
from assessment.adapters.item_table import ItemTable
from assessment.domain.batch import Batch
from assessment.domain.erasure import ERASED, Erasure
from assessment.domain.errors import TransientError, UnknownBatchError
from assessment.ports.erasure import ExpiredBatch, UnfinishedErasure

_TRIES = 10
_BEFORE = "status_before"


class DynamoDBErasureStore:
    """One item an erasure, and one in a list for as long as it is not closed."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def put(self, erasure: Erasure, *, now: datetime) -> None:
        """The list first: a record that nobody goes on with would be forgotten."""
        listed = keys.unfinished_erasure(erasure.batch_id, erasure.erasure_id)
        if not erasure.is_closed:
            self._table.put({**listed, "touched_at": now})
        self._table.put({**keys.erasure(erasure.batch_id, erasure.erasure_id), "erasure": erasure})
        if erasure.is_closed:
            self._table.delete(listed)

    def get(self, batch_id: str, erasure_id: str) -> Erasure | None:
        """The record."""
        item = self._table.get(keys.erasure(batch_id, erasure_id))
        return None if item is None else _erasure(item)

    def list_of_batch(self, batch_id: str) -> list[Erasure]:
        """By time of the request."""
        items = self._table.query(keys.erasures_partition(batch_id))
        return sorted(
            (_erasure(item) for item in items),
            key=lambda each: (each.requested_at, each.erasure_id),
        )

    def list_unfinished(self) -> list[UnfinishedErasure]:
        """From the list of all organisations."""
        unfinished = []
        for item in self._table.query("ERASING"):
            batch_id, _, erasure_id = str(item["SK"]).partition("#")
            touched_at = datetime.fromisoformat(item["touched_at"])
            unfinished.append(UnfinishedErasure(batch_id, erasure_id, touched_at))
        return sorted(unfinished, key=lambda each: each.touched_at)

    def list_expired(self, *, now: datetime, limit: int) -> list[ExpiredBatch]:
        """From the list of all organisations."""
        items, _ = self._table.query_page(
            PageQuery(keys.RETENTION, limit=limit, until=keys.sortable(now), last_first=False)
        )
        expired = []
        for item in items:
            moment, _, batch_id = str(item["SK"]).partition("#")
            expired.append(ExpiredBatch(batch_id, datetime.fromisoformat(moment)))
        return expired

    def forget_expired(self, expired: ExpiredBatch) -> None:
        """By its place in the list."""
        self._table.delete(keys.expiry(expired.expires_at, expired.batch_id))

    def mark_batch(self, batch_id: str, *, now: datetime) -> Batch | None:
        """One conditional write: every other write of the lifecycle demands another status."""
        for _ in range(_TRIES):
            item = self._table.get(keys.batch(batch_id))
            if item is None:
                raise UnknownBatchError.from_id(batch_id)
            if item["status"] == ERASED:
                return self._unlist(item)
            try:
                marked = self._table.update(
                    keys.batch(batch_id),
                    ItemUpdate(
                        {"status": ERASED, _BEFORE: item["status"], "updated_at": now},
                        condition="#status = :read",
                        names={"#status": "status"},
                        values={":read": item["status"]},
                    ),
                )
            except ConditionFailedError:
                continue
            return self._unlist(marked)
        raise TransientError("the batch moves on at the same time; ask again")

    def _unlist(self, item: Item) -> Batch | None:
        if _BEFORE not in item:
            return None
        batch = read_batch_item({**item, "status": item[_BEFORE]})
        self._table.delete(keys.active(batch.batch_id))
        self._table.delete(keys.listed_batch(batch.created_at, batch.batch_id))
        if batch.expires_at is not None:
            self._table.delete(keys.expiry(batch.expires_at, batch.batch_id))
        return batch

    def bury_batch(self, batch_id: str, *, now: datetime) -> None:
        """The same key, so that no other batch can ever have it."""
        self._table.put({**keys.batch(batch_id), "status": ERASED, "erased_at": now})


def _erasure(item: dict[str, Any]) -> Erasure:
    return Erasure.model_validate_json(item["erasure"])
