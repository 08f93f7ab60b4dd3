"""A judged list without some of its essays: the order of the rest stands."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations, pairwise

from assessment.domain.comparison import SMALLEST_LIST, Comparison
from assessment.domain.verdict import Gap, ListVerdict

# How far apart essays are, in slight gaps, as the fit counts them.
_LENGTH = {Gap.TIE: 0.0, Gap.SLIGHT: 1.0, Gap.CLEAR: 3.0, Gap.DECISIVE: 6.0}


def shorten_list(comparison: Comparison, essay_ids: Collection[str]) -> Comparison | None:
    """The comparison without these essays; None where fewer than three are left, or no verdict is.

    Two essays that were read in a list are not what a pair is, so they are no comparison.

    Parameters
    ----------
    comparison
        Any; a pair that has one of the essays has nothing left.
    essay_ids
        The essays to leave out.
    """
    remaining = [essay for essay in comparison.essay_ids if essay not in essay_ids]
    if len(remaining) == len(comparison.essay_ids):
        return comparison
    if comparison.list_verdict is None or len(remaining) < SMALLEST_LIST:
        return None
    first, second, *further = remaining
    return comparison.model_copy(
        update={
            "first": first,
            "second": second,
            "further_ids": tuple(further),
            "predicted_pairs": _keep_predictions(comparison, essay_ids),
            "verdict": _shorten_verdict(comparison.list_verdict, essay_ids),
        }
    )


def _keep_predictions(comparison: Comparison, essay_ids: Collection[str]) -> tuple[float, ...]:
    """The predictions of the pairs that are left, in the same order."""
    pairs = combinations(comparison.essay_ids, 2)
    predicted = comparison.predicted_pairs  # empty in a first wave
    return tuple(
        value
        for pair, value in zip(pairs, predicted, strict=False)
        if set(essay_ids).isdisjoint(pair)
    )


def _shorten_verdict(verdict: ListVerdict, essay_ids: Collection[str]) -> ListVerdict:
    places = [at for at, essay in enumerate(verdict.ranking) if essay not in essay_ids]
    return verdict.model_copy(
        update={
            "ranking": _pick(verdict.ranking, places),
            "gaps": None if verdict.gaps is None else _join_all_gaps(verdict.gaps, places),
            "scores": None if verdict.scores is None else _pick(verdict.scores, places),
        }
    )


def _pick[T](values: Sequence[T], places: Sequence[int]) -> tuple[T, ...]:
    return tuple(values[at] for at in places)


def _join_all_gaps(gaps: Sequence[Gap | None], places: Sequence[int]) -> tuple[Gap | None, ...]:
    """The gaps between the places of a ranking that are left."""
    return tuple(_join_gaps(gaps[at:after]) for at, after in pairwise(places))


def _join_gaps(gaps: Sequence[Gap | None]) -> Gap | None:
    """The gap that is nearest to several after one another; unknown if one of them is."""
    if None in gaps:
        return None
    total = sum(_LENGTH[gap] for gap in gaps if gap)
    return min(reversed(_LENGTH), key=lambda gap: abs(_LENGTH[gap] - total))
