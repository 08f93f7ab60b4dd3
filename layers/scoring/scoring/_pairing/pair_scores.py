"""Scores of pairs of essays: (n, n) matrices, a larger score for a more useful comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Floats, Ints


_WIDTH = 3.0
_FARTHEST = 300.0


def random_scores(n: int, rng: np.random.Generator) -> Floats:
    """Draw a symmetric matrix of uniforms; its greedy matching is a uniformly random one.

    Parameters
    ----------
    n : int
        Number of essays.
    rng : numpy.random.Generator

    Returns
    -------
    (n, n) ndarray of float
        Zero on the diagonal.
    """
    draw = rng.random((n, n))
    return np.triu(draw, 1) + np.triu(draw, 1).T


def nearest_scores(ability: Floats) -> Floats:
    """Score a pair by closeness, `-|difference|`; the same order as p(1-p) at the estimates.

    Parameters
    ----------
    ability : (n,) ndarray of float
        Logits.

    Returns
    -------
    (n, n) ndarray of float
        Logits, at most 0.
    """
    return -np.abs(ability[:, None] - ability[None, :])


def closeness_scores(ability: Floats) -> Floats:
    """Score a pair by the information of its verdict, relative to that of equal essays.

    With logistic noise it is 4 p (1 - p) = sech^2(d / 2) at a difference d. Estimates of d err, so
    that it falls more slowly with them: as sech^2(d / 3).

    Parameters
    ----------
    ability : (n,) ndarray of float
        Estimates, logits.

    Returns
    -------
    (n, n) ndarray of float
        From 0 to 1.
    """
    scores: Floats = np.cosh(np.minimum(-nearest_scores(ability) / _WIDTH, _FARTHEST)) ** -2
    return scores


def difference_variance(covariance: Floats) -> Floats:
    """Return the variance of every ability difference.

    Parameters
    ----------
    covariance : (n, n) ndarray of float
        Logits squared.

    Returns
    -------
    (n, n) ndarray of float
        Logits squared.
    """
    variance = covariance.diagonal()
    return np.maximum(variance[:, None] + variance[None, :] - 2 * covariance, 0.0)


def expected_information(ability: Floats, covariance: Floats) -> Floats:
    """Return E[p(1-p)] of every pair under the normal posterior of its difference.

    Logistic-normal integral by the probit scaling of MacKay (Neural Computation 4, 1992):
    E[F(d)] = F(k m), k = (1 + pi v / 8)^(-1/2), whose derivative in m is E[p(1-p)].

    Parameters
    ----------
    ability : (n,) ndarray of float
        Logits.
    covariance : (n, n) ndarray of float
        Logits squared.

    Returns
    -------
    (n, n) ndarray of float
        At most 1/4.
    """
    shrink = 1.0 / np.sqrt(1.0 + np.pi / 8.0 * difference_variance(covariance))
    p = 1.0 / (1.0 + np.exp(shrink * np.abs(ability[:, None] - ability[None, :])))
    return shrink * p * (1.0 - p)


def d_optimal_scores(ability: Floats, covariance: Floats) -> Floats:
    """Score a pair by the expected growth of log det of the information, log(1 + E[p(1-p)] Var).

    The matrix determinant lemma gives exactly this for one more comparison (Fedorov 1972).

    Parameters
    ----------
    ability : (n,) ndarray of float
        Logits.
    covariance : (n, n) ndarray of float
        Logits squared.

    Returns
    -------
    (n, n) ndarray of float
    """
    return np.log1p(expected_information(ability, covariance) * difference_variance(covariance))


def expected_covariance(ability: Floats, covariance: Floats, pairs: Ints) -> Floats:
    """Return the covariance expected when `pairs` are judged.

    The information of a comparison hardly depends on its outcome. A wave of several matchings can
    therefore take the information of its earlier ones into account (Woodbury identity).

    Parameters
    ----------
    ability : (n,) ndarray of float
        Logits.
    covariance : (n, n) ndarray of float
        Logits squared.
    pairs : (p, 2) ndarray of int
        Essay indices.

    Returns
    -------
    (n, n) ndarray of float
        Logits squared.
    """
    i, j = pairs[:, 0], pairs[:, 1]
    weight = expected_information(ability, covariance)[i, j]
    spread = covariance[:, i] - covariance[:, j]
    inner = spread[i] - spread[j]
    inner[np.diag_indices_from(inner)] += 1.0 / weight
    updated: Floats = covariance - spread @ np.linalg.solve(inner, spread.T)
    return (updated + updated.T) / 2.0
