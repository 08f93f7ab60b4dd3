"""List prices of models, so that a batch can tell what it cost; a request's own price wins.

US dollars for a million tokens, as the providers' public price lists gave them in 2025. They
change: a batch that depends on them says `judge.price`, and a model that is not listed costs
"unknown" rather than nothing.
"""

from __future__ import annotations

from assessment.domain.judge import JudgeSpec, Price, Provider

_LISTED: dict[Provider, dict[str, tuple[float, float]]] = {
    Provider.OPENAI: {
        "gpt-4.1-nano": (0.10, 0.40),
        "gpt-4.1-mini": (0.40, 1.60),
        "gpt-4.1": (2.00, 8.00),
        "gpt-4o-mini": (0.15, 0.60),
        "gpt-4o": (2.50, 10.00),
    },
    Provider.ANTHROPIC: {
        "claude-3-5-haiku": (0.80, 4.00),
        "claude-haiku-4-5": (1.00, 5.00),
        "claude-sonnet-4": (3.00, 15.00),
    },
}


def price_of(judge: JudgeSpec) -> Price | None:
    """The judge's price: its own, or the list's for the provider's own endpoint; None if unknown.

    A name is looked up with its date or version behind it: `gpt-4o-2024-08-06` is `gpt-4o`.
    """
    if judge.price is not None or judge.base_url is not None or judge.model is None:
        return judge.price
    listed = _LISTED.get(judge.provider, {})
    found = [name for name in listed if judge.model == name or judge.model.startswith(f"{name}-2")]
    if not found:
        return None
    input_usd, output_usd = listed[max(found, key=len)]
    return Price(input_usd=input_usd, output_usd=output_usd)
