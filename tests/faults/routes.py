"""The ways that a batch may go: who judges it and how, and what befalls its execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Interruption(StrEnum):
    """What befalls an execution once.

    It is cancelled after its first wave or while a provider's batch is outstanding; a step fails
    four times, and somebody resumes the batch; it is aborted, or the call that should wake it gets
    lost, and the watchdog finds that.
    """

    NONE = "nothing"
    CANCELLED = "cancelled after a wave"
    CANCELLED_WAITING = "cancelled while it waits"
    FAILED = "failed and resumed"
    ABORTED = "aborted"
    UNHEARD = "not woken"


class Oddity(StrEnum):
    """What a judge sends that is no proper verdict, the same each time it is asked.

    It declines an essay; one comparison's verdict says nothing, others have optional values that
    are broken, commas too many, thoughts before them; lines of a batch's output are doubled,
    turned round, cut or missing, and one is an error.
    """

    NONE = "nothing"
    DECLINED = "an essay is declined"
    BROKEN = "answers are broken"
    LINES = "lines are broken"


# A member of an enum cannot be a set of members.
AFTER_WAVE = frozenset({Interruption.CANCELLED, Interruption.FAILED, Interruption.ABORTED})


@dataclass(frozen=True)
class Route:
    """One way.

    `may_cost_more` is set where a provider cannot be asked for a batch by its name: if it is not
    known in time whether it has the batch, all of it is asked in single calls, at the full price:
    then the cost is that of single calls, and no other.
    """

    name: str
    judge: Any = None
    config: dict[str, Any] = field(default_factory=lambda: dict(_SMALL))
    has_anchors: bool = False
    answers_at_once: bool = True
    has_people: bool = False
    provider_takes: timedelta = timedelta(seconds=60)
    interruption: Interruption = Interruption.NONE
    oddity: Oddity = Oddity.NONE
    abilities: tuple[float, ...] = (-1.4, 0.3, 1.5)
    status: str = "COMPLETED"
    may_cost_more: bool = False

    @property
    def asks_together(self) -> bool:
        """Whether one call asks about several comparisons."""
        if not isinstance(self.judge, dict) or self.judge.get("bundle_size") == 1:
            return False
        mode = self.judge.get("batching_mode")
        has_pairs_together = mode == "per_request" and self.judge.get("list_size", 2) > 3
        return has_pairs_together or mode in ("serial_bundle", "provider_batch_api")


_SMALL: dict[str, Any] = {
    "seed": 1, "max_waves": 1, "min_comparisons_per_essay": 1, "target_mean_se": 0.01,
    "comparisons_per_essay_per_wave": 2,
}  # fmt: skip
_TWO_WAVES = {**_SMALL, "max_waves": 2}


_IN_TIME = {**_SMALL, "finish_by": (START + timedelta(minutes=55)).isoformat()}


PRICE = {"input_usd": 1, "output_usd": 4}
"""Of a million tokens."""


def _batches(provider: str, model: str) -> dict[str, Any]:
    return {
        "provider": provider, "model": model, "batching_mode": "provider_batch_api", "price": PRICE,
    }  # fmt: skip


_ENDPOINT: dict[str, Any] = {"provider": "callback_endpoint"}
_OPENAI = _batches("openai", "gpt-4.1-mini")
_ANTHROPIC = _batches("anthropic", "claude-haiku-4-5")
_BEDROCK = _batches("bedrock", "eu.amazon.nova-lite-v1:0")


def _alone(judge: dict[str, Any]) -> dict[str, Any]:
    """One comparison in a request, so that a broken line breaks no other."""
    return {**judge, "bundle_size": 1}


def _late(name: str, judge: dict[str, Any], **more: Any) -> Route:
    return Route(name, judge=judge, config=_IN_TIME, provider_takes=timedelta(hours=30), **more)


def _odd(name: str, oddity: Oddity, judge: Any = None, **more: Any) -> Route:
    """Two waves, since what failed is tried again in the second one."""
    config = {**_TWO_WAVES, "min_success_rate_threshold": 0.1, "retry_pool_threshold": 1}
    four = (-1.4, 0.3, 0.8, 1.5)
    return Route(name, judge=judge, config=config, oddity=oddity, abilities=four, **more)


AT_ONCE = Route("answers at once", config=_TWO_WAVES, has_anchors=True)
ROUTES = (
    AT_ONCE,
    Route("callbacks", answers_at_once=False),
    Route("lists by callbacks", judge={**_ENDPOINT, "list_size": 3}, answers_at_once=False),
    Route("lists in bundles", judge={**_OPENAI, "batching_mode": "serial_bundle", "list_size": 3}),
    Route("lists in OpenAI's batches", judge={**_OPENAI, "list_size": 3}),
    Route("lists in Bedrock's jobs", judge={**_BEDROCK, "list_size": 3}),
    Route(
        "pairs beside lists, each list a call",
        judge={**_OPENAI, "batching_mode": "per_request", "list_size": 4},
        config={**_SMALL, "list_pair_share": 0.5},
        abilities=(-1.4, -0.6, 0.3, 1.0, 1.5),
    ),
    Route("people", judge={"provider": "person"}, has_people=True),
    Route("single calls", judge={**_OPENAI, "batching_mode": "per_request"}),
    Route("bundles", judge={**_OPENAI, "batching_mode": "serial_bundle"}),
    Route("OpenAI's batches", judge=_OPENAI),
    Route("Anthropic's batches", judge=_ANTHROPIC),
    Route("Bedrock's jobs", judge=_BEDROCK),
    Route("cancelled", interruption=Interruption.CANCELLED, status="CANCELLED"),
    Route(
        "cancelled with a provider's batch",
        judge=_alone(_OPENAI),
        # However late a death makes it, the cancellation is what ends the provider's batch.
        provider_takes=timedelta(hours=20),
        interruption=Interruption.CANCELLED_WAITING,
        status="CANCELLED",
    ),
    Route("failed and resumed", config=_TWO_WAVES, interruption=Interruption.FAILED),
    Route("execution lost", config=_TWO_WAVES, interruption=Interruption.ABORTED),
    Route("wake-up lost", interruption=Interruption.UNHEARD),
    _odd("callbacks, broken", Oddity.BROKEN, answers_at_once=False),
    _odd("bundles, broken", Oddity.BROKEN, {**_OPENAI, "batching_mode": "serial_bundle"}),
    _odd(
        "bundles, an essay declined", Oddity.DECLINED, {**_OPENAI, "batching_mode": "serial_bundle"}
    ),
    _odd("OpenAI's batches, an essay declined", Oddity.DECLINED, _OPENAI),
    _odd("OpenAI's batches, broken lines", Oddity.LINES, _alone(_OPENAI)),
    _odd("Anthropic's batches, broken lines", Oddity.LINES, _alone(_ANTHROPIC)),
    _odd("Bedrock's jobs, broken lines", Oddity.LINES, _alone(_BEDROCK)),
    _late("OpenAI's batch comes late", _OPENAI),
    _late("Anthropic's batch comes late", _ANTHROPIC, may_cost_more=True),
    _late("Bedrock's job comes late", _BEDROCK),
)
