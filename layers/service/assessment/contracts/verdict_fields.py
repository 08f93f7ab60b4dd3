"""The fields of a verdict as it crosses the wire, declared once for judges, models and people."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from assessment.domain.verdict import MAX_JUSTIFICATION

WinnerLetter = Literal["A", "B", "tie"]
"""The better essay by the letter under which it was shown."""

LOWEST_CONFIDENCE, HIGHEST_CONFIDENCE = 1, 5

Confidence = Annotated[int, Field(ge=LOWEST_CONFIDENCE, le=HIGHEST_CONFIDENCE)]
"""From 1, a guess, to 5, certain."""

Justification = Annotated[str | None, Field(max_length=MAX_JUSTIFICATION, repr=False)]
