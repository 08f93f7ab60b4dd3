"""How many tokens a comparison takes, from the least that is likely to the most.

The figures are data, `token_estimates.json`: `cj plan` and the page of a new batch read the same.
Bytes of UTF-8 for a token are 4 in English prose (platform.openai.com/tokenizer), fewer in other
languages and in code, more in plain words. A verdict is JSON with a short sentence of justification
as the prompt asks for, with an id and a gap for each further essay of a list; models that think
take many more. The bytes around essays and comparisons are those of the default prompt, in calls
about `comparisons_per_call`. Pairs of one call share essays, and each essay is in it once: a
pair then brings `texts_per_shared_comparison` essays (simulated waves: .79 to .84, decision 0037).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict


class TokenEstimates(BaseModel):
    """The figures; a triple is the least, the expected and the most of what it costs."""

    model_config = ConfigDict(frozen=True)

    bytes_per_token: tuple[float, float, float]
    tokens_per_verdict: tuple[float, float, float]
    tokens_per_place: tuple[float, float, float]
    bytes_around_comparison: int
    bytes_around_essay: int
    bytes_around_shared_comparison: int
    texts_per_shared_comparison: float
    comparisons_per_call: int


@cache
def read_token_estimates() -> TokenEstimates:
    """The figures of the package."""
    return TokenEstimates.model_validate_json(
        (files("assessment.domain") / "token_estimates.json").read_bytes()
    )
