"""Grade scales: ordered lists of grades, worst first, as data.

The known scales are the files of `scales/`, one each, named by their file: a new file is a new
scale. An assignment may bring a scale of its own instead.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from assessment.domain.errors import GradeScaleMismatchError, InvalidRequestError, UnknownGradeError

DEFAULT_SCALE = "swedish_8_anchor"
MAX_GRADE_CHARACTERS = 40


class GradeScale(BaseModel):
    """An ordered list of grades, worst first.

    `minus_grades` are those that are refined: an ability in the lowest quarter of such a grade's
    band is reported as the grade with a minus. Only grades with neighbours on both sides have a
    band with a lowest quarter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str = ""
    grades: Annotated[tuple[str, ...], Field(min_length=2, max_length=40)]
    passing_grade: str | None = None
    minus_grades: tuple[str, ...] = ()

    @field_validator("grades")
    @classmethod
    def _check_grades(cls, grades: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(grades)) != len(grades):
            message = "every grade may stand on the scale only once"
            raise ValueError(message)
        if any(not grade.strip() or len(grade) > MAX_GRADE_CHARACTERS for grade in grades):
            message = f"a grade label is empty or has over {MAX_GRADE_CHARACTERS} characters"
            raise ValueError(message)
        return grades

    @model_validator(mode="after")
    def _check_special_grades(self) -> Self:
        if self.passing_grade is not None and self.passing_grade not in self.grades:
            message = f"the passing grade {self.passing_grade!r} is not one of the grades"
            raise ValueError(message)
        for grade in self.minus_grades:
            if grade not in self.grades[1:-1]:
                message = f"{grade!r} cannot have a minus: it is not between two other grades"
                raise ValueError(message)
            if f"{grade}-" in self.grades:
                message = f"{grade!r} cannot have a minus: {grade}- is a grade of its own"
                raise ValueError(message)
        return self

    def position(self, grade: str, *, field: str = "grade") -> int:
        """The grade's place on the scale, counted from the worst at 0.

        Raises
        ------
        UnknownGradeError
            If the scale has no such grade; the message lists those it has.
        """
        try:
            return self.grades.index(grade)
        except ValueError:
            shown = grade[:MAX_GRADE_CHARACTERS]
            raise UnknownGradeError(
                f"{shown!r} is not on the scale {self.name} ({' '.join(self.grades)})",
                field=field,
            ) from None


def _read_scales() -> dict[str, GradeScale]:
    folder = files("assessment.domain") / "scales"
    scale_files = sorted(
        (f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name
    )
    scales = [
        GradeScale(name=file.name.removesuffix(".json"), **json.loads(file.read_text("utf-8")))
        for file in scale_files
    ]
    return {scale.name: scale for scale in scales}


SCALES: dict[str, GradeScale] = _read_scales()


def find_scale(value: str | list[str] | None) -> GradeScale:
    """A known scale by its name, or a custom one from its grades, worst first.

    Raises
    ------
    InvalidRequestError
        If the name is unknown or the list is not a scale.
    """
    if value is None:
        return SCALES[DEFAULT_SCALE]
    if isinstance(value, str):
        if value not in SCALES:
            shown = value[:MAX_GRADE_CHARACTERS]
            raise InvalidRequestError(
                f"{shown!r} is not a known scale; use one of {', '.join(sorted(SCALES))} "
                "or give the grades as a list, worst first",
                field="grade_scale",
            )
        return SCALES[value]
    try:
        return GradeScale(name="custom", grades=tuple(value))
    except ValidationError as error:
        raise InvalidRequestError(
            "a scale needs two to forty different, non-empty grades of at most "
            f"{MAX_GRADE_CHARACTERS} characters, worst first",
            field="grade_scale",
        ) from error


def check_same_scale(expected: str | list[str] | None, registered: GradeScale | None) -> None:
    """Refuse a request that expects other grades than its assignment has.

    Raises
    ------
    GradeScaleMismatchError
        If the assignment has another scale, or there is no assignment that could have one.
    InvalidRequestError
        If what the request expects is no scale.
    """
    if expected is None:
        return
    scale = find_scale(expected)
    if registered is None:
        raise GradeScaleMismatchError(
            "grades come from the anchors of an assignment; name the assignment_id or leave "
            "grade_scale out",
            field="grade_scale",
        )
    if scale.grades != registered.grades:
        raise GradeScaleMismatchError(
            f"the request expects {' '.join(scale.grades)}, the assignment has "
            f"{' '.join(registered.grades)}; send the assignment's scale or leave the field out",
            field="grade_scale",
        )
