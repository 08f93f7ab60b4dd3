"""How far an essay's rank is certain."""

from __future__ import annotations

import numpy as np

from scoring._types import Floats, Ints

SHARE = 0.9
_DRAWS = 2000
_DRAWS_AT_ONCE = 250
# One seed for all batches: the same verdicts give the same intervals.
_SEED = 20_250_101
_JITTER = 1e-10


def rank_intervals(ability: Floats, covariance: Floats, *, share: float = SHARE) -> Ints:
    """The ranks that hold each essay's true rank with this probability, (n, 2), 1 the best.

    Quantiles of the ranks in 2,000 seeded draws from N(ability, covariance), widened to hold the
    essay's own rank. Abilities share errors, so the draws are joint.

    Parameters
    ----------
    ability : (n,) logits.
    covariance : (n, n) logits squared; may be singular along a shift of all abilities.
    share : probability of the interval.
    """
    n = len(ability)
    scale = float(covariance.diagonal().mean())
    # A shift of all abilities changes no rank, but makes the covariance definite.
    root = np.linalg.cholesky(covariance + scale + _JITTER * max(scale, 1.0) * np.eye(n))
    rng = np.random.default_rng(_SEED)
    counts = np.zeros((n, n), dtype=np.int32)
    essays = np.arange(n)
    for _ in range(_DRAWS // _DRAWS_AT_ONCE):
        drawn = ability + rng.standard_normal((_DRAWS_AT_ONCE, n)) @ root.T
        for order in np.argsort(-drawn, axis=1):
            counts[order, essays] += 1
    reached = np.cumsum(counts, axis=1) / _DRAWS
    tail = (1.0 - share) / 2.0
    low = (reached <= tail).sum(axis=1) + 1
    high = (reached < 1.0 - tail).sum(axis=1) + 1
    own = (ability[None, :] > ability[:, None]).sum(axis=1) + 1
    return np.stack([np.minimum(low, own), np.maximum(high, own)], axis=1)
