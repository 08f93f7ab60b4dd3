"""What a fit predicts of comparisons before their verdicts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assessment.statistics.pool import Floats, Ints
from scoring import Fit


def predict_each(fit: Fit, comparisons: Sequence[Ints]) -> list[Floats]:
    """The probability, of each two essays of each comparison, that the one shown earlier wins.

    Parameters
    ----------
    fit
        That stood before the verdicts.
    comparisons
        Essays in shown order, by their places in the fit's arrays.

    Returns
    -------
    list of ndarray
        k (k - 1) / 2 of each comparison: the first with the second, with the third, and so on.
    """
    if not comparisons:
        return []
    pairs = [_pair_off(essays) for essays in comparisons]
    first, second = np.concatenate(pairs, axis=1)
    ends = np.cumsum([each.shape[1] for each in pairs])
    size = np.repeat([len(essays) for essays in comparisons], [p.shape[1] for p in pairs])
    return np.split(fit.predict(first, second, size=size), ends[:-1])


def _pair_off(essays: Ints) -> Ints:
    """Each two essays, the one shown earlier first, (2, pairs)."""
    return essays[np.stack(np.triu_indices(len(essays), 1))]
