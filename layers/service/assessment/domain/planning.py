"""Rules of a wave's plan that are not statistics: the budget, the failed pool, small nets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import combinations
from math import inf

from assessment.domain.batch import budget
from assessment.domain.comparison import Comparison, PlannedList, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.readings import PAIR, count_readings
from assessment.domain.spending import add_spending

type Pair = tuple[str, str]
"""The ids of two essays in alphabetical order."""


def sort_essays(comparison: Comparison) -> tuple[str, ...]:
    """The essays, in whatever order they were shown."""
    return tuple(sorted(comparison.essay_ids))


def list_met_pairs(comparisons: Iterable[Comparison]) -> set[Pair]:
    """Every two essays that stood in a comparison together."""
    return {pair for each in comparisons for pair in combinations(sort_essays(each), 2)}


def count_room(
    comparisons: Sequence[Comparison],
    *,
    config: BatchConfig,
    n_essays: int,
    n_readings_aside: int = 0,
) -> int:
    """How many readings of an essay the caps still allow; retries do not count twice.

    A pair takes two, a list as many as it has essays.

    Parameters
    ----------
    comparisons
        The comparisons of the essays that are assessed.
    config
        The caps: of each essay's comparisons and readings, and of all comparisons of the batch.
    n_essays
        Essays that are assessed, students and anchors.
    n_readings_aside
        Readings of essays that were set aside; they count for the cap of the whole batch only.
    """
    n_readings = count_readings(comparisons)
    room_of_essays = PAIR * budget(config, n_essays) - n_readings
    cap = PAIR * config.max_pairwise_comparisons
    room_of_batch = cap - n_readings - n_readings_aside
    return max(0, min(room_of_essays, room_of_batch))


def count_affordable_readings(
    comparisons: Sequence[Comparison], *, max_cost_usd: float | None
) -> int | None:
    """How many readings the cost limit still pays for at the observed cost; None without a cap.

    Before the first verdict the cost is unknown, so the first wave is not held back.
    """
    spent = add_spending(comparison.spent for comparison in comparisons).cost_usd
    n_readings = count_readings(comparison for comparison in comparisons if comparison.verdict)
    if max_cost_usd is None or n_readings == 0 or spent <= 0:
        return None
    return max(0, int((max_cost_usd - spent) / (spent / n_readings)))


def select_retries(
    pool: Sequence[Comparison], *, threshold: int, n_new_pairs: int
) -> list[Comparison]:
    """The failed comparisons to submit now: a full pool, or whatever is left at the end."""
    if len(pool) >= threshold or n_new_pairs == 0:
        return list(pool)
    return []


def _count_judgements(comparisons: Sequence[Comparison]) -> Counter[tuple[str, ...]]:
    """How often a judge was asked about the same essays, in whatever order."""
    return Counter(sort_essays(comparison) for comparison in comparisons)


def count_resampling_passes(comparisons: Sequence[Comparison]) -> int:
    """How often every comparison has been judged again: the least repeated one decides."""
    n_judgements = _count_judgements(comparisons)
    return min(n_judgements.values()) - 1 if n_judgements else 0


def choose_repeats(
    comparisons: Sequence[Comparison],
    *,
    passes: int,
    n_readings: int,
    most_per_essay: int | None = None,
) -> list[PlannedPair | PlannedList]:
    """Every comparison once more in another order, the least repeated first, within the caps.

    Pairs are reversed; in a list every essay moves up by one place, the first one to the end. A
    repeat is no new evidence about the essays when judge and spec are the same; the other order
    tells about the effects of the order.

    Parameters
    ----------
    comparisons
        All comparisons of the essays that are assessed.
    passes
        How often each may be judged again.
    n_readings
        The most essays that may be read.
    most_per_essay
        How often an essay may be read; without it as often as the others allow.
    """
    latest = {sort_essays(comparison): comparison for comparison in comparisons}
    n_judgements = _count_judgements(comparisons)
    load = Counter(essay for essays in n_judgements.elements() for essay in essays)
    repeatable = {essays: n for essays, n in n_judgements.items() if n <= passes}
    chosen = _take_evenly(
        repeatable, load, n_readings, inf if most_per_essay is None else most_per_essay
    )
    return [_repeat(latest[essays]) for essays in chosen]


def _repeat(comparison: Comparison) -> PlannedPair | PlannedList:
    """The same essays, each shown one place earlier, the first one last."""
    first, *others = comparison.essay_ids
    if comparison.is_list:
        return PlannedList(essay_ids=(*others, first), resampled=True)
    return PlannedPair(first=others[0], second=first, resampled=True)


def _take_evenly(
    n_judgements: Mapping[tuple[str, ...], int],
    load: Counter[str],
    n_readings: int,
    most_per_essay: float,
) -> list[tuple[str, ...]]:
    """The least judged first, among them those of the least loaded essays, while readings last.

    `load` is in how many comparisons each essay is; it grows by those that are taken, so that a
    part of a pass serves all essays alike.
    """

    def rank(essays: tuple[str, ...]) -> tuple[int, int, int, tuple[str, ...]]:
        loads = [load[essay] for essay in essays]
        return n_judgements[essays], max(loads), sum(loads), essays

    queue = [rank(essays) for essays in n_judgements]
    heapify(queue)
    chosen: list[tuple[str, ...]] = []
    while queue and n_readings >= PAIR:
        entry = heappop(queue)
        essays = entry[-1]
        if len(essays) > n_readings or max(load[essay] for essay in essays) >= most_per_essay:
            continue
        if entry != rank(essays):
            # Its essays were chosen meanwhile. Loads only grow, so a later place is the only one.
            heappush(queue, rank(essays))
            continue
        chosen.append(essays)
        n_readings -= len(essays)
        load.update(essays)
    return chosen
