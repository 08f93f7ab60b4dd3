"""The statistics of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from assessment.domain.comparison import Comparison, PlannedList, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.result import Conclusion, Scores
from assessment.domain.spec import BatchSpec
from assessment.domain.surface import SurfaceFeatures
from assessment.domain.wave_outline import WaveOutline


class Statistics(Protocol):
    """The maths, on the essays of one specification and the comparisons made of them."""

    def plan(
        self,
        spec: BatchSpec,
        comparisons: Sequence[Comparison],
        *,
        config: BatchConfig,
        seed: int,
        outline: WaveOutline,
    ) -> list[PlannedPair | PlannedList]:
        """The next wave's new comparisons; none when every pair was used.

        A pair may come instead of a list, and further ones for what lists leave unread. Pairs of
        judges of pairs follow the strategy as in a wave of pairs; those beside lists are random.
        """

    def score(
        self, spec: BatchSpec, comparisons: Sequence[Comparison], *, config: BatchConfig
    ) -> Scores:
        """Abilities with standard errors; raises ScoringFailedError."""

    def conclude(
        self,
        spec: BatchSpec,
        comparisons: Sequence[Comparison],
        *,
        config: BatchConfig,
        measured_at: str = "",
        surface: Mapping[str, SurfaceFeatures] | None = None,
    ) -> Conclusion:
        """The last fit with grades, rank intervals and reliabilities; raises ScoringFailedError.

        `measured_at` dates the batch's measurement of its anchors. `surface` are the figures of the
        texts by essay id; without them there are no baselines.
        """
