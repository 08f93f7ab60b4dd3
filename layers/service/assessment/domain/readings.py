"""What comparisons come to: essays read, which is what is paid for, and what they tell.

A ranking of k essays carries k - H_k units of information about them (H_k the k-th harmonic
number), the trace of the Fisher information of the Plackett-Luce model between equal essays; a pair
carries .5. Rules that were made for pairs count lists by what they tell in pairs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from assessment.domain.comparison import Comparison

_PAIR_INFORMATION = 0.5
PAIR = 2
"""Essays of a pair."""


class ReadingTally(BaseModel):
    """What a batch with lists asked for: comparisons of both kinds, and essays read.

    `readings` counts an essay once for each comparison it is in, answered or not;
    `readings_with_verdict` only those of comparisons with a verdict.
    """

    model_config = ConfigDict(frozen=True)

    lists: int = 0
    pairs: int = 0
    readings: int = 0
    readings_with_verdict: int = 0

    def __str__(self) -> str:
        """As it follows the number of comparisons in a line."""
        return f"; {self.lists} lists and {self.pairs} pairs, {self.readings} readings of an essay"


def count_readings(comparisons: Iterable[Comparison]) -> int:
    """How many essays the comparisons read, each as often as it is in one."""
    return sum(len(comparison.essay_ids) for comparison in comparisons)


def tally_readings(comparisons: Sequence[Comparison]) -> ReadingTally:
    """The counts of all comparisons of a batch."""
    n_lists = sum(comparison.is_list for comparison in comparisons)
    return ReadingTally(
        lists=n_lists,
        pairs=len(comparisons) - n_lists,
        readings=count_readings(comparisons),
        readings_with_verdict=count_readings(c for c in comparisons if c.verdict),
    )


def compute_worth(n_essays: int) -> float:
    """How many pairs tell as much as one comparison of so many essays; exactly 1 for a pair."""
    harmonic = sum(1.0 / place for place in range(1, n_essays + 1))
    return (n_essays - harmonic) / _PAIR_INFORMATION


def count_in_pairs(comparisons: Iterable[Comparison]) -> int:
    """How many pairs would tell as much as these comparisons."""
    return round(sum(compute_worth(len(comparison.essay_ids)) for comparison in comparisons))


def count_in_pairs_by_essay(comparisons: Iterable[Comparison]) -> dict[str, int]:
    """In how many pairs each essay would have to be for what its comparisons tell of it."""
    worth: defaultdict[str, float] = defaultdict(float)
    for comparison in comparisons:
        n_essays = len(comparison.essay_ids)
        for essay_id in comparison.essay_ids:
            worth[essay_id] += PAIR * compute_worth(n_essays) / n_essays
    return {essay_id: int(total) for essay_id, total in worth.items()}
