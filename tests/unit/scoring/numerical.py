"""Derivatives of a model's objective, by differences and as its blocks say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._fit.model import Model
    from scoring._types import Floats


def differentiate(model: Model, x: Floats, step: float) -> tuple[Floats, Floats]:
    """Gradient of the objective and its negative Hessian, by central differences."""
    ends = [(model.evaluate(x + u), model.evaluate(x - u)) for u in step * np.eye(model.size)]
    gradient = np.array([(above.value - below.value) / (2 * step) for above, below in ends])
    hessian = np.array([(below.gradient - above.gradient) / (2 * step) for above, below in ends])
    return gradient, hessian.T


def assemble_hessian(model: Model, x: Floats) -> Floats:
    """The negative Hessian as one matrix, from its blocks."""
    blocks, n = model.blocks(model.evaluate(x)), model.n
    hessian = np.zeros((model.size, model.size))
    np.add.at(hessian, (model.pairs.low, model.pairs.high), -blocks.weight)
    hessian += hessian.T
    hessian[np.arange(n), np.arange(n)] = blocks.diagonal
    hessian[:n, n:], hessian[n:, :n], hessian[n:, n:] = blocks.cross, blocks.cross.T, blocks.corner
    return hessian
