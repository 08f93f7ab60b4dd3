"""Matchings against an independent implementation of Edmonds' algorithm."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring._pairing.matching import greedy_matching, improve_matching, spread_evenly
from scoring._pairing.optimal_matching import optimal_matching, partner_matching
from scoring._pairing.pair_scores import d_optimal_scores, nearest_scores
from tests.examples import scale_examples


def random_scores(k: int, seed: int, forbidden: float = 0.3) -> np.ndarray:
    """Return symmetric scores, some pairs forbidden."""
    rng = np.random.default_rng(seed)
    upper = np.triu(np.where(rng.random((k, k)) < forbidden, -np.inf, rng.normal(size=(k, k))), 1)
    score = upper + upper.T
    np.fill_diagonal(score, -np.inf)
    return score


def edmonds(score: np.ndarray) -> tuple[int, float]:
    """Return the pairs and the total of the best matching with the most pairs."""
    # All workers of a parallel run import this file, and networkx takes most of a second.
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph()
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


@settings(max_examples=scale_examples(60))
@given(k=st.integers(2, 16), seed=st.integers(0, 10**6), forbidden=st.floats(0, 0.9))
def test_the_optimal_matching_is_as_good_as_edmonds(k: int, seed: int, forbidden: float) -> None:
    score = random_scores(k, seed, forbidden)
    pairs = optimal_matching(score)
    size, best = edmonds(score)
    assert is_matching(pairs, score)
    assert len(pairs) == size
    assert total(pairs, score) == pytest.approx(best, abs=1e-9)


def test_the_optimal_matching_of_a_hundred_essays_by_closeness() -> None:
    ability = np.random.default_rng(1).normal(0, 2, 100)
    score = -np.abs(ability[:, None] - ability[None, :])
    np.fill_diagonal(score, -np.inf)
    # On a line the best matching pairs neighbours, first with second and so on.
    ranked = np.sort(ability)
    assert total(optimal_matching(score), score) == pytest.approx(
        -(ranked[1::2] - ranked[::2]).sum()
    )


@st.composite
def planned_scores(draw: st.DrawFn) -> np.ndarray:
    """Scores as waves have them: abilities, variances and pairs that have met."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    k = draw(st.integers(2, 300))
    ability = rng.normal(0, draw(st.sampled_from([0.05, 0.5, 2.0])), k)
    if draw(st.booleans()):
        ability = np.rint(ability)  # ties
    if draw(st.booleans()):
        score = nearest_scores(ability)
    else:
        log_spread = draw(st.sampled_from([0.0, 0.3, 1.0]))
        root = rng.normal(0, 0.1, (k, k)) / np.sqrt(k)
        variance = 0.3 * np.exp(rng.normal(0, log_spread, k))
        score = d_optimal_scores(ability, np.diag(variance) + root @ root.T)
    jitter = np.triu(rng.random((k, k)), 1)
    score = score + 1e-9 * (jitter + jitter.T)
    for _ in range(draw(st.integers(0, 8))):
        order = rng.permutation(k)[: k // 2 * 2].reshape(-1, 2)
        score[order[:, 0], order[:, 1]] = score[order[:, 1], order[:, 0]] = -np.inf
    np.fill_diagonal(score, -np.inf)
    return score


@settings(max_examples=scale_examples(25))
@given(score=planned_scores())
def test_the_best_partners_hold_the_optimum_of_all_pairs(score: np.ndarray) -> None:
    of_all = optimal_matching(score)
    of_partners = partner_matching(score)
    assert is_matching(of_partners, score)
    assert len(of_partners) == len(of_all)
    assert total(of_partners, score) == pytest.approx(total(of_all, score), abs=1e-6)


def test_partners_hold_the_optimum_where_a_few_essays_are_everyones_best() -> None:
    # Scores alone name the same 20 uncertain essays as partners of all others.
    rng = np.random.default_rng(1)
    score = d_optimal_scores(rng.normal(0, 2, 200), np.diag(0.35 * np.exp(rng.normal(0, 1, 200))))
    np.fill_diagonal(score, -np.inf)
    pairs, best = partner_matching(score), optimal_matching(score)
    assert len(pairs) == 100
    assert total(pairs, score) == pytest.approx(total(best, score), abs=1e-9)


@pytest.mark.slow
def test_a_thousand_essays_are_matched_at_least_as_well_as_by_exchanges() -> None:
    rng = np.random.default_rng(2)
    score = d_optimal_scores(rng.normal(0, 2, 1000), np.diag(rng.uniform(0.2, 0.8, 1000)))
    np.fill_diagonal(score, -np.inf)
    start = time.process_time()
    pairs = optimal_matching(score)
    assert time.process_time() - start < 20.0
    assert is_matching(pairs, score)
    assert len(pairs) == 500
    assert total(pairs, score) > total(improve_matching(score), score)


def test_equal_scores_give_the_same_matching_in_every_process() -> None:
    code = (
        "import numpy as np\n"
        "from scoring._pairing.optimal_matching import optimal_matching\n"
        "score = np.where(np.eye(40), -np.inf, 1.0)\n"
        "print(optimal_matching(score).tolist())\n"
    )
    printed = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
        for _ in range(3)
    }
    assert len(printed) == 1


@settings(max_examples=scale_examples(60))
@given(k=st.integers(2, 30), seed=st.integers(0, 10**6), forbidden=st.floats(0, 0.9))
def test_improvement_keeps_a_matching_and_never_loses(k: int, seed: int, forbidden: float) -> None:
    score = random_scores(k, seed, forbidden)
    greedy, improved = greedy_matching(score), improve_matching(score)
    assert is_matching(greedy, score)
    assert is_matching(improved, score)
    assert len(improved) == len(greedy)
    assert total(improved, score) >= total(greedy, score) - 1e-12


def test_improved_matching_is_close_to_the_best() -> None:
    shares = []
    for seed in range(6):
        score = random_scores(60, seed) + 3.0
        shares.append(total(improve_matching(score), score) / edmonds(score)[1])
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
    for matching in (greedy_matching, improve_matching, optimal_matching):
        assert matching(score).shape == (0, 2)
    assert spread_evenly(score, np.zeros(5, dtype=int), 3).shape == (0, 2)
