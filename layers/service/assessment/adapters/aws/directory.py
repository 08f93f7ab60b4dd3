"""Which organisation a batch is of."""

from __future__ import annotations

from functools import lru_cache

from assessment.adapters.aws import keys
from assessment.adapters.item_table import ItemTable
from assessment.domain.errors import UnknownBatchError

_CACHED_BATCHES = 1024


class DynamoDBDirectory:
    """For the machinery, to which messages and steps name a batch by its id alone."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table
        # A batch stays with its organisation, so a warm function need not read it twice.
        self.get_organisation = lru_cache(maxsize=_CACHED_BATCHES)(self._read_organisation)

    def _read_organisation(self, batch_id: str) -> str:
        item = self._table.get(keys.directory(batch_id))
        if item is None:
            raise UnknownBatchError.from_id(batch_id)
        return str(item["organisation"])
