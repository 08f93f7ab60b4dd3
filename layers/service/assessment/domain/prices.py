"""List prices of models, so that a batch can tell what it cost; a request's own price wins.

The prices are data: `prices.json` has a list for each provider, in US dollars for a million input
and output tokens, with its date and source. Prices change: a batch that depends on them says
`judge.price`, and a model that is not listed costs "unknown" rather than nothing.

`cache_prices.json` has, of the same models, the shares of the input price that tokens cost which a
provider reads from its prompt cache, and which it writes into it; (1, 1) where nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.price import Price

_ARN = re.compile(r"^arn:.*/")
_DATE_AND_VERSION = re.compile(r"(-\d{4}-\d{2}-\d{2}|-\d{8})?(-v\d+(:\d+)?)?$")
# Inference profiles (docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html).
# Those of other places, such as us-gov, have other prices and stay unknown.
_PROFILE = re.compile(r"^(global|us|eu|apac|jp|au)\.(?=(anthropic|amazon)\.)")

Dollars = Annotated[float, Field(gt=0)]


class PriceList(BaseModel):
    """What a provider charges for its models, when that was looked up, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: date
    source: Annotated[str, Field(min_length=1)]
    models: dict[str, tuple[Dollars, Dollars]]


class CachePriceList(PriceList):
    """As `PriceList`, with the shares of the input price for reading and for writing."""


def _read_lists[L](name: str, lists: TypeAdapter[dict[Provider, L]]) -> dict[Provider, L]:
    return lists.validate_json((files("assessment.domain") / name).read_bytes())


PRICE_LISTS = _read_lists("prices.json", TypeAdapter(dict[Provider, PriceList]))
CACHE_PRICE_LISTS = _read_lists("cache_prices.json", TypeAdapter(dict[Provider, CachePriceList]))


def find_price(judge: JudgeSpec) -> Price | None:
    """The judge's price: its own, or the list's for the provider's own endpoint; None if unknown.

    A name is looked up with its date and version behind it, and a Bedrock model under any of its
    inference profiles: `gpt-4o-2024-08-06` is `gpt-4o`, and `us.amazon.nova-lite-v1:0` is
    `amazon.nova-lite`, while `eu.amazon.nova-lite` has a price of its own.
    """
    if judge.price is not None or judge.base_url is not None or judge.model is None:
        return judge.price
    listed = PRICE_LISTS.get(judge.provider)
    models = [name for name in _names(judge.model) if listed and name in listed.models]
    if not listed or not models:
        return None
    input_usd, output_usd = listed.models[models[0]]
    read_share, write_share = CACHE_PRICE_LISTS[judge.provider].models.get(models[0], (1.0, 1.0))
    return Price(
        input_usd=input_usd,
        output_usd=output_usd,
        cache_read_share=read_share,
        cache_write_share=write_share,
    )


def _names(model: str) -> Iterator[str]:
    """What a model may be listed as, the most exact name first."""
    name = _ARN.sub("", model)
    undated = _DATE_AND_VERSION.sub("", name)
    yield from (name, undated, _PROFILE.sub("", undated))
