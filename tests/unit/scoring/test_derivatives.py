"""Analytic gradients and Hessians of every model against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scoring import Comparisons
from scoring._fit.intervals import interval
from scoring._fit.link_choice import choose_link
from scoring._fit.links import Lapse
from scoring._fit.model import Model
from scoring._fit.observations import observe
from scoring._fit.priors import Priors
from scoring.bradley_terry import sum_to_zero_basis
from tests.unit.scoring.numerical import assemble_hessian, differentiate

N, M, JUDGES = 7, 60, 3


def model(ties, lapse, *, judges, order):
    rng = np.random.default_rng(5)
    first = rng.integers(0, N, M)
    second = (first + rng.integers(1, N, M)) % N
    degrees = 1 if ties in ("davidson", "binary") else 3
    outcome = rng.integers(-degrees, degrees + 1, M)
    if ties in ("binary", "degrees"):
        outcome[outcome == 0] = 1
    data = Comparisons(N, first, second, outcome, rng.integers(0, JUDGES, M))
    kind: Any = ties if ties in ("davidson", "half", "interval") else "auto"
    observations = observe(data, ties=kind, degrees="auto", repeats="shared")
    basis = sum_to_zero_basis(JUDGES) if judges else None
    return Model(
        observations,
        choose_link(observations, lapse),
        Priors(0.25),
        order_effect=order,
        discrimination=basis,
    )


def draw_point(m):
    rng = np.random.default_rng(11)
    x = m.start(rng.normal(0, 1, N))
    x[N : N + m.n_order] = rng.normal(0, 0.5, m.n_order)
    x[m.shape_at] = rng.uniform(0.4, 1.2, m.link.n_shape)
    x[m.shape_at.stop :] = rng.normal(0, 0.4, m.n_log)
    return x


@pytest.mark.parametrize("lapse", [0.0, 0.08])
@pytest.mark.parametrize(("judges", "order"), [(False, False), (False, True), (True, True)])
@pytest.mark.parametrize("ties", ["binary", "degrees", "interval", "half", "davidson"])
def test_gradient_and_hessian(ties, lapse, judges, order):
    m = model(ties, lapse, judges=judges, order=order)
    x = draw_point(m)
    gradient, hessian = differentiate(m, x, 1e-5)
    assert m.evaluate(x).gradient == pytest.approx(gradient, abs=1e-6)
    assert assemble_hessian(m, x) == pytest.approx(hessian, abs=1e-6)
    assert isinstance(m.link, Lapse) == (lapse > 0)


@pytest.mark.parametrize("ties", ["binary", "degrees", "interval", "davidson"])
def test_probabilities_of_all_outcomes_sum_to_one(ties):
    m = model(ties, 0.08, judges=False, order=True)
    x = draw_point(m)
    d = m.data
    delta = np.linspace(-3, 3, 13)
    top = d.degrees
    outcomes = [k for k in range(-top, top + 1) if k or ties in ("interval", "davidson")]
    total = np.zeros(len(delta))
    for outcome in outcomes:
        category = np.full(len(delta), abs(outcome))
        twin = type(d)(N, 1, d.first, d.second, None, d.sign, category, None, top, d.ties)
        sign = -1.0 if outcome < 0 else 1.0
        total += np.exp(choose_link(twin, 0.08).terms(sign * delta, x[m.shape_at]).value)
    assert total == pytest.approx(np.ones(len(delta)))


def test_intervals_far_in_the_tail_keep_their_precision():
    # both bounds beyond 40 logits: the plain difference of two distribution functions is 0
    far = interval(np.array([40.0, -41.0]), np.array([41.0, -40.0]))
    exact = -40.0 + np.log1p(-np.exp(-1.0))
    assert far.value == pytest.approx([exact, exact], abs=1e-12)


def test_extreme_differences_stay_finite():
    m = model("interval", 0.0, judges=False, order=True)
    x = draw_point(m)
    x[:N] *= 400
    point = m.evaluate(x)
    assert np.isfinite(point.value)
    assert np.isfinite(point.gradient).all()
