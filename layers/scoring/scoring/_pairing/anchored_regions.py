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
        if not n_anchors[bare]:
            is_donor = is_anchor[lists] & (n_anchors[region] > 1)[:, None]
            is_taker = np.broadcast_to((region == bare)[:, None], lists.shape)
            _exchange_nearest(lists, is_donor, is_taker, ability, met)
    return lists


def _exchange_nearest(
    lists: Ints, is_donor: Bools, is_taker: Bools, ability: Floats, met: Bools
) -> None:
    """Exchange an anchor that may go with a student of the bare region, close to each other."""
    donors, takers = np.argwhere(is_donor), np.argwhere(is_taker)
    distance = np.abs(ability[lists[is_donor]][:, None] - ability[lists[is_taker]])
    for flat in np.argsort(distance, axis=None, kind="stable"):
        donor, taker = tuple(donors[flat // len(takers)]), tuple(takers[flat % len(takers)])
        anchor, student = lists[donor], lists[taker]
        if _is_new(lists, donor, student, met) and _is_new(lists, taker, anchor, met):
            lists[donor], lists[taker] = student, anchor
            return


def _is_new(lists: Ints, place: tuple[int, ...], essay: int, met: Bools) -> bool:
    """Whether an essay in this place would meet only essays that it has not met."""
    others = np.delete(lists[place[0]], place[1])
    return not met[essay, others].any()
