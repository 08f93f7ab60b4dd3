"""Circuit breakers and rate limits in the table, so that all workers see the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from assessment.adapters.aws import keys
from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.table_requests import ItemUpdate
from assessment.adapters.item_table import ItemTable
from assessment.domain.circuit import Circuit, check_admission, count_failure
from assessment.domain.identifiers import draw_fraction
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import JudgeDeferredError

_TRIES = 5
_KEPT = timedelta(days=1)
_SPREAD_SECONDS = 10


class DynamoDBJudgeGate:
    """One small item per provider and model; written only when something fails or recovers."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table
        self._troubled: set[str] = set()

    def admit(self, judge: JudgeSpec, *, tokens: int, now: datetime) -> None:
        """Ask the circuit, then count the call against its minute."""
        circuit, version = self._read(judge)
        decision = check_admission(circuit, now=now)
        if decision.circuit is not None and not self._write(
            judge, decision.circuit, version, now=now
        ):
            decision = check_admission(self._read(judge)[0], now=now)
        if decision.wait_seconds > 0:
            raise JudgeDeferredError(
                f"{judge.provider} is failing and is not asked for {decision.wait_seconds:.0f} s",
                retry_after=decision.wait_seconds + _spread(judge, now),
            )
        self._count(judge, tokens, now)

    def record_success(self, judge: JudgeSpec) -> None:
        """Close the circuit if this process has seen it troubled."""
        if judge.circuit not in self._troubled:
            return
        self._table.delete(keys.circuit(judge.circuit))
        self._troubled.discard(judge.circuit)

    def record_failure(
        self,
        judge: JudgeSpec,
        *,
        retry_after: float | None,
        now: datetime,
        reason: str | None = None,
        code: str | None = None,
    ) -> None:
        """Count the failure; a lost race is tried again, a lost count is no harm."""
        for _ in range(_TRIES):
            circuit, version = self._read(judge)
            failing = count_failure(
                circuit, now=now, retry_after=retry_after, reason=reason, code=code
            )
            if self._write(judge, failing, version, now=now):
                self._troubled.add(judge.circuit)
                return

    def get_circuit(self, judge: JudgeSpec) -> Circuit:
        """What the table knows of the provider's health."""
        return self._read(judge)[0]

    def list_circuits(self, judges: Sequence[JudgeSpec]) -> list[Circuit]:
        """What the table knows of each, read together."""
        items = self._table.get_many([keys.circuit(judge.circuit) for judge in judges])
        return [Circuit() if item is None else _circuit(item) for item in items]

    def _read(self, judge: JudgeSpec) -> tuple[Circuit, int]:
        item = self._table.get(keys.circuit(judge.circuit))
        if item is None:
            self._troubled.discard(judge.circuit)
            return Circuit(), 0
        self._troubled.add(judge.circuit)
        return _circuit(item), item.get("version", 0)

    def _write(self, judge: JudgeSpec, circuit: Circuit, version: int, *, now: datetime) -> bool:
        item: dict[str, Any] = {
            **dict(circuit),
            "version": version + 1,
            "expires_at": int((now + _KEPT).timestamp()),
        }
        try:
            self._table.update(
                keys.circuit(judge.circuit),
                ItemUpdate(
                    item,
                    condition="attribute_not_exists(PK) OR version = :before"
                    if version == 0
                    else "version = :before",
                    values={":before": version},
                ),
            )
        except ConditionFailedError:
            return False
        return True

    def _count(self, judge: JudgeSpec, tokens: int, now: datetime) -> None:
        """Add the call to its minute; a minute that is full defers it to the next one."""
        limits = []
        values: dict[str, Any] = {}
        if judge.requests_per_minute is not None:
            limits.append("requests < :requests_limit")
            values[":requests_limit"] = judge.requests_per_minute
        if judge.tokens_per_minute is not None:
            limits.append("tokens <= :tokens_room")
            values[":tokens_room"] = judge.tokens_per_minute - tokens
        if not limits:
            return
        minute = now.replace(second=0, microsecond=0)
        try:
            self._table.update(
                keys.judge_minute(judge.circuit, minute),
                ItemUpdate(
                    {"expires_at": int((now + _KEPT).timestamp())},
                    condition=f"attribute_not_exists(PK) OR ({' AND '.join(limits)})",
                    values=values,
                    add={"requests": 1, "tokens": tokens},
                ),
            )
        except ConditionFailedError as error:
            seconds_left = 60.0 - (now - minute).total_seconds()
            raise JudgeDeferredError(
                f"the limits of {judge.label or judge.provider} are reached for this minute",
                retry_after=seconds_left + _spread(judge, now),
            ) from error


def _spread(judge: JudgeSpec, now: datetime) -> float:
    """Seconds by which waiting workers come back apart from each other."""
    return draw_fraction(f"{judge.circuit}\x1f{now.isoformat()}") * _SPREAD_SECONDS


def _circuit(item: Item) -> Circuit:
    return Circuit.model_validate(
        {name: item[name] for name in Circuit.model_fields if name in item}
    )
