"""Replay verdicts of real people: every pair gets one of its recorded judgements."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import ceil
from typing import TYPE_CHECKING, Literal

from assessment.domain.identifiers import draw_fraction
from runner.sample_judge import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

Winner = Literal["A", "B", "tie"]
_GAPS = ("tie", "slight", "clear", "decisive")


class UnknownTextError(ValueError):
    """A text that is not one of the sample's."""


class UnknownPairError(ValueError):
    """Two texts that nobody compared."""


def draw(*parts: object) -> float:
    """A number in [0, 1) that depends only on its parts: a hash as a uniform draw."""
    return draw_fraction("\x1f".join(map(str, parts)))


@dataclass(frozen=True)
class HumanJudge:
    """Every judgement of a collection, by pair.

    Parameters
    ----------
    texts
        Text ids by fingerprint.
    winners
        For every pair (ids in sorted order) the winner each person named, None for a tie, in the
        order of the data.
    """

    texts: Mapping[str, str]
    winners: Mapping[tuple[str, str], tuple[str | None, ...]]

    def verdict(
        self, shown_first: str, shown_second: str, *, seed: int, comparison_id: str
    ) -> Winner:
        """The judgement of one real person on two texts; A is the text shown first.

        The same seed and comparison id give the same person, so a retried request cannot change a
        verdict.

        Raises
        ------
        UnknownTextError
            If a text is not in the collection; the message says which of the two.
        UnknownPairError
            If nobody compared the two texts, for instance a text with itself.
        """
        first, second = self._recognise("A", shown_first), self._recognise("B", shown_second)
        low, high = sorted((first, second))
        answers = self.winners.get((low, high))
        if not answers:
            raise UnknownPairError(f"nobody compared {first} with {second}")
        winner = answers[int(draw(seed, comparison_id, low, high) * len(answers))]
        if winner is None:
            return "tie"
        return "A" if winner == first else "B"

    def rank(
        self, shown: Sequence[str], *, seed: int, comparison_id: str
    ) -> tuple[list[int], list[str]]:
        """An order of several texts, made of one real judgement on each two of them.

        Simulated: no person ranked them. A text has as many points as it wins of its pairs, half
        a one for a tie (Copeland's method); a gap is a tie, slight, clear or decisive by whether
        the points differ by none, at most one, at most two, or more.

        Returns
        -------
        places, gaps
            The places of the texts in the order shown, best first; what is between neighbours.

        Raises
        ------
        UnknownTextError, UnknownPairError
            As in `verdict`.
        """
        points = [0.0] * len(shown)
        for first, second in combinations(range(len(shown)), 2):
            winner = self.verdict(
                shown[first], shown[second], seed=seed, comparison_id=comparison_id
            )
            points[first] += {"A": 1.0, "B": 0.0, "tie": 0.5}[winner]
            points[second] += {"A": 0.0, "B": 1.0, "tie": 0.5}[winner]
        # Equals in an order that does not depend on how they are shown.
        places = sorted(range(len(shown)), key=lambda n: (-points[n], fingerprint(shown[n])))
        leads = [points[one] - points[two] for one, two in pairwise(places)]
        return places, [_GAPS[min(ceil(lead), len(_GAPS) - 1)] for lead in leads]

    def _recognise(self, position: str, text: str) -> str:
        try:
            return self.texts[fingerprint(text)]
        except KeyError:
            raise UnknownTextError(
                f"essay {position} is not one of the {len(self.texts)} texts of this judge"
            ) from None


def group_by_pair(
    rows: Iterable[tuple[str, str, str]],
) -> dict[tuple[str, str], tuple[str | None, ...]]:
    """Winners by pair from rows of text a, text b and verdict (a, b or tie)."""
    pairs: dict[tuple[str, str], list[str | None]] = {}
    for a, b, verdict in rows:
        low, high = sorted((a, b))
        pairs.setdefault((low, high), []).append({"a": a, "b": b, "tie": None}[verdict])
    return {pair: tuple(answers) for pair, answers in pairs.items()}


def load(sample: Path) -> HumanJudge:
    """The judge of a sample folder: its judgements.csv and its text files."""
    files = [*(sample / "essays").glob("*.txt"), *(sample / "anchors").glob("*.txt")]
    texts = {fingerprint(file.read_text(encoding="utf-8")): file.stem for file in files}
    with (sample / "judgements.csv").open(newline="", encoding="utf-8") as source:
        rows = [(r["text_a"], r["text_b"], r["verdict"]) for r in csv.DictReader(source)]
    return HumanJudge(texts, group_by_pair(rows))
