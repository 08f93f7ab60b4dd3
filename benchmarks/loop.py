"""Waves against one pair at a time and against all pairs: wall time to the same reliability.

A simulated batch of 40 essays (abilities N(0, 2^2)) with a logistic judge whose every answer takes
one second, ten at a time, as the judge queue allows by default. Planning, fitting and the decision
which pairs come next are the product's own code and are inside the measured time; queues and tables
are not, `benchmarks/demo.py` measures those. Each way goes on until the model reliability is .90;
all pairs cannot stop before the last.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from assessment.domain.comparison import Comparison, ComparisonStatus, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.essay import Essay, EssayKind
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import JudgeInstructions
from assessment.domain.spec import BatchSpec
from assessment.domain.verdict import Verdict, Winner
from assessment.domain.wave_outline import WaveOutline
from assessment.statistics.engine import ScoringStatistics
from benchmarks._common import Bar, Claim, arguments, report

ESSAYS = 40
SIGMA = 2.0
RELIABILITY = 0.90
AT_A_TIME = 10

Planner = Callable[[Sequence[Comparison], int], list[PlannedPair]]


@dataclass
class Batch:
    """A simulated batch and the verdicts it has."""

    seed: int
    latency: float
    comparisons: list[Comparison] = field(default_factory=list)
    wave_number: int = 0

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.ability = dict(
            zip((f"e{n:02d}" for n in range(ESSAYS)), rng.normal(0, SIGMA, ESSAYS), strict=True)
        )
        self.rng = rng
        self.statistics = ScoringStatistics()
        self.config = BatchConfig()
        self.spec = BatchSpec.from_essays(
            [
                Essay(essay_id=essay, kind=EssayKind.STUDENT, text_sha256=essay)
                for essay in self.ability
            ],
            instructions=JudgeInstructions(),
            grade_scale=None,
            judges=(JudgeSpec(),),
        )

    def plan(self, size: int) -> list[PlannedPair]:
        """The next pairs by the product's planner."""
        planned = self.statistics.plan(
            self.spec,
            self.comparisons,
            config=self.config,
            seed=self.seed,
            outline=WaveOutline(wave_number=self.wave_number + 1, sizes=[2] * size),
        )
        return [each for each in planned if isinstance(each, PlannedPair)]

    async def judge(self, pairs: Sequence[PlannedPair]) -> None:
        """Answer the pairs, ten at a time, and wait for all."""
        self.wave_number += 1
        gate = asyncio.Semaphore(AT_A_TIME)

        async def answer(position: int, pair: PlannedPair) -> Comparison:
            async with gate:
                await asyncio.sleep(self.latency)
            return self._answer(position, pair)

        self.comparisons += await asyncio.gather(
            *(answer(position, pair) for position, pair in enumerate(pairs))
        )

    def _answer(self, position: int, pair: PlannedPair) -> Comparison:
        difference = self.ability[pair.first] - self.ability[pair.second]
        first = self.rng.random() < 1 / (1 + np.exp(-difference))
        return Comparison(
            comparison_id=f"w{self.wave_number:04d}-{position:05d}",
            wave=self.wave_number,
            submitted_wave=self.wave_number,
            first=pair.first,
            second=pair.second,
            audit=pair.audit,
            predicted=pair.predicted,
            status=ComparisonStatus.RECORDED,
            verdict=Verdict(winner=Winner.FIRST if first else Winner.SECOND, judge="simulated"),
        )

    def reliability(self) -> float:
        """What the product would report now."""
        scores = self.statistics.score(self.spec, self.comparisons, config=self.config)
        return scores.reliability.model_reliability


async def judge_in_waves(batch: Batch) -> None:
    """Four comparisons per essay between fits, as the product does."""
    while True:
        await batch.judge(batch.plan(batch.config.comparisons_per_essay_per_wave * ESSAYS // 2))
        if batch.reliability() >= RELIABILITY:
            return


async def judge_one_at_a_time(batch: Batch) -> None:
    """Plan a pair, wait for its verdict, fit, plan the next."""
    while True:
        await batch.judge(batch.plan(1))
        if len(batch.comparisons) >= ESSAYS and batch.reliability() >= RELIABILITY:
            return


async def all_pairs(batch: Batch) -> None:
    """Every pair once, in one wave."""
    pairs = [
        PlannedPair(first=a, second=b)
        if batch.rng.random() < 1 / 2
        else PlannedPair(first=b, second=a)
        for a, b in combinations(batch.ability, 2)
    ]
    await batch.judge(pairs)


def measure(name: str, way: Callable[[Batch], object], latency: float) -> dict[str, object]:
    """One row: time, comparisons and reliability of one way."""
    batch = Batch(seed=1, latency=latency)
    started = time.perf_counter()
    asyncio.run(way(batch))  # type: ignore[arg-type]
    seconds = time.perf_counter() - started
    truth = np.array(list(batch.ability.values()))
    scores = batch.statistics.score(batch.spec, batch.comparisons, config=batch.config)
    estimate = {r.essay_id: r.bradley_terry_score for r in scores.rankings}
    fitted = np.array([estimate[essay] for essay in batch.ability])
    return {
        "way": name,
        "seconds": seconds,
        "comparisons": len(batch.comparisons),
        "fits": batch.wave_number,
        "reliability": scores.reliability.model_reliability,
        "true_r2": float(np.corrcoef(truth, fitted)[0, 1] ** 2),
    }


def main() -> None:
    """Measure the three ways in one run and compare them."""
    options = arguments(__doc__)
    latency = 0.02 if options.quick else 1.0
    rows = [
        measure("waves", judge_in_waves, latency),
        measure("one pair at a time", judge_one_at_a_time, latency),
        measure("all pairs", all_pairs, latency),
    ]
    seconds = [float(str(row["seconds"])) for row in rows]
    claims = [
        Claim(f"time saved against {row['way']}", 1 - seconds[0] / other, "share", Bar(low=0.5))
        for row, other in zip(rows[1:], seconds[1:], strict=True)
    ]
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main()
