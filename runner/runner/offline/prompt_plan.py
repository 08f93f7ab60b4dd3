"""What a prompt is checked with: pairs, and lists of the same essays, spread evenly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, sqrt

import numpy as np

from assessment.domain.judge import PAIR_SIZE

_PAIRS_OF_AN_ESSAY = 5
_SEED = 1
_TURNS_WITHOUT_NEWS = 50


@dataclass(frozen=True)
class CheckPlan:
    """The comparisons of a check, each in one of its two orders; names stand as they are shown."""

    pairs: list[tuple[str, str]]
    lists: list[tuple[str, ...]]
    n_repeats: int = 1


def choose_pairs(names: Sequence[str], n_pairs: int) -> list[tuple[str, str]]:
    """So many pairs, spread evenly over all of them; the same names give the same pairs."""
    pairs = list(combinations(sorted(names), 2))
    if n_pairs >= len(pairs):
        return pairs
    return [pairs[n * len(pairs) // n_pairs] for n in range(n_pairs)]


def plan_check(
    names: Sequence[str], *, n_pairs: int, list_size: int = PAIR_SIZE, n_repeats: int = 1
) -> CheckPlan:
    """Pairs to ask about, and lists with as many readings; the same names give the same plan.

    What verdicts owe to abilities, and what to chance, shows only where essays meet several others.
    So lists and repeats are asked about so few essays, spread over all, that each is in about five
    pairs; and the pairs beside lists are those of essays that are in a list together.

    Raises
    ------
    ValueError
        If there are fewer essays than a list has.
    """
    if list_size > len(names):
        message = f"lists of {list_size} need as many essays; there are {len(names)}"
        raise ValueError(message)
    if list_size == PAIR_SIZE and n_repeats == 1:
        return CheckPlan(choose_pairs(names, n_pairs), [])
    rng = np.random.default_rng(_SEED)
    n_essays = max(
        ceil(PAIR_SIZE * n_pairs / _PAIRS_OF_AN_ESSAY),
        # So many have so many pairs.
        ceil((1 + sqrt(1 + 8 * n_pairs)) / 2),
        # Fewer have next to no different lists.
        2 * list_size,
    )
    essays = _choose_essays(names, n_essays)
    lists: list[tuple[str, ...]] = []
    if list_size > PAIR_SIZE:
        lists = _choose_lists(essays, list_size, max(2, 2 * n_pairs // list_size), rng)
    pairs = _choose_even_pairs(lists or [tuple(essays)], n_pairs, rng)
    return CheckPlan(pairs, lists, n_repeats)


def _choose_essays(names: Sequence[str], n_essays: int) -> list[str]:
    """So many names, spread evenly over all."""
    ordered = sorted(names)
    n_chosen = min(n_essays, len(ordered))
    return [ordered[n * len(ordered) // n_chosen] for n in range(n_chosen)]


def _choose_lists(
    essays: Sequence[str], size: int, n_lists: int, rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """Different lists in random order, every essay in as many as any other, as far as it goes."""
    n_read: Counter[str] = Counter()
    lists: dict[frozenset[str], tuple[str, ...]] = {}
    turns = 0
    while len(lists) < n_lists and turns < _TURNS_WITHOUT_NEWS:
        shuffled = [essays[at] for at in rng.permutation(len(essays))]
        members = sorted(shuffled, key=lambda essay: n_read[essay])[:size]
        turns += 1
        if frozenset(members) in lists:
            continue
        lists[frozenset(members)] = tuple(members[at] for at in rng.permutation(size))
        n_read.update(members)
        turns = 0
    return list(lists.values())


def _choose_even_pairs(
    lists: Sequence[Sequence[str]], n_pairs: int, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """Different pairs of essays of one list, list by list, of those that are in fewest pairs."""
    n_met: Counter[str] = Counter()
    taken: dict[frozenset[str], tuple[str, str]] = {}
    is_left = True
    while is_left:
        is_left = False
        for members in lists:
            pair = _choose_pair(members, n_met, taken, rng) if len(taken) < n_pairs else None
            if pair is not None:
                taken[frozenset(pair)] = pair
                n_met.update(pair)
                is_left = True
    return list(taken.values())


def _choose_pair(
    members: Sequence[str],
    n_met: Counter[str],
    taken: Container[frozenset[str]],
    rng: np.random.Generator,
) -> tuple[str, str] | None:
    """A new pair of these essays, of those that are in fewest; None if there is none."""
    free = [pair for pair in combinations(sorted(members), 2) if frozenset(pair) not in taken]
    if not free:
        return None
    order = [free[at] for at in rng.permutation(len(free))]
    one, other = min(order, key=lambda pair: n_met[pair[0]] + n_met[pair[1]])
    return (one, other) if rng.random() < 1 / PAIR_SIZE else (other, one)
