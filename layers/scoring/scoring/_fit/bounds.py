"""The ends of the intervals of a latent margin that verdicts stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scoring._types import Floats


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of the intervals that verdicts stand for.

    Attributes
    ----------
    columns : (m, K) array
        By how much each verdict's end moves with each gap.
    offset : (m,) array
        Where it lies without gaps: 0, or infinite.
    is_upper : bool
        Whether it is the upper end.
    moves : bool
        Whether any end depends on a gap.
    """

    columns: Floats
    offset: Floats
    is_upper: bool
    moves: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "moves", bool(self.columns.any()))

    def locate(self, shape: Floats) -> Floats:
        """Return every verdict's end, logits, (m,)."""
        place: Floats = self.columns @ shape[: self.columns.shape[1]] + self.offset
        return place
