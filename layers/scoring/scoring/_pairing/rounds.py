"""Rounds of a wave: matchings of all essays, one at a time or three in groups of four."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from scoring._pairing.matching import greedy_matching
from scoring._pairing.quads import ROUNDS, join_pairs, list_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from scoring._pairing.wave_draft import Matcher, WaveDraft
    from scoring._types import Floats


class Fill(Protocol):
    """Adds pairs to a draft, round by round, until a budget is spent or no pair is left."""

    def __call__(
        self,
        draft: WaveDraft,
        budget: int,
        rng: np.random.Generator,
        worth: Callable[[], Floats],
        *,
        audit: bool,
        match: Matcher = ...,
    ) -> None:
        """`worth` gives the score of every pair when a round is matched."""


def fill(
    draft: WaveDraft,
    budget: int,
    rng: np.random.Generator,
    worth: Callable[[], Floats],
    *,
    audit: bool,
    match: Matcher = greedy_matching,
) -> None:
    """Add rounds to the draft until `budget` pairs are added or none is left.

    A round that is not whole comes first: the whole ones after it even the counts out. Where a
    small set has no matching left, the rest of the budget is spread evenly at once.

    Parameters
    ----------
    draft : WaveDraft
        Is added to.
    budget : int
        Pairs wanted.
    rng : numpy.random.Generator
        Decides which essays a round that is not whole takes.
    worth : callable
        Gives the score of every pair, (n, n), when a round is matched.
    audit : bool
        Whether the pairs are marked as chosen without regard to ability.
    match : callable
        Matches essays by their scores.
    """
    while budget > 0:
        size = budget % (draft.n_essays // 2) or draft.n_essays // 2
        pairs = draft.match_least_compared(worth(), size, rng, match)
        stuck = len(pairs) < size
        if stuck and (draft.is_small or not len(pairs)):
            pairs = draft.spread(worth(), budget)
        draft.add(pairs, audit=audit)
        budget -= len(pairs)
        if not len(pairs) or (stuck and draft.is_small):
            return


def fill_in_quads(
    draft: WaveDraft,
    budget: int,
    rng: np.random.Generator,
    worth: Callable[[], Floats],
    *,
    audit: bool,
    match: Matcher = greedy_matching,
) -> None:
    """Add rounds, three at a time in groups of four essays; what is left over as `fill` does.

    The rounds of an unconnected draft end with one of `fill`, which joins the groups.

    Parameters
    ----------
    draft, budget, rng, worth, audit, match
        As of `fill`.
    """
    per_round = draft.n_essays // 2
    n_joining = 0 if draft.is_connected else per_round
    n_whole = (budget - n_joining) // (ROUNDS * per_round)
    if n_whole > 0:
        fill(draft, budget % per_round, rng, worth, match=match, audit=audit)
        budget -= budget % per_round
    for _ in range(n_whole):
        before = len(draft.pairs)
        _add_groups(draft, rng, worth, audit=audit, match=match)
        budget -= len(draft.pairs) - before
    fill(draft, budget, rng, worth, match=match, audit=audit)


def _add_groups(
    draft: WaveDraft,
    rng: np.random.Generator,
    worth: Callable[[], Floats],
    *,
    audit: bool,
    match: Matcher,
) -> None:
    """Add three rounds: all pairs of groups of four, and matchings of the essays in none.

    Parameters
    ----------
    draft, rng, worth, audit, match
        As of `fill`.
    """
    score = draft.allow_unmet(worth())
    pairs = draft.match_least_compared(score, draft.n_essays // 2, rng, match)
    # One essay sits out each round of an odd number: those that were compared most.
    apart = draft.list_most_compared(ROUNDS * (draft.n_essays % 2), rng)
    groups = join_pairs(pairs, score, match, apart=apart)
    draft.add(list_pairs(groups), audit=audit)
    n_left = draft.n_essays - groups.size
    for _ in range(ROUNDS if n_left else 0):
        # Those in no group are the least compared now.
        pairs = draft.match_least_compared(worth(), n_left // 2, rng, match)
        draft.add(pairs, audit=audit)
