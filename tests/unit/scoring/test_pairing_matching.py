"""Matchings against an independent implementation of Edmonds' algorithm."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring._pairing.best_matching import best_matching
from scoring._pairing.matching import greedy_matching, improved_matching, spread_evenly


def random_scores(k: int, seed: int, forbidden: float = 0.3) -> np.ndarray:
    """Return symmetric scores, some pairs forbidden."""
    rng = np.random.default_rng(seed)
    upper = np.triu(np.where(rng.random((k, k)) < forbidden, -np.inf, rng.normal(size=(k, k))), 1)
    score = upper + upper.T
    np.fill_diagonal(score, -np.inf)
    return score


def edmonds(score: np.ndarray) -> tuple[int, float]:
    """Return the pairs and the total of the best matching with the most pairs."""
    graph = nx.Graph()
    for a, b in zip(*np.nonzero(np.triu(np.isfinite(score), 1)), strict=True):
        graph.add_edge(int(a), int(b), weight=float(score[a, b]))
    pairs = nx.max_weight_matching(graph, maxcardinality=True)
    return len(pairs), sum(float(score[a, b]) for a, b in pairs)


def total(pairs: np.ndarray, score: np.ndarray) -> float:
    return float(score[pairs[:, 0], pairs[:, 1]].sum())


def is_matching(pairs: np.ndarray, score: np.ndarray) -> bool:
    ends = pairs.ravel()
    return len(np.unique(ends)) == len(ends) and bool(
        np.isfinite(score[pairs[:, 0], pairs[:, 1]]).all()
    )


@settings(max_examples=60, deadline=None)
@given(k=st.integers(2, 16), seed=st.integers(0, 10**6), forbidden=st.floats(0, 0.9))
def test_best_matching_is_as_good_as_edmonds(k: int, seed: int, forbidden: float) -> None:
    score = random_scores(k, seed, forbidden)
    pairs = best_matching(score)
    size, best = edmonds(score)
    assert is_matching(pairs, score)
    assert len(pairs) == size
    assert total(pairs, score) == pytest.approx(best, abs=1e-5)


def test_best_matching_of_a_hundred_essays_by_closeness() -> None:
    ability = np.random.default_rng(1).normal(0, 2, 100)
    score = -np.abs(ability[:, None] - ability[None, :])
    np.fill_diagonal(score, -np.inf)
    # On a line the best matching pairs neighbours, first with second and so on.
    ranked = np.sort(ability)
    assert total(best_matching(score), score) == pytest.approx(-(ranked[1::2] - ranked[::2]).sum())


@settings(max_examples=60, deadline=None)
@given(k=st.integers(2, 30), seed=st.integers(0, 10**6), forbidden=st.floats(0, 0.9))
def test_improvement_keeps_a_matching_and_never_loses(k: int, seed: int, forbidden: float) -> None:
    score = random_scores(k, seed, forbidden)
    greedy, improved = greedy_matching(score), improved_matching(score)
    assert is_matching(greedy, score)
    assert is_matching(improved, score)
    assert len(improved) == len(greedy)
    assert total(improved, score) >= total(greedy, score) - 1e-12


def test_improved_matching_is_close_to_the_best() -> None:
    shares = []
    for seed in range(6):
        score = random_scores(60, seed) + 3.0
        shares.append(total(improved_matching(score), score) / edmonds(score)[1])
    assert np.mean(shares) > 0.97


def test_greedy_matching_mends_what_it_left_over() -> None:
    # Greedy takes 0-1 and leaves 2 and 3, which have met each other.
    score = np.full((4, 4), -np.inf)
    for a, b, worth in ((0, 1, 9.0), (0, 2, 1.0), (1, 3, 1.0)):
        score[a, b] = score[b, a] = worth
    pairs = {frozenset(pair) for pair in greedy_matching(score).tolist()}
    assert pairs == {frozenset({0, 2}), frozenset({1, 3})}


def test_spread_evenly_serves_every_essay_when_only_two_triangles_are_left() -> None:
    # Six essays, compared three times each; what is left has no perfect matching.
    score = np.full((6, 6), -np.inf)
    for group in ((0, 1, 2), (3, 4, 5)):
        for a in group:
            for b in group:
                if a != b:
                    score[a, b] = 1.0
    counts = np.full(6, 3)
    chosen = spread_evenly(score, counts, 3)
    after = counts + np.bincount(chosen.ravel(), minlength=6)
    assert len(chosen) == 2
    assert np.ptp(after) == 1
    assert len(spread_evenly(score, counts, 6)) == 6


def test_nothing_allowed_matches_nothing() -> None:
    score = np.full((5, 5), -np.inf)
    for matching in (greedy_matching, improved_matching, best_matching):
        assert matching(score).shape == (0, 2)
    assert spread_evenly(score, np.zeros(5, dtype=int), 3).shape == (0, 2)
