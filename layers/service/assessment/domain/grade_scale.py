"""Grade scales: ordered lists of grades, worst first, as data."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from assessment.domain.errors import InvalidRequestError, UnknownGradeError


class GradeScale(BaseModel):
    """An ordered list of grades, worst first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    grades: Annotated[tuple[str, ...], Field(min_length=2, max_length=40)]
    passing_grade: str | None = None

    @field_validator("grades")
    @classmethod
    def _distinct(cls, grades: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(grades)) != len(grades):
            message = "every grade may stand on the scale only once"
            raise ValueError(message)
        if any(not grade.strip() for grade in grades):
            message = "a grade label is empty"
            raise ValueError(message)
        return grades

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
            raise UnknownGradeError(
                f"{grade!r} is not on the scale {self.name} ({' '.join(self.grades)})", field=field
            ) from None


SCALES: dict[str, GradeScale] = {
    scale.name: scale
    for scale in (
        GradeScale(
            name="swedish_8_anchor",
            grades=("F", "E", "D", "D+", "C", "C+", "B", "A"),
            passing_grade="E",
        ),
        GradeScale(
            name="eng5_np_legacy_9_step",
            grades=("F", "E-", "E+", "D", "D+", "C-", "C+", "B", "A"),
            passing_grade="E-",
        ),
        GradeScale(
            name="gcse_9_1",
            grades=("U", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
            passing_grade="4",
        ),
        GradeScale(name="cefr_a1_c2", grades=("A1", "A2", "B1", "B2", "C1", "C2")),
        GradeScale(
            name="us_letter",
            grades=("F", "D-", "D", "D+", "C-", "C", "C+", "B-", "B", "B+", "A-", "A", "A+"),
            passing_grade="D-",
        ),
    )
}

DEFAULT_SCALE = "swedish_8_anchor"


def scale_named(value: str | list[str] | None) -> GradeScale:
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
            raise InvalidRequestError(
                f"{value!r} is not a known scale; use one of {', '.join(sorted(SCALES))} "
                "or give the grades as a list, worst first",
                field="grade_scale",
            )
        return SCALES[value]
    try:
        return GradeScale(name="custom", grades=tuple(value))
    except ValueError as error:
        raise InvalidRequestError(
            "a scale needs two to forty different, non-empty grades, worst first",
            field="grade_scale",
        ) from error
