"""What lists could do at best without gaps: orders read by somebody who knows all but abilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks._list_worlds import correlate_ranks
from scoring.plackett_luce import fit_plackett_luce

if TYPE_CHECKING:
    from benchmarks._list_worlds import Batch


def follow_oracle(batch: Batch, *, until: float, n_students: int) -> list[list[float]]:
    """Readings, calls, share in pairs and correlation of ranks after each wave of lists.

    The oracle knows the spread, the shape of the noise, that no place is favoured and that lists
    are as sharp as pairs: the fit is by the exact likelihood.

    Parameters
    ----------
    batch : Batch
        Without pairs beside its lists.
    until : float
        Readings of each essay.
    n_students : int
        The first essays, whose ranks count.
    """
    students = slice(n_students)
    followed = []
    while batch.readings < until - 0.05:
        batch.judge_wave()
        exact = fit_plackett_luce(batch.rankings(), prior_sd=batch.sd)
        batch.place_by(exact.ability)
        correlation = correlate_ranks(exact.ability[students], batch.ability[students])
        followed.append([batch.readings, batch.calls, 0.0, correlation])
    return followed
