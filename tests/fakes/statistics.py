"""The real statistics, which calculate once what tests ask for again and again.

A test that lets a step die at each of its calls asks for the same fit each time. The statistics are
functions of their arguments, seeds included; that they are is for the tests of `scoring`, and for
those that take `ScoringStatistics` itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from assessment.ports.statistics import Statistics
from assessment.statistics.engine import ScoringStatistics

N_KEPT = 300


class RememberingStatistics:
    """Statistics that keep their last answers; every caller gets a copy of its own."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics
        self._answers: dict[bytes, bytes] = {}

    def plan(self, *arguments: Any, **settings: Any) -> Any:
        """As the statistics."""
        return self._recall(self._statistics.plan, arguments, settings)

    def score(self, *arguments: Any, **settings: Any) -> Any:
        """As the statistics."""
        return self._recall(self._statistics.score, arguments, settings)

    def conclude(self, *arguments: Any, **settings: Any) -> Any:
        """As the statistics."""
        return self._recall(self._statistics.conclude, arguments, settings)

    def _recall(
        self, calculate: Callable[..., Any], arguments: tuple[Any, ...], settings: dict[str, Any]
    ) -> Any:
        key = pickle.dumps((calculate.__name__, arguments, settings))
        if key not in self._answers:
            if len(self._answers) >= N_KEPT:
                del self._answers[next(iter(self._answers))]
            self._answers[key] = pickle.dumps(calculate(*arguments, **settings))
        return pickle.loads(self._answers[key])  # noqa: S301 - what was written above


STATISTICS = RememberingStatistics(ScoringStatistics())
"""Of all tests of a process."""
