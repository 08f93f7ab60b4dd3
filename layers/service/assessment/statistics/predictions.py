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
    ends = [np.triu_indices(len(essays), 1) for essays in comparisons]
    pairs = list(zip(comparisons, ends, strict=True))
    predicted = fit.predict(
        np.concatenate([essays[one] for essays, (one, _) in pairs]),
        np.concatenate([essays[other] for essays, (_, other) in pairs]),
    )
    return np.split(predicted, np.cumsum([len(one) for one, _ in ends])[:-1])
