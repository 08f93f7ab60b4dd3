"""Checks of what planners of waves are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.errors import PairingError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scoring._types import Floats


def check_array(name: str, values: ArrayLike | None, shape: tuple[int, ...]) -> Floats | None:
    """Convert an argument to an array of finite numbers; None if it is left out.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    values : array_like or None
        The argument.
    shape : tuple of int
        What its shape must be.

    Returns
    -------
    array of float or None

    Raises
    ------
    PairingError
        If the shape is another, or a value is not finite.
    """
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise PairingError(f"{name} has shape {array.shape}: it must be {shape}")
    if not np.isfinite(array).all():
        raise PairingError(f"{name} has values that are not finite numbers")
    return array
