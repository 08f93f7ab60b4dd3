"""Errors raised by the scoring package: every one names what is wrong, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_SHOWN = 10


class ScoringError(ValueError):
    """Base class of all errors raised on purpose by this package."""


class InvalidComparisonError(ScoringError):
    """A comparison is malformed.

    Attributes
    ----------
    row : int or None
        Position of the first offending comparison, or None when a whole column is wrong.
    field : str
        The column at fault: ``first``, ``second``, ``outcome`` or ``judge``.
    """

    def __init__(self, field: str, problem: str, row: int | None = None) -> None:
        self.row = row
        self.field = field
        place = field if row is None else f"{field}, row {row}"
        super().__init__(f"{place}: {problem}")


class EmptyComparisonsError(ScoringError):
    """There is no comparison to fit."""


class TooFewEssaysError(ScoringError):
    """Fewer than two essays: nothing can be compared."""


class InvalidSettingError(ScoringError):
    """A setting of the model is outside its domain.

    Attributes
    ----------
    setting : str
        Name of the argument.
    """

    def __init__(self, setting: str, problem: str) -> None:
        self.setting = setting
        super().__init__(f"{setting}: {problem}")


class PairingError(ScoringError):
    """A wave cannot be planned from these arguments; the message names the argument."""


class CalibrationError(ScoringError):
    """A calibration cannot be made from these arguments; the message names the argument."""


class FewAnchorGradesError(CalibrationError):
    """The anchors have fewer than two distinct grades, so they place no boundary."""


class AllTiesError(ScoringError):
    """Every verdict is a tie: the comparisons order nothing."""


class OneJudgeError(ScoringError):
    """Judge discrimination was asked for, but fewer than two judges gave verdicts."""


class DisconnectedError(ScoringError):
    """A difference was asked for between essays that no chain of comparisons links.

    Attributes
    ----------
    essays : tuple of int or str
        The two essays, by number or id.
    """

    def __init__(self, first: int | str, second: int | str) -> None:
        self.essays = (first, second)
        super().__init__(
            f"essays {first} and {second} are in different components: no chain of comparisons "
            "links them, so their difference is unknown; compare essays across the components"
        )


class SeparationError(ScoringError):
    """The likelihood has no finite maximum.

    Attributes
    ----------
    essays : tuple of int
        Essays outside the largest strongly connected core of their component (empty when the
        order effect, not an ability, runs away).
    """

    def __init__(self, essays: Sequence[int], problem: str) -> None:
        self.essays = tuple(int(i) for i in essays)
        first_essays = ", ".join(map(str, self.essays[:_SHOWN]))
        more = f" and {len(self.essays) - _SHOWN} more" if len(self.essays) > _SHOWN else ""
        list_of_essays = f" (essays {first_essays}{more})" if self.essays else ""
        super().__init__(f"no maximum-likelihood estimate exists: {problem}{list_of_essays}")


@dataclass(frozen=True)
class SolverState:
    """Where a solver stopped.

    Attributes
    ----------
    iterations : int
        Newton iterations made.
    ability : (n,) array
        Abilities at the last iterate, logits.
    other : (q,) array
        The other parameters at the last iterate.
    largest_step : float
        Largest absolute component of the last step, logits.
    objective : float
        Penalised log likelihood at the last iterate.
    """

    iterations: int
    ability: NDArray[np.float64]
    other: NDArray[np.float64]
    largest_step: float
    objective: float


class NotConvergedError(ScoringError):
    """A solver did not converge.

    Attributes
    ----------
    state : SolverState
        The last iterate.
    """

    def __init__(self, solver: str, state: SolverState) -> None:
        self.state = state
        super().__init__(
            f"{solver} did not converge in {state.iterations} iterations "
            f"(last step {state.largest_step:.3g} logits, objective {state.objective:.6g})"
        )
