"""What endpoints turned out not to understand: one small item each, so that all workers know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from assessment.adapters.aws import keys
from assessment.adapters.aws.table_requests import ItemUpdate
from assessment.adapters.item_table import ItemTable
from assessment.domain.judge import JudgeSpec

_KEPT = timedelta(days=7)
"""Endpoints are improved: after a week one is asked the modern way again."""

_FRESH = timedelta(minutes=1)
"""How long a process that lives on may not know what others have learnt."""


class DynamoDBCapabilities:
    """Read once a minute for each endpoint and model, and written when something is learnt."""

    def __init__(
        self, table: ItemTable, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._table = table
        self._clock = clock
        self._known: dict[str, tuple[frozenset[str], datetime]] = {}

    def get_missing(self, judge: JudgeSpec) -> frozenset[str]:
        """What this judge's endpoint does not understand."""
        now = self._clock()
        missing, read_at = self._known.get(judge.circuit, (frozenset(), None))
        if read_at is None or now - read_at >= _FRESH:
            item = self._table.get(keys.capabilities(judge.circuit)) or {}
            # DynamoDB deletes what has expired within days, not at once.
            stale = int(item.get("expires_at", 0)) <= now.timestamp()
            names = () if stale else (name for name in item if name.startswith("lacks_"))
            missing = frozenset(name.removeprefix("lacks_") for name in names)
            self._known[judge.circuit] = missing, now
        return missing

    def record_missing(self, judge: JudgeSpec, what: str) -> None:
        """Add to the item; what another worker learnt meanwhile stays."""
        now = self._clock()
        self._known[judge.circuit] = self.get_missing(judge) | {what}, now
        until = int((now + _KEPT).timestamp())
        self._table.update(
            keys.capabilities(judge.circuit),
            ItemUpdate({f"lacks_{what}": True, "expires_at": until}),
        )
