"""How much of a judge's noise comes anew each time that it is asked the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from assessment.contracts.winner import WINNERS, WinnerLetter
from assessment.domain.verdict import Winner
from scoring import Comparisons
from scoring.repeats import estimate_repeat_correlation

_Z95 = 1.959964
_LEAST_PAIRS = 5


@dataclass(frozen=True)
class Repeats:
    """The winners (A, B, tie) of one question, asked several times in the same words."""

    first: str
    second: str
    winners: tuple[WinnerLetter, ...]


@dataclass(frozen=True)
class NoiseReport:
    """The share of a judge's noise that is sampling.

    Noise is what verdicts have beyond what the abilities of the essays say. Sampling is the part
    that another answer to the same prompt draws anew; the rest is the judge's own view of a pair,
    which it repeats. The share is 1 less the correlation of repeats beyond what abilities explain;
    its interval (95%) is by leaving out one pair at a time (jackknife, Efron & Stein 1981).

    Attributes
    ----------
    n_same, n_repeats
        In how many repeats the judge said the same as the time before, of how many.
    sampling_share, interval
        None where too little was answered.
    """

    n_same: int
    n_repeats: int
    sampling_share: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def advice(self) -> str:
        """What the share decides."""
        if self.sampling_share is None or self.interval is None:
            return "too few pairs were answered more than once to say how much noise is sampling"
        low, high = self.interval
        needed = f"{1 - high:.0%} to {1 - low:.0%}"
        return (
            f"a probability in place of each verdict could do with {needed} of the readings; "
            "asking the same again is never worth more than asking about another pair"
        )


def measure_noise(repeats: Sequence[Repeats]) -> NoiseReport:
    """What repeats of the same questions say of the judge's noise."""
    answered = [each for each in repeats if len(each.winners) > 1]
    steps = [step for each in answered for step in pairwise(each.winners)]
    n_same = sum(before == after for before, after in steps)
    is_decided = any(set(each.winners) != {"tie"} for each in answered)
    if len(answered) < _LEAST_PAIRS or not is_decided:
        return NoiseReport(n_same, len(steps))
    share = _estimate_share(answered)
    half = _Z95 * _estimate_error(answered)
    interval = max(0.0, share - half), min(1.0, share + half)
    return NoiseReport(n_same, len(steps), share, interval)


def _estimate_error(repeats: Sequence[Repeats]) -> float:
    """The standard error of the share, by the jackknife over pairs."""
    n = len(repeats)
    estimates = np.array([_estimate_share([*repeats[:at], *repeats[at + 1 :]]) for at in range(n)])
    return float(np.sqrt((n - 1) / n * ((estimates - estimates.mean()) ** 2).sum()))


def _estimate_share(repeats: Sequence[Repeats]) -> float:
    names = sorted({name for each in repeats for name in (each.first, each.second)})
    number = {name: n for n, name in enumerate(names)}
    rows = [
        (number[each.first], number[each.second], _SIGNS[WINNERS[winner]])
        for each in repeats
        for winner in each.winners
    ]
    first, second, outcome = np.array(rows, dtype=np.int64).T
    judged = Comparisons(len(names), first, second, outcome, np.zeros_like(first))
    return 1.0 - estimate_repeat_correlation(judged, prior_repeats=0.0)


_SIGNS = {Winner.FIRST: 1, Winner.SECOND: -1, Winner.TIE: 0}
