"""The audit trail in the table: every entry by time, and those of a batch beside it too."""

from __future__ import annotations

from assessment.adapters.aws import keys
from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.table_requests import PageQuery
from assessment.adapters.item_table import ItemTable
from assessment.domain.audit import AuditEntry
from assessment.ports.stores import AuditPage


class DynamoDBAuditTrail:
    """Entries of one organisation. There is no way to change or remove one."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def append(self, entry: AuditEntry) -> None:
        """Add the entry, to the trail of its batch too, all or nothing.

        The client repeats a write whose answer did not come, and then finds its own entry there.
        """
        body = entry.model_dump_json()
        entry_id = f"{entry.change_id}#{entry.phase}"
        key = keys.audit_entry(entry.moment, entry_id)
        new = {**key, "entry": body}
        try:
            if entry.batch_id is None:
                self._table.put_new(new)
            else:
                batch_key = keys.batch_audit_entry(entry.batch_id, entry.moment, entry_id)
                self._table.put_new_and_put(new, {**batch_key, "entry": body})
        except ConditionFailedError:
            if (self._table.get(key) or {}).get("entry") != body:
                raise

    def list_entries(self, *, limit: int, cursor: str | None) -> AuditPage:
        """The newest first."""
        items, following = self._table.query_page(PageQuery(keys.AUDIT, limit=limit, after=cursor))
        return AuditPage([_entry(item) for item in items], following)

    def list_of_batch(self, batch_id: str) -> list[AuditEntry]:
        """The oldest first."""
        return [_entry(item) for item in self._table.query(keys.batch_audit(batch_id))]


def _entry(item: Item) -> AuditEntry:
    return AuditEntry.model_validate_json(item["entry"])
