"""The one check of columns of whole numbers: essays, outcomes, judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scoring._types import Ints
    from scoring.errors import CalibrationError, PairingError

_LARGEST_EXACT = 2**53


class IndexProblemError(Exception):
    """A column is not what it should be; callers turn this into an error of their own.

    Attributes
    ----------
    problem : str
        What is wrong.
    row : int or None
        Position of the first wrong entry; None if the whole column is wrong.
    """

    def __init__(self, problem: str, row: int | None = None) -> None:
        self.problem = problem
        self.row = row
        super().__init__(problem if row is None else f"row {row}: {problem}")


def whole_numbers(column: ArrayLike) -> Ints:
    """Convert a column to integers.

    Parameters
    ----------
    column : (m,) array_like
        Integers, or floats without a fraction.

    Returns
    -------
    (m,) ndarray of int
        A read-only view or copy.

    Raises
    ------
    IndexProblemError
        If the column is not one-dimensional or an entry is not a whole number.
    """
    array = np.asarray(column)
    if array.ndim != 1:
        raise IndexProblemError(f"expected a one-dimensional array, got {array.ndim}-d")
    if array.dtype.kind not in "iu":
        array = _whole_floats(array)
    whole: Ints = array.astype(np.int64, copy=False).view()
    whole.flags.writeable = False
    return whole


def essay_indices(column: ArrayLike, n_essays: int) -> Ints:
    """Convert a column to essay numbers.

    Parameters
    ----------
    column : (m,) array_like
        Integers, or floats without a fraction.
    n_essays : int
        Essays are 0 .. n_essays - 1.

    Returns
    -------
    (m,) ndarray of int
        A read-only view or copy.

    Raises
    ------
    IndexProblemError
        If the column is not one-dimensional, or an entry is not the number of an essay.
    """
    essays = whole_numbers(column)
    outside = (essays < 0) | (essays >= n_essays)
    if outside.any():
        row = int(outside.argmax())
        raise IndexProblemError(
            f"essay {essays[row]} is not among the essays 0 .. {n_essays - 1}", row
        )
    return essays


def check_essays(
    argument: str,
    column: ArrayLike,
    n_essays: int,
    error: type[PairingError | CalibrationError],
) -> Ints:
    """Convert an argument to essay numbers, or raise ``error`` with the argument's name.

    Parameters
    ----------
    argument : str
        Name of the argument, for the message.
    column : (m,) array_like
        Integers, or floats without a fraction.
    n_essays : int
        Essays are 0 .. n_essays - 1.
    error : type
        The error of the caller.

    Returns
    -------
    (m,) ndarray of int
        A read-only view or copy.

    Raises
    ------
    PairingError, CalibrationError
        If the column is not one-dimensional, or an entry is not the number of an essay.
    """
    try:
        return essay_indices(column, n_essays)
    except IndexProblemError as problem:
        raise error(f"{argument} {problem}") from None


def check_distinct_essays(
    argument: str,
    column: ArrayLike,
    n_essays: int,
    error: type[PairingError | CalibrationError],
) -> Ints:
    """Convert an argument to essay numbers that name each essay once; as `check_essays` otherwise.

    Parameters
    ----------
    argument : str
        Name of the argument, for the message.
    column : (m,) array_like
        Integers, or floats without a fraction.
    n_essays : int
        Essays are 0 .. n_essays - 1.
    error : type
        The error of the caller.

    Returns
    -------
    (m,) ndarray of int
        A read-only view or copy.

    Raises
    ------
    PairingError, CalibrationError
        Also if an essay is there twice.
    """
    essays = check_essays(argument, column, n_essays, error)
    if len(np.unique(essays)) < len(essays):
        raise error(f"{argument} has an essay twice: name each once")
    return essays


def _whole_floats(array: np.ndarray) -> np.ndarray:
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        row = next(i for i, value in enumerate(array) if not _is_number(value))
        raise IndexProblemError(f"{array[row]!r} is not an integer", row) from None
    bad = ~np.isfinite(numbers) | (numbers != np.floor(numbers))
    bad |= np.abs(numbers) > _LARGEST_EXACT
    if bad.any():
        row = int(bad.argmax())
        raise IndexProblemError(f"{array[row]} is not an integer", row)
    return numbers


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type] # whether it takes it is what is asked
    except (TypeError, ValueError):
        return False
    return True
