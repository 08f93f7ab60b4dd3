"""How much a comparison of two essays is worth: `(n, n)` matrices of scores, larger is better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._types import Floats, Ints


def random_scores(n: int, rng: np.random.Generator) -> Floats:
    """Draw a symmetric matrix of uniforms; its greedy matching is a uniformly random one."""
    draw = rng.random((n, n))
    return np.triu(draw, 1) + np.triu(draw, 1).T


def nearest_scores(ability: Floats) -> Floats:
    """Score a pair by closeness, `-|difference|`; the same order as p(1-p) at the estimates."""
    return -np.abs(ability[:, None] - ability[None, :])


def difference_variance(covariance: Floats) -> Floats:
    """Return the variance of every ability difference, logits squared, `(n, n)`."""
    variance = covariance.diagonal()
    return np.maximum(variance[:, None] + variance[None, :] - 2 * covariance, 0.0)


def expected_information(ability: Floats, covariance: Floats) -> Floats:
    """Return E[p(1-p)] of every pair under the normal posterior of its difference, `(n, n)`.

    Logistic-normal integral by the probit scaling of MacKay (Neural Computation 4, 1992):
    E[F(d)] = F(k m), k = (1 + pi v / 8)^(-1/2), whose derivative in m is E[p(1-p)].
    """
    shrink = 1.0 / np.sqrt(1.0 + np.pi / 8.0 * difference_variance(covariance))
    p = 1.0 / (1.0 + np.exp(shrink * np.abs(ability[:, None] - ability[None, :])))
    return shrink * p * (1.0 - p)


def d_optimal_scores(ability: Floats, covariance: Floats) -> Floats:
    """Score a pair by the expected growth of log det of the information, log(1 + E[p(1-p)] Var).

    The matrix determinant lemma gives exactly this for one more comparison (Fedorov 1972).
    """
    return np.log1p(expected_information(ability, covariance) * difference_variance(covariance))


def covariance_after(ability: Floats, covariance: Floats, pairs: Ints) -> Floats:
    """Return the covariance as it is expected to be once `pairs` are judged.

    The information of a comparison hardly depends on its outcome, so a wave of several matchings
    can take into account what its earlier ones will have taught (Woodbury identity).

    Parameters
    ----------
    ability, covariance : (n,) and (n, n), logits.
    pairs : (p, 2).

    """
    i, j = pairs[:, 0], pairs[:, 1]
    weight = expected_information(ability, covariance)[i, j]
    spread = covariance[:, i] - covariance[:, j]
    inner = spread[i] - spread[j]
    inner[np.diag_indices_from(inner)] += 1.0 / weight
    updated: Floats = covariance - spread @ np.linalg.solve(inner, spread.T)
    return (updated + updated.T) / 2.0
