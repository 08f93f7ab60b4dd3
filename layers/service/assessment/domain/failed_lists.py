"""Lists that brought no verdict for good, and the pairs that stand in for them."""

from __future__ import annotations

from collections.abc import Container, Sequence

from assessment.domain.comparison import Comparison, PlannedPair
from assessment.domain.readings import PAIR


def replace_failed_lists(
    comparisons: Sequence[Comparison],
    *,
    max_attempts: int,
    n_readings: int,
    abandoned: Container[str] = frozenset(),
) -> list[PlannedPair]:
    """Pairs in place of the lists that brought no verdict for good, each list once.

    A ring through the essays of the list, so that each is read twice, once first and once second.

    Parameters
    ----------
    comparisons
        Those of the essays that are assessed.
    max_attempts
        Attempts after which a comparison is not submitted again.
    n_readings
        The most essays that may be read.
    abandoned
        The ids of lists that are not submitted again, whatever attempts they have left.
    """
    replaced = {comparison.failed_list_id for comparison in comparisons}
    pairs: list[PlannedPair] = []
    for comparison in comparisons:
        is_replaced = comparison.comparison_id in replaced
        if is_replaced or not is_failed_list(
            comparison, max_attempts=max_attempts, abandoned=abandoned
        ):
            continue
        ids = comparison.essay_ids
        pairs += [
            PlannedPair(first=one, second=other, failed_list_id=comparison.comparison_id)
            for one, other in zip(ids, (*ids[1:], ids[0]), strict=True)
        ]
    return pairs[: n_readings // PAIR]


def is_failed_list(
    comparison: Comparison, *, max_attempts: int, abandoned: Container[str] = frozenset()
) -> bool:
    """Whether it is a list that brought no verdict and will not be asked again."""
    return comparison.is_list and (
        comparison.comparison_id in abandoned
        or comparison.has_failed_for_good(max_attempts=max_attempts)
    )


def drop_failed_lists(
    comparisons: Sequence[Comparison],
    *,
    max_attempts: int,
    abandoned: Container[str] = frozenset(),
) -> list[Comparison]:
    """The comparisons in which essays met: a list that failed for good brought none together."""
    return [
        comparison
        for comparison in comparisons
        if not is_failed_list(comparison, max_attempts=max_attempts, abandoned=abandoned)
    ]
