"""Second derivatives of the objective in the parameters that are no abilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scoring._fit.derivatives import Point
    from scoring._fit.parameters import Parameters
    from scoring._types import Floats


def assemble_other_blocks(
    parameters: Parameters, point: Point, curvature: Floats, prior: Floats
) -> tuple[Floats, Floats]:
    """Return the blocks of the negative Hessian beside that of the abilities.

    Parameters
    ----------
    parameters : Parameters
        All parameters of the fit.
    point : Point
        Where the Hessian is taken.
    curvature : (m,) array
        -d2l/ddelta2 of each comparison, weighted.
    prior : (q, q) array
        Precision of the other parameters' priors.

    Returns
    -------
    cross : (n, q) array
        Abilities by other parameters.
    corner : (q, q) array
        The other parameters.
    """
    q = parameters.size - parameters.n
    if q == 0:
        return np.empty((parameters.n, 0)), np.empty((0, 0))
    cross = np.empty((parameters.n, q))
    corner = prior.copy()
    order = slice(0, parameters.n_order)
    shape = slice(parameters.n_order, parameters.n_order + parameters.link.n_shape)
    if parameters.order is not None:
        d = parameters.data
        scaled = _sharpen(parameters, point, curvature)
        cross[:, order] = parameters.order.sum_by_essay(d.first, d.second, scaled, parameters.n)
        corner[order, order] += parameters.order.products(curvature)
    if parameters.link.n_shape:
        _add_shape(parameters, point, cross, corner, order, shape)
    if parameters.basis is not None:
        blocks, places = (cross, corner), (order, shape)
        _add_discrimination(parameters, parameters.basis, point, curvature, blocks, places)
    return cross, corner


def _sharpen(parameters: Parameters, point: Point, values: Floats) -> Floats:
    """Multiply the verdicts' values by their judges' discriminations, (m,)."""
    return values if parameters.basis is None else values * point.scale


def _add_shape(
    parameters: Parameters, point: Point, cross: Floats, corner: Floats, order: slice, shape: slice
) -> None:
    """Fill the rows and columns of the link's shape parameters.

    Parameters
    ----------
    parameters : Parameters
        All parameters of the fit.
    point : Point
        Where the Hessian is taken.
    cross : (n, q) array
        Block of abilities by other parameters, filled in place.
    corner : (q, q) array
        Block of the other parameters, added to in place.
    order, shape : slice
        Where order effects and shape parameters stand among the other parameters.
    """
    d = parameters.data
    weight = d.weights()
    signed = point.terms.shape_cross * (weight * d.sign)[:, None]
    for k in range(parameters.link.n_shape):
        column = signed[:, k]
        place = shape.start + k
        scaled = _sharpen(parameters, point, column)
        first = np.bincount(d.first, scaled, parameters.n)
        cross[:, place] = first - np.bincount(d.second, scaled, parameters.n)
        if parameters.order is not None:
            by_order = parameters.order.total(column)
            corner[order, place] = by_order
            corner[place, order] = by_order
    values = point.x[parameters.shape_at]
    corner[shape, shape] += parameters.link.shape_curvature(point.terms, values, weight)
    p = parameters.priors
    if parameters.link.n_gaps and p.gap_rate > 0.0:
        gaps = slice(shape.start, shape.start + parameters.link.n_gaps)
        corner[gaps, gaps] += np.diag((p.gap_shape - 1.0) / values[: parameters.link.n_gaps] ** 2)


def _add_discrimination(
    parameters: Parameters,
    basis: Floats,
    point: Point,
    curvature: Floats,
    blocks: tuple[Floats, Floats],
    places: tuple[slice, slice],
) -> None:
    """Fill the rows and columns of the judges' discriminations.

    Parameters
    ----------
    parameters : Parameters
        All parameters of the fit.
    basis : (J, r) array
        Turns coordinates into log discriminations.
    point : Point
        Where the Hessian is taken.
    curvature : (m,) array
        -d2l/ddelta2 of each comparison, weighted.
    blocks : ((n, q) array, (q, q) array)
        Abilities by other parameters, and the other parameters; filled in place.
    places : (slice, slice)
        Where order effects and shape parameters stand among the other parameters.
    """
    (cross, corner), (order, shape) = blocks, places
    d, z = parameters.data, point.scaled_difference
    at = slice(shape.stop, shape.stop + parameters.n_log)
    cross[:, at] = d.sum_essays_by_judge(point.scale * (curvature * z - point.slope)) @ basis
    own = d.sum_by_judge(curvature * z * z - point.slope * z)
    corner[at, at] += (basis.T * own) @ basis
    if parameters.order is not None and d.judge is not None:
        by_judge = parameters.order.sum_by_group(curvature * z, d.judge, d.n_judges)
        corner[order, at] = by_judge @ basis
        corner[at, order] = corner[order, at].T
    weight = d.weights()
    for k in range(parameters.link.n_shape):
        column = point.terms.shape_cross[:, k] * weight * d.sign * z
        corner[shape.start + k, at] = d.sum_by_judge(column) @ basis
        corner[at, shape.start + k] = corner[shape.start + k, at]
