"""Errors of figures whose rows come in lists, and are independent between lists only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Floats, Ints


def clustered_error(values: Floats, groups: list[Ints], *, of_total: bool = False) -> float:
    """Return the standard error of a mean by the totals of lists; infinite for one list.

    Parameters
    ----------
    values : (m,) array
    groups : list of arrays of int
        Rows of every list.
    of_total : bool
        Of the sum instead of the mean.
    """
    if len(groups) <= 1:
        return float(np.inf)
    off = values - values.mean()
    squares = sum(float(off[rows].sum()) ** 2 for rows in groups)
    error = float(np.sqrt(squares * len(groups) / (len(groups) - 1)))
    return error if of_total else error / len(values)


def clustered_association(one: Floats, other: Floats, groups: list[Ints]) -> float:
    """Return the Normal deviate of a covariance by the totals of lists; 0 when one is constant.

    Parameters
    ----------
    one, other : (m,) array
        A value of every pair each.
    groups : list of arrays of int
        Rows of every list.

    Returns
    -------
    float
        In standard errors.
    """
    product = (one - one.mean()) * (other - other.mean())
    squares = sum(float(product[rows].sum()) ** 2 for rows in groups)
    return float(product.sum()) / float(np.sqrt(squares)) if squares > 0.0 else 0.0


def effective_size(agrees: Floats, groups: list[Ints]) -> float:
    """Return how many independent verdicts the pairs of lists are worth, for a share of them.

    At most what they are worth where ranks are random: the share of concordant pairs of a ranking
    of k has (2 k + 5) / 9 times the variance that k (k - 1) / 2 independent pairs would have
    (Kendall 1938, Biometrika 30:81). Less where lists differ by more than that.

    Parameters
    ----------
    agrees : (m,) array
        1, 0 or .5.
    groups : list of arrays of int
        Rows of every list.
    """
    pairs = np.array([len(rows) for rows in groups], dtype=np.float64)
    size = 0.5 + np.sqrt(0.25 + 2.0 * pairs)
    variance = float((pairs * (2.0 * size + 5.0) / 9.0).sum()) / len(agrees) ** 2
    most = 1.0 / variance
    share = float(agrees.mean())
    error = clustered_error(agrees, groups)
    if not np.isfinite(error) or error == 0.0:
        return most
    return max(1.0, min(most, share * (1.0 - share) / error**2))
