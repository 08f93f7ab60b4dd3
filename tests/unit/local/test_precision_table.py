"""The table of the page of a new batch is what the simulation behind `cj plan` gives."""

from __future__ import annotations

import itertools
import json

import pytest

from local.make_precision import COMPARISONS, N_ESSAYS, TABLE, simulate_reliability


def test_a_cell_is_what_is_simulated() -> None:
    table = json.loads(TABLE.read_text())
    assert (tuple(table["n_essays"]), tuple(table["comparisons"])) == (N_ESSAYS, COMPARISONS)
    shown = table["reliability"][N_ESSAYS.index(25)][COMPARISONS.index(3)]
    assert shown == pytest.approx(simulate_reliability(25, 3), abs=0.02)


def test_more_comparisons_are_not_foretold_to_say_less() -> None:
    for row in json.loads(TABLE.read_text())["reliability"]:
        assert all(0 <= least <= expected <= most <= 1 for least, expected, most in row)
        expected = [cell[1] for cell in row]
        assert all(later > earlier - 0.05 for earlier, later in itertools.pairwise(expected))
