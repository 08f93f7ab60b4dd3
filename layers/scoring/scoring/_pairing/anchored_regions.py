"""Anchors in every region of the scale that lists of neighbours cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Bools, Floats, Ints

_REGIONS = 5


def anchor_regions(lists: Ints, is_anchor: Bools, ability: Floats, met: Bools) -> Ints:
    """Give each region of the lists an anchor, by exchanges with the nearest student.

    The lists in the order of their median ability are cut into regions: five, or as many as there
    are anchors or lists. A region without an anchor gets the nearest one of a region with several,
    if an exchange is found in which no essays meet again.

    Parameters
    ----------
    lists : (g, k) ndarray of int
        Essays.
    is_anchor : (n,) ndarray of bool
    ability : (n,) ndarray of float
        Logits.
    met : (n, n) ndarray of bool
        Which essays have met.

    Returns
    -------
    (g, k) ndarray of int
    """
    n_regions = min(_REGIONS, len(lists), int(is_anchor[lists].sum()))
    if n_regions <= 1:
        return lists
    lists = lists[np.argsort(np.median(ability[lists], axis=1), kind="stable")]
    region = np.arange(len(lists)) * n_regions // len(lists)
    for bare in range(n_regions):
        n_anchors = np.bincount(region, weights=is_anchor[lists].sum(axis=1))
        if n_anchors[bare]:
            continue
        donors = np.flatnonzero(n_anchors[region] > 1)
        takers = np.flatnonzero(region == bare)
        exchange = _nearest_exchange(lists, donors, takers, is_anchor, ability, met)
        if exchange is not None:
            (row, column), (other_row, other_column) = exchange
            lists[row, column], lists[other_row, other_column] = (
                lists[other_row, other_column],
                lists[row, column],
            )
    return lists


def _nearest_exchange(
    lists: Ints, donors: Ints, takers: Ints, is_anchor: Bools, ability: Floats, met: Bools
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Find an anchor of the donors and a student of the takers, close to each other."""
    anchors = [(int(r), c) for r in donors for c in np.flatnonzero(is_anchor[lists[r]]).tolist()]
    students = [(int(r), c) for r in takers for c in range(lists.shape[1])]
    candidates = sorted(
        (abs(float(ability[lists[a]] - ability[lists[s]])), a, s) for a in anchors for s in students
    )
    for _, a, s in candidates:
        if _is_new(lists, a, lists[s], met) and _is_new(lists, s, lists[a], met):
            return a, s
    return None


def _is_new(lists: Ints, place: tuple[int, int], essay: int, met: Bools) -> bool:
    """Whether an essay in this place would meet only essays that it has not met."""
    others = np.delete(lists[place[0]], place[1])
    return not met[essay, others].any()
