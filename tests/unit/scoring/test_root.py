"""Zeros of falling functions: scipy's, in few steps more than bisection takes at most."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import toms748

from scoring._root import find_zero

TOLERANCE = 1e-9
FALLING: dict[str, Callable[[float], float]] = {
    "a line": lambda x: 1.0 - x,
    "a pole": lambda x: 1.0 / x - 2.0,
    "a tail": lambda x: math.exp(-40.0 * x) - 1e-12,
    "a step": lambda x: 1.0 if x < 0.7 else -1.0,
    "a flat zero": lambda x: -((x - 0.4) ** 9),
}


@pytest.mark.parametrize("name", FALLING)
def test_a_zero_is_that_of_scipy(name: str) -> None:
    falling = FALLING[name]
    asked: list[float] = []

    def count(x: float) -> float:
        asked.append(x)
        return falling(x)

    found = find_zero(count, 0.01, 3.0, tolerance=TOLERANCE)
    assert found == pytest.approx(toms748(falling, 0.01, 3.0, xtol=1e-13), abs=2 * TOLERANCE)
    bisections = math.ceil(math.log2(2.99 / (2 * TOLERANCE)))
    assert len(asked) <= 2 + bisections + 4


def test_smooth_functions_take_few_steps() -> None:
    asked: list[float] = []

    def count(x: float) -> float:
        asked.append(x)
        return 2.0 - np.log(x)

    find_zero(count, 1.0, 50.0, tolerance=TOLERANCE)
    assert len(asked) < 15


@given(zero=st.floats(-2.0, 2.0))
def test_a_zero_outside_is_the_nearest_end(zero: float) -> None:
    found = find_zero(lambda x: zero - x, -1.0, 1.0, tolerance=TOLERANCE)
    assert found == pytest.approx(min(max(zero, -1.0), 1.0), abs=TOLERANCE)
