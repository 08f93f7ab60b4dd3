"""Growing pauses between repeats of the same request, spread at random."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

TRIES = 8
"""How often a part that a service left undone is sent before the step fails."""


@dataclass(frozen=True)
class Pauses:
    """Full jitter: uniform between zero and a bound that doubles (AWS Architecture Blog,
    "Exponential Backoff And Jitter", 2015).

    Attributes
    ----------
    first, longest
        The bound before the second try, and the largest bound, in seconds.
    """

    sleep: Callable[[float], None] = time.sleep
    # Spread keeps workers apart; nothing that is stored depends on it.
    rng: random.Random = field(default_factory=random.Random)
    first: float = 0.1
    longest: float = 5.0

    def await_repeat(self, repeat: int) -> None:
        """Wait before the repeat; the first repeat is number 1."""
        bound = min(self.longest, self.first * 2 ** (repeat - 1))
        self.sleep(self.rng.uniform(0.0, bound))
