"""Ties by Davidson's model, and ordered cut points, against published fits."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, fit
from scoring._fit.intervals import interval

# Davidson (1970), chocolate puddings (PlackettLuce `pudding`): i, j, wins i, wins j, ties
PUDDING = """
1 2 19 22 16; 1 3 16 19 12; 2 3 19 19 10; 1 4 18 23 13; 2 4 23 19 9; 3 4 19 20 15; 1 5 13 19 18
2 5 16 20 12; 3 5 16 15 17; 4 5 17 14 16; 1 6 18 21 12; 2 6 22 20 12; 3 6 13 18 10; 4 6 14 19 18
5 6 11 21 12
"""


def pudding():
    rows = []
    for entry in PUDDING.replace("\n", ";").strip(";").split(";"):
        i, k, won, lost, tied = map(int, entry.split())
        rows += [(i, k, 1)] * won + [(i, k, -1)] * lost + [(i, k, 0)] * tied
    first, second, outcome = np.array(rows).T
    return Comparisons(6, first - 1, second - 1, outcome)


def test_davidson_puddings():
    # values from the Poisson log-linear form of the model
    result = fit(pudding(), ties="davidson", estimator="mle", order_effect=False)
    assert result.cut_points == pytest.approx([-0.29192709], abs=1e-6)
    assert result.cut_points_se == pytest.approx([0.08249869], abs=1e-6)
    theta = [-0.1765607727, 0.0436811275, -0.0235830679, -0.0014158642, -0.0426955458]
    theta.append(0.2005741231)
    se = [0.12194897, 0.12181791, 0.12682347, 0.12200271, 0.12705401, 0.12659440]
    assert result.ability == pytest.approx(theta, abs=1e-6)
    assert result.standard_error == pytest.approx(se, abs=1e-6)
    versus_first = [
        (0.22024190, 0.18721698),
        (0.15297770, 0.19351836),
        (0.17514491, 0.18821109),
        (0.13386523, 0.19270456),
        (0.37713490, 0.19240623),
    ]
    for brand, expected in enumerate(versus_first, start=1):
        assert result.difference(brand, 0) == pytest.approx(expected, abs=1e-6)
    worth = np.exp(result.ability) / np.exp(result.ability).sum()
    published = [0.13880338, 0.17300150, 0.16174743, 0.16537296, 0.15868539, 0.20238934]
    assert worth == pytest.approx(published, abs=1e-6)


def test_interval_ties_order_the_puddings_as_davidson_does():
    davidson = fit(pudding(), ties="davidson", estimator="mle", order_effect=False)
    result = fit(pudding(), ties="interval", estimator="mle", order_effect=False)
    assert np.argsort(result.ability).tolist() == np.argsort(davidson.ability).tolist()
    # both models then give the same share of ties among equals: F(c) - F(-c) = nu / (2 + nu)
    share = np.tanh(result.cut_points[0] / 2)
    nu = np.exp(davidson.cut_points[0])
    assert share == pytest.approx(nu / (2 + nu), abs=5e-3)


# Randall (1989), bitterness of wine (ordinal::wine): ratings 1..5 by temperature and contact
WINE = {(0, 0): (4, 9, 5, 0, 0), (1, 0): (0, 5, 8, 3, 2), (0, 1): (1, 7, 8, 2, 0)}
WINE[1, 1] = (0, 1, 5, 7, 5)


def test_cut_points_of_the_wine_ratings():
    # ordinal::clm, rating ~ temp + contact, logit link
    rows = [(w, c, r) for (w, c), n in WINE.items() for r in range(5) for _ in range(n[r])]
    warm, contact, rating = np.array(rows).T
    m = len(rows)
    upper_design, lower_design = np.zeros((m, 6)), np.zeros((m, 6))
    for design, cut in ((upper_design, rating), (lower_design, rating - 1)):
        inside = (cut >= 0) & (cut < 4)
        design[inside, cut[inside]] = 1
        design[:, 4], design[:, 5] = -warm, -contact
    endless_up = np.where(rating == 4, np.inf, 0.0)
    endless_down = np.where(rating == 0, -np.inf, 0.0)
    x = np.array([-1.0, 0.0, 1.0, 2.0, 0.0, 0.0])
    for _ in range(30):
        t = interval(lower_design @ x + endless_down, upper_design @ x + endless_up)
        gradient = upper_design.T @ (t.tail_above + t.kappa)
        gradient -= lower_design.T @ (t.tail_below + t.kappa)
        width = t.kappa * (1 + t.kappa)
        hessian = np.zeros((6, 6))
        parts = (
            (t.tail_above * (1 - t.tail_above), upper_design),
            (t.tail_below * (1 - t.tail_below), lower_design),
            (width, upper_design - lower_design),
        )
        for weight, design in parts:
            hessian += design.T @ (weight[:, None] * design)
        x = x + np.linalg.solve(hessian, gradient)
    se = np.sqrt(np.diag(np.linalg.inv(hessian)))
    expected = [-1.3443834, 1.2508088, 3.4668869, 5.0064042, 2.5031020, 1.5277977]
    errors = [0.5171021, 0.4378802, 0.5977604, 0.7309063, 0.5286801, 0.4766226]
    assert x == pytest.approx(expected, abs=1e-6)
    assert se == pytest.approx(errors, abs=1e-6)
    assert t.value.sum() == pytest.approx(-86.491923, abs=1e-6)
