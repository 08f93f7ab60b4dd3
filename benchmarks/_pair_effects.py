"""How much of people's noise is a preference about the pair that several of them share.

Where several people judged the same pair, a preference about that pair which no scale explains
makes their residuals agree. With logit variance s^2 the products of two residuals of one pair are,
to first order, p^2 (1 - p)^2 s^2 on average. Fitted abilities follow the verdicts a little, and a
large s^2 counts less than its order says. So the same statistic of simulated verdicts on the same
pairs, with s^2 = 0 and .5, makes the scale that it is read off. Its error is that of a bootstrap
over pairs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks._real_judging import read_topic, topics
from scoring import Comparisons
from scoring.batch_fit import fit_batch

VARIANCE = 0.5
_SIMULATED, _BOOTSTRAPPED = 4, 100
_Z95 = 1.959964


def pair_effect_rows(seed: int, *, quick: bool) -> list[dict[str, Any]]:
    """One row for each topic: the variance of people's preferences about single pairs, logits^2."""
    rows = []
    for path in topics()[:: 4 if quick else 1]:
        read = read_topic(path)
        data = Comparisons(read.n_essays, read.first, read.second, read.outcome)
        variance, error = measure_pair_effects(data, np.random.default_rng(seed))
        rows.append(
            {
                "study": "pair effects",
                "world": path.parent.name,
                "essays": data.n_essays,
                "per_essay": 2.0 * len(data) / data.n_essays,
                "pair_variance": variance,
                "pair_variance_error": _Z95 * error,
            }
        )
    return rows


def measure_pair_effects(data: Comparisons, rng: np.random.Generator) -> tuple[float, float]:
    """Return the variance of pair effects and its standard error, logits^2.

    Parameters
    ----------
    data : Comparisons
        Of unknown judges, several on most pairs.
    rng : numpy.random.Generator
        For the bootstrap and for the simulated verdicts that it is read off.
    """
    products, scale, ability = _products(data)
    seen = products.sum() / scale.sum()
    drawn = rng.integers(len(scale), size=(_BOOTSTRAPPED, len(scale)))
    error = float(np.std(products[drawn].sum(axis=1) / scale[drawn].sum(axis=1)))
    none, some = (
        np.mean([_simulated(data, ability, variance, rng) for _ in range(_SIMULATED)])
        for variance in (0.0, VARIANCE)
    )
    unit = VARIANCE / float(some - none)
    return float(seen - none) * unit, error * unit


def _products(data: Comparisons) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums over each pair of products of two residuals, and what a variance of 1 makes of them."""
    ability = fit_batch(data).ability
    pair, orientation = _pairs(data)
    expected = 1.0 / (1.0 + np.exp(ability[data.second] - ability[data.first]))
    residual = (data.outcome + 1) / 2 - expected
    count = np.bincount(pair)
    total = np.bincount(pair, orientation * residual)
    spread = np.bincount(pair, expected * (1.0 - expected)) / count
    return total**2 - np.bincount(pair, residual**2), count * (count - 1) * spread**2, ability


def _pairs(data: Comparisons) -> tuple[np.ndarray, np.ndarray]:
    """Number of each comparison's pair, and 1 or -1 for the order in which it is shown."""
    low, high = np.minimum(data.first, data.second), np.maximum(data.first, data.second)
    _, pair = np.unique(low * data.n_essays + high, return_inverse=True)
    return pair, np.where(data.first == low, 1, -1)


def _simulated(
    data: Comparisons, ability: np.ndarray, variance: float, rng: np.random.Generator
) -> float:
    """The same statistic of verdicts drawn with pair effects of this variance; ties stay ties."""
    pair, orientation = _pairs(data)
    effect = rng.normal(0.0, np.sqrt(variance), pair.max() + 1)[pair]
    margin = ability[data.first] - ability[data.second] + orientation * effect
    won = np.where(margin + rng.logistic(size=len(margin)) > 0, 1, -1)
    outcome = np.where(data.outcome == 0, 0, won)
    products, scale, _ = _products(Comparisons(data.n_essays, data.first, data.second, outcome))
    return float(products.sum() / scale.sum())
