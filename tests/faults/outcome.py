"""What a run of a batch ends with, to be compared with other runs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.faults.calls import Call


@dataclass(frozen=True)
class Outcome:
    """What a journey came to."""

    status: str
    result: dict[str, Any] | None
    lines: str
    events: Counter[str]
    paid_again: int
    calls: tuple[Call, ...]
    hit: bool
    left_out: tuple[str, ...] = ()

    @property
    def comparable(self) -> str:
        """The result's bytes without the count of calls that were in flight; or who won what.

        A batch has a random id, and another one where its request died before it was stored.
        """
        if self.result is None:
            known = [json.loads(line) for line in self.lines.splitlines()]
            won = [(each["comparison_id"], (each["verdict"] or {}).get("winner")) for each in known]
            return json.dumps(sorted(won, key=str))
        told = self.result | dict.fromkeys(("correlation_id", *self.left_out), 0)
        told["repeated_calls"] = 0
        return json.dumps(told, sort_keys=True).replace(self.result["batch_id"], "batch")
