"""Newton's method for the joint model: dense for small sets, conjugate gradients for large ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.linear import DenseSystem, solve
from scoring.errors import NotConvergedError, SolverState

if TYPE_CHECKING:
    from scoring._fit.model import Blocks, Model, Point
    from scoring._types import Floats, Ints

MAX_ITERATIONS = 100
TOLERANCE = 1e-8
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

    Raises
    ------
    NotConvergedError
        With the last iterate; also when a parameter leaves [-bound, bound].
    """
    single = gauge is None and model.priors.ability >= _SINGLE_FROM
    system = DenseSystem(model.n, model.size, model.pairs, gauge, single=single)
    point = model.evaluate(start)
    factor: Floats | None = None
    damped = False
    previous = np.inf
    for iteration in range(1, max_iterations + 1):
        fresh = factor is None or previous > _REUSE_BELOW
        if factor is None or fresh:
            blocks = model.blocks(point)
            factor = system.factor(blocks)
            if factor is None and single:
                single = False
                system = DenseSystem(model.n, model.size, model.pairs, gauge)
                factor = system.factor(blocks)
            damped = factor is None
            factor = _damped_factor(system, blocks) if factor is None else factor
            if factor is None:
                break
        step = solve(factor, point.gradient)
        size = float(np.abs(step).max())
        taken, point = advance(model, point, step, size)
        # error left behind: quadratic with a fresh factor, linear at the seen rate with an old one
        rate = max(size, _SINGLE_ERROR if single else 0.0) if fresh else size / previous
        left = size * rate
        if taken == 1.0 and left < tolerance and not damped:
            return Solution(point, iteration)
        if taken < 1.0 or damped or (not fresh and size > 0.5 * previous):
            factor = None
        previous = size
        if np.abs(point.x).max() > bound:
            break
    raise NotConvergedError("Newton's method", state_of(model, point, iteration, previous))


def state_of(model: Model, point: Point, iterations: int, step: float) -> SolverState:
    """Describe where a solver stopped."""
    x = point.x
    return SolverState(iterations, x[: model.n].copy(), x[model.n :].copy(), step, point.value)


def _damped_factor(system: DenseSystem, blocks: Blocks) -> Floats | None:
    """Factor the negative Hessian with enough added to its diagonal; None if it is not finite."""
    damping = 1e-3 * float(np.abs(blocks.diagonal).max()) + 1e-12
    for _ in range(_MAX_DAMPINGS):
        factor = system.factor(blocks, damping)
        if factor is not None:
            return factor
        damping *= 4.0
    return None


def advance(model: Model, point: Point, step: Floats, size: float) -> tuple[float, Point]:
    """Take the longest halving of the step that does not lower the objective."""
    taken = min(model.longest_step(point.x, step), _LARGEST_STEP / max(size, _LARGEST_STEP))
    slack = 1e-12 * (1.0 + abs(point.value))
    for _ in range(_MAX_HALVINGS):
        following = model.evaluate(point.x + taken * step)
        if following.value >= point.value - slack:
            return taken, following
        taken *= 0.5
    return 0.0, point
