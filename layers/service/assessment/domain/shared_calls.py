"""Which comparisons are asked in one call: those that share essays, whose texts are paid once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from assessment.domain.comparison import Comparison

type Essays = Sequence[str]
"""The ids of a comparison's essays, in any order."""

_MOST_SEEDS = 32
_MOST_CALLS_GROWN = 2000
"""Calls that are tried in all: a large wave tries fewer beginnings of each."""


def is_asked_alone(comparison: Comparison) -> bool:
    """Whether a comparison has a call of its own: it failed before, perhaps because of its call."""
    return comparison.attempt > 1


def needs_own_essays(comparison: Comparison, *, beside_lists: bool) -> bool:
    """Whether no other comparison of its call may have one of its essays.

    In a call with two orders that share a text it is not clear which of the two is meant. Pairs
    beside lists show how sharp the judge is in pairs, and pairs that share essays would in
    truth be a ranking.
    """
    return comparison.is_list or beside_lists


def divide_into_calls(
    comparisons: Sequence[Comparison], *, most: int, most_beside_lists: int
) -> list[list[Comparison]]:
    """Divide a judge's comparisons of a wave into calls; the same ones give the same calls.

    Pairs and lists do not mix. `is_asked_alone` and `needs_own_essays` tell what else shares no
    call; all other pairs are grouped so that they share essays.

    Parameters
    ----------
    comparisons
        All that the judge is asked in the wave.
    most
        The most comparisons of a call.
    most_beside_lists
        The most pairs of a call where the judge is asked for lists as well.
    """
    beside_lists = any(each.is_list for each in comparisons)
    pairs, lists, alone = _sort_out(comparisons)
    return [
        *_divide_kind(
            pairs, most_beside_lists if beside_lists else most, beside_lists=beside_lists
        ),
        *_divide_kind(lists, most, beside_lists=beside_lists),
        *([each] for each in alone),
    ]


def _sort_out(
    comparisons: Sequence[Comparison],
) -> tuple[list[Comparison], list[Comparison], list[Comparison]]:
    """The pairs and the lists that may share a call, and what is asked alone."""
    pairs: list[Comparison] = []
    lists: list[Comparison] = []
    alone: list[Comparison] = []
    for each in comparisons:
        kind = alone if is_asked_alone(each) else lists if each.is_list else pairs
        kind.append(each)
    return pairs, lists, alone


def _divide_kind(
    comparisons: Sequence[Comparison], most: int, *, beside_lists: bool
) -> list[list[Comparison]]:
    """Divide pairs alone, or lists alone, into calls."""
    essay_ids = [each.essay_ids for each in comparisons]
    if any(needs_own_essays(each, beside_lists=beside_lists) for each in comparisons):
        calls = separate_comparisons(essay_ids, most=most)
    else:
        calls = group_comparisons(essay_ids, most=most)
    return [[comparisons[position] for position in call] for call in calls]


def group_comparisons(pairs: Sequence[Essays], *, most: int) -> list[list[int]]:
    """Divide comparisons into calls of few different essays.

    Each call begins where comparisons are about to be left alone, and grows by the comparison that
    brings the fewest new essays; of several beginnings the one with the fewest essays for each
    comparison is taken. The same comparisons give the same calls.

    Parameters
    ----------
    pairs
        The essays of each comparison.
    most
        The most comparisons of a call.

    Returns
    -------
    list of list of int
        Positions in `pairs`, each in one call. Within a call those come first that share most.
    """
    if most == 1:
        return [[position] for position in range(len(pairs))]
    remaining = _Remaining(pairs)
    n_calls = max(1, len(pairs) // max(1, most))
    n_seeds = max(1, min(_MOST_SEEDS, _MOST_CALLS_GROWN // n_calls))
    calls: list[list[int]] = []
    while remaining.positions:
        grown = [remaining.grow_call(seed, most) for seed in remaining.list_seeds(n_seeds)]
        calls.append(min(grown, key=lambda call: len(_list_essays(pairs, call)) / len(call)))
        remaining.take(calls[-1])
    return _join_small(calls, most)


def separate_comparisons(comparisons: Sequence[Essays], *, most: int) -> list[list[int]]:
    """Divide pairs or lists into calls in which no two have an essay in common.

    Each is in the first call that has room for it and none of its essays.

    Parameters
    ----------
    comparisons
        The essays of each.
    most
        The most comparisons of a call.

    Returns
    -------
    list of list of int
        Positions in `comparisons`, each in one call.
    """
    calls: list[list[int]] = []
    with_room: list[tuple[list[int], set[str]]] = []
    for position, members in enumerate(comparisons):
        call, essays = next(
            (each for each in with_room if each[1].isdisjoint(members)), ([], set[str]())
        )
        if not call:
            calls.append(call)
            with_room.append((call, essays))
        call.append(position)
        essays.update(members)
        if len(call) == most:
            with_room.remove((call, essays))
    return calls


def _list_essays(pairs: Sequence[Essays], call: Sequence[int]) -> set[str]:
    return {essay for position in call for essay in pairs[position]}


def _join_small(calls: Sequence[list[int]], most: int) -> list[list[int]]:
    """Fill calls up with whole smaller ones, the largest first: each has a price of its own."""
    joined: list[list[int]] = []
    for call in sorted(calls, key=len, reverse=True):
        room = next((other for other in joined if len(other) + len(call) <= most), None)
        if room is None:
            joined.append(list(call))
        else:
            room.extend(call)
    return joined


class _Remaining:
    """The comparisons that are in no call yet."""

    def __init__(self, pairs: Sequence[Essays]) -> None:
        self.positions = set(range(len(pairs)))
        self._pairs = pairs
        self._members = [frozenset(pair) for pair in pairs]
        self._by_essay: dict[str, set[int]] = defaultdict(set)
        for position, pair in enumerate(pairs):
            for essay in pair:
                self._by_essay[essay].add(position)
        self._n_neighbours = [self._count_neighbours(position) for position in range(len(pairs))]
        self._queue = [(self._n_neighbours[position], position) for position in self.positions]
        heapify(self._queue)

    def list_seeds(self, n_seeds: int) -> list[int]:
        """The comparisons with the fewest neighbours left."""
        seeds: dict[int, int] = {}
        while self._queue and len(seeds) < n_seeds:
            n_neighbours, position = heappop(self._queue)
            current = position in self.positions and position not in seeds
            if current and n_neighbours == self._n_neighbours[position]:
                seeds[position] = n_neighbours
        for position, n_neighbours in seeds.items():
            heappush(self._queue, (n_neighbours, position))
        return list(seeds)

    def grow_call(self, seed: int, most: int) -> list[int]:
        """A call that begins with this comparison."""
        call = [seed]
        n_new: dict[int, int] = {}
        self._add_essays(self._members[seed], n_new)
        del n_new[seed]
        essays = set(self._members[seed])
        while len(call) < most and n_new:
            chosen = self._choose(n_new, essays)
            call.append(chosen)
            self._add_essays(self._members[chosen] - essays, n_new)
            del n_new[chosen]
            essays |= self._members[chosen]
        return call

    def _add_essays(self, essays: frozenset[str], n_new: dict[int, int]) -> None:
        """Count one new essay less for each comparison of these essays."""
        for essay in essays:
            for position in self._by_essay[essay]:
                known = n_new.get(position)
                n_new[position] = (len(self._members[position]) if known is None else known) - 1

    def take(self, call: Sequence[int]) -> None:
        """Leave these comparisons out from now on."""
        self.positions.difference_update(call)
        touched: set[int] = set()
        for position in call:
            for essay in self._pairs[position]:
                self._by_essay[essay].discard(position)
                touched |= self._by_essay[essay]
        for position in touched:
            self._n_neighbours[position] = self._count_neighbours(position)
            heappush(self._queue, (self._n_neighbours[position], position))

    def _choose(self, n_new: dict[int, int], essays: set[str]) -> int:
        """The comparison to add: fewest new essays, most that lies between essays then.

        Of comparisons that are alike in that, the one with the fewest neighbours.
        """
        fewest = min(n_new.values())
        nearest = [position for position, new in n_new.items() if new == fewest]
        if not fewest:
            return min(nearest, key=self._rank)
        closing: dict[str, int] = {}

        def rank(position: int) -> tuple[int, int, int]:
            n_closing = 0
            for essay in self._members[position] - essays:
                if essay not in closing:
                    near = self._by_essay[essay]
                    closing[essay] = sum(n_new.get(other) == 1 for other in near)
                n_closing += closing[essay]
            # The comparison itself counts where it brings one new essay, as all of these do then.
            return -n_closing, *self._rank(position)

        return min(nearest, key=rank)

    def _rank(self, position: int) -> tuple[int, int]:
        return self._n_neighbours[position], position

    def _count_neighbours(self, position: int) -> int:
        return sum(len(self._by_essay[essay]) for essay in self._pairs[position])
