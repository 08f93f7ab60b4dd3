"""Essays and judges by name: from lists and from data frames, through the fit and back."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

import numpy as np
import pytest

from scoring import Comparisons, fit
from scoring.errors import DisconnectedError, EmptyComparisonsError, InvalidComparisonError

ROWS = {
    "left": ["ada", "ben", "cid", "ada", "dot", "ben"],
    "right": ["ben", "cid", "ada", "dot", "ben", "ada"],
    "better": ["ada", "ben", "ada", "tie", "dot", None],
    "points": [2, 1, -1, 0, 1, 0],
    "who": ["k", "l", "k", "l", "k", "l"],
}
INSTALLED = [name for name in ("pandas", "polars", "pyarrow") if importlib.util.find_spec(name)]


def frame(library: str) -> Any:
    if library == "dictionary":
        return ROWS
    make = "table" if library == "pyarrow" else "DataFrame"
    return getattr(importlib.import_module(library), make)(ROWS)


@pytest.mark.parametrize("library", ["dictionary", *INSTALLED])
def test_every_kind_of_frame_gives_the_same_comparisons(library: str) -> None:
    read = Comparisons.from_frame(
        frame(library), first="left", second="right", winner="better", judge="who"
    )
    assert read.essays == ("ada", "ben", "cid", "dot")
    assert read.judges == ("k", "l")
    assert read.outcome.tolist() == [1, 1, -1, 0, 1, 0]
    assert read.first.tolist() == [0, 1, 2, 0, 3, 1]
    graded = Comparisons.from_frame(frame(library), first="left", second="right", outcome="points")
    assert graded.outcome.tolist() == ROWS["points"]


@pytest.mark.parametrize("kind", ["relation", "lazy frame"])
def test_frames_that_list_no_columns_are_read_too(kind: str) -> None:
    """By Arrow's stream, as DuckDB has it; a lazy frame is collected."""
    if kind == "relation":
        duckdb = pytest.importorskip("duckdb")
        rows = ", ".join(
            map(str, zip(*(ROWS[name] for name in ("left", "right", "points")), strict=True))
        )
        source = duckdb.connect().sql(f"from (values {rows}) as t(l, r, points)")
    else:
        renamed = {"l": ROWS["left"], "r": ROWS["right"], "points": ROWS["points"]}
        source = pytest.importorskip("polars").LazyFrame(renamed)
    read = Comparisons.from_frame(source, first="l", second="r", outcome="points")
    assert read.essays == ("ada", "ben", "cid", "dot")
    assert read.outcome.tolist() == ROWS["points"]


def test_what_is_no_table_is_refused_with_what_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise NotImplementedError

    with pytest.raises(InvalidComparisonError, match="ndarray is no table; give a data frame"):
        Comparisons.from_frame(np.zeros((3, 3)))
    monkeypatch.setattr("scoring._ids.find_spec", lambda _: None)
    with pytest.raises(InvalidComparisonError, match="install one of polars, pyarrow"):
        Comparisons.from_frame(Stream())


def test_records_without_the_shown_order() -> None:
    read = Comparisons.from_frame(
        {"won": ["a", "b"], "lost": ["b", "c"]}, winner="won", loser="lost"
    )
    assert not read.order_known
    assert read.outcome.tolist() == [1, 1]


def test_ids_that_a_table_made_floats_are_whole_again() -> None:
    read = Comparisons.from_ids([101.0, 102.0], [102.0, 103.0], [1, 1])
    assert read.essays == ("101", "102", "103")


def test_what_is_wrong_is_named_with_its_column_and_row() -> None:
    with pytest.raises(InvalidComparisonError, match="there are: left, right") as caught:
        Comparisons.from_frame(frame("dictionary"))
    assert caught.value.field == "first"
    with pytest.raises(InvalidComparisonError, match=r"row 1.*neither of the two"):
        Comparisons.from_frame(
            {"first": ["a", "b"], "second": ["b", "c"], "w": ["a", "a"]}, winner="w"
        )
    with pytest.raises(InvalidComparisonError, match=r"second, row 1.*missing"):
        Comparisons.from_ids(["a", "b"], ["b", None], [1, 1])
    with pytest.raises(InvalidComparisonError, match="'c' is not among the 2 known"):
        Comparisons.from_ids(["a"], ["c"], [1], essays=["a", "b"])
    with pytest.raises(InvalidComparisonError, match="outcome, row 1"):
        Comparisons.from_frame({"first": ["a", "b"], "second": ["b", "a"], "outcome": [1, None]})
    with pytest.raises(EmptyComparisonsError):
        Comparisons.from_ids([], [], [])
    with pytest.raises(InvalidComparisonError, match="different ids"):
        Comparisons(3, [0], [1], [1], essays=["a", "a", "b"])


def test_names_give_the_fit_that_numbers_give() -> None:
    named = Comparisons.from_frame(ROWS, first="left", second="right", outcome="points")
    numbers = Comparisons(4, named.first, named.second, named.outcome)
    one, two = fit(named, estimator="map"), fit(numbers, estimator="map")
    assert one.ability.tolist() == two.ability.tolist()
    assert one.predict(["ada"], ["ben"]) == two.predict([0], [1])
    assert one.difference("ada", "cid") == two.difference(0, 2)
    with pytest.raises(InvalidComparisonError, match="'eve' is not among the 4 known"):
        one.predict(["eve"], ["ada"])


def test_essays_that_no_chain_links_are_named() -> None:
    apart = Comparisons.from_ids(["a", "c"], ["b", "d"], [1, 1])
    with pytest.raises(DisconnectedError, match="a and c"):
        fit(apart, estimator="map").difference("a", "c")


def test_the_table_is_sorted_and_becomes_a_frame() -> None:
    named = Comparisons.from_frame(ROWS, first="left", second="right", outcome="points")
    table = fit(named).table()
    assert table["essay"].tolist()[0] == "ada"
    assert np.all(np.diff(table["ability"]) <= 0)
    assert np.all(table["low"] < table["ability"])
    assert table["n_comparisons"].sum() == 12
    assert str(table).splitlines()[0].split() == list(table)
    assert "<td>ada</td>" in table._repr_html_()
    if "pandas" in INSTALLED:
        pandas = importlib.import_module("pandas")
        assert pandas.DataFrame(table)["essay"].tolist() == table["essay"].tolist()


def test_numbers_stand_for_essays_without_ids() -> None:
    table = fit(Comparisons(2, [0], [1], [1]), estimator="map").table()
    assert table["essay"].tolist() == ["0", "1"]


def test_a_subset_keeps_the_names() -> None:
    named = Comparisons.from_frame(
        ROWS, first="left", second="right", outcome="points", judge="who"
    )
    assert named.take(np.array([0, 1])).essays == named.essays
    assert named.reversed_order().judges == ("k", "l")


def test_the_plot_shows_every_essay() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    named = Comparisons.from_frame(ROWS, first="left", second="right", outcome="points")
    axes = fit(named, estimator="map").plot()
    assert axes.get_yticklabels()[0].get_text() == "ada"
    assert len(axes.get_yticklabels()) == 4


def test_without_matplotlib_the_plot_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ModuleNotFoundError, match=r"cj-scoring\[report\]"):
        fit(Comparisons(2, [0], [1], [1]), estimator="map").plot()
