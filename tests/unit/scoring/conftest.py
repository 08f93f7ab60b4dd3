"""Data shared by the tests of the scoring package."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from scoring import Comparisons
from tests.fakes.fits import fit_always

# No More Marking demo (nmmBtm README): winner>loser by judge, scripts numbered from 1
NMM_DECISIONS = (
    (
        "1>5 6>3 8>4 1>7 7>2 7>5 6>7 8>7 8>3 6>4 3>2 4>5 6>1 4>2 2>5 8>2 1>2 3>7 8>5 6>5 1>3 4>7 "
        "8>6 1>4 3>4 3>5 6>2"
    ),
    (
        "8>1 3>5 6>7 8>4 1>3 1>2 8>5 6>5 1>4 6>7 6>2 8>7 3>4 2>5 8>7 1>5 3>5 3>4 4>2 6>4 8>1 6>7 "
        "2>5 8>6 1>7 1>3 4>2"
    ),
    (
        "6>8 7>3 4>2 1>5 4>8 4>3 8>7 4>2 1>5 1>6 8>3 1>7 7>2 6>5 1>3 1>2 4>5 2>6 5>8 4>3 8>7 2>6 "
        "8>3 4>7 6>5 2>3 2>7"
    ),
)


@pytest.fixture(scope="module", autouse=True)
def every_fit_calculated() -> Iterator[None]:
    """Calculate fits anew: they are what is tested here."""
    with fit_always():
        yield


@pytest.fixture
def nmm_demo():
    """8 scripts, 81 decisions, 3 judges."""
    rows = [
        (*(int(v) - 1 for v in decision.split(">")), judge)
        for judge, line in enumerate(NMM_DECISIONS)
        for decision in line.split()
    ]
    winner, loser, judge = np.array(rows).T
    return Comparisons.from_winners(8, winner, loser, judge)
