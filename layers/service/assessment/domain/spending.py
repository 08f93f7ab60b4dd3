"""The cost of judge calls, with and without a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


def _is_zero(value: int) -> bool:
    return value == 0


CachedTokens = Annotated[int, Field(ge=0, exclude_if=_is_zero)]
"""A count that is left out where it is 0, as it was before it was counted."""


class Spending(BaseModel):
    """Tokens in and out, and US dollars where the price is known.

    `cache_read_tokens` and `cache_write_tokens` are the parts of `input_tokens` that the provider
    read from its prompt cache and wrote into it: they have prices of their own.
    """

    model_config = ConfigDict(frozen=True)

    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0
    cache_read_tokens: CachedTokens = 0
    cache_write_tokens: CachedTokens = 0
    cost_usd: Annotated[float, Field(ge=0)] = 0.0


def add_spending(parts: Iterable[Spending | None]) -> Spending:
    """The sum; None is nothing."""
    spent = [part for part in parts if part is not None]
    return Spending(
        input_tokens=sum(part.input_tokens for part in spent),
        output_tokens=sum(part.output_tokens for part in spent),
        cache_read_tokens=sum(part.cache_read_tokens for part in spent),
        cache_write_tokens=sum(part.cache_write_tokens for part in spent),
        cost_usd=fsum(part.cost_usd for part in spent),
    )
