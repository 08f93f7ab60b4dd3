"""Baselines: what the length and the surface of the essays alone say, beside what judges said.

Two scores that need no judge: the logarithm of the number of words, and the surface score
(`assessment.domain.surface`). Abilities and slopes are in logits.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from assessment.domain.judge import SURFACE_CAUTION


class BaselineName(StrEnum):
    """What is counted."""

    LENGTH = "length"
    SURFACE = "surface"


class BaselineGrades(BaseModel):
    """The grades that the baseline alone would give from the same anchors.

    `rps` is its ranked probability score for the `anchors`, each graded by the others (0 best), and
    `rps_of_abilities` that of the grades by ability for the same anchors. `equal_share` is the
    share of students whose published grade is the same by both; None without grades by ability.
    """

    model_config = ConfigDict(frozen=True)

    anchors: int
    rps: float | None = None
    rps_of_abilities: float | None = None
    equal_share: float | None = None
    primary_grades: dict[str, str] = {}


class Baseline(BaseModel):
    """One baseline beside the abilities of all essays, students and anchors.

    `spearman` is the rank correlation with the abilities. `slope` is how many logits an ability
    rises with a unit of the score, by latent regression: with the natural logarithm of the number
    of words, or with a logit of the surface score. `explained_share` is the share of the abilities'
    variance that the score explains, `residual_sd` the standard deviation of what it does not.
    Intervals are 95% ones, in the unit of the batch's logits. `explains_all` says that the slope
    differs from zero, and that the verdicts do not show, at 5%, that anything else is in the
    abilities. A figure is None where the essays are too few, or all equally long.
    """

    model_config = ConfigDict(frozen=True)

    spearman: float | None = None
    spearman_interval: tuple[float, float] | None = None
    slope: float | None = None
    slope_interval: tuple[float, float] | None = None
    explained_share: float | None = None
    explained_interval: tuple[float, float] | None = None
    residual_sd: float | None = None
    residual_interval: tuple[float, float] | None = None
    explains_all: bool = False
    grades: BaselineGrades | None = None


class BaselineFinding(BaseModel):
    """Where the abilities say no more than a baseline does."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str


class BaselineReport(BaseModel):
    """Both baselines of a batch, and what follows from them."""

    model_config = ConfigDict(frozen=True)

    essays: int
    surface_model: str
    caution: str = f"the surface score {SURFACE_CAUTION}"
    length: Baseline
    surface: Baseline
    findings: list[BaselineFinding] = []


_SUBJECTS = {
    BaselineName.LENGTH: "the number of words",
    BaselineName.SURFACE: "the surface of the texts",
}


def find_no_gain(name: BaselineName, baseline: Baseline) -> list[BaselineFinding]:
    """What says that judging gained nothing over counting."""
    subject = _SUBJECTS[name]
    findings = []
    if baseline.explains_all and baseline.explained_share is not None:
        message = (
            f"these verdicts do not show that abilities say more than {subject} does: it explains "
            f"{baseline.explained_share:.0%} of their differences, and the rest may be chance"
        )
        findings.append(BaselineFinding(code=f"{name}_explains_abilities", message=message))
    grades = baseline.grades
    if (
        grades is not None
        and grades.rps is not None
        and grades.rps_of_abilities is not None
        and grades.rps <= grades.rps_of_abilities
    ):
        message = (
            f"{subject} alone grades the {grades.anchors} anchors as well as the abilities do "
            f"(ranked probability score {grades.rps:.3f} against {grades.rps_of_abilities:.3f}, 0 "
            "is best): these anchors do not show that judging gained anything"
        )
        findings.append(BaselineFinding(code=f"{name}_grades_as_well", message=message))
    return findings
