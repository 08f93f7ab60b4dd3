"""Control pairs: a pair shown to a person again, or to a second person, to see how far they agree.

A control's verdict is kept with the person and never enters the fit: it is no new evidence about
the essays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict

from assessment.domain.identifiers import canonical_sha256, read_wave_number
from assessment.domain.judge import JudgeSpec
from assessment.domain.verdict import Winner

USUAL_SHARE = 0.05
"""Of all that a person judges, unless the batch says otherwise."""

MOST_CONTROLS = 200
"""Of one person: enough for a share of agreement with a standard error below .04."""

_CONTROL_ID = re.compile(r"^w(\d{3,7})-9(\d{8})$")
_LEAST_AGE = 5
_DIGITS = 8


class ControlPair(BaseModel):
    """A comparison that was judged before, as a person sees it: turned round if it is their own.

    `winner` is of the pair as it was judged before, None until the person has said it; `agrees`
    says whether that is what was said before.
    """

    model_config = ConfigDict(frozen=True)

    comparison_id: str
    is_own: bool
    winner: Winner | None = None
    agrees: bool | None = None

    @property
    def control_id(self) -> str:
        """The id by which it is handed out; it looks like any other."""
        _, _, position = self.comparison_id.partition("-")
        return f"w{read_wave_number(self.comparison_id):03d}-9{int(position):08d}"

    def read_winner(self, shown: Winner) -> Winner:
        """Who won of the pair as it was judged before, where this one was preferred as shown."""
        turned = {Winner.FIRST: Winner.SECOND, Winner.SECOND: Winner.FIRST, Winner.TIE: Winner.TIE}
        return turned[shown] if self.is_own else shown

    def settle(self, shown: Winner, before: Winner) -> Self:
        """The control with the verdict of the person."""
        winner = self.read_winner(shown)
        return self.model_copy(update={"winner": winner, "agrees": winner is before})


class Consistency(BaseModel):
    """How often a judge's control verdicts agreed: with their own, and with those of others.

    Ties agree with ties only.
    """

    model_config = ConfigDict(frozen=True)

    judge: str
    n_repeated: int
    n_repeated_agreed: int
    n_shared: int
    n_shared_agreed: int


def is_control_id(comparison_id: str) -> bool:
    """Whether the id is that of a control."""
    return _CONTROL_ID.match(comparison_id) is not None


def measure_consistency(judge: str, controls: Sequence[ControlPair]) -> Consistency | None:
    """The counts of a judge's controls; None if none has a verdict."""
    judged = [control for control in controls if control.winner is not None]
    if not judged:
        return None
    own = [control for control in judged if control.is_own]
    shared = [control for control in judged if not control.is_own]
    return Consistency(
        judge=judge,
        n_repeated=len(own),
        n_repeated_agreed=sum(control.agrees is True for control in own),
        n_shared=len(shared),
        n_shared_agreed=sum(control.agrees is True for control in shared),
    )


def find_control_share(judge: JudgeSpec) -> float:
    """The share of controls in what people judge."""
    return USUAL_SHARE if judge.control_share is None else judge.control_share


def is_control_due(
    person: str, controls: Sequence[ControlPair], *, n_judged: int, share: float
) -> bool:
    """Whether the person's next pair is to be a control: one in every `1 / share`, at a random one.

    Without a rhythm, for nobody is to know which pairs are controls.

    Parameters
    ----------
    person
        Who judges; each has an order of their own.
    controls
        Their controls so far, judged or not.
    n_judged
        Their verdicts that are evidence.
    share
        Controls in all that a person judges, 0 to 1.
    """
    n_given = len(controls)
    if share <= 0 or n_given >= MOST_CONTROLS:
        return False
    between = (1 - share) / share
    draw = int(canonical_sha256([person, n_given])[:_DIGITS], 16) / 16**_DIGITS
    return n_judged >= _LEAST_AGE and n_judged >= between * (n_given + 0.5 + draw)


def choose_control(
    person: str,
    *,
    own: Iterable[str],
    others: Iterable[str],
    controls: Sequence[ControlPair],
    recent: Iterable[str] = (),
) -> ControlPair | None:
    """A pair that the person judged before, or that another did, by turns; None if none is left.

    Parameters
    ----------
    person
        Who judges; each has an order of their own.
    own, others
        Ids of the comparisons that they have judged, and of some that others have.
    controls
        The person's controls so far: none comes twice.
    recent
        Ids of what they have before them.
    """
    used = {control.comparison_id for control in controls} | set(recent)
    control_pairs = [ControlPair(comparison_id=one, is_own=True) for one in own if one not in used]
    control_pairs += [
        ControlPair(comparison_id=one, is_own=False) for one in others if one not in used
    ]
    wants_own = len(controls) % 2 == 0
    return min(
        control_pairs,
        key=lambda pair: (
            pair.is_own is not wants_own,
            canonical_sha256([person, pair.comparison_id]),
        ),
        default=None,
    )
