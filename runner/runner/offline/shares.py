"""Shares of what was counted, with their intervals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scoring.proportions import wilson_interval


@dataclass(frozen=True)
class Share:
    """A share with its 95% interval by Wilson (1927); None where nothing was counted."""

    name: str
    n_hits: int
    n_counted: int

    @property
    def value(self) -> float | None:
        """The share."""
        return self.n_hits / self.n_counted if self.n_counted else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's score interval."""
        return (
            wilson_interval(self.n_hits / self.n_counted, self.n_counted)
            if self.n_counted
            else None
        )


def count_share(name: str, outcomes: Iterable[bool]) -> Share:
    """The share of outcomes that are true."""
    counted = list(outcomes)
    return Share(name, sum(counted), len(counted))
