"""Which faults there are for the calls of a clean run, and what a run with one of them came to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from assessment.domain.judge import MAX_BUNDLE
from tests.faults.calls import Call, Fault, FaultKind
from tests.faults.journey import SIDE_BY_SIDE, travel
from tests.faults.outcome import Outcome
from tests.faults.routes import PRICE, Route

_DEATHS = {FaultKind.DIED_BEFORE, FaultKind.DIED_AFTER}


def every_fault(calls: Sequence[Call]) -> list[Fault]:
    """Each kind at each call."""
    return [Fault(call, kind) for call in sorted(set(calls)) for kind in FaultKind]


def spread_faults(calls: Sequence[Call], n: int) -> list[Fault]:
    """So many faults, spread evenly over functions and operations; every kind about equally often.

    For each operation of each function its middle call; the kinds follow one another.
    """
    by_operation: dict[tuple[str, str, str], list[Call]] = {}
    for call in sorted(set(calls)):
        by_operation.setdefault((call.function, call.service, call.operation), []).append(call)
    middles = [found[len(found) // 2] for found in by_operation.values()]
    step = max(1.0, len(middles) / n)
    chosen = [middles[int(at * step)] for at in range(min(n, len(middles)))]
    kinds = list(FaultKind)
    return [Fault(call, kinds[at % len(kinds)]) for at, call in enumerate(chosen)]


def _price_single_calls(result: dict[str, Any]) -> float:
    """What all answers would have cost outside of a provider's batch."""
    tokens = result["input_tokens"] * PRICE["input_usd"]
    return float(tokens + result["output_tokens"] * PRICE["output_usd"]) / 1_000_000


def complaint(fault: Fault, route: Route, clean: Outcome) -> str | None:
    """What a run of this route with this fault did wrong; None if it survived."""
    try:
        outcome = travel(fault, route)
    except Exception as error:  # noqa: BLE001 - whatever it was, the run did not survive
        return f"{type(error).__name__}: {error}"[:300]
    # What is counted is comparisons: a bundle has several in its one call, and may be in flight
    # beside others.
    allowed = SIDE_BY_SIDE if fault.kind in _DEATHS else 1
    allowed = MAX_BUNDLE if route.asks_together else allowed
    # Where answers are odd, an undisturbed run asks about some comparisons twice as well.
    paid_again = outcome.paid_again - clean.paid_again
    checks = {
        "the fault was not reached": outcome.hit,
        f"ended {outcome.status}": outcome.status == route.status,
        "other result bytes": outcome.comparable == clean.comparable,
        "other events": outcome.events == clean.events,
        f"{paid_again} calls paid again": paid_again <= allowed,
    }
    if outcome.result is not None:
        told = outcome.result["repeated_calls"]
        # A provider that never says whether it has a batch may bill all of it.
        most = len(clean.lines.splitlines()) if route.may_cost_more else allowed
        checks[f"{paid_again} paid again, {told} told"] = paid_again <= told <= most
    if route.may_cost_more and outcome.result is not None:
        # All of it in single calls, or as in the undisturbed run: nothing between, nothing above.
        cost, usual = outcome.result["cost_usd"], (clean.result or {})["cost_usd"]
        checks[f"cost {cost}"] = any(
            math.isclose(cost, right) for right in (usual, _price_single_calls(outcome.result))
        )
    wrong = [text for text, holds in checks.items() if not holds]
    return "; ".join(wrong) or None
