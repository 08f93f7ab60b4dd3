"""The exact likelihood of rankings against published values, and weighted pairs against it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scoring import Comparisons, fit
from scoring.errors import InvalidSettingError, NotConvergedError
from scoring.lists import Lists, join_lists
from scoring.plackett_luce import _Rankings, fit_plackett_luce

NASCAR = np.loadtxt(Path(__file__).parent / "nascar_2002.csv", delimiter=",", dtype=int) - 1
"""Finishing orders of the 36 races of the 2002 season (Hunter 2004, Annals of Statistics 32:384,
table 2; as in the data set `nascar` of the R package PlackettLuce)."""


def keep_drivers(kept):
    races = [row[np.isin(row, kept)] for row in NASCAR]
    return Lists(len(kept), races, races)


def test_drivers_of_2002_have_the_published_abilities():
    # Hunter leaves four drivers out who were last in each race they entered.
    kept = np.arange(83)
    fitted = fit_plackett_luce(keep_drivers(kept))
    average = [np.flatnonzero(driver == NASCAR) % 43 + 1 for driver in kept]
    order = np.argsort([rank.mean() for rank in average], kind="stable")
    # log worths against A. Cameron, the first driver: P. J. Jones, Scott Pruett, Mark Martin;
    # Dave Marcis, Dick Trickle, Joe Varde (vignette of the R package PlackettLuce, npseudo = 0)
    published = [4.15, 3.62, 2.08, 0.03, -0.31, -0.15]
    found = (fitted.ability - fitted.ability[0])[order[[0, 1, 2, -3, -2, -1]]]
    np.testing.assert_allclose(found, published, atol=0.0051)


def test_a_driver_who_is_always_last_needs_a_prior():
    everybody = keep_drivers(np.arange(87))
    with pytest.raises((NotConvergedError, np.linalg.LinAlgError)):
        fit_plackett_luce(everybody)
    assert np.isfinite(fit_plackett_luce(everybody, prior_sd=2.0).ability).all()


def test_gradient_and_hessian_with_places():
    rng = np.random.default_rng(0)
    shown = [rng.permutation(6)[:4] for _ in range(5)]
    model = _Rankings(Lists(6, shown, [rng.permutation(r) for r in shown]), 2.0, place_effects=True)
    x = rng.normal(size=model.size)
    _, gradient, curvature = model.evaluate(x)
    for k, shift in enumerate(1e-5 * np.eye(model.size)):
        above, below = model.evaluate(x + shift), model.evaluate(x - shift)
        assert gradient[k] == pytest.approx((above[0] - below[0]) / 2e-5, abs=1e-6)
        assert curvature[:, k] == pytest.approx((below[1] - above[1]) / 2e-5, abs=1e-6)


def test_rankings_of_two_are_bradley_terry():
    first, second = [0, 1, 2, 0, 3, 3], [1, 2, 0, 2, 1, 0]
    winners = Comparisons.from_winners(4, first, second)
    rows = list(zip(first, second, strict=True))
    exact = fit_plackett_luce(Lists(4, rows, rows), prior_sd=2.0)
    pairs = fit(winners, prior_sd=2.0, estimator="map")
    np.testing.assert_allclose(exact.ability, pairs.ability, atol=1e-7)
    np.testing.assert_allclose(exact.covariance, pairs.covariance, atol=1e-7)


def test_weighted_pairs_say_nearly_what_the_exact_likelihood_says():
    rng = np.random.default_rng(3)
    ability = rng.normal(0, 2, 60)
    shown = np.concatenate([rng.permutation(60).reshape(-1, 5) for _ in range(8)])
    order = np.argsort(-(ability[shown] + rng.gumbel(size=shown.shape)), axis=1)
    lists = Lists(60, list(shown), list(np.take_along_axis(shown, order, 1)), judge=[0] * 96)
    exact = fit_plackett_luce(lists, prior_sd=2.0, place_effects=True)
    pairs = fit(join_lists(None, lists), prior_sd=2.0, estimator="map")
    assert np.corrcoef(exact.ability, pairs.ability)[0, 1] > 0.99
    error = np.sqrt(exact.covariance.diagonal()).mean()
    # pairs claim no more than the exact likelihood has, and not much less
    assert error < pairs.standard_error.mean() < 1.2 * error


def test_places_need_lists_of_one_size():
    with pytest.raises(InvalidSettingError, match="place_effects"):
        fit_plackett_luce(Lists(4, [[0, 1], [1, 2, 3]], [[0, 1], [1, 2, 3]]), place_effects=True)
