"""How judges judge lists, as the fit says."""

from __future__ import annotations

from assessment.domain.list_judging import BLUNT_BELOW, ListSharpness
from assessment.statistics.pool import JudgedPool
from scoring import Fit


def describe_list_sharpness(pool: JudgedPool, fit: Fit) -> list[ListSharpness]:
    """Of each judge and size of list, the sharpness beside that in pairs, and place effects."""
    return [
        ListSharpness(
            judge=pool.judges[entry.judge],
            list_size=entry.size,
            lists=entry.n_lists,
            is_known=entry.is_ratio_known,
            ratio=float(entry.ratio),
            ratio_interval=(float(entry.ratio_interval[0]), float(entry.ratio_interval[1]))
            if entry.is_ratio_known
            else None,
            probability_blunt=float(entry.probability_below(BLUNT_BELOW)),
            place_effects=tuple(entry.place_effects.tolist()),
            place_effects_se=tuple(entry.place_effects_se.tolist()),
        )
        for entry in fit.list_judging
    ]
