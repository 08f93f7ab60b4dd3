"""Dense Cholesky work on the joint negative Hessian."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from scoring._fit.derivatives import Blocks
    from scoring._fit.pairs import Pairs
    from scoring._types import Bools, Floats, Ints


@cache
def _lapack() -> ModuleType:
    """Import LAPACK's wrappers when first needed: they take twice as long as all the rest."""
    from scipy.linalg import lapack

    return lapack


class DenseSystem:
    """The joint negative Hessian as one lower-triangular Fortran array, refilled in place.

    Parameters
    ----------
    n, size : int
        Number of abilities and of all parameters.
    pairs : Pairs
        Where the ability block has entries.
    gauge : (n,) array of int or None
        Component of each essay. When given, 1/n_c is added to every entry of a component's block:
        the likelihood is flat along a common shift, and this makes the matrix regular without
        moving the sum-to-zero solution. None when a prior does that.
    single : bool
        Work in single precision, which is enough for steps towards a maximum.
    """

    def __init__(
        self,
        n: int,
        size: int,
        pairs: Pairs,
        gauge: Ints | None,
        *,
        single: bool = False,
    ) -> None:
        self._n = n
        self._gauge = gauge
        # typed as double precision; single precision is a private matter of this class
        self._flat: Floats = np.zeros(size * size, np.float32 if single else np.float64)
        self._matrix = self._flat.reshape((size, size), order="F")
        self._at = pairs.high + pairs.low * size
        self._lower = np.tri(size - n)
        self._factorise = _lapack().spotrf if single else _lapack().dpotrf

    def fill(self, blocks: Blocks) -> Floats:
        """Write the blocks and return the matrix; only its lower triangle is meaningful."""
        n, flat, matrix = self._n, self._flat, self._matrix
        flat.fill(0.0)
        flat[self._at] = -blocks.weight
        flat[: n * (len(matrix) + 1) : len(matrix) + 1] = blocks.diagonal
        if len(matrix) > n:
            matrix[n:, :n] = blocks.cross.T
            matrix[n:, n:] = blocks.corner * self._lower
        if self._gauge is not None:
            for label in range(int(self._gauge.max()) + 1):
                members = np.flatnonzero(self._gauge == label)
                matrix[np.ix_(members, members)] += 1.0 / len(members)
        return matrix

    def factor(self, blocks: Blocks, damping: float = 0.0) -> Floats | None:
        """Return the lower Cholesky factor (in the shared buffer), or None if not definite."""
        matrix = self.fill(blocks)
        if damping:
            self._flat[:: len(matrix) + 1] += damping
        factor, info = self._factorise(matrix, lower=1, overwrite_a=1, clean=0)
        return factor if info == 0 else None


def solve(factor: Floats, right: Floats) -> Floats:
    """Solve with a lower Cholesky factor of either precision.

    Parameters
    ----------
    factor : (k, k) array
        Lower Cholesky factor, in single or double precision.
    right : (k,) or (k, r) array
        Right-hand side.

    Returns
    -------
    (k,) or (k, r) array
        In double precision.
    """
    routine = _lapack().spotrs if factor.dtype == np.float32 else _lapack().dpotrs
    solution, _ = routine(factor, right, lower=1)
    return np.asarray(solution, dtype=np.float64)


def invert_factor(factor: Floats) -> Floats:
    """Turn a lower Cholesky factor L into its inverse, in place.

    Parameters
    ----------
    factor : (k, k) array
        Overwritten.

    Returns
    -------
    (k, k) array
        Lower triangle; what stands above the diagonal stays.
    """
    inverse: Floats = _lapack().dtrtri(factor, lower=1, overwrite_c=1)[0]
    return inverse


def gram(inverse_factor: Floats) -> Floats:
    """Return the lower triangle of (L L')^-1 from the inverse of L.

    Parameters
    ----------
    inverse_factor : (k, k) array
        Lower triangle of L^-1.

    Returns
    -------
    (k, k) array
    """
    product: Floats = _lapack().dlauum(inverse_factor, lower=1)[0]
    return product


def invert(factor: Floats) -> Floats:
    """Turn a lower Cholesky factor L into the inverse of L L', in place.

    Parameters
    ----------
    factor : (k, k) array
        Overwritten.

    Returns
    -------
    (k, k) array
        Lower triangle.
    """
    inverse: Floats = _lapack().dpotri(factor, lower=1, overwrite_c=1)[0]
    return inverse


def symmetric(lower: Floats) -> Floats:
    """Return the full matrix of a lower triangle.

    Parameters
    ----------
    lower : (k, k) array
        What stands above the diagonal is not read.

    Returns
    -------
    (k, k) array
    """
    full: Floats = np.where(_mark_lower(len(lower)), lower, lower.T)
    return full


@lru_cache(maxsize=2)  # of 5,000 essays one takes 25 MB
def _mark_lower(size: int) -> Bools:
    """Where the lower triangle is, (size, size)."""
    return np.tri(size, dtype=np.bool_)


def sum_differences(
    first: Ints, second: Ints, group: Ints, values: Floats, n: int, n_groups: int
) -> Floats:
    """Sum (e_first - e_second) times values by group.

    Parameters
    ----------
    first, second : (m,) arrays of int
        Essays of each row, 0 .. n - 1.
    group : (m,) array of int
        Group of each row, 0 .. n_groups - 1.
    values : (m,) array
        Value of each row.
    n, n_groups : int
        How many essays and groups there are.

    Returns
    -------
    (n, n_groups) array
    """
    one = np.bincount(first * n_groups + group, values, n * n_groups)
    other = np.bincount(second * n_groups + group, values, n * n_groups)
    difference: Floats = (one - other).reshape(n, n_groups)
    return difference


def centre_covariance(full: Floats) -> Floats:
    """Return a covariance in the sum-to-zero gauge; the one given is overwritten.

    Parameters
    ----------
    full : (n, n) array
        Covariance of abilities, logits^2.

    Returns
    -------
    (n, n) array
        Of the abilities less their mean, logits^2.
    """
    mean = full.mean(axis=0)
    full -= mean[:, None]
    full += mean.mean() - mean[None, :]
    return full


def place_diagonally(blocks: Sequence[Floats]) -> Floats:
    """Place matrices along the diagonal of one that is 0 elsewhere, as `scipy.linalg.block_diag`.

    The import of that takes longer than all of `scoring`.
    """
    heights, widths = zip(*(block.shape for block in blocks), strict=True)
    whole = np.zeros((sum(heights), sum(widths)))
    row = column = 0
    for block, height, width in zip(blocks, heights, widths, strict=True):
        whole[row : row + height, column : column + width] = block
        row, column = row + height, column + width
    return whole
