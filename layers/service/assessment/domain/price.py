"""What a model's tokens cost."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


def _is_whole(share: float) -> bool:
    return share == 1.0


_CacheShare = Annotated[float, Field(ge=0, le=10, exclude_if=_is_whole)]


class Price(BaseModel):
    """What a million tokens cost, in US dollars; `batch_share` of it in a provider's batch.

    Input that is read from the provider's prompt cache costs `cache_read_share` of `input_usd`, and
    input that is written into it `cache_write_share`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_usd: Annotated[float, Field(ge=0, le=10_000)]
    output_usd: Annotated[float, Field(ge=0, le=10_000)]
    batch_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    cache_read_share: _CacheShare = 1.0
    cache_write_share: _CacheShare = 1.0

    def compute(
        self,
        input_tokens: int,
        output_tokens: int,
        *,
        in_batch: bool = False,
        cache_read_tokens: int = 0,
        cache_write_tokens: int = 0,
    ) -> float:
        """The price of so many tokens, in US dollars; those of the cache are part of the input."""
        plain = input_tokens - cache_read_tokens - cache_write_tokens
        cached = (
            cache_read_tokens * self.cache_read_share + cache_write_tokens * self.cache_write_share
        )
        whole = ((plain + cached) * self.input_usd + output_tokens * self.output_usd) / 1e6
        return whole * self.batch_share if in_batch else whole
