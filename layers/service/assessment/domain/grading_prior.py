"""How grades were distributed among such students before: a soft prior of an assignment."""

from __future__ import annotations

from math import fsum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from assessment.domain.grade_scale import MAX_GRADE_CHARACTERS, GradeScale

SUM_TOLERANCE = 1e-6


class PopulationPrior(BaseModel):
    """Historical shares of the grades among students like these, never the anchors' own counts.

    `weight` multiplies the prior's precision: 1 trusts it as far as cohorts of one school resemble
    each other (see `scoring.grades`), 0 ignores it. A grade that is left out has the share 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shares: Annotated[
        dict[
            Annotated[str, Field(max_length=MAX_GRADE_CHARACTERS)],
            Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)],
        ],
        Field(max_length=40),
    ]
    weight: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 1.0

    @field_validator("shares")
    @classmethod
    def _sums_to_one(cls, shares: dict[str, float]) -> dict[str, float]:
        total = fsum(shares.values())
        if abs(total - 1.0) > SUM_TOLERANCE:
            message = f"the shares sum to {total:.6g}; they must sum to 1"
            raise ValueError(message)
        return shares

    def order_shares(self, scale: GradeScale) -> tuple[float, ...]:
        """The shares in the order of the scale.

        Raises
        ------
        UnknownGradeError
            If a share is given for a grade that the scale does not have.
        """
        for grade in self.shares:
            scale.position(grade, field="population.shares")
        return tuple(self.shares.get(grade, 0.0) for grade in scale.grades)
