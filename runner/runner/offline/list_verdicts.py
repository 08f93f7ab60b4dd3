"""Verdicts of one judge on the same essays in pairs and in lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np

from assessment.contracts.list_protocol import ComparisonResult, LLMComparisonResultV2
from assessment.contracts.llm_protocol import LLMComparisonResultV1
from assessment.contracts.rankings import AnswerProblem
from assessment.domain.verdict import ListVerdict, Verdict, Winner, rank_gaps, signed_outcome
from runner.offline.shares import Share, count_share
from scoring import Comparisons, Fit
from scoring.batch_fit import fit_batch
from scoring.errors import ScoringError
from scoring.lists import Lists, join_lists
from scoring.repeats import estimate_repeat_correlation


@dataclass(frozen=True)
class AskedPair:
    """A pair in the order shown, and what the judge said of it."""

    shown: tuple[str, str]
    verdict: Verdict | None


@dataclass(frozen=True)
class AskedList:
    """A list in the order shown, and its order; every list is shown in two opposite orders."""

    shown: tuple[str, ...]
    verdict: ListVerdict | None


def take_pair(shown: tuple[str, str], result: ComparisonResult | None) -> AskedPair:
    """A pair with its verdict, if the result has one."""
    if isinstance(result, LLMComparisonResultV1) and result.has_verdict:
        return AskedPair(shown, result.verdict())
    return AskedPair(shown, None)


def take_list(shown: tuple[str, ...], result: ComparisonResult | None) -> AskedList:
    """A list with its order, if the result has a whole one."""
    if not isinstance(result, LLMComparisonResultV2) or not result.has_verdict:
        return AskedList(shown, None)
    is_whole = not isinstance(result.read_order(), AnswerProblem)
    return AskedList(shown, result.verdict() if is_whole else None)


def fit_lists(pairs: Sequence[AskedPair], lists: Sequence[AskedList]) -> Fit | None:
    """The fit of all verdicts as a batch makes it; None where there are too few."""
    said = [(each.shown, each.verdict) for each in pairs if each.verdict]
    ranked = [(each.shown, each.verdict) for each in lists if each.verdict]
    if not said or not ranked:
        return None
    number = _number_essays([*(shown for shown, _ in said), *(shown for shown, _ in ranked)])
    joined = join_lists(_number_pairs(said, number), _number_lists(ranked, number))
    try:
        # Both orders of a comparison are repeats, of which nobody knows what is new in them.
        return fit_batch(joined.with_repeat_correlation(estimate_repeat_correlation(joined)))
    except ScoringError:
        return None


def _number_essays(shown_together: Sequence[tuple[str, ...]]) -> dict[str, int]:
    names = set(chain.from_iterable(shown_together))
    return {name: at for at, name in enumerate(sorted(names))}


def _number_pairs(
    said: Sequence[tuple[tuple[str, str], Verdict]], number: Mapping[str, int]
) -> Comparisons:
    graded = all(verdict.degree for _, verdict in said if verdict.winner is not Winner.TIE)
    return Comparisons(
        len(number),
        [number[one] for (one, _), _ in said],
        [number[other] for (_, other), _ in said],
        [signed_outcome(verdict, graded=graded) for _, verdict in said],
        [0] * len(said),
    )


def _number_lists(
    ranked: Sequence[tuple[tuple[str, ...], ListVerdict]], number: Mapping[str, int]
) -> Lists:
    return Lists(
        len(number),
        [[number[name] for name in shown] for shown, _ in ranked],
        [[number[name] for name in verdict.ranking] for _, verdict in ranked],
        gaps=[_read_gaps(verdict) for _, verdict in ranked],
        scores=[verdict.scores for _, verdict in ranked],
        judge=[0] * len(ranked),
    )


def has_steps(verdict: ListVerdict) -> bool:
    """Whether it says by how much essays differ."""
    return verdict.scores is not None or _read_gaps(verdict) is not None


def _read_gaps(verdict: ListVerdict) -> tuple[int, ...] | None:
    return None if verdict.gaps is None or None in verdict.gaps else rank_gaps(verdict)


type _Preferences = dict[frozenset[str], str | None]
"""Of every two essays of a list the better one; None where nothing but ties is between them."""


def count_shares(pairs: Sequence[AskedPair], lists: Sequence[AskedList]) -> list[Share]:
    """Order consistency and the first place in lists, and how lists agree with pairs."""
    orders = [(each.shown, dict(_find_preferences(each.verdict))) for each in lists if each.verdict]
    return [
        count_share("lists: order consistency", _find_consistent(orders)),
        count_share("lists: shown earlier is preferred", _find_earlier(orders)),
        count_share("lists: agreement with pairs", _find_agreeing(pairs, orders)),
    ]


def _find_consistent(orders: Sequence[tuple[tuple[str, ...], _Preferences]]) -> Iterator[bool]:
    """For every two essays of a list whether both of its orders say the same."""
    by_members: defaultdict[frozenset[str], list[_Preferences]] = defaultdict(list)
    for shown, preferred in orders:
        by_members[frozenset(shown)].append(preferred)
    for verdicts in by_members.values():
        for one, other in combinations(verdicts, 2):
            yield from (one[pair] == other[pair] for pair in one)


def _find_earlier(orders: Sequence[tuple[tuple[str, ...], _Preferences]]) -> Iterator[bool]:
    """For every two essays without a tie whether the one shown earlier is the better one."""
    for shown, preferred in orders:
        for one, other in combinations(shown, 2):
            winner = preferred[frozenset((one, other))]
            if winner is not None:
                yield winner == one


def _find_agreeing(
    pairs: Sequence[AskedPair], orders: Sequence[tuple[tuple[str, ...], _Preferences]]
) -> Iterator[bool]:
    """For every verdict on a pair and every list with both whether they say the same."""
    for each in pairs:
        said = _find_winner(each)
        winners = (preferred.get(frozenset(each.shown)) for _, preferred in orders)
        if said is not None:
            yield from (winner == said for winner in winners if winner is not None)


def _find_preferences(verdict: ListVerdict) -> Iterator[tuple[frozenset[str], str | None]]:
    """As `_Preferences`, one by one."""
    steps = np.cumsum([0, *rank_gaps(verdict)])
    for (at, better), (behind, worse) in combinations(enumerate(verdict.ranking), 2):
        yield frozenset((better, worse)), better if steps[behind] > steps[at] else None


def _find_winner(pair: AskedPair) -> str | None:
    if pair.verdict is None or pair.verdict.winner is Winner.TIE:
        return None
    return pair.shown[0 if pair.verdict.winner is Winner.FIRST else 1]
