"""The cost of judge calls, with and without a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Spending(BaseModel):
    """Tokens in and out, and US dollars where the price is known."""

    model_config = ConfigDict(frozen=True)

    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0
    cost_usd: Annotated[float, Field(ge=0)] = 0.0


def add_spending(parts: Iterable[Spending | None]) -> Spending:
    """The sum; None is nothing."""
    spent = [part for part in parts if part is not None]
    return Spending(
        input_tokens=sum(part.input_tokens for part in spent),
        output_tokens=sum(part.output_tokens for part in spent),
        cost_usd=fsum(part.cost_usd for part in spent),
    )
