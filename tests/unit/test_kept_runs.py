"""Runs of a benchmark that are kept in a file."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from benchmarks._kept_runs import KeptRuns, Setting

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_that_is_in_the_file_is_not_done_again(tmp_path: Path) -> None:
    done: list[int] = []

    def measure(seed: int) -> list[int]:
        done.append(seed)
        return [seed, 2 * seed]

    def list_settings(n: int) -> list[Setting]:
        return [Setting("part", name, range(n), measure) for name in ("one", "other")]

    path = tmp_path / "runs.jsonl"
    assert KeptRuns(path).run(list_settings(1))
    assert done == [0, 0]
    kept = KeptRuns(path)
    assert kept.run(list_settings(2))
    assert done == [0, 0, 1, 1]
    whole = {"one": [[0, 0], [1, 2]], "other": [[0, 0], [1, 2]]}
    assert kept.list_values(list_settings(2)) == KeptRuns(path).list_values(list_settings(2))
    assert kept.list_values(list_settings(2)) == whole


def test_no_run_is_begun_when_the_time_is_up() -> None:
    numbers = count()
    settings = [Setting("part", "one", range(3), lambda _: next(numbers))]
    kept = KeptRuns()
    assert not kept.run(settings, seconds=0.0)
    assert kept.list_values(settings) == {}
