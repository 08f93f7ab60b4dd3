"""Newton's method for the joint model: dense for small sets, conjugate gradients for large ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.linear import DenseSystem, solve
from scoring.errors import NotConvergedError, SolverState

if TYPE_CHECKING:
    from scoring._fit.derivatives import Blocks, Point
    from scoring._fit.model import Model
    from scoring._types import Floats, Ints

MAX_ITERATIONS = 100
TOLERANCE = 1e-8
_ROUGH = 1e-3
_REUSE_BELOW = 0.03
_LARGEST_STEP = 2.0
_MAX_HALVINGS = 40
_MAX_DAMPINGS = 30
# A prior sd of at most 5 logits keeps the Hessian well enough conditioned for single precision;
# its steps are then good to a hundredth at least.
_SINGLE_FROM = 0.04
_SINGLE_ERROR = 1e-2


@dataclass(slots=True)
class Solution:
    """A maximum of the objective.

    Attributes
    ----------
    point : Point
        The objective there.
    iterations : int
        Newton iterations made.
    """

    point: Point
    iterations: int


def maximise(
    model: Model,
    start: Floats,
    *,
    gauge: Ints | None = None,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
    bound: float = np.inf,
) -> Solution:
    """Climb to the maximum by damped Newton steps with a dense Cholesky factor.

    Near the maximum the factor is kept (chord steps): a step of size s with a factor taken at
    distance e leaves an error of order s * e.

    Parameters
    ----------
    model : Model
        Objective and data.
    start : (N,) array
        Where the search starts.
    gauge : (n,) array of int, optional
        Component of each essay, where no prior holds the abilities' mean.
    tolerance : float
        Largest error of a parameter that is left.
    max_iterations : int
        Steps to take at most.
    bound : float
        Largest absolute value of a parameter.

    Returns
    -------
    Solution

    Raises
    ------
    NotConvergedError
        With the last iterate; also when a parameter leaves [-bound, bound].
    """
    climb = _Climb(model, start, gauge)
    iteration = 0
    for iteration in range(1, max_iterations + 1):
        if not climb.factorise():
            break
        if climb.step() < tolerance:
            return Solution(climb.point, iteration)
        if np.abs(climb.point.x).max() > bound:
            break
    raise NotConvergedError(
        "Newton's method", describe_state(model, climb.point, iteration, climb.size)
    )


def approach(model: Model, start: Floats) -> Solution:
    """Climb until steps are small, or as far as the iterations lead: a start for something else.

    Every step taken is one uphill, so what is reached is never worse than the start. Where judges'
    discriminations or lapses make the objective no concave one, the last digits can take long.

    Parameters
    ----------
    model : Model
        Objective and data.
    start : (N,) array
        Where the search starts.

    Returns
    -------
    Solution

    Raises
    ------
    NotConvergedError
        If the Hessian is not finite.
    """
    climb = _Climb(model, start, None)
    iteration = 0
    for iteration in range(1, MAX_ITERATIONS + 1):
        if not climb.factorise():
            state = describe_state(model, climb.point, iteration, climb.size)
            raise NotConvergedError("Newton's method", state)
        if climb.step() < _ROUGH or climb.size < _ROUGH:
            break
    return Solution(climb.point, iteration)


class _Climb:
    """Where a climb stands: its point, the factor in use, and the size of the last step."""

    def __init__(self, model: Model, start: Floats, gauge: Ints | None) -> None:
        self._model = model
        self._gauge = gauge
        self._single = gauge is None and model.priors.ability >= _SINGLE_FROM
        self._system = DenseSystem(model.n, model.size, model.pairs, gauge, single=self._single)
        self._factor: Floats | None = None
        self._is_fresh = False
        self._is_damped = False
        self.point = model.evaluate(start)
        self.size = np.inf

    def factorise(self) -> bool:
        """Factor the Hessian here unless the last factor will do; tell whether there is one."""
        self._is_fresh = self._factor is None or self.size > _REUSE_BELOW
        if not self._is_fresh:
            return True
        model, blocks = self._model, self._model.blocks(self.point)
        factor = self._system.factor(blocks)
        if factor is None and self._single:
            self._single = False
            self._system = DenseSystem(model.n, model.size, model.pairs, self._gauge)
            factor = self._system.factor(blocks)
        self._is_damped = factor is None
        self._factor = _factorise_damped(self._system, blocks) if factor is None else factor
        return self._factor is not None

    def step(self) -> float:
        """Go a step; return the error left behind, infinite while that cannot be told.

        It is quadratic in the step with a fresh factor, linear at the seen rate with an old one.
        """
        if self._factor is None:
            return np.inf
        step = solve(self._factor, self.point.gradient)
        size, previous = float(np.abs(step).max()), self.size
        taken, self.point = advance(self._model, self.point, step, size)
        rate = max(size, _SINGLE_ERROR if self._single else 0.0)
        if not self._is_fresh:
            rate = size / previous
        is_whole = taken == 1.0 and not self._is_damped
        if not is_whole or (not self._is_fresh and size > 0.5 * previous):
            self._factor = None
        self.size = size
        return size * rate if is_whole else np.inf


def describe_state(model: Model, point: Point, iterations: int, step: float) -> SolverState:
    """Describe where a solver stopped."""
    x = point.x
    return SolverState(iterations, x[: model.n].copy(), x[model.n :].copy(), step, point.value)


def _factorise_damped(system: DenseSystem, blocks: Blocks) -> Floats | None:
    """Factor the negative Hessian with enough added to its diagonal; None if it is not finite."""
    damping = 1e-3 * float(np.abs(blocks.diagonal).max()) + 1e-12
    for _ in range(_MAX_DAMPINGS):
        factor = system.factor(blocks, damping)
        if factor is not None:
            return factor
        damping *= 4.0
    return None


def advance(model: Model, point: Point, step: Floats, size: float) -> tuple[float, Point]:
    """Take the longest halving of the step that does not lower the objective.

    Parameters
    ----------
    model : Model
        Objective and data.
    point : Point
        Where the step begins.
    step : (N,) array
        A whole step.
    size : float
        Its largest absolute entry.

    Returns
    -------
    taken : float
        Share of the step that was taken, 0 where none helps.
    point : Point
        Where it ends.
    """
    taken = min(model.longest_step(point.x, step), _LARGEST_STEP / max(size, _LARGEST_STEP))
    slack = 1e-12 * (1.0 + abs(point.value))
    for _ in range(_MAX_HALVINGS):
        following = model.evaluate(point.x + taken * step)
        if following.value >= point.value - slack:
            return taken, following
        taken *= 0.5
    return 0.0, point
