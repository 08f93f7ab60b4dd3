"""Large sets: conjugate gradients reach the dense solution, without a dense matrix."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from scoring import Comparisons, fit
from scoring._fit.conjugate import maximise_sparse
from scoring._fit.linear import DenseSystem, solve
from scoring._fit.link_choice import choose_link
from scoring._fit.links import Lapse
from scoring._fit.model import Model
from scoring._fit.newton import maximise
from scoring._fit.observations import observe
from scoring._fit.priors import Priors
from scoring.simulate import LogisticJudge, random_matchings
from tests.present import present


def simulate_class(n, rounds, cuts=(), *, judges=1, ties=False, neighbours=False):
    rng = np.random.default_rng(n)
    ability = np.sort(rng.normal(0, 2, n))
    first, second = random_matchings(n, rounds, rng)
    if neighbours:
        first = np.tile(np.arange(n - 1), rounds // 2)
        second = first + 1
    judge = rng.integers(0, judges, len(first))
    outcome = LogisticJudge(ability, cuts, ties=ties, order_effect=0.3).judge(first, second, rng)
    return Comparisons(n, first, second, outcome, judge)


def make_model(data, lapse=0.0):
    observations = observe(data, ties="auto", degrees="auto", repeats="shared")
    return Model(observations, choose_link(observations, lapse), Priors(0.25), order_effect=True)


@pytest.mark.parametrize(
    ("settings", "lapse"),
    [
        ({}, 0.0),
        ({"cuts": (1.0, 2.5)}, 0.0),
        ({"cuts": (0.5, 2.0), "ties": True, "judges": 3}, 0.0),
        ({"neighbours": True}, 0.0),
        ({}, 0.05),
    ],
)
def test_conjugate_gradients_reach_the_dense_solution(settings, lapse):
    model = make_model(simulate_class(300, 12, **settings), lapse)
    start = model.start(np.zeros(300))
    sparse = maximise_sparse(model, start)
    if sparse is None:
        assert isinstance(model.link, Lapse)
        return
    assert sparse.point.x == pytest.approx(maximise(model, start).point.x, abs=1e-6)


def test_many_essays_are_fitted_without_a_dense_matrix():
    data = simulate_class(3000, 12)
    fit(simulate_class(450, 4), estimator="map")
    tracemalloc.start()
    result = fit(data, estimator="map")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # a dense matrix alone would take 72 MB
    assert peak < 20e6
    assert np.abs(result.ability.mean()) < 1e-6


def test_standard_errors_of_a_large_set_are_those_of_the_full_inverse():
    data = simulate_class(420, 8, judges=2)
    result = fit(data, estimator="map")
    covariance = result.covariance
    assert result.standard_error == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-9)
    one, other = result.difference(3, 400)
    assert one == result.ability[3] - result.ability[400]
    wanted = covariance[3, 3] + covariance[400, 400] - 2 * covariance[3, 400]
    assert other == pytest.approx(np.sqrt(wanted), rel=1e-9)


def test_importing_pulls_in_no_heavy_module():
    code = (
        "import sys, scoring\n"
        "heavy = ('scipy.stats', 'scipy.optimize', 'choix', 'rustworkx', 'scipy.linalg')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_fitting_pulls_in_no_optimiser():
    code = (
        "import sys\n"
        "from scoring import Comparisons, fit\n"
        "fit(Comparisons(3, [0, 1, 2], [1, 2, 0], [1, 1, 1])).standard_error\n"
        "heavy = ('scipy.stats', 'scipy.optimize', 'choix', 'rustworkx')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("prior_sd", [0.5, 2.0, 5.0, 8.0])
@pytest.mark.parametrize("neighbours", [False, True])
def test_steps_in_single_precision_lead_to_the_exact_maximum(prior_sd, neighbours):
    data = simulate_class(200, 10, neighbours=neighbours)
    result = fit(data, prior_sd=prior_sd, estimator="map")
    observations = observe(data, ties="auto", degrees="auto", repeats="shared")
    model = Model(
        observations, choose_link(observations, 0.0), Priors(prior_sd**-2), order_effect=True
    )
    x = np.append(result.ability, result.order_effect)
    # the distance to the maximum, by one exact Newton step in double precision
    blocks = model.blocks(model.evaluate(x))
    factor = DenseSystem(model.n, model.size, model.pairs, None).factor(blocks)
    assert np.abs(solve(present(factor), model.evaluate(x).gradient)).max() < 1e-7
