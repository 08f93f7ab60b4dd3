"""Rules of a wave's plan that are not statistics: the budget, the failed pool, small nets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush

from assessment.domain.batch import budget
from assessment.domain.comparison import Comparison, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.spending import add_spending

type Pair = tuple[str, str]
"""The ids of two essays in alphabetical order."""


def sort_pair(comparison: Comparison) -> Pair:
    """The two essays, whichever was shown first."""
    first, second = sorted((comparison.first, comparison.second))
    return first, second


def count_room_for_pairs(
    comparisons: Sequence[Comparison],
    *,
    config: BatchConfig,
    n_essays: int,
    n_set_aside: int = 0,
) -> int:
    """How many comparisons the caps still allow; retries do not count twice.

    Parameters
    ----------
    comparisons
        The comparisons of the essays that are assessed.
    config
        The caps: of each essay's comparisons, and of all comparisons of the batch.
    n_essays
        Essays that are assessed, students and anchors.
    n_set_aside
        Comparisons of essays that were set aside; they count for the cap of the whole batch only.
    """
    n_comparisons = len(comparisons)
    room_of_essays = budget(config, n_essays) - n_comparisons
    room_of_batch = config.max_pairwise_comparisons - n_comparisons - n_set_aside
    return max(0, min(room_of_essays, room_of_batch))


def count_affordable_pairs(
    comparisons: Sequence[Comparison], *, max_cost_usd: float | None
) -> int | None:
    """How many comparisons the cost limit still pays for at the observed cost; None without a cap.

    Before the first verdict the cost is unknown, so the first wave is not held back.
    """
    spent = add_spending(comparison.spent for comparison in comparisons).cost_usd
    n_verdicts = sum(1 for comparison in comparisons if comparison.verdict)
    if max_cost_usd is None or n_verdicts == 0 or spent <= 0:
        return None
    return max(0, int((max_cost_usd - spent) / (spent / n_verdicts)))


def select_retries(
    pool: Sequence[Comparison], *, threshold: int, n_new_pairs: int
) -> list[Comparison]:
    """The failed comparisons to submit now: a full pool, or whatever is left at the end."""
    if len(pool) >= threshold or n_new_pairs == 0:
        return list(pool)
    return []


def _count_judgements(comparisons: Sequence[Comparison]) -> Counter[Pair]:
    """How often a judge was asked about each pair, in either order."""
    return Counter(sort_pair(comparison) for comparison in comparisons)


def count_resampling_passes(comparisons: Sequence[Comparison]) -> int:
    """How often every pair has been judged again: the least repeated pair decides."""
    n_judgements = _count_judgements(comparisons)
    return min(n_judgements.values()) - 1 if n_judgements else 0


def choose_reversed_pairs(
    comparisons: Sequence[Comparison], *, passes: int, size: int
) -> list[PlannedPair]:
    """Every pair once more in reversed order, the least repeated first, within the cap on passes.

    A repeated pair is no new evidence about the essays when judge and spec are the same; the
    reversed order tells about the order effect.
    """
    latest = {sort_pair(comparison): comparison for comparison in comparisons}
    n_judgements = _count_judgements(comparisons)
    load = Counter(essay for pair in n_judgements.elements() for essay in pair)
    repeatable = {pair: n for pair, n in n_judgements.items() if n <= passes}
    return [
        PlannedPair(first=latest[pair].second, second=latest[pair].first, resampled=True)
        for pair in _take_evenly(repeatable, load, size)
    ]


def _take_evenly(n_judgements: Mapping[Pair, int], load: Counter[str], size: int) -> list[Pair]:
    """At most `size` pairs: the least judged first, among them those of the least loaded essays.

    `load` is in how many comparisons each essay is; it grows by the pairs that are taken, so that
    a part of a pass serves all essays alike.
    """

    def rank(pair: Pair) -> tuple[int, int, int, Pair]:
        one, other = load[pair[0]], load[pair[1]]
        return n_judgements[pair], max(one, other), one + other, pair

    queue = [rank(pair) for pair in n_judgements]
    heapify(queue)
    chosen: list[Pair] = []
    while queue and len(chosen) < size:
        entry = heappop(queue)
        pair = entry[-1]
        if entry != rank(pair):
            # Its essays were chosen meanwhile. Loads only grow, so a later place is the only one.
            heappush(queue, rank(pair))
            continue
        chosen.append(pair)
        load.update(pair)
    return chosen
