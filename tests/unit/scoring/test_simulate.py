"""Simulated worlds and judges behave as they are described."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons
from scoring.errors import InvalidSettingError
from scoring.simulate import (
    CoinFlipJudge,
    FlippingJudge,
    LogisticJudge,
    PositionOnlyJudge,
    ReplayJudge,
    even_world,
    random_matchings,
    uneven_world,
)

M = 40_000
FIRST, SECOND = np.zeros(M, dtype=int), np.ones(M, dtype=int)


def draw(judge, seed=0):
    return judge.judge(FIRST, SECOND, np.random.default_rng(seed))


def test_the_same_seed_gives_the_same_world_and_verdicts():
    for make in (even_world, uneven_world):
        one, two = (make(np.random.default_rng(3)) for _ in range(2))
        assert one.ability.tolist() == two.ability.tolist()
        assert one.anchor_grade.tolist() == two.anchor_grade.tolist()
    judge = LogisticJudge(np.array([0.5, 0.0]), (1.0,))
    assert draw(judge, 4).tolist() == draw(judge, 4).tolist()
    assert draw(judge, 4).tolist() != draw(judge, 5).tolist()


def test_binary_verdicts_follow_the_logistic_model():
    judge = LogisticJudge(np.array([0.7, 0.0]), discrimination=2.0, order_effect=-0.4)
    share = (draw(judge) > 0).mean()
    assert share == pytest.approx(1 / (1 + np.exp(-1.0)), abs=0.01)


def test_graded_verdicts_follow_their_cut_points():
    outcome = draw(LogisticJudge(np.zeros(2), (1.0, 2.5)))
    assert set(outcome.tolist()) == {-3, -2, -1, 1, 2, 3}
    decisive = 2 / (1 + np.exp(2.5))
    assert (np.abs(outcome) == 3).mean() == pytest.approx(decisive, abs=0.01)
    tied = draw(LogisticJudge(np.zeros(2), (1.0, 2.5), ties=True))
    assert set(tied.tolist()) == {-2, -1, 0, 1, 2}
    assert (tied == 0).mean() == pytest.approx(np.tanh(0.5), abs=0.01)


def test_a_lapse_is_uniform_over_the_answers():
    judge = LogisticJudge(np.array([30.0, 0.0]), (1.0,), lapse=0.4)
    outcome = draw(judge)
    for answer in (-2, -1, 1):
        assert (outcome == answer).mean() == pytest.approx(0.1, abs=0.01)


def test_judges_who_do_not_read():
    assert (draw(CoinFlipJudge()) > 0).mean() == pytest.approx(0.5, abs=0.01)
    assert (draw(PositionOnlyJudge()) == 1).all()
    assert (draw(PositionOnlyJudge(prefers_first=False)) == -1).all()


def test_a_flipping_judge_agrees_as_often_as_it_says():
    assert (draw(FlippingJudge(np.array([0.0, 9.0]), 0.7)) < 0).mean() == pytest.approx(
        0.7, abs=0.01
    )


def test_replay_turns_recorded_judgements_round():
    recorded = Comparisons(3, [0, 0, 1], [1, 1, 2], [2, 0, -1])
    judge = ReplayJudge(recorded)
    rng = np.random.default_rng(0)
    assert set(judge.judge([0] * 50, [1] * 50, rng).tolist()) == {2, 0}
    assert set(judge.judge([1] * 50, [0] * 50, rng).tolist()) == {-2, 0}
    assert judge.judge([2], [1], rng).tolist() == [1]
    with pytest.raises(InvalidSettingError, match="0 and 2"):
        judge.judge([0], [2], rng)


def test_even_world_has_an_anchor_in_every_grade():
    world = even_world(np.random.default_rng(0))
    assert len(world.students) == 100
    assert np.bincount(world.anchor_grade).tolist() == [1, 1, 2, 2, 2, 2, 1, 1]
    graded = np.searchsorted(world.boundaries, world.ability[world.anchors])
    assert graded.tolist() == world.anchor_grade.tolist()


def test_uneven_world_misses_and_misgrades_as_asked():
    rng = np.random.default_rng(1)
    world = uneven_world(rng, missing_grades=2, misgraded=1)
    assert len(world.anchors) == 12
    off = np.abs(
        np.searchsorted(world.boundaries, world.ability[world.anchors]) - world.anchor_grade
    )
    assert (off >= 2).sum() >= 1
    assert (np.diff(world.boundaries) > 0).all()


@pytest.mark.parametrize("n", [2, 7, 10])
def test_a_matching_holds_every_essay_at_most_once(n):
    first, second = random_matchings(n, 3, np.random.default_rng(0))
    assert len(first) == 3 * (n // 2)
    for r in range(3):
        part = slice(r * (n // 2), (r + 1) * (n // 2))
        both = np.concatenate([first[part], second[part]])
        assert len(np.unique(both)) == len(both)
