"""Checks of what planners of waves are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.errors import PairingError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scoring._types import Floats


def check_array(name: str, values: ArrayLike | None, shape: tuple[int, ...]) -> Floats | None:
    """The array of finite numbers of this shape; None if it is left out. Raises PairingError."""
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise PairingError(f"{name} has shape {array.shape}: it must be {shape}")
    if not np.isfinite(array).all():
        raise PairingError(f"{name} has values that are not finite numbers")
    return array
