"""A batch judged by a simulated judge, wave after wave, with the truth known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from scoring import Comparisons, Fit, fit
from scoring.pairing import Strategy, WavePlan, plan_wave

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scoring.simulate import Judge, World

# Two-sided 95% point of the normal distribution.
Z95 = 1.959964


@dataclass
class SimulatedBatch:
    """The state of one batch: what was asked, what was answered, what is estimated."""

    world: World
    judge: Judge
    rng: np.random.Generator
    prior_sd: float = 2.0
    first: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    second: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    outcome: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    fit: Fit | None = None

    @property
    def n_essays(self) -> int:
        """Students and anchors."""
        return len(self.world.ability)

    @property
    def per_essay(self) -> float:
        """Comparisons per essay so far."""
        return 2 * len(self.first) / self.n_essays

    @property
    def met(self) -> np.ndarray:
        """Which pairs were asked, and the diagonal, `(n, n)`."""
        met = np.eye(self.n_essays, dtype=bool)
        met[self.first, self.second] = met[self.second, self.first] = True
        return met

    def judge_wave(self, plan: WavePlan) -> None:
        """Ask the judge and refit."""
        answers = self.judge.judge(plan.first, plan.second, self.rng)
        self.first = np.concatenate([self.first, plan.first])
        self.second = np.concatenate([self.second, plan.second])
        self.outcome = np.concatenate([self.outcome, answers])
        judged = Comparisons(
            self.n_essays, self.first, self.second, self.outcome, np.zeros_like(self.first)
        )
        # As batches are fitted.
        self.fit = fit(judged, prior_sd=self.prior_sd, estimator="variational")

    def students(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return estimate, standard error and truth of the students, on the fit's gauge."""
        if self.fit is None:
            raise RuntimeError("judge a wave first")
        rows = self.world.students
        truth = self.world.ability - self.world.ability.mean()
        return self.fit.ability[rows], self.fit.standard_error[rows], truth[rows]

    def rank_correlation(self) -> float:
        """Return Spearman's correlation of estimate and truth among the students."""
        estimate, _, truth = self.students()
        return float(np.corrcoef(_ranks(estimate), _ranks(truth))[0, 1])

    def coverage(self) -> float:
        """Return the share of students whose 95% interval holds the truth."""
        estimate, error, truth = self.students()
        return float((np.abs(estimate - truth) < Z95 * error).mean())


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks of values without ties."""
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks


def planned(
    batch: SimulatedBatch,
    *,
    rounds: int = 4,
    audit_share: float = 0.25,
    strategy: Strategy = "adaptive",
) -> WavePlan:
    """Plan the next wave with `scoring.pairing`."""
    return plan_wave(
        batch.n_essays,
        rng=batch.rng,
        rounds=rounds,
        first=batch.first,
        second=batch.second,
        ability=None if batch.fit is None else batch.fit.ability,
        covariance=None if batch.fit is None else batch.fit.covariance,
        strategy=strategy,
        audit_share=audit_share,
        anchors=batch.world.anchors,
        anchor_grade=batch.world.anchor_grade,
    )


@dataclass(frozen=True)
class Trace:
    """What was seen after every wave of one batch."""

    per_essay: list[float]
    correlation: list[float]
    coverage: list[float]


Rule = Callable[[SimulatedBatch], WavePlan]


def run(batch: SimulatedBatch, plan: Rule, until: float) -> Trace:
    """Judge waves until every essay has about `until` comparisons."""
    trace = Trace([], [], [])
    while batch.per_essay < until - 1e-9:
        wave = plan(batch)
        if not len(wave):
            break
        batch.judge_wave(wave)
        trace.per_essay.append(batch.per_essay)
        trace.correlation.append(batch.rank_correlation())
        trace.coverage.append(batch.coverage())
    return trace


def mean_trace(traces: Sequence[Trace]) -> Trace:
    """Average traces of the same plan over worlds."""
    return Trace(
        traces[0].per_essay,
        np.mean([t.correlation for t in traces], axis=0).tolist(),
        np.mean([t.coverage for t in traces], axis=0).tolist(),
    )


def comparisons_to_reach(trace: Trace, correlation: float) -> float | None:
    """Return the comparisons per essay at which the mean correlation is reached, or None.

    1 - correlation is nearly a power of the comparisons, so log is interpolated against log.
    """
    lost = -np.log(1 - np.maximum.accumulate(trace.correlation))
    wanted = -np.log(1 - correlation)
    if wanted > lost[-1]:
        return None
    return float(np.exp(np.interp(wanted, lost, np.log(trace.per_essay))))
