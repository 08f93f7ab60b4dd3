"""Batches and waves in the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from assessment.adapters.aws import keys
from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.batch_items import WAVE_SUMMARY, read_batch_item, read_wave_item
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.person_leases import read_person_item
from assessment.adapters.aws.table_requests import ItemUpdate, PageQuery
from assessment.adapters.item_table import ItemTable
from assessment.domain.batch import (
    FINAL_STATUSES,
    Batch,
    BatchStatus,
    check_transition,
    find_resumed_status,
    list_sources,
)
from assessment.domain.config import BatchConfig, Source
from assessment.domain.erasure import ERASED
from assessment.domain.errors import IllegalTransitionError, UnknownBatchError
from assessment.domain.invitation import Person
from assessment.domain.judge import JudgeSpec
from assessment.domain.wave import Wave
from assessment.ports.stores import BatchFilter, BatchPage, KeyClaim

_CACHED_KEYS = 256
# A filter may leave nothing of a page: after so many the caller asks again from the cursor.
_PAGES_AT_ONCE = 5
# Batches of earlier versions do not have the attribute.
_EXECUTIONS_AS_READ = "(attribute_not_exists(n_executions) OR n_executions = :read)"


class DynamoDBBatchStore:
    """Batches with their lifecycle held by conditional writes."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table
        self._correlation_ids: dict[str, str] = {}
        # Key and judges never change, so a warm function need not read them twice.
        self._cached_sender = lru_cache(maxsize=_CACHED_KEYS)(self._read_sender)

    def claim_key(self, key: str, *, batch_id: str, request_sha256: str) -> KeyClaim:
        """The first claim stands; whoever comes later is told of it."""
        claim = KeyClaim(batch_id, request_sha256)
        try:
            self._table.put_new({**keys.key_claim(key), **claim._asdict()})
        except ConditionFailedError as error:
            if error.item is None:
                raise
            return KeyClaim(error.item["batch_id"], error.item["request_sha256"])
        return claim

    def create_batch(self, batch: Batch) -> bool:
        """Store the batch, list it as active and under its organisation, all or nothing."""
        try:
            expiries = [keys.expiry(batch.expires_at, batch.batch_id)] if batch.expires_at else []
            self._table.put_new_and_put(
                {**keys.batch(batch.batch_id), **dict(batch)},
                {**keys.active(batch.batch_id), "created_at": batch.created_at},
                {**keys.directory(batch.batch_id), "organisation": batch.organisation},
                {
                    **keys.listed_batch(batch.created_at, batch.batch_id),
                    "batch_id": batch.batch_id,
                    "assignment_id": batch.assignment_id,
                },
                *expiries,
            )
        except ConditionFailedError:
            return False
        return True

    def count_batches(self, *, since: datetime, limit: int) -> int:
        """Entries of the list by time, of which only the keys come back."""
        n_found, cursor = 0, None
        while True:
            items, cursor = self._table.query_page(
                PageQuery(
                    keys.BATCHES,
                    limit=limit - n_found,
                    since=keys.sortable(since),
                    after=cursor,
                    projection=("SK",),
                )
            )
            n_found += len(items)
            if cursor is None or n_found >= limit:
                return n_found

    def list_batches(self, wanted: BatchFilter, *, limit: int, cursor: str | None) -> BatchPage:
        """Entries of the list by time, page by page of the database, then their batches."""
        since, before = wanted.created_since, wanted.created_before
        batches: list[Batch] = []
        for _ in range(_PAGES_AT_ONCE):
            items, cursor = self._table.query_page(
                PageQuery(
                    keys.BATCHES,
                    limit=limit - len(batches),
                    since=keys.sortable(since) if since else " ",
                    until=keys.sortable(before) if before else "~",
                    after=cursor,
                    equal={"assignment_id": wanted.assignment_id},
                )
            )
            batches += self._read_batches(items, wanted)
            if cursor is None or len(batches) >= limit:
                break
        return BatchPage(batches, cursor)

    def _read_batches(self, items: Sequence[Item], wanted: BatchFilter) -> list[Batch]:
        stored = self._table.get_many([keys.batch(item["batch_id"]) for item in items])
        batches = [
            read_batch_item(item)
            for item in stored
            if item is not None and item["status"] != ERASED
        ]
        return [batch for batch in batches if wanted.status in (None, batch.status)]

    def get_callback_key(self, batch_id: str) -> str:
        """The key of the batch's callback tokens, from the cache when it was read before."""
        return self._cached_sender(batch_id)[0]

    def get_judges(self, batch_id: str) -> tuple[JudgeSpec, ...]:
        """The batch's judges, from the cache when they were read before."""
        return self._cached_sender(batch_id)[1]

    def _read_sender(self, batch_id: str) -> tuple[str, tuple[JudgeSpec, ...]]:
        batch = self.get_batch(batch_id)
        return batch.callback_key, batch.judges

    def get_batch(self, batch_id: str) -> Batch:
        """The batch, strongly consistent."""
        item = self._table.get(keys.batch(batch_id))
        if item is None:
            raise UnknownBatchError.from_id(batch_id)
        batch = read_batch_item(item)
        self._remember(batch_id, batch.correlation_id)
        return batch

    def transition(
        self, batch_id: str, target: BatchStatus, *, now: datetime, **changes: Any
    ) -> Batch:
        """Move the status by one conditional write; a final status also ends the active listing."""
        repeatable = frozenset() if target in FINAL_STATUSES else {target}
        allowed = sorted(list_sources(target) | repeatable)
        try:
            item = self._table.update(
                keys.batch(batch_id),
                ItemUpdate(
                    {"status": target, "updated_at": now, **changes},
                    condition=f"#status IN ({', '.join(f':s{i}' for i in range(len(allowed)))})",
                    names={"#status": "status"},
                    values={f":s{i}": status for i, status in enumerate(allowed)},
                ),
            )
        except ConditionFailedError as error:
            if error.item is None:
                raise UnknownBatchError.from_id(batch_id) from error
            batch = read_batch_item(error.item)
            if batch.status is not target:
                check_transition(batch.status, target)
                raise
            item = error.item
        if target in FINAL_STATUSES:
            self._table.delete(keys.active(batch_id))
        return read_batch_item(item)

    def resume(self, batch_id: str, *, now: datetime) -> Batch:
        """Take back the failure and list the batch as active, both or neither."""
        batch = self.get_batch(batch_id)
        changes = {
            "status": find_resumed_status(batch),
            "failure": None,
            "outcome": None,
            "failed_from": None,
            "n_executions": batch.n_executions + 1,
            "updated_at": now,
        }
        try:
            self._table.update_and_put(
                keys.batch(batch_id),
                ItemUpdate(
                    changes,
                    condition=f"#status = :failed AND {_EXECUTIONS_AS_READ}",
                    names={"#status": "status"},
                    values={":failed": BatchStatus.FAILED, ":read": batch.n_executions},
                ),
                put={**keys.active(batch_id), "created_at": batch.created_at},
            )
        except ConditionFailedError:
            # Another worker has resumed it; whether it can be resumed is checked again.
            return self.get_batch(batch_id)
        return batch.model_copy(update=changes)

    def renew_execution(self, batch: Batch) -> Batch:
        """Count one more execution if the batch stands as it was read."""
        try:
            item = self._table.update(
                keys.batch(batch.batch_id),
                ItemUpdate(
                    {"n_executions": batch.n_executions + 1},
                    condition=f"#status = :status AND {_EXECUTIONS_AS_READ}",
                    names={"#status": "status"},
                    values={":status": batch.status, ":read": batch.n_executions},
                ),
            )
        except ConditionFailedError:
            return self.get_batch(batch.batch_id)
        return read_batch_item(item)

    def list_active_batches(self) -> list[str]:
        """Batches that have not ended; those that were never checked come first."""
        items = self._table.query("ACTIVE", projection=("SK", "looked_at"))
        items.sort(key=lambda item: (item.get("looked_at", ""), item["SK"]))
        return [item["SK"].removeprefix("BATCH#") for item in items]

    def note_look(self, batch_id: str, *, now: datetime) -> None:
        """The condition keeps a batch that has ended meanwhile from being listed again."""
        try:
            self._table.update(
                keys.active(batch_id),
                ItemUpdate({"looked_at": now}, condition="attribute_exists(PK)"),
            )
        except ConditionFailedError:
            return

    def note_reminders(self, batch_id: str, n_reminders: int) -> None:
        """By a condition, so that two rounds of the watchdog never count back."""
        try:
            self._table.update(
                keys.batch(batch_id),
                ItemUpdate(
                    {"n_reminders": n_reminders},
                    condition="attribute_exists(PK) AND "
                    "(attribute_not_exists(n_reminders) OR n_reminders < :noted)",
                    values={":noted": n_reminders},
                ),
            )
        except ConditionFailedError:
            return

    def move_deadline(
        self, batch_id: str, config: BatchConfig, sources: Mapping[str, Source], *, now: datetime
    ) -> Batch:
        """By a condition on the status; reminders of another deadline are counted anew."""
        running = sorted(set(BatchStatus) - FINAL_STATUSES)
        try:
            item = self._table.update(
                keys.batch(batch_id),
                ItemUpdate(
                    {
                        "config": config,
                        "config_sources": dict(sources),
                        "deadline_moved_at": now,
                        "n_reminders": 0,
                    },
                    condition=f"#status IN ({', '.join(f':s{i}' for i in range(len(running)))})",
                    names={"#status": "status"},
                    values={f":s{i}": status for i, status in enumerate(running)},
                ),
            )
        except ConditionFailedError as error:
            if error.item is None:
                raise UnknownBatchError.from_id(batch_id) from error
            status = read_batch_item(error.item).status
            raise IllegalTransitionError(f"status: the batch is {status}") from None
        return read_batch_item(item)

    def put_wave(self, batch_id: str, wave: Wave) -> Wave:
        """The plan is committed by this one write; a second writer takes the first plan."""
        item = {
            **keys.wave(batch_id, wave.wave),
            **{name: value for name, value in dict(wave).items() if value not in (None, [])},
        }
        try:
            self._table.put_new(item)
        except ConditionFailedError:
            existing = self.get_wave(batch_id, wave.wave)
            if existing is None:
                raise
            return existing
        return wave

    def get_wave(self, batch_id: str, wave_number: int) -> Wave | None:
        """The wave with all that its item holds."""
        item = self._table.get(keys.wave(batch_id, wave_number))
        return None if item is None else read_wave_item(item)

    def list_waves(self, batch_id: str) -> list[Wave]:
        """All waves without plans and contexts."""
        items = self._table.query(
            keys.batch(batch_id)["PK"], prefix="WAVE#", projection=WAVE_SUMMARY
        )
        return [read_wave_item(item) for item in items]

    def read_with_waves(self, batch_id: str) -> tuple[Batch, list[Wave]]:
        """One query: the record and its waves lie in one partition."""
        names = (*WAVE_SUMMARY, *Batch.model_fields)
        items = self._table.query(
            keys.batch(batch_id)["PK"], projection=tuple(dict.fromkeys(names))
        )
        record = next((item for item in items if item["SK"] == keys.batch(batch_id)["SK"]), None)
        if record is None:
            raise UnknownBatchError.from_id(batch_id)
        batch = read_batch_item(record)
        self._remember(batch_id, batch.correlation_id)
        return batch, [read_wave_item(item) for item in items if item is not record]

    def read_with_person(self, batch_id: str, name: str) -> tuple[Batch, Person]:
        """One read of two items, strongly consistent."""
        wanted = [keys.batch(batch_id), keys.person(batch_id, name)]
        record, person = self._table.get_many(wanted)
        if record is None:
            raise UnknownBatchError.from_id(batch_id)
        batch = read_batch_item(record)
        self._remember(batch_id, batch.correlation_id)
        return batch, read_person_item(name, person)

    def find_correlation_id(self, batch_id: str) -> str | None:
        """The correlation id of a batch that this process has read before; costs no read."""
        return self._correlation_ids.get(batch_id)

    def _remember(self, batch_id: str, correlation_id: str) -> None:
        if len(self._correlation_ids) >= _CACHED_KEYS:
            self._correlation_ids.clear()
        self._correlation_ids[batch_id] = correlation_id

    def count_settled(
        self, batch_id: str, wave_number: int, *, n_recorded: int, n_failed: int
    ) -> None:
        """Add to the counts in the wave's item."""
        added = {"n_recorded": n_recorded, "n_failed": n_failed}
        self._table.update(
            keys.wave(batch_id, wave_number),
            ItemUpdate(
                {},
                add={name: number for name, number in added.items() if number},
                condition="attribute_exists(PK)",
            ),
        )

    def update_wave(self, batch_id: str, wave_number: int, **changes: Any) -> None:
        """Set attributes of an existing wave."""
        self._table.update(
            keys.wave(batch_id, wave_number), ItemUpdate(changes, condition="attribute_exists(PK)")
        )
