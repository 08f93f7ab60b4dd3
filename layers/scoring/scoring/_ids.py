"""Names of essays and judges, and columns of data frames, as the integers that a fit works with."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.errors import InvalidComparisonError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scoring._types import Ints

_TO_LIST = ("to_list", "to_pylist", "tolist")
_ARROW_READERS = {"polars": "DataFrame", "pyarrow": "table"}
TIE_WORDS = frozenset({"tie", "draw"})


def as_table(frame: Any) -> Any:  # noqa: ANN401 - any kind of table
    """Return the frame, or a table of it whose columns can be listed.

    Frames of pandas, polars and pyarrow and dictionaries of lists list their columns themselves. A
    lazy frame of polars is collected. Others, as relations of DuckDB, are read by Arrow's stream
    (``__arrow_c_stream__``), the successor of the dataframe interchange protocol, which pandas 3
    deprecates and polars 2 does not have. That needs polars or pyarrow.

    Raises
    ------
    InvalidComparisonError
        If the frame is none of these, or nothing is installed that reads its stream.
    """
    if type(frame).__name__ == "LazyFrame":
        return frame.collect()
    if isinstance(frame, Mapping) or _lists_columns(frame):
        return frame
    if not hasattr(frame, "__arrow_c_stream__"):
        raise InvalidComparisonError(
            "frame",
            f"{type(frame).__name__} is no table; give a data frame of pandas or polars, a table "
            "of pyarrow, a dictionary of lists, or a frame with __arrow_c_stream__",
        )
    for library, maker in _ARROW_READERS.items():
        if find_spec(library) is not None:
            return getattr(import_module(library), maker)(frame)
    raise InvalidComparisonError(
        "frame", f"to read a {type(frame).__name__}, install one of {', '.join(_ARROW_READERS)}"
    )


def _lists_columns(frame: Any) -> bool:  # noqa: ANN401 - any kind of table
    """Whether its columns are had by name, as lists or what becomes one."""
    names = _column_names(frame)
    if not names:
        return hasattr(frame, "columns")
    try:
        column = frame[names[0]]
    except (TypeError, KeyError):
        return False
    return isinstance(column, list | tuple) or any(hasattr(column, name) for name in _TO_LIST)


def read_column(frame: Any, name: str) -> list[object]:  # noqa: ANN401 - any kind of table
    """Return a column of a data frame as a list; missing entries are None.

    Whatever gives its columns by name will do; no library of data frames is imported.

    Parameters
    ----------
    frame : object
        With ``frame[name]``.
    name : str

    Raises
    ------
    InvalidComparisonError
        If there is no such column; says which there are.
    """
    names = _column_names(frame)
    if name not in names:
        raise InvalidComparisonError(
            name, f"there is no such column; there are: {', '.join(names) or 'none'}"
        )
    return [None if _is_missing(value) else value for value in _list_values(frame[name])]


def _list_values(column: Any) -> Iterable[object]:  # noqa: ANN401 - any kind of column
    """A column's values as plain Python values, where it can make them."""
    for method in _TO_LIST:
        if hasattr(column, method):
            values: list[object] = getattr(column, method)()
            return values
    entries: Iterable[object] = column
    return entries


def _column_names(frame: Any) -> list[str]:  # noqa: ANN401 - any kind of table
    """The names of the columns: pyarrow, then pandas and polars, then dictionaries."""
    for attribute in ("column_names", "columns"):
        if hasattr(frame, attribute):
            return [str(name) for name in getattr(frame, attribute)]
    return [str(name) for name in frame] if isinstance(frame, Mapping) else []


def _is_missing(value: object) -> bool:
    """Whether it is None, or NaN and the like, which are not equal to themselves."""
    return value is None or type(value).__name__ == "NAType" or value != value  # noqa: PLR0124 - so NaN is


def as_names(field: str, column: Iterable[object]) -> list[str]:
    """Return ids as text; whole numbers that a table made floats lose their fraction.

    Raises
    ------
    InvalidComparisonError
        If one is missing; names the row.
    """
    names = [_as_name(value) for value in column]
    if "" in names:
        raise InvalidComparisonError(field, "the id is missing", names.index(""))
    return names


def _as_name(value: object) -> str:
    """The id as text, nothing for one that is missing."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def number_names(field: str, names: Sequence[str], known: Sequence[str]) -> Ints:
    """Return the positions of names among the known ones.

    Parameters
    ----------
    field : str
        Name of the column, for the message.
    names : sequence of str
        A name for each row, m in all.
    known : sequence of str
        All names there are, each once.

    Returns
    -------
    (m,) array of int

    Raises
    ------
    InvalidComparisonError
        If one is not known; names the row.
    """
    position = {name: index for index, name in enumerate(known)}
    for row, name in enumerate(names):
        if name not in position:
            raise InvalidComparisonError(
                field, f"{name!r} is not among the {len(known)} known", row
            )
    return np.array([position[name] for name in names], dtype=np.int64)


def outcomes_of_winners(
    first: Sequence[str], second: Sequence[str], winner: Sequence[object]
) -> Ints:
    """Return +1, -1 or 0 by the id of the winner; nothing, "tie" and "draw" are ties.

    Parameters
    ----------
    first, second : sequence of str
        Ids of the two essays of each row, m in all.
    winner : sequence
        Id of the preferred essay, or a word for a tie.

    Returns
    -------
    (m,) array of int

    Raises
    ------
    InvalidComparisonError
        If a winner is neither of its two essays; names the row.
    """
    names = as_names("winner", [value or "tie" for value in winner])
    rows = zip(names, first, second, strict=True)
    return np.array([_outcome(row, *names) for row, names in enumerate(rows)], dtype=np.int64)


def _outcome(row: int, winner: str, first: str, second: str) -> int:
    if winner in (first, second):
        return 1 if winner == first else -1
    if winner.casefold() in TIE_WORDS:
        return 0
    raise InvalidComparisonError("winner", f"{winner!r} is neither of the two essays", row)
