"""Published textbook fits: four competitors, statistics journals, baseball, Springall's pork."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, fit


def expand_counts(n, counts):
    """Expand (i, k, wins of i, wins of k, ties) into comparisons."""
    rows = []
    for i, k, won, lost, tied in counts:
        rows += [(i, k, 1)] * won + [(i, k, -1)] * lost + [(i, k, 0)] * tied
    first, second, outcome = np.array(rows).T
    return Comparisons(n, first, second, outcome)


def binomial_deviance(result, counts):
    """2 * (saturated - fitted) log likelihood of wins out of comparisons, ties as halves."""
    total = 0.0
    for i, k, won, lost, tied in counts:
        p = 1 / (1 + np.exp(result.ability[k] - result.ability[i]))
        y, m = won + tied / 2, won + lost + tied
        for seen, expected in ((y, m * p), (m - y, m * (1 - p))):
            total += 2 * seen * np.log(seen / expected) if seen else 0.0
    return total


def test_four_competitors():
    # Wikipedia's Bradley-Terry example; values also in arena-rank's tests and the BCJ README
    counts = [(0, 1, 2, 3, 0), (0, 3, 1, 4, 0), (1, 2, 5, 3, 0), (2, 3, 1, 3, 0)]
    result = fit(expand_counts(4, counts), estimator="mle", order_effect=False)
    theta = [-0.44654627, 0.04240265, -0.41580243, 0.81994508]
    assert result.ability == pytest.approx(theta, abs=2e-6)
    assert np.exp(result.ability) == pytest.approx([0.640, 1.043, 0.660, 2.270], abs=1e-3)
    se = [0.548070, 0.481781, 0.520401, 0.621343]
    assert result.standard_error == pytest.approx(se, abs=1e-6)
    assert binomial_deviance(result, counts) == pytest.approx(0.0390663, abs=1e-6)


JOURNALS = [
    (0, 1, 730, 33, 0),
    (0, 2, 498, 320, 0),
    (0, 3, 221, 284, 0),
    (1, 2, 68, 813, 0),
    (1, 3, 17, 276, 0),
    (2, 3, 142, 325, 0),
]


def test_statistics_journals():
    # Stigler (1994); Agresti, Categorical Data Analysis; BradleyTerry2 `citations`
    result = fit(expand_counts(4, JOURNALS), estimator="mle", order_effect=False)
    theta = [0.78992205, -2.15915044, 0.31035228, 1.05887611]
    se = [0.04333047, 0.07257974, 0.04164102, 0.05304699]
    assert result.ability == pytest.approx(theta, abs=1e-6)
    assert result.standard_error == pytest.approx(se, abs=1e-6)
    assert binomial_deviance(result, JOURNALS) == pytest.approx(4.293, abs=5e-4)
    published = [(1, -2.94907, 0.10255), (2, -0.47957, 0.06059), (3, 0.26895, 0.07083)]
    for journal, estimate, error in published:
        assert result.difference(journal, 0) == pytest.approx((estimate, error), abs=1e-5)


def test_statistics_journals_with_reduced_bias():
    result = fit(expand_counts(4, JOURNALS), estimator="firth", order_effect=False)
    for journal, estimate in [(1, -2.94438), (2, -0.47908), (3, 0.26853)]:
        assert result.difference(journal, 0)[0] == pytest.approx(estimate, abs=1e-5)


TEAMS = ("Mil", "Det", "Tor", "NY", "Bos", "Cle", "Bal")
# Agresti (2002, p. 438), American League 1987: home team's wins-losses, rows home, columns away
HOME = """
.   4-3 4-2 4-3 6-1 4-2 6-0
3-3 .   4-2 4-3 6-0 6-1 4-3
2-5 4-3 .   2-4 4-3 4-2 6-0
3-3 5-1 2-5 .   4-3 4-2 6-1
5-1 2-5 3-3 4-2 .   5-2 6-0
2-5 3-3 3-4 4-3 4-2 .   2-4
2-5 1-5 1-6 2-4 1-6 3-4 .
"""


def baseball():
    rows = []
    for home, line in enumerate(HOME.split("\n")[1:-1]):
        for away, cell in enumerate(line.split()):
            if cell != ".":
                won, lost = map(int, cell.split("-"))
                rows += [(home, away, 1)] * won + [(home, away, -1)] * lost
    first, second, outcome = np.array(rows).T
    return Comparisons(7, first, second, outcome)


def test_baseball_without_home_advantage():
    result = fit(baseball(), estimator="mle", order_effect=False)
    theta = [0.531153341, 0.386205896, 0.244282588, 0.197415309, 0.057495169, -0.366349767]
    theta.append(-1.050202536)
    se = [0.20741943, 0.20415651, 0.20206148, 0.20160371, 0.20091903, 0.20504428, 0.23246199]
    assert result.ability == pytest.approx(theta, abs=1e-6)
    assert result.standard_error == pytest.approx(se, abs=1e-6)


def test_baseball_with_home_advantage():
    without = fit(baseball(), estimator="mle", order_effect=False)
    result = fit(baseball(), estimator="mle")
    assert result.order_effect == pytest.approx([0.30226066], abs=1e-6)
    assert result.order_effect_se == pytest.approx([0.13094364], abs=1e-6)
    theta = [0.540717834, 0.396520054, 0.248273238, 0.202503243, 0.064965493, -0.374142703]
    theta.append(-1.078837160)
    se = [0.20951794, 0.20684293, 0.20392287, 0.20404494, 0.20316047, 0.20699825, 0.23542845]
    assert result.ability == pytest.approx(theta, abs=1e-6)
    assert result.standard_error == pytest.approx(se, abs=1e-6)
    # deviances 44.05346 and 38.64285: their difference is the likelihood ratio
    ratio = 2 * (result.log_likelihood - without.log_likelihood)
    assert ratio == pytest.approx(44.05346 - 38.64285, abs=1e-5)
    versus_baltimore = {
        "Bos": (1.14380265, 0.33784219),
        "Cle": (0.70469446, 0.33500140),
        "Det": (1.47535721, 0.34455182),
        "Mil": (1.61955499, 0.34736531),
        "NY": (1.28134040, 0.34040336),
        "Tor": (1.32711040, 0.34032221),
    }
    for team, expected in versus_baltimore.items():
        got = result.difference(TEAMS.index(team), TEAMS.index("Bal"))
        assert got == pytest.approx(expected, abs=1e-6)
    # worths, printed to three digits in BradleyTerry2's tests
    worth = np.sort(np.exp(result.ability) / np.exp(result.ability).sum())
    printed = [0.044, 0.088, 0.137, 0.157, 0.164, 0.190, 0.220]
    assert worth == pytest.approx(printed, abs=6e-4)


# Springall (1973), BradleyTerry2 `springall`: row,col:wins of col/losses of col/ties
SPRINGALL = """
1,2:2/16/7 1,3:0/21/1 1,4:5/10/10 1,5:2/15/7 1,6:0/22/2 1,7:12/3/9 1,8:13/9/5 1,9:10/12/3
2,3:6/11/5 2,4:17/2/7 2,5:9/6/8 2,6:8/12/6 2,7:24/2/0 2,8:16/3/5 2,9:15/2/7 3,4:22/2/4
3,5:14/4/5 3,6:11/4/7 3,7:24/1/3 3,8:22/0/3 3,9:17/2/6 4,5:3/14/9 4,6:2/18/4 4,7:12/6/5
4,8:10/6/6 4,9:8/9/11 5,6:5/11/9 5,7:20/0/2 5,8:15/2/5 5,9:13/5/9 6,7:27/1/0 6,8:19/1/5
6,9:18/2/2 7,8:2/13/8 7,9:2/21/5 8,9:6/8/8
"""


def springall():
    counts = []
    for entry in SPRINGALL.split():
        pair, cell = entry.split(":")
        row, col = (int(v) - 1 for v in pair.split(","))
        won, lost, tied = map(int, cell.split("/"))
        counts.append((col, row, won, lost, tied))
    return counts


def test_springall_with_ties_as_half_wins():
    counts = springall()
    data = expand_counts(9, counts)
    result = fit(data, estimator="mle", order_effect=False, ties="half")
    theta = [0.75432571, -0.78545913, -1.46936530, 0.48475224, -0.53021639, -1.16945324]
    theta += [1.61658430, 0.75707500, 0.34175681]
    se = [0.14923160, 0.15167803, 0.17530025, 0.14391425, 0.14786879, 0.16213077]
    se += [0.17803214, 0.15277172, 0.14245942]
    assert result.ability == pytest.approx(theta, abs=1e-6)
    assert result.standard_error == pytest.approx(se, abs=1e-6)
    assert binomial_deviance(result, counts) == pytest.approx(14.415427, abs=1e-5)
