"""How the sample judge behaves on each request: settings, and the plan they give by hash."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from local.judge.human_judge import draw


class Conduct(StrEnum):
    """What a request meets."""

    VERDICT = "verdict"
    ERROR_CALLBACK = "error_callback"
    UNAVAILABLE = "unavailable"
    SILENCE = "silence"


@dataclass(frozen=True)
class JudgeOptions:
    """Settings of the sample judge; rates are probabilities, times are seconds.

    Parameters
    ----------
    latency
        Mean time until a verdict; each request waits between a half and one and a half of it.
    error_rate
        Share of requests that fail in a way worth a retry: half are refused with 503, half are
        accepted and answered by an error callback.
    duplicate_rate
        Share of callbacks that are sent twice.
    shuffle
        Callbacks wait up to this long beyond their latency, so that they arrive out of order.
    silent
        Share of requests that are accepted and never answered.
    batch_seconds
        How long a provider's batch waits before it runs; its lines then take `latency` in all.
    bedrock_minimum_records
        A model invocation job with fewer records fails, as on AWS.
    """

    seed: int = 1
    latency: float = 0.2
    error_rate: float = 0.0
    duplicate_rate: float = 0.0
    shuffle: float = 0.0
    silent: float = 0.0
    coin_flip: bool = False
    immediate: bool = False
    batch_seconds: float = 1.0
    bedrock_minimum_records: int = 100

    def __post_init__(self) -> None:
        for name in ("error_rate", "duplicate_rate", "silent"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it is a share between 0 and 1")
        for name in ("latency", "shuffle", "batch_seconds", "bedrock_minimum_records"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it cannot be negative")

    def as_dict(self) -> dict[str, object]:
        """The settings by name."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """What happens to one request."""

    conduct: Conduct
    delay: float
    copies: int


def plan_for(options: JudgeOptions, comparison: str, attempt: int, request_number: int) -> Plan:
    """The fate of a request, by hash of the comparison, its attempt and how often it was asked.

    The count of requests takes part because a 503 is retried under the same attempt; without it
    such a comparison could never succeed.
    """
    key = (options.seed, comparison, attempt, request_number)
    delay = options.latency * (0.5 + draw("latency", *key)) + options.shuffle * draw(
        "shuffle", *key
    )
    copies = 2 if draw("duplicate", *key) < options.duplicate_rate else 1
    fate = draw("fate", *key)
    if fate < options.error_rate / 2:
        conduct = Conduct.UNAVAILABLE
    elif fate < options.error_rate:
        conduct = Conduct.ERROR_CALLBACK
    elif draw("silent", options.seed, comparison) < options.silent:
        # Silence is a matter of the comparison, not the attempt: it is silent for good.
        conduct = Conduct.SILENCE
    else:
        conduct = Conduct.VERDICT
    return Plan(conduct, delay, copies)
