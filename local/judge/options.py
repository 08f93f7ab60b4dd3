"""Settings of the sample judge, and the response to each request that follows from them by hash."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from local.judge.human_judge import draw


class Conduct(StrEnum):
    """How the judge treats a request."""

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
    """The treatment of one request.

    Parameters
    ----------
    delay
        Seconds until the answer.
    copies
        How often a callback is sent.
    """

    conduct: Conduct
    delay: float
    copies: int


def plan_response(
    options: JudgeOptions, comparison: str, attempt: int, request_number: int
) -> Plan:
    """The treatment of a request: a hash of comparison, attempt and number of requests.

    The count of requests takes part because a 503 is retried under the same attempt; without it
    such a comparison could never succeed.
    """
    key = (options.seed, comparison, attempt, request_number)
    delay = options.latency * (0.5 + draw("latency", *key)) + options.shuffle * draw(
        "shuffle", *key
    )
    copies = 2 if draw("duplicate", *key) < options.duplicate_rate else 1
    error = draw("fate", *key)
    if error < options.error_rate / 2:
        conduct = Conduct.UNAVAILABLE
    elif error < options.error_rate:
        conduct = Conduct.ERROR_CALLBACK
    elif draw("silent", options.seed, comparison) < options.silent:
        # Silence depends on the comparison, not on the attempt: it is never answered.
        conduct = Conduct.SILENCE
    else:
        conduct = Conduct.VERDICT
    return Plan(conduct, delay, copies)
