"""Signatures of callbacks that were accepted, kept while their timestamps are good."""

from __future__ import annotations

from datetime import datetime

from assessment.adapters.aws import keys
from assessment.adapters.item_table import ItemTable


class DynamoDBSeenSignatures:
    """One item a signature; the table's time to live forgets it."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def was_seen(self, signature: str) -> bool:
        """Whether the signature was accepted, by a strongly consistent read."""
        return self._table.get(keys.signature(signature)) is not None

    def remember(self, signature: str, *, until: datetime) -> None:
        """Mark the signature as accepted."""
        self._table.put({**keys.signature(signature), "expires_at": int(until.timestamp())})
