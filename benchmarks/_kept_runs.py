"""Runs of a benchmark that are kept in a file, so that a long one may be done in parts.

A file of JSON lines, outside the repository, one for each run: its part, its setting, its seed and
what was measured. A run that is in the file is not done again.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

type Key = tuple[str, str, int]


@dataclass(frozen=True)
class Setting:
    """What a part measures with several seeds.

    Attributes
    ----------
    part, name : str
        Which part of the benchmark, and what of it.
    seeds : range
        One for each run.
    measure : callable
        What a run of this seed gives, as JSON has it.
    """

    part: str
    name: str
    seeds: range
    measure: Callable[[int], Any]


@dataclass
class KeptRuns:
    """What was measured, by part, setting and seed; written down run by run where there is a file.

    Attributes
    ----------
    path : Path or None
        The file.
    """

    path: Path | None = None
    _values: dict[Key, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if self.path is None or not self.path.exists():
            return
        for line in self.path.read_text().splitlines():
            part, name, seed, value = json.loads(line)
            self._values[part, name, seed] = value

    def run(self, settings: Sequence[Setting], *, seconds: float | None = None) -> bool:
        """Do what is not there yet, the settings in turn; whether all is there now.

        Parameters
        ----------
        settings : sequence of Setting
        seconds : float, optional
            No run is begun after so many.
        """
        until = None if seconds is None else time.monotonic() + seconds
        for key, measure in _take_turns(settings):
            if key in self._values:
                continue
            if until is not None and time.monotonic() >= until:
                return False
            self._keep(key, measure(key[-1]))
        return True

    def _keep(self, key: Key, value: Any) -> None:  # noqa: ANN401 - JSON
        self._values[key] = value
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps([*key, value]) + "\n")

    def list_values(self, settings: Iterable[Setting]) -> dict[str, list[Any]]:
        """By setting, what its runs gave; settings without any are left out."""
        found: dict[str, list[Any]] = defaultdict(list)
        for each in settings:
            for seed in each.seeds:
                if (each.part, each.name, seed) in self._values:
                    found[each.name].append(self._values[each.part, each.name, seed])
        return dict(found)


def _take_turns(settings: Sequence[Setting]) -> Iterable[tuple[Key, Callable[[int], Any]]]:
    """The runs of all settings: the first of each, then the second of each, and so on."""
    for turn in range(max((len(each.seeds) for each in settings), default=0)):
        for each in settings:
            if turn < len(each.seeds):
                yield (each.part, each.name, each.seeds[turn]), each.measure
