"""What calls of several pairs print."""

from __future__ import annotations

from collections.abc import Sequence

from assessment.domain.shared_calls import Essays


def count_texts(pairs: Sequence[Essays], calls: Sequence[Sequence[int]]) -> int:
    """How many texts all calls print, where each call prints an essay once."""
    return sum(len({essay for position in call for essay in pairs[position]}) for call in calls)
