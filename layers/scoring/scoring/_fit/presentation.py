"""A fit as a table and as a picture."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from scoring.ranks import competition_ranks

if TYPE_CHECKING:
    from scoring._types import Floats, Ints

_DECIMALS = 2
_INCHES_PER_ESSAY = 0.18
_MARGIN_INCHES = 1.2


class Presentable(Protocol):
    """What a table and a picture take of a fit."""

    @property
    def essays(self) -> tuple[str, ...] | None:
        """Ids of the essays; None where they are numbers."""
        ...

    @property
    def ability(self) -> Floats:
        """Logits, (n,)."""
        ...

    @property
    def n_comparisons(self) -> Ints:
        """Comparisons that bear on each essay, (n,)."""
        ...

    @property
    def standard_error(self) -> Floats:
        """Standard error of each ability, logits, (n,)."""
        ...

    def interval(self, level: float = 0.95) -> Floats:
        """Return the interval of each ability, logits, (n, 2)."""
        ...


class Table(dict[str, "np.ndarray[Any, Any]"]):
    """Columns by name, all of one length.

    ``pandas.DataFrame(table)`` and ``polars.DataFrame(table)`` take it as it is; it prints itself,
    in a notebook too.
    """

    def _rows(self) -> list[list[str]]:
        columns = [_as_text(column) for column in self.values()]
        return [list(row) for row in zip(*columns, strict=True)]

    def __str__(self) -> str:
        rows = [list(self), *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
            for row in self._rows()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _as_text(column: np.ndarray[Any, Any]) -> list[str]:
    if column.dtype.kind == "f":
        return [f"{value:.{_DECIMALS}f}" for value in column.tolist()]
    return [str(value) for value in column.tolist()]


def essay_names(fit: Presentable) -> list[str]:
    """The ids of the essays; their numbers where there are none."""
    return list(fit.essays) if fit.essays else [str(k) for k in range(len(fit.ability))]


def make_table(fit: Presentable) -> Table:
    """One row for each essay, the best first."""
    order = np.argsort(-fit.ability, kind="stable")
    low, high = fit.interval().T
    columns = {
        "rank": competition_ranks(fit.ability),
        "essay": np.array(essay_names(fit), dtype=object),
        "ability": fit.ability,
        "standard_error": fit.standard_error,
        "low": low,
        "high": high,
        "n_comparisons": np.round(fit.n_comparisons).astype(np.int64),
    }
    return Table({name: column[order] for name, column in columns.items()})


def draw(fit: Presentable, axes: Any = None) -> Any:  # noqa: ANN401 - matplotlib is not always there
    """Draw abilities with 95% intervals, the best at the top.

    Raises
    ------
    ModuleNotFoundError
        Without matplotlib; says how to get it.
    """
    try:
        from matplotlib import pyplot as plt
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "plots need matplotlib: pip install 'cj-scoring[report]'"
        ) from error
    table = make_table(fit)
    n = len(table["essay"])
    if axes is None:
        height = _MARGIN_INCHES + _INCHES_PER_ESSAY * n
        _, axes = plt.subplots(figsize=(6.4, height), layout="constrained")
    place = np.arange(n)[::-1]
    ability = table["ability"]
    below, above = (
        np.maximum(side, 0.0) for side in (ability - table["low"], table["high"] - ability)
    )
    axes.errorbar(ability, place, xerr=np.stack([below, above]), fmt="o", markersize=4)
    axes.set_yticks(place, table["essay"].tolist())
    axes.set_xlabel("ability (logits), with 95% interval")
    axes.set_ylim(-1, n)
    return axes
