"""What a batch's comparisons add up to when a decision is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from assessment.domain.batch import Batch, find_cap_per_essay, possible_pairs
from assessment.domain.comparison import Comparison, ComparisonStatus, retry_pool
from assessment.domain.failed_lists import drop_failed_lists, replace_failed_lists
from assessment.domain.finishing import minutes_until_finish
from assessment.domain.judges_in_lists import JudgesInLists
from assessment.domain.not_assessed import AssessedPart
from assessment.domain.planning import (
    choose_repeats,
    count_resampling_passes,
    count_room,
    list_met_pairs,
)
from assessment.domain.readings import count_in_pairs


@dataclass(frozen=True)
class BatchEvidence:
    """What the comparisons of the assessed essays add up to.

    `n_readings_left` is how many readings the caps still allow, `n_unjudged_pairs` how many
    different pairs nobody was asked about, `n_passes` how often every comparison was judged again,
    and `may_repeat` whether one may be once more. `n_replaced` are lists that failed and that pairs
    stand in for. `n_cut_off` are those of the last wave that `finish_by` cut off: nobody failed
    them. `retryable` are failed ones that may be submitted again, and `n_instead` counts the pairs
    that are still to stand in for lists.
    """

    n_essays: int
    comparisons: list[Comparison]
    n_recorded: int
    n_pending: int
    n_readings_left: int
    n_unjudged_pairs: int
    n_passes: int
    may_repeat: bool
    n_replaced: int
    n_cut_off: int
    retryable: list[Comparison]
    n_instead: int

    @property
    def n_failed(self) -> int:
        """Comparisons that failed or were not answered in time."""
        return len(self.comparisons) - self.n_recorded - self.n_pending

    @property
    def n_settled(self) -> int:
        """Comparisons that are awaited no more."""
        return self.n_recorded + self.n_failed

    @property
    def n_settled_in_pairs(self) -> int:
        """As many pairs as tell as much: a list tells as much as several."""
        return count_in_pairs(
            c for c in self.comparisons if c.status is not ComparisonStatus.PENDING
        )

    @property
    def success_rate(self) -> float:
        """The share of settled comparisons that brought a verdict, had it the time."""
        n_timely = self.n_settled - self.n_cut_off - self.n_replaced
        return self.n_recorded / n_timely if n_timely else 0.0


def _count_cut_off(batch: Batch, comparisons: Sequence[Comparison], now: datetime) -> int:
    minutes = minutes_until_finish(batch.config, now=now)
    if minutes is None or minutes > 0:
        return 0
    return sum(
        c.status is ComparisonStatus.TIMED_OUT and c.submitted_wave == batch.wave
        for c in comparisons
    )


def count_evidence(
    batch: Batch, part: AssessedPart, judges: JudgesInLists, *, now: datetime
) -> BatchEvidence:
    """The comparisons of a batch's assessed part, counted, by what is known of its judges."""
    comparisons, config = part.comparisons, batch.config
    n_essays = batch.n_essays - len(part.not_assessed)
    statuses = Counter(comparison.status for comparison in comparisons)
    abandoned = judges.find_abandoned(comparisons, batch.judges)
    met = drop_failed_lists(comparisons, max_attempts=config.max_attempts, abandoned=abandoned)
    n_unjudged = possible_pairs(n_essays) - len(list_met_pairs(met))
    n_left = count_room(
        comparisons, config=config, n_essays=n_essays, n_readings_aside=part.n_readings_aside
    )
    instead = replace_failed_lists(
        comparisons, max_attempts=config.max_attempts, n_readings=n_left, abandoned=abandoned
    )
    passes = config.small_net_resampling_cap
    may_repeat = n_unjudged == 0 and bool(
        choose_repeats(
            met, passes=passes, n_readings=n_left, most_per_essay=find_cap_per_essay(config)
        )
    )
    replaced = {comparison.failed_list_id for comparison in comparisons}
    return BatchEvidence(
        n_essays=n_essays,
        comparisons=comparisons,
        n_recorded=statuses[ComparisonStatus.RECORDED],
        n_pending=statuses[ComparisonStatus.PENDING],
        n_readings_left=n_left,
        n_unjudged_pairs=n_unjudged,
        n_passes=count_resampling_passes(met) if n_unjudged == 0 else 0,
        may_repeat=may_repeat,
        n_replaced=sum(c.comparison_id in replaced for c in comparisons),
        n_cut_off=_count_cut_off(batch, comparisons, now),
        retryable=retry_pool(comparisons, max_attempts=config.max_attempts, abandoned=abandoned),
        n_instead=len(instead),
    )
