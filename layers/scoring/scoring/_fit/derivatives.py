"""What the objective gives at one parameter vector: value, gradient and negative Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scoring._fit.links import Terms
    from scoring._types import Floats


@dataclass(slots=True)
class Point:
    """The objective at one parameter vector.

    Attributes
    ----------
    x : (N,) array
        Parameters.
    value, log_likelihood : float
        Penalised and plain log likelihood.
    gradient : (N,) array
        Gradient of ``value``.
    """

    x: Floats
    value: float
    log_likelihood: float
    gradient: Floats
    scale: Floats | float
    scaled_difference: Floats
    slope: Floats
    terms: Terms


@dataclass(slots=True)
class Blocks:
    """The negative Hessian, sparse in the abilities.

    Attributes
    ----------
    diagonal : (n,) array
        Diagonal of the ability block.
    weight : (P,) array
        Minus the off-diagonal entry of every compared pair.
    cross : (n, q) array
        Abilities against the other parameters.
    corner : (q, q) array
        The other parameters.
    """

    diagonal: Floats
    weight: Floats
    cross: Floats
    corner: Floats

    def interpolate(self, other: Blocks, share: float) -> Blocks:
        """Return the blocks a share of the way to others."""
        return Blocks(
            *(
                (1.0 - share) * getattr(self, name) + share * getattr(other, name)
                for name in ("diagonal", "weight", "cross", "corner")
            )
        )
