"""Comparisons in the table: leases before paying, verdicts by transaction, pending marks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from assessment.adapters.aws import keys
from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.person_leases import DynamoDBPeopleQueue
from assessment.adapters.aws.table_requests import ItemUpdate, PageQuery
from assessment.adapters.item_table import ItemTable
from assessment.contracts.queue_messages import JudgeRequestV1
from assessment.domain.comparison import (
    Comparison,
    ComparisonStatus,
    JudgeFailure,
    Settlement,
)
from assessment.domain.errors import ComparisonLeasedError, UnknownComparisonError
from assessment.domain.identifiers import read_wave_number
from assessment.domain.verdict import ListVerdict, Verdict
from assessment.ports.stores import ComparisonPage

_LISTS_ONLY = ("further_ids", "predicted_pairs")
_DOCUMENTS = (*_LISTS_ONLY, "verdict", "failure", "spent_before")


class DynamoDBComparisonStore(DynamoDBPeopleQueue):
    """Comparisons spread by wave; every write is conditional on what is there."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def put_comparisons(self, batch_id: str, comparisons: Sequence[Comparison]) -> None:
        """Create those that do not exist yet."""
        self._table.put_new_many(
            [
                keys.comparison(batch_id, c.wave, c.comparison_id)
                | dict(c)
                | {name: getattr(c, name) or None for name in _LISTS_ONLY}
                for c in comparisons
            ]
        )

    def get_comparison(self, batch_id: str, wave_number: int, comparison_id: str) -> Comparison:
        """One comparison, strongly consistent."""
        item = self._table.get(keys.comparison(batch_id, wave_number, comparison_id))
        if item is None:
            raise UnknownComparisonError.from_id(batch_id, comparison_id)
        return _comparison(item)

    def list_comparisons(self, batch_id: str, n_waves: int) -> list[Comparison]:
        """All comparisons of the first waves, read in parallel, sorted by id."""
        partitions = [keys.comparison_partition(batch_id, n) for n in range(1, n_waves + 1)]
        comparisons = [_comparison(item) for item in self._table.query_many(partitions)]
        return sorted(comparisons, key=lambda comparison: comparison.comparison_id)

    def list_page(
        self, batch_id: str, n_waves: int, *, limit: int, cursor: str | None
    ) -> ComparisonPage:
        """Wave by wave from the one in which the cursor was planned, until the page is full."""
        comparisons: list[Comparison] = []
        wave_number = read_wave_number(cursor) if cursor else 1
        after = None if cursor is None else keys.comparison(batch_id, wave_number, cursor)["SK"]
        while wave_number <= n_waves and len(comparisons) < limit:
            items, after = self._table.query_page(
                PageQuery(
                    keys.comparison_partition(batch_id, wave_number),
                    limit=limit - len(comparisons),
                    after=after,
                    last_first=False,
                )
            )
            comparisons += [_comparison(item) for item in items]
            if after is None:
                wave_number += 1
        there_is_more = after is not None or wave_number <= n_waves
        return ComparisonPage(
            comparisons, comparisons[-1].comparison_id if comparisons and there_is_more else None
        )

    def resubmit(self, batch_id: str, comparison: Comparison, *, wave_number: int) -> None:
        """Raise the attempt once for this wave, unless a verdict came meanwhile."""
        try:
            self._table.update(
                keys.comparison(batch_id, comparison.wave, comparison.comparison_id),
                ItemUpdate(
                    {
                        "status": ComparisonStatus.PENDING,
                        "submitted_wave": wave_number,
                        "attempt": comparison.attempt + 1,
                        "sent": False,
                        "lease_until": None,
                        "on_demand": None,
                        "failure": None,
                        "calls": 0,
                        "repeated_calls": comparison.paid_again,
                        "spent_before": comparison.spent,
                    },
                    condition="attribute_not_exists(verdict) AND attempt = :old",
                    values={":old": comparison.attempt},
                ),
            )
        except ConditionFailedError:
            return

    def put_pending(
        self, batch_id: str, wave_number: int, comparisons: Sequence[Comparison]
    ) -> None:
        """Write the pending marks of the wave."""
        self._table.put_many(
            [
                {**keys.pending(batch_id, wave_number, c.comparison_id), "home_wave": c.wave}
                for c in comparisons
            ]
        )

    def clear_mark_if_settled(
        self, batch_id: str, wave_number: int, comparison: Comparison
    ) -> None:
        """Look once more, and remove the mark if a verdict or a failure is there."""
        current = self.get_comparison(batch_id, comparison.wave, comparison.comparison_id)
        if current.status is not ComparisonStatus.PENDING:
            self._table.delete(keys.pending(batch_id, wave_number, comparison.comparison_id))

    def list_pending(self, batch_id: str, wave_number: int) -> list[str]:
        """What the wave still waits for."""
        partition = keys.pending_partition(batch_id, wave_number)
        return [item["SK"] for item in self._table.query(partition, projection=("SK",))]

    def has_pending(self, batch_id: str, wave_number: int) -> bool:
        """One consistent read of one item tells."""
        return bool(self._table.query(keys.pending_partition(batch_id, wave_number), limit=1))

    def lease(
        self, request: JudgeRequestV1, *, now: datetime, seconds: int, is_submission: bool = False
    ) -> Comparison | None:
        """The worker that sets the lease may pay; the condition lets one do so at a time."""
        until = now + timedelta(seconds=seconds)
        try:
            item = self._table.update(
                self._key(request),
                ItemUpdate(
                    {"lease_until": until} | ({"calls": 1} if is_submission else {}),
                    add={} if is_submission else {"calls": 1},
                    condition="attribute_exists(PK) AND attribute_not_exists(verdict) "
                    "AND #status = :pending AND attempt = :attempt AND sent = :unsent "
                    "AND (attribute_not_exists(lease_until) OR lease_until < :now)",
                    names={"#status": "status"},
                    values={
                        ":pending": ComparisonStatus.PENDING,
                        ":attempt": request.attempt,
                        ":unsent": False,
                        ":now": now,
                    },
                ),
            )
        except ConditionFailedError as error:
            if error.item is None:
                raise UnknownComparisonError.from_id(
                    request.batch_id, request.comparison_id
                ) from error
            current = _comparison(error.item)
            if _awaits_judge(current) and current.attempt == request.attempt:
                raise ComparisonLeasedError(
                    f"comparison {request.comparison_id} is leased by another delivery"
                ) from error
            return None
        return _comparison(item)

    def mark_sent(self, request: JudgeRequestV1) -> None:
        """From here on a redelivered message does not pay again."""
        self._set_if_current(request, {"sent": True, "lease_until": None})

    def release(self, request: JudgeRequestV1, *, may_be_paid: bool = False) -> None:
        """Let the next delivery try again; once for a lease, however often it is repeated."""
        unpaid = None if may_be_paid else {"calls": -1}
        self._set_if_current(request, {"lease_until": None}, add=unpaid, is_leased=True)

    def reopen(self, request: JudgeRequestV1) -> None:
        """Undo `mark_sent` once, however often it is called."""
        try:
            self._table.update(
                self._key(request),
                ItemUpdate(
                    {"sent": False, "lease_until": None},
                    condition="attempt = :attempt AND sent = :sent "
                    "AND attribute_not_exists(verdict)",
                    values={":attempt": request.attempt, ":sent": True},
                    add={"calls": -1},
                ),
            )
        except ConditionFailedError:
            return

    def reopen_once(self, request: JudgeRequestV1) -> None:
        """Undo `mark_sent` once in an attempt; the mark of it stays."""
        try:
            self._table.update(
                self._key(request),
                ItemUpdate(
                    {"sent": False, "lease_until": None, "on_demand": True},
                    condition="attempt = :attempt AND sent = :sent "
                    "AND attribute_not_exists(verdict) AND attribute_not_exists(on_demand)",
                    values={":attempt": request.attempt, ":sent": True},
                    add={"calls": -1},
                ),
            )
        except ConditionFailedError:
            return

    def pin_model(self, batch_id: str, judge: str, served_model: str) -> str:
        """The first to come writes it; the others read it."""
        try:
            self._table.update(
                keys.served_model(batch_id, judge),
                ItemUpdate(
                    {"served_model": served_model}, condition="attribute_not_exists(served_model)"
                ),
            )
        except ConditionFailedError as error:
            return str((error.item or {}).get("served_model", served_model))
        return served_model

    def _set_if_current(
        self,
        request: JudgeRequestV1,
        changes: dict[str, Any],
        *,
        add: dict[str, int] | None = None,
        is_leased: bool = False,
    ) -> None:
        lease_condition = " AND attribute_exists(lease_until)" if is_leased else ""
        try:
            self._table.update(
                self._key(request),
                ItemUpdate(
                    changes,
                    condition=f"attempt = :attempt{lease_condition}",
                    values={":attempt": request.attempt},
                    add=add or {},
                ),
            )
        except ConditionFailedError:
            return

    def record_verdict(
        self,
        batch_id: str,
        wave_number: int,
        comparison_id: str,
        verdict: Verdict | ListVerdict,
        *,
        now: datetime,
    ) -> Settlement:
        """The first verdict stays, whichever attempt it came from and however late."""
        changes: dict[str, Any] = {
            "verdict": verdict,
            "status": ComparisonStatus.RECORDED,
            "settled_at": now,
        }
        # Most verdicts answer a first attempt, whose own wave waits for it: write before looking.
        attempt, submitted_wave = 1, wave_number
        unless = "attribute_not_exists(verdict) AND attribute_not_exists(failure)"
        while True:
            try:
                self._table.update_and_delete(
                    keys.comparison(batch_id, wave_number, comparison_id),
                    ItemUpdate(
                        changes,
                        condition=f"{unless} AND attempt = :attempt",
                        values={":attempt": attempt},
                    ),
                    delete=keys.pending(batch_id, submitted_wave, comparison_id),
                )
            except ConditionFailedError as error:
                current = self._read_obstacle(batch_id, wave_number, comparison_id, error)
                if current.verdict is not None:
                    return Settlement(settled=False, wave_number=current.submitted_wave)
                # It had failed, or was moved to a later wave: the same verdict, where it is now.
                attempt, submitted_wave = current.attempt, current.submitted_wave
                presence = "attribute_not_exists" if current.failure is None else "attribute_exists"
                unless = f"attribute_not_exists(verdict) AND {presence}(failure)"
                changes |= {"failure": None, "spent_before": current.spent}
            else:
                had_failed = "attribute_exists(failure)" in unless
                return Settlement(settled=True, wave_number=submitted_wave, had_failed=had_failed)

    def record_failure(
        self,
        batch_id: str,
        wave_number: int,
        comparison_id: str,
        failure: JudgeFailure,
        *,
        attempt: int,
        timed_out: bool = False,
        now: datetime,
    ) -> Settlement:
        """Settle this attempt as failed; an older attempt's failure says nothing any more."""
        status = ComparisonStatus.TIMED_OUT if timed_out else ComparisonStatus.FAILED
        submitted_wave = wave_number
        if attempt > 1:
            current = self.get_comparison(batch_id, wave_number, comparison_id)
            submitted_wave = current.submitted_wave
        try:
            self._table.update_and_delete(
                keys.comparison(batch_id, wave_number, comparison_id),
                ItemUpdate(
                    {"failure": failure, "status": status, "settled_at": now},
                    condition="#status = :pending AND attempt = :attempt",
                    names={"#status": "status"},
                    values={":pending": ComparisonStatus.PENDING, ":attempt": attempt},
                ),
                delete=keys.pending(batch_id, submitted_wave, comparison_id),
            )
        except ConditionFailedError as error:
            current = self._read_obstacle(batch_id, wave_number, comparison_id, error)
            return Settlement(settled=False, wave_number=current.submitted_wave)
        return Settlement(settled=True, wave_number=submitted_wave)

    def _read_obstacle(
        self, batch_id: str, wave_number: int, comparison_id: str, error: ConditionFailedError
    ) -> Comparison:
        """What stood in the way of a write; raises UnknownComparisonError if nothing stands."""
        if error.item is not None:
            return _comparison(error.item)
        return self.get_comparison(batch_id, wave_number, comparison_id)

    @staticmethod
    def _key(request: JudgeRequestV1) -> keys.Key:
        return keys.comparison(request.batch_id, request.wave, request.comparison_id)


def _awaits_judge(comparison: Comparison) -> bool:
    return comparison.status is ComparisonStatus.PENDING and not comparison.sent


def _comparison(item: Item) -> Comparison:
    return Comparison.model_validate(
        {name: json.loads(value) if name in _DOCUMENTS else value for name, value in item.items()}
    )
