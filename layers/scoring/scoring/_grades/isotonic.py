"""Monotone regression by pooling adjacent violators.

`scipy.optimize.isotonic_regression` gives the same values; a test holds them equal. What is needed
here is the matrix that carries errors along, and the import would cost a tenth of a second in every
scoring function that starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Floats, Ints


def pooled_blocks(values: Floats, weights: Floats) -> Ints:
    """Return the block number of every value in the weighted non-decreasing regression.

    Pool adjacent violators (Ayer et al., Annals of Mathematical Statistics 26, 1955): linear time.

    Parameters
    ----------
    values : (n,) ndarray of float
    weights : (n,) ndarray of float
        Positive.

    Returns
    -------
    (n,) ndarray of int
        Non-decreasing; values with the same number are replaced by their weighted mean.
    """
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        mean, mass, size = float(value), float(weight), 1
        while blocks and blocks[-1][0] > mean:
            mean_before, mass_before, size_before = blocks.pop()
            mean = (mean_before * mass_before + mean * mass) / (mass_before + mass)
            mass, size = mass_before + mass, size_before + size
        blocks.append((mean, mass, size))
    return np.repeat(np.arange(len(blocks)), [size for _, _, size in blocks])


def pooling_matrix(values: Floats, weights: Floats | None = None) -> Floats:
    """Return the matrix P such that `P @ values` is the non-decreasing regression.

    Parameters
    ----------
    values : (n,) ndarray of float
    weights : (n,) ndarray of float or None
        Positive; None for equal weights.

    Returns
    -------
    (n, n) ndarray of float
        Rows sum to 1.
    """
    weights = np.ones_like(values) if weights is None else weights
    block = pooled_blocks(values, weights)
    share = (block[:, None] == block[None, :]) * weights
    matrix: Floats = share / share.sum(axis=1, keepdims=True)
    return matrix


def isotonic_regression(values: Floats, weights: Floats | None = None) -> Floats:
    """Return the non-decreasing sequence nearest to `values` in weighted least squares.

    Parameters
    ----------
    values : (n,) ndarray of float
    weights : (n,) ndarray of float or None
        Positive; None for equal weights.

    Returns
    -------
    (n,) ndarray of float
    """
    # Equal means of one block may differ in the last digit after the product.
    fitted: Floats = np.maximum.accumulate(pooling_matrix(values, weights) @ values)
    return fitted
