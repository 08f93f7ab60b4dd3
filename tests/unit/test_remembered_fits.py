"""Fits that are calculated once (tests/fakes/fits.py) are those that are calculated each time."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, fit
from tests.fakes.fits import RememberingFit, fit_always


def verdicts(seed: int) -> Comparisons:
    rng = np.random.default_rng(seed)
    first, second = np.array([rng.choice(6, 2, replace=False) for _ in range(40)]).T
    return Comparisons.from_winners(6, first, second, rng.integers(0, 2, 40))


@pytest.mark.parametrize("estimator", ["variational", "map", "firth"])
def test_a_fit_that_is_remembered_is_that_which_is_calculated(estimator):
    with fit_always():
        calculated = fit(verdicts(1), estimator=estimator)
    fit(verdicts(2), estimator=estimator)
    for _ in range(2):
        remembered = fit(verdicts(1), estimator=estimator)
        assert remembered.ability.tolist() == calculated.ability.tolist()
        assert remembered.covariance.tolist() == calculated.covariance.tolist()
        remembered.ability[:] = 0.0


def test_the_oldest_answers_go_first_and_what_failed_is_asked_again(monkeypatch):
    monkeypatch.setattr("tests.fakes.fits.MOST_BYTES", 2_500)
    asked = []

    def calculate(question: str) -> bytes:
        asked.append(question)
        if question == "hard":
            raise ValueError(question)
        return question.encode() * 1_000

    remember = RememberingFit(calculate)
    for question in ("a", "b", "a", "c", "b", "a"):
        assert remember(question) == question.encode() * 1_000
    assert asked == ["a", "b", "c", "a"]
    for _ in range(2):
        with pytest.raises(ValueError, match="hard"):
            remember("hard")
    assert asked[-2:] == ["hard", "hard"]
