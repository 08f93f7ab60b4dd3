"""Real judging by people: public sessions and topics of arguments, and what is said of them."""

from __future__ import annotations

import csv
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring import Comparisons
from scoring.batch_fit import fit_batch
from scoring.reliability import realised_reliability, split_half
from scoring.simulate import ReplayJudge

if TYPE_CHECKING:
    from collections.abc import Sequence

DATA = Path(os.environ.get("CJ_DATA_DIR", Path(__file__).parents[2] / "shared" / "data"))
_CHOICES = (("candidate_chosen", "candidate_not_chosen"), ("chosen", "notChosen"))
_JUDGES = ("judge", "judgeName")
_VERDICTS = {"a": 1, "b": -1, "tie": 0}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _numbers(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(names)))}


def _column(rows: list[dict[str, str]], names: Sequence[str]) -> list[int]:
    """Numbers of the entries of the first of these columns that there is."""
    name = next(name for name in names if name in rows[0])
    number = _numbers([row[name] for row in rows])
    return [number[row[name]] for row in rows]


def read_session(path: Path, *, judges: bool = False) -> Comparisons:
    """Read a session's wins, with judges if asked for; the order shown is not recorded."""
    rows = _rows(path)
    chosen, other = next(pair for pair in _CHOICES if pair[0] in rows[0])
    index = _numbers([row[column] for row in rows for column in (chosen, other)])
    winner, loser = ([index[row[column]] for row in rows] for column in (chosen, other))
    judge = _column(rows, _JUDGES) if judges else None
    return Comparisons.from_winners(len(index), winner, loser, judge)


def read_topic(path: Path, *, judges: bool = False) -> Comparisons:
    """Read the judgements of one topic of arguments; ties as recorded."""
    rows = _rows(path)
    index = _numbers([row[column] for row in rows for column in ("text_a", "text_b")])
    return Comparisons(
        len(index),
        [index[row["text_a"]] for row in rows],
        [index[row["text_b"]] for row in rows],
        [_VERDICTS[row["verdict"]] for row in rows],
        _column(rows, _JUDGES) if judges else None,
        order_known=judges,
    )


def sessions() -> list[Path]:
    """The public sessions that have a published fit."""
    fits = sorted(DATA.glob("cj-sessions/*.published-fit.csv"))
    named = [path.with_name(path.name.replace(".published-fit", "")) for path in fits]
    return [path for path in named if path.exists()]


def topics() -> list[Path]:
    """The topics of arguments."""
    return sorted(DATA.glob("arguments/*/*ments.csv"))


def list_crowds() -> list[str]:
    """Names of the topics of arguments."""
    return [path.parent.name for path in topics()]


@cache
def read_crowd(topic: str) -> ReplayJudge:
    """Read one topic; a pair is answered by one of the people who judged it, drawn at random."""
    path = next(path for path in topics() if path.parent.name == topic)
    with path.with_name("texts.csv").open(newline="") as texts:
        row_of = {row["id"]: at for at, row in enumerate(csv.DictReader(texts))}
    entries = _rows(path)
    recorded = Comparisons(
        len(row_of),
        [row_of[entry["text_a"]] for entry in entries],
        [row_of[entry["text_b"]] for entry in entries],
        [_VERDICTS[entry["verdict"]] for entry in entries],
    )
    return ReplayJudge(recorded)


def real_rows(seed: int, *, quick: bool) -> list[dict[str, Any]]:
    """Set the reliability of real sessions and topics against split halves."""
    if not DATA.is_dir():
        print(f"no real data in {DATA}: set CJ_DATA_DIR")
        return []
    read = [(path.stem, read_session(path)) for path in sessions()]
    read += [(path.parent.name, read_topic(path)) for path in topics()]
    splits = 4 if quick else 20
    return [_real_row(name, data, seed, splits) for name, data in read[:: 3 if quick else 1]]


def _real_row(name: str, data: Comparisons, seed: int, splits: int) -> dict[str, Any]:
    result = fit_batch(data)
    sd = float(result.prior_sd or np.nan)
    reliability = realised_reliability(result)
    rng = np.random.default_rng(seed)
    halves = split_half(data, rng=rng, splits=splits, prior_sd=sd)
    return {
        "study": "real",
        "world": name,
        "essays": data.n_essays,
        "per_essay": 2.0 * len(data) / data.n_essays,
        "sd": sd,
        "reliability": reliability.value,
        "reliability_low": reliability.low,
        "reliability_high": reliability.high,
        "split_half": halves.spearman_brown,
        "reliability_error": reliability.value - halves.spearman_brown,
        "lapse": float(result.lapse.mean()),
    }
