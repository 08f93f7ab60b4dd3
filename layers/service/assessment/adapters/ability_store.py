"""What endpoints turned out not to understand: one small item each, so that all workers know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from assessment.adapters import keys
from assessment.adapters.dynamodb import Table
from assessment.domain.judge import JudgeSpec

_KEPT = timedelta(days=7)
"""Endpoints are improved: after a week one is asked the modern way again."""


class DynamoDBAbilities:
    """Read once in a process for each endpoint and model, and written when something is learnt."""

    def __init__(
        self, table: Table, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._table = table
        self._clock = clock
        self._known: dict[str, frozenset[str]] = {}

    def lacking(self, judge: JudgeSpec) -> frozenset[str]:
        """What this judge's endpoint does not understand."""
        if judge.circuit not in self._known:
            item = self._table.get(keys.abilities(judge.circuit)) or {}
            self._known[judge.circuit] = frozenset(
                name.removeprefix("lacks_") for name in item if name.startswith("lacks_")
            )
        return self._known[judge.circuit]

    def learn(self, judge: JudgeSpec, what: str) -> None:
        """Add to the item; what another worker learnt meanwhile stays."""
        self._known[judge.circuit] = self.lacking(judge) | {what}
        until = int((self._clock() + _KEPT).timestamp())
        self._table.update(
            keys.abilities(judge.circuit), {f"lacks_{what}": True, "expires_at": until}
        )
