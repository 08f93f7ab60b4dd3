"""Comparisons per essay until the ranking is right, by planner and by kind of answer.

    python -m benchmarks.pairing [--quick] [--json PATH]

Worlds: 100 students, abilities N(0, 2^2) logits, and 12 anchors over 8 grades, seeded and shared by
all planners. Simulated judge: logistic, without lapses or order effect; 4 answers mean slight or
clear (cut at 1.5 logits), 6 mean slight, clear or decisive (cuts at 1 and 2.5). Cut points and
order effect are estimated. Planners differ only in the pairs they ask; no pair is asked twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._common import Bar, Claim, arguments, report
from benchmarks._peer_rules import (
    TrueSkillRule,
    close_and_uncertain,
    information_gain_matching,
    information_gain_tree,
)
from benchmarks._simulated_batch import (
    Rule,
    SimulatedBatch,
    Trace,
    comparisons_to_reach,
    mean_trace,
    planned,
    run,
)
from scoring.pairing import Strategy, plan_wave
from scoring.simulate import LogisticJudge, even_world

if TYPE_CHECKING:
    from collections.abc import Callable

type Costs = dict[tuple[str, int], float | None]
"""Comparisons per essay by planner and number of answers; None where .95 is not reached."""

CUTS: dict[int, tuple[float, ...]] = {2: (), 4: (1.5,), 6: (1.0, 2.5)}


@dataclass(frozen=True)
class Planner:
    """A named way to choose pairs; `make` gives a fresh rule for every world."""

    name: str
    make: Callable[[], Rule]
    answers: int = 2
    most_per_essay: float = 26.0


def our_planner(
    name: str,
    *,
    answers: int = 2,
    most_per_essay: float = 26.0,
    rounds: int = 1,
    audit_share: float = 0.25,
    strategy: Strategy = "adaptive",
) -> Planner:
    """Name a way to call `plan_wave`."""
    rule = partial(planned, rounds=rounds, audit_share=audit_share, strategy=strategy)
    return Planner(name, lambda: rule, answers, most_per_essay)


PEER_PLANNERS = [
    Planner("TrueSkill p(1-p) (pairwiseLLM)", TrueSkillRule),
    Planner("p(1-p) x variance x closeness (GABRIEL)", lambda: close_and_uncertain),
    Planner("information gain, tree (ASAP)", lambda: information_gain_tree),
    Planner("information gain, matching", lambda: information_gain_matching),
]
PEERS = {planner.name for planner in PEER_PLANNERS}
PLANNERS = [
    our_planner("random matching", strategy="random"),
    *PEER_PLANNERS,
    our_planner("anchor first, then ring", strategy="anchor_first", most_per_essay=30.0),
    our_planner("nearest", strategy="nearest", audit_share=0.0),
    our_planner("adaptive, no audit", audit_share=0.0),
    our_planner("adaptive"),
    our_planner("adaptive, waves of 2", rounds=2),
    our_planner("adaptive, waves of 4", rounds=4, most_per_essay=28.0),
    our_planner("adaptive, waves of 4, no audit", rounds=4, audit_share=0.0, most_per_essay=28.0),
    our_planner("random matching", answers=4, strategy="random"),
    our_planner("adaptive", answers=4),
    our_planner("adaptive, waves of 4", answers=4, rounds=4),
    our_planner("random matching", answers=6, strategy="random"),
    our_planner("adaptive", answers=6),
    our_planner("adaptive, waves of 4", answers=6, rounds=4),
]
# The exact matching takes seconds per world, so fewer worlds.
EXACT = our_planner(
    "optimal matching, no audit", strategy="optimal_matching", audit_share=0.0, most_per_essay=20.0
)


@dataclass(frozen=True)
class Outcome:
    """One planner over all worlds."""

    traces: list[Trace]
    repeated: int
    spread: int

    def row(self, planner: Planner) -> dict[str, object]:
        """Summarise."""
        mean = mean_trace(self.traces)
        positions = {k: int(np.argmin(np.abs(np.array(mean.per_essay) - k))) for k in (8, 16)}
        return {
            "planner": planner.name,
            "answers": planner.answers,
            "worlds": len(self.traces),
            "to_90": comparisons_to_reach(mean, 0.90),
            "to_95": comparisons_to_reach(mean, 0.95),
            "to_95_se": self.standard_error(0.95),
            "correlation_16": mean.correlation[positions[16]],
            "coverage_8": mean.coverage[positions[8]],
            "coverage_16": mean.coverage[positions[16]],
            "repeated_pairs": self.repeated,
            "most_to_least_compared": self.spread,
        }

    def standard_error(self, correlation: float, draws: int = 100) -> float | None:
        """Return the bootstrap standard error, over worlds, of the comparisons to reach it."""
        rng = np.random.default_rng(0)
        costs = [
            comparisons_to_reach(mean_trace([self.traces[k] for k in sample]), correlation)
            for sample in rng.integers(len(self.traces), size=(draws, len(self.traces)))
        ]
        reached = [value for value in costs if value is not None]
        return float(np.std(reached)) if len(reached) == draws else None


def simulate(planner: Planner, worlds: int) -> Outcome:
    """Run the planner on the worlds."""
    traces, repeated, spread = [], 0, 0
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        world = even_world(rng)
        batch = SimulatedBatch(world, LogisticJudge(world.ability, CUTS[planner.answers]), rng)
        traces.append(run(batch, planner.make(), planner.most_per_essay))
        low, high = np.minimum(batch.first, batch.second), np.maximum(batch.first, batch.second)
        repeated += len(low) - len(np.unique(low * batch.n_essays + high))
        ends = np.concatenate([batch.first, batch.second])
        spread = max(spread, int(np.ptp(np.bincount(ends, minlength=batch.n_essays))))
    return Outcome(traces, repeated, spread)


def count_unconnected_after_two_waves(sizes: range, seeds: int) -> int:
    """Count sets, even and odd, that two waves of one comparison per essay leave unconnected."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    failed = 0
    for n in sizes:
        for seed in range(seeds):
            first, second = two_waves(n, seed)
            graph = coo_array((np.ones(len(first)), (first, second)), shape=(n, n))
            failed += connected_components(graph, directed=False)[0] > 1
    return failed


def two_waves(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Plan two waves of one comparison per essay, the second with abilities."""
    rng = np.random.default_rng(seed)
    one = plan_wave(n, rng=rng, rounds=1)
    two = plan_wave(
        n,
        rng=rng,
        rounds=1,
        first=one.first,
        second=one.second,
        ability=rng.normal(size=n),
        covariance=np.eye(n),
    )
    return np.concatenate([one.first, two.first]), np.concatenate([one.second, two.second])


def main() -> None:
    """Run, print, and write the claims."""
    options = arguments(__doc__)
    worlds, seeds = (30, 5) if options.quick else (200, 50)
    outcomes = {planner: simulate(planner, worlds) for planner in PLANNERS}
    outcomes[EXACT] = simulate(EXACT, worlds // 20)
    rows = [outcome.row(planner) for planner, outcome in outcomes.items()]
    claims = [*make_cost_claims(outcomes), *make_balance_claims(outcomes, seeds)]
    report(options, rows=rows, claims=claims)


def make_cost_claims(outcomes: dict[Planner, Outcome]) -> list[Claim]:
    """Comparisons per essay until the ranking correlates with the truth by .95."""
    to_95: Costs = {
        (planner.name, planner.answers): comparisons_to_reach(mean_trace(outcome.traces), 0.95)
        for planner, outcome in outcomes.items()
    }
    free, audited = to_95["adaptive, no audit", 2], to_95["adaptive", 2]
    saving, peer_ratio = measure_saving(free, to_95), compare_with_peers(free, to_95)
    return [
        Claim("to .95, binary, no audit pairs", free, "per essay", Bar(high=15.8)),
        Claim("audit share of 25% costs", subtract(audited, free), "per essay", Bar(high=1.0)),
        Claim(
            "audit share of 25% costs, waves of 4",
            subtract(to_95["adaptive, waves of 4", 2], to_95["adaptive, waves of 4, no audit", 2]),
            "per essay",
            Bar(high=1.0),
        ),
        Claim("to .95, 4 answers, with audit", to_95["adaptive", 4], "per essay", Bar(high=11.5)),
        Claim("to .95, 6 answers, with audit", to_95["adaptive", 6], "per essay", Bar(high=10.7)),
        Claim("saved against random matching", saving, "share", Bar(low=0.25)),
        Claim("against the best peer rule", peer_ratio, "ratio", Bar(high=1.03)),
    ]


def make_balance_claims(outcomes: dict[Planner, Outcome], seeds: int) -> list[Claim]:
    """No pair twice, every essay as often as any other, and one connected set after two waves."""
    balanced = [
        outcome
        for planner, outcome in outcomes.items()
        if planner.name.startswith(("adaptive", "optimal", "nearest", "random matching"))
    ]
    sizes = range(2, 61)
    return [
        Claim("repeated pairs", sum(o.repeated for o in balanced), "", Bar(high=0)),
        Claim("most less least compared", max(o.spread for o in balanced), "", Bar(high=1)),
        Claim(
            "sets of 2 to 60 essays unconnected after two waves",
            count_unconnected_after_two_waves(sizes, seeds),
            f"of {len(sizes) * seeds}",
            Bar(high=0),
        ),
    ]


def subtract(cost: float | None, base: float | None) -> float | None:
    """Subtract what may not have been reached."""
    return None if cost is None or base is None else cost - base


def measure_saving(ours: float | None, to_95: Costs) -> float | None:
    """Return the share of random matching's comparisons that adaptive pairs save."""
    random = to_95["random matching", 2]
    return None if ours is None or random is None else 1 - ours / random


def compare_with_peers(ours: float | None, to_95: Costs) -> float | None:
    """Return our comparisons over those of the best peer rule, both without audit pairs."""
    peers = [value for (name, _), value in to_95.items() if name in PEERS and value is not None]
    return None if ours is None else ours / min(peers)


if __name__ == "__main__":
    main()
