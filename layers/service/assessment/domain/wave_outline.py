"""What a wave is to consist of, before anybody chooses which essays meet in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assessment.domain.readings import PAIR


@dataclass(frozen=True, kw_only=True)
class WaveOutline:
    """How many essays each comparison of a wave has, and what is asked of the choice of them.

    `sizes` are the essays of each comparison that is wanted, 2 of a pair. Those at `pair_places`
    are of judges who are asked for pairs only. With `shares_essays` pairs share essays, for calls
    that print each text once. With `has_random_lists` no list is of neighbours.
    """

    wave_number: int
    sizes: Sequence[int]
    pair_places: frozenset[int] = frozenset()
    shares_essays: bool = False
    has_random_lists: bool = False

    @property
    def has_lists(self) -> bool:
        """Whether anybody is asked for a list."""
        return any(size > PAIR for size in self.sizes)

    @property
    def n_strategic_pairs(self) -> int:
        """How many pairs follow the batch's strategy; all of a wave in which there are no lists."""
        return len(self.pair_places) if self.has_lists else len(self.sizes)

    @property
    def other_sizes(self) -> list[int]:
        """The essays of each list, and of each pair beside lists, which is random."""
        if not self.has_lists:
            return []
        return [size for place, size in enumerate(self.sizes) if place not in self.pair_places]
