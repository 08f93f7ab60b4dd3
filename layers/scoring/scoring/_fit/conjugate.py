"""Newton's method for many essays: steps by preconditioned conjugate gradients, no dense matrix.

A set of n essays with k comparisons each needs memory in proportion to n k; the dense Cholesky
factor, n^2, is only formed when somebody asks for standard errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.newton import MAX_ITERATIONS, TOLERANCE, Solution, advance, describe_state
from scoring.errors import NotConvergedError

if TYPE_CHECKING:
    from scoring._fit.derivatives import Blocks
    from scoring._fit.model import Model
    from scoring._fit.pairs import Pairs
    from scoring._types import Floats

_LOOSEST = 1e-2
_TIGHTEST = 1e-8
_MAX_STEPS = 2000
_LARGEST_CORNER = 64


class _SparseSystem:
    """The joint negative Hessian as a product, with a block Jacobi preconditioner."""

    def __init__(self, n: int, pairs: Pairs) -> None:
        from scipy.sparse import csr_array

        self._n = n
        count = len(pairs.low)
        rows = np.concatenate([pairs.low, pairs.high])
        columns = np.concatenate([pairs.high, pairs.low])
        number = np.arange(2 * count, dtype=np.float64)
        pattern = csr_array((number, (rows, columns)), shape=(n, n))
        self._pair_of_entry = pattern.data.astype(np.int64) % count
        self._matrix = pattern

    def set(self, blocks: Blocks) -> None:
        self._matrix.data = blocks.weight[self._pair_of_entry]
        self._diagonal = blocks.diagonal
        self._cross = blocks.cross
        self._corner = blocks.corner
        small = len(blocks.corner) <= _LARGEST_CORNER
        corner = blocks.corner if small else np.diag(np.diagonal(blocks.corner))
        self._corner_inverse = np.linalg.inv(corner) if len(corner) else corner

    def product(self, x: Floats) -> Floats:
        n = self._n
        result = np.empty_like(x)
        abilities = x[:n]
        np.multiply(self._diagonal, abilities, out=result[:n])
        result[:n] -= self._matrix @ abilities
        if len(x) > n:
            others = x[n:]
            result[:n] += self._cross @ others
            result[n:] = abilities @ self._cross + self._corner @ others
        return result

    def precondition(self, residual: Floats) -> Floats:
        n = self._n
        result = np.empty_like(residual)
        np.divide(residual[:n], self._diagonal, out=result[:n])
        if len(residual) > n:
            result[n:] = self._corner_inverse @ residual[n:]
        return result

    def solve(self, right: Floats, precision: float) -> Floats | None:
        """Solve to a relative residual; None when the matrix turns out not to be definite.

        Parameters
        ----------
        right : (N,) array
            Right-hand side.
        precision : float
            Largest norm of the residual, as a share of that of `right`.

        Returns
        -------
        (N,) array or None
        """
        x = np.zeros_like(right)
        residual = right.copy()
        z = self.precondition(residual)
        direction = z.copy()
        rho = float(residual @ z)
        enough = precision**2 * float(right @ right)
        for _ in range(_MAX_STEPS):
            image = self.product(direction)
            curvature = float(direction @ image)
            if not curvature > 0.0:
                return None
            alpha = rho / curvature
            x += alpha * direction
            residual -= alpha * image
            if float(residual @ residual) <= enough:
                break
            z = self.precondition(residual)
            rho, previous = float(residual @ z), rho
            direction *= rho / previous
            direction += z
        return x


def maximise_sparse(model: Model, start: Floats) -> Solution | None:
    """Climb to the maximum without forming a dense matrix.

    Returns
    -------
    Solution or None
        None when the objective is not concave along the way, where only the dense method knows
        what to do.

    Raises
    ------
    NotConvergedError
        With the last iterate.
    """
    system = _SparseSystem(model.n, model.pairs)
    point = model.evaluate(start)
    precision, size = _LOOSEST, np.inf
    for iteration in range(1, MAX_ITERATIONS + 1):
        blocks = model.blocks(point)
        if not (blocks.diagonal > 0.0).all():
            return None
        system.set(blocks)
        step = system.solve(point.gradient, precision)
        if step is None:
            return None
        size = float(np.abs(step).max())
        taken, point = advance(model, point, step, size)
        if taken == 1.0 and size * max(precision, size) < TOLERANCE:
            return Solution(point, iteration)
        precision = max(min(_LOOSEST, size * size), _TIGHTEST)
    raise NotConvergedError("Newton's method", describe_state(model, point, MAX_ITERATIONS, size))
