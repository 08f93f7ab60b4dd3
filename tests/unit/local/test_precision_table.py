"""The table of the page of a new batch is the law of what the simulation behind `cj plan` gives."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from local.make_precision import (
    COMPARISONS,
    N_ESSAYS,
    TABLE,
    PrecisionLaw,
    Reading,
    simulate_readings,
)
from runner.offline.forecast import AGREEMENTS


@pytest.mark.slow
def test_the_table_is_near_what_is_simulated() -> None:
    """Within the chance of six small classes; over all readings the root mean square is .02."""
    table = json.loads(TABLE.read_text())
    assert (tuple(table["n_essays"]), tuple(table["comparisons"])) == (N_ESSAYS, COMPARISONS)
    readings = simulate_readings(6, AGREEMENTS[1], n_batches=6)
    logs = np.log(COMPARISONS)
    usual = [cell[1] for cell in table["reliability"][N_ESSAYS.index(6)]]
    later = [one for one in readings if one.comparisons > COMPARISONS[1]]
    assert later
    for one in later:
        shown = np.interp(np.log(one.comparisons), logs, usual)
        assert one.reliability == pytest.approx(shown, abs=0.15)


def test_the_law_of_spearman_and_brown_is_found() -> None:
    readings = [
        Reading(n, k, k / (k + 5), n_batches=10) for n in N_ESSAYS for k in (*COMPARISONS, 17)
    ]
    law = PrecisionLaw.from_readings(readings)
    assert law.coefficients == pytest.approx([-np.log(5), 1, 0, 0], abs=1e-9)
    assert law.foretell(30, 20) == pytest.approx(0.8)


def test_more_comparisons_and_better_judges_are_not_foretold_to_say_less() -> None:
    for row in json.loads(TABLE.read_text())["reliability"]:
        assert all(0 < poor < usual < good < 1 for poor, usual, good in row)
        for earlier, later in itertools.pairwise(row):
            assert all(more >= less for less, more in zip(earlier, later, strict=True))
