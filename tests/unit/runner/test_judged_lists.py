"""Lists in the files of a batch: written, shown, and read back into the same fit."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from assessment.domain.comparison import Comparison
from assessment.domain.verdict import Gap, ListVerdict, Verdict, Winner
from runner.batch_tables import comparisons_csv, comparisons_table
from runner.errors import BadInputError
from runner.exporting import comparisons_table_csv
from runner.fitting import fit_judgements
from runner.judgements import Judgements, read_judgements


def pair(number: int, first: str, second: str, winner: Winner) -> Comparison:
    return Comparison(
        comparison_id=f"w001-{number:05d}", wave=1, submitted_wave=1, first=first, second=second,
        verdict=Verdict(winner=winner, judge="model"),
    )  # fmt: skip


def make_list(number: int, shown: str, ranking: str, **fields: object) -> Comparison:
    first, second, *further = tuple(shown)
    return Comparison(
        comparison_id=f"w001-{number:05d}", wave=1, submitted_wave=1, first=first, second=second,
        further_ids=tuple(further),
        verdict=ListVerdict.model_validate(
            {"ranking": tuple(ranking), "judge": "model", "justification": "so", **fields}
        ),
    )  # fmt: skip


COMPARISONS = [
    pair(0, "a", "b", Winner.FIRST),
    pair(1, "d", "c", Winner.TIE),
    make_list(2, "abcd", "dacb", gaps=[Gap.SLIGHT, Gap.TIE, Gap.DECISIVE]),
    make_list(3, "dcba", "dcab", gaps=[Gap.CLEAR, Gap.CLEAR, Gap.SLIGHT]),
    make_list(4, "cda", "dac", scores=[9.25, 9.25, 3.0]),
    make_list(5, "bca", "cba", gaps=[None, Gap.TIE]),
    make_list(6, "bda", "dba").model_copy(update={"verdict": None}),
]


def abilities(judgements: Judgements) -> np.ndarray:
    fitted = fit_judgements(judgements, estimator="map", prior_sd=2.0, order_effect=False)
    figures = [(each.bradley_terry_score, each.bradley_terry_se) for each in fitted.abilities]
    return np.array(figures)


@pytest.fixture
def from_lines(tmp_path: Path) -> Judgements:
    path = tmp_path / "comparisons.jsonl"
    path.write_text("".join(one.model_dump_json() + "\n" for one in COMPARISONS))
    return read_judgements(path)


def test_a_list_counts_as_one_judgement(from_lines: Judgements) -> None:
    assert (from_lines.n_judged, from_lines.n_without_verdict) == (6, 1)
    assert from_lines.essays == ["a", "b", "c", "d"]
    assert from_lines.judges == ["model"]


@pytest.mark.parametrize("write", [comparisons_csv, comparisons_table_csv])
def test_the_csv_of_comparisons_gives_the_same_fit(
    tmp_path: Path, from_lines: Judgements, write
) -> None:
    path = tmp_path / "comparisons.csv"
    path.write_text(write(COMPARISONS))
    read = read_judgements(path)
    assert (read.n_judged, read.n_without_verdict) == (6, 1)
    assert abilities(read) == pytest.approx(abilities(from_lines), abs=1e-12)


def test_pairs_alone_are_written_as_before(tmp_path: Path) -> None:
    for text in (comparisons_csv(COMPARISONS[:2]), comparisons_table_csv(COMPARISONS[:2])):
        assert "order" not in text.splitlines()[0]
    assert "shown" not in comparisons_table_csv(COMPARISONS[:2]).splitlines()[0].split(",")
    rows = list(csv.DictReader(io.StringIO(comparisons_table_csv(COMPARISONS))))
    assert rows[2]["shown"] == "a | b | c | d"


def test_an_order_is_shown_in_a_line() -> None:
    table = comparisons_table(COMPARISONS)
    winners = [str(cell) for cell in table.columns[3].cells]
    assert winners[2] == "d > a = c >>> b"
    assert winners[4] == "d = a >? c"
    assert winners[6] == "pending"


@pytest.mark.parametrize("order", ["a > b > x > d", "a > b > c", "a > b ~ c > d", "a"])
def test_an_order_of_other_essays_is_told_by_its_row(tmp_path: Path, order: str) -> None:
    text = comparisons_csv(COMPARISONS[:3]).replace("d > a = c >>> b", order)
    path = tmp_path / "comparisons.csv"
    path.write_text(text)
    with pytest.raises(BadInputError) as refused:
        read_judgements(path)
    assert [problem.field for problem in refused.value.problems] == ["order"]
