"""Steps between the essays of a list as degrees of its pairs.

A judge says of neighbours how far apart they are, by gaps or by scores. Of any two essays of the
list that gives the step between them: the sum of the gaps, a decisive one counted as six slight
ones and a clear one as three, or the difference of the scores. Judges use such scales by habits of
their own, so only the order of steps is taken from them: they are split into degrees of equal
frequency, over all lists of one judge, size and form. What a degree means is estimated with the
rest of the fit (its cut points, and how much degrees tell at all).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._list_rows import PAIR, count_degrees

if TYPE_CHECKING:
    from scoring._types import Bools, Floats, Ints


def split_steps(step: Floats, size: Ints, group: Ints) -> tuple[Ints, Bools]:
    """Turn steps into degrees.

    Parameters
    ----------
    step : (m,) array
        Step between the two essays of each pair, at least 0; NaN where the judge gave none.
    size : (m,) array of int
        Number of essays that were shown together. A step within a pair is its degree.
    group : (m,) array of int
        The same for lists of one judge and size, with gaps or with scores.

    Returns
    -------
    degree : (m,) array of int
        0 for a tie, else 1 .. D; 1 where the degree is unknown.
    has_degree : (m,) array of bool
        Whether the degree is known. If a list of a group has no steps, all of that group are taken
        without: a degree that was not asked for would otherwise look like a slight one.
    """
    degree = np.ones(len(step), dtype=np.int64)
    has_degree = np.zeros(len(step), dtype=np.bool_)
    for one in np.unique(group):
        rows = np.flatnonzero(group == one)
        has_step = ~np.isnan(step[rows])
        tied = rows[has_step & (step[rows] == 0.0)]
        degree[tied] = 0
        if has_step.all():
            has_degree[rows] = True
            apart = rows[step[rows] > 0.0]
            k = int(size[rows[0]])
            highest = int(count_degrees(k))
            degree[apart] = step[apart] if k == PAIR else _split(step[apart], highest)
    return degree, has_degree


def _split(step: Floats, n_degrees: int) -> Ints:
    """Split positive steps into degrees of equal frequency, (m,); equal steps are of one."""
    _, place, count = np.unique(step, return_inverse=True, return_counts=True)
    # A value's degree is that of the middle of its ranks.
    middle = (np.cumsum(count) - 0.5 * count) / max(len(step), 1)
    _, degree = np.unique((middle * n_degrees).astype(np.int64), return_inverse=True)
    split: Ints = (1 + degree)[place]
    return split
