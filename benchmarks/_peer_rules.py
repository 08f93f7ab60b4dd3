"""Pair selection of other systems, written anew from their published descriptions.

Only the choice of pairs is theirs: judge, worlds, fit and the rule that no pair is asked twice (a
model repeats itself) are the same for all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from benchmarks._simulated_batch import SimulatedBatch
from scoring._pairing.matching import greedy_matching
from scoring._pairing.pair_scores import difference_variance, random_scores
from scoring._pairing.shown_order import balance_order
from scoring.pairing import WavePlan

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(15)


def information_gain_tree(batch: SimulatedBatch) -> WavePlan:
    """Ask the pairs of the spanning tree of largest expected information gain.

    After ASAP (Mikhailiuk et al., ICPR 2020, arXiv 2004.05691): a wave of n - 1 pairs, the minimum
    spanning tree of inverse gain; gain is the mutual information between verdict and abilities.
    """
    from scipy.sparse.csgraph import minimum_spanning_tree

    gain = _information_gain(batch)
    cost = np.where(batch.met, 0.0, 1.0 / (gain * (1 + 1e-6 * random_scores(len(gain), batch.rng))))
    tree = minimum_spanning_tree(np.triu(cost, 1)).tocoo()
    return _draw_shown_order(batch, np.stack([tree.row, tree.col], axis=1).astype(np.int64))


def information_gain_matching(batch: SimulatedBatch) -> WavePlan:
    """Match by expected information gain: the same worth, every essay once."""
    return _match(batch, _information_gain(batch))


def _information_gain(batch: SimulatedBatch) -> np.ndarray:
    """Return entropy of the mean probability less mean entropy, by Gauss-Hermite quadrature."""
    if batch.fit is None:
        return np.ones((batch.n_essays, batch.n_essays))
    ability = batch.fit.ability
    mean = ability[:, None] - ability[None, :]
    sd = np.sqrt(difference_variance(batch.fit.covariance))
    p = 1 / (1 + np.exp(-(mean[..., None] + sd[..., None] * _NODES)))
    weights = _WEIGHTS / _WEIGHTS.sum()
    gain = _entropy(p @ weights) - _entropy(p) @ weights
    symmetric: np.ndarray = np.maximum((gain + gain.T) / 2, 1e-12)
    return symmetric


def _entropy(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-15, 1 - 1e-15)
    entropy: np.ndarray = -(p * np.log(p) + (1 - p) * np.log1p(-p))
    return entropy


def close_and_uncertain(batch: SimulatedBatch) -> WavePlan:
    """Match by p(1-p) (var_a + var_b) / (1 + |difference|), with one pair in five at random.

    After the rank task of GABRIEL (OpenAI).
    """
    n = batch.n_essays
    if batch.fit is None:
        return _match(batch, random_scores(n, batch.rng))
    gap = np.abs(batch.fit.ability[:, None] - batch.fit.ability[None, :])
    variance = batch.fit.standard_error**2
    p = 1 / (1 + np.exp(gap))
    score = p * (1 - p) * (variance[:, None] + variance[None, :]) / (1 + gap)
    at_random = batch.rng.permutation(n)[: 2 * round(0.2 * (n // 2))]
    return _match(batch, score, at_random)


@dataclass
class TrueSkillRule:
    """Match by p(1-p) under TrueSkill ratings, after a chain through all essays.

    After the adaptive loop of pairwiseLLM. Ratings: Herbrich, Minka & Graepel, NIPS 2006, without
    draws; sd of performance chosen so that the difference of two has the sd of a logistic (1.8).
    """

    performance_variance: float = 1.8**2 / 2
    seen: int = 0
    mean: np.ndarray = field(default_factory=lambda: np.zeros(0))
    variance: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __call__(self, batch: SimulatedBatch) -> WavePlan:
        """Plan the next wave."""
        n = batch.n_essays
        if batch.fit is None:
            self.mean, self.variance = np.zeros(n), np.full(n, batch.prior_sd**2)
            chain = batch.rng.permutation(n)
            return _draw_shown_order(batch, np.stack([chain[:-1], chain[1:]], axis=1))
        self._rate(batch)
        spread = np.sqrt(
            2 * self.performance_variance + self.variance[:, None] + self.variance[None, :]
        )
        # p(1-p) falls with |difference| / spread, so this orders the pairs alike.
        return _match(batch, -np.abs(self.mean[:, None] - self.mean[None, :]) / spread)

    def _rate(self, batch: SimulatedBatch) -> None:
        """Update the ratings, verdict by verdict."""
        rows = slice(self.seen, None)
        better = batch.outcome[rows] > 0
        winners = np.where(better, batch.first[rows], batch.second[rows])
        losers = np.where(better, batch.second[rows], batch.first[rows])
        for a, b in zip(winners.tolist(), losers.tolist(), strict=True):
            total = 2 * self.performance_variance + self.variance[a] + self.variance[b]
            t = (self.mean[a] - self.mean[b]) / math.sqrt(total)
            density = math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
            v = density / max(0.5 * math.erfc(-t / math.sqrt(2)), 1e-12)
            w = v * (v + t)
            self.mean[a] += self.variance[a] / math.sqrt(total) * v
            self.mean[b] -= self.variance[b] / math.sqrt(total) * v
            self.variance[a] *= 1 - self.variance[a] / total * w
            self.variance[b] *= 1 - self.variance[b] / total * w
        self.seen = len(batch.first)


def _match(
    batch: SimulatedBatch, score: np.ndarray, at_random: np.ndarray | None = None
) -> WavePlan:
    """Match all essays greedily, some of them among themselves at random."""
    allowed = np.where(batch.met, -np.inf, score + 1e-9 * random_scores(len(score), batch.rng))
    if at_random is None:
        return _draw_shown_order(batch, greedy_matching(allowed))
    coins = np.where(batch.met, -np.inf, random_scores(len(score), batch.rng))
    pairs = [
        group[greedy_matching(matrix[np.ix_(group, group)])]
        for group, matrix in (
            (at_random, coins),
            (np.setdiff1d(np.arange(len(score)), at_random), allowed),
        )
    ]
    return _draw_shown_order(batch, np.concatenate(pairs))


def _draw_shown_order(batch: SimulatedBatch, pairs: np.ndarray) -> WavePlan:
    n = batch.n_essays
    lead = np.bincount(batch.first, minlength=n) - np.bincount(batch.second, minlength=n)
    ordered = balance_order(pairs, lead, batch.rng)
    return WavePlan(ordered[:, 0], ordered[:, 1], np.zeros(len(ordered), dtype=bool))
