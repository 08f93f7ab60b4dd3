"""Groups of essays that the caller names: what their differences are, and what cannot be told.

Groups are labels: this product gives them no meaning, shows them to no judge, and reports on one
only where it has at least `FEWEST_ESSAYS` essays. All figures are in logits with 95% intervals.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from assessment.domain.note import ReadableNote

MAX_GROUPS = 20
FEWEST_ESSAYS = 5
FEWEST_VERDICTS = 20


class NoFigureReason(StrEnum):
    """Why a group, or a judge about a group, has no figure.

    The group has too few essays; no other group has enough; the judge gave too few verdicts on it
    and another.
    """

    FEW_ESSAYS = "too_few_essays"
    NO_OTHER_GROUP = "no_other_group"
    FEW_VERDICTS = "too_few_verdicts"


class GroupDifference(BaseModel):
    """How far the mean ability of a group is above that of the other groups' essays.

    It is about the pupils that the essays come from, on the judges' own scale; `reason` says why
    there is no figure, `reason_code` is one of `NoFigureReason`.
    """

    model_config = ConfigDict(frozen=True)

    group: str
    essays: int | None
    difference: float | None = None
    interval: tuple[float, float] | None = None
    reason: str | None = None
    reason_code: str | None = None


class JudgeGroupEffect(BaseModel):
    """What a judge gives the essays of a group beyond what the mean judge gives them.

    `verdicts` are those on an essay of the group and one of another; `reason` says why there is no
    figure, `reason_code` is one of `NoFigureReason`.
    """

    model_config = ConfigDict(frozen=True)

    judge: str
    group: str
    verdicts: int
    effect: float | None = None
    interval: tuple[float, float] | None = None
    reason: str | None = None
    reason_code: str | None = None


class GroupReport(BaseModel):
    """Differences between groups, and judges who differ about them."""

    model_config = ConfigDict(frozen=True)

    groups: list[GroupDifference]
    judge_effects: list[JudgeGroupEffect] = []
    notes: list[ReadableNote] = []
