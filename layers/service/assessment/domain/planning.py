"""Rules of a wave's plan that are not statistics: the budget, the failed pool, small nets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from assessment.domain.batch import budget
from assessment.domain.comparison import Comparison, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.spending import total


def pair_of(comparison: Comparison) -> tuple[str, str]:
    """The two essays, whichever was shown first."""
    first, second = sorted((comparison.first, comparison.second))
    return first, second


def room_for_new_pairs(
    known: Sequence[Comparison], *, config: BatchConfig, n_essays: int, n_set_aside: int = 0
) -> int:
    """How many comparisons the caps still allow; retries do not count twice.

    Parameters
    ----------
    known
        The comparisons of the essays that are assessed.
    config
        The caps: of each essay's comparisons, and of all comparisons of the batch.
    n_essays
        Essays that are assessed, students and anchors.
    n_set_aside
        Comparisons of essays that were set aside; they count for the cap of the whole batch only.
    """
    of_essays = budget(config, n_essays) - len(known)
    of_batch = config.max_pairwise_comparisons - len(known) - n_set_aside
    return max(0, min(of_essays, of_batch))


def affordable(known: Sequence[Comparison], *, max_cost_usd: float | None) -> int | None:
    """How many comparisons the cost limit still pays for at the observed cost; None without a cap.

    Before the first verdict the cost is unknown, so the first wave is not held back.
    """
    spent = total(comparison.spent for comparison in known).cost_usd
    verdicts = sum(1 for comparison in known if comparison.verdict)
    if max_cost_usd is None or verdicts == 0 or spent <= 0:
        return None
    return max(0, int((max_cost_usd - spent) / (spent / verdicts)))


def due_for_retry(
    pool: Sequence[Comparison], *, threshold: int, new_pairs: int
) -> list[Comparison]:
    """The failed comparisons to submit now: a full pool, or whatever is left at the end."""
    if len(pool) >= threshold or new_pairs == 0:
        return list(pool)
    return []


def resampling_passes(known: Sequence[Comparison]) -> int:
    """How often every pair has been judged again: the least repeated pair decides."""
    counts = Counter(pair_of(comparison) for comparison in known)
    return min(counts.values()) - 1 if counts else 0


def resample_reversed(known: Sequence[Comparison], *, passes: int, size: int) -> list[PlannedPair]:
    """Every pair once more in reversed order, the least repeated first, within the cap on passes.

    A repeated pair is no new evidence about the essays when judge and spec are the same; the
    reversed order tells about the order effect.
    """
    latest = {pair_of(comparison): comparison for comparison in known}
    times = Counter(pair_of(comparison) for comparison in known)
    load = Counter(essay for pair in times.elements() for essay in pair)

    def place(pair: tuple[str, str]) -> tuple[int, int, int, tuple[str, str]]:
        # The essays compared least come first, so that a part of a pass serves all alike.
        one, other = load[pair[0]], load[pair[1]]
        return times[pair], max(one, other), one + other, pair

    queue = [place(pair) for pair in latest if times[pair] <= passes]
    heapify(queue)
    chosen: list[tuple[str, str]] = []
    while queue and len(chosen) < size:
        entry = heappop(queue)
        pair = entry[-1]
        if entry != place(pair):
            # Its essays were chosen meanwhile. Loads only grow, so a later place is the only one.
            heappush(queue, place(pair))
            continue
        chosen.append(pair)
        load.update(pair)
    return [
        PlannedPair(first=latest[pair].second, second=latest[pair].first, resampled=True)
        for pair in chosen
    ]
