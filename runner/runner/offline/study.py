"""Plan a study: what a design would come to, simulated through the product's own loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from assessment.domain.config import BatchConfig
from assessment.domain.decision import DecisionKind
from assessment.domain.grade_scale import GradeScale
from runner.offline.simulated_batch import Look, ProductBatch
from scoring.simulate import LogisticJudge, World, uneven_world

_LOW, _HIGH = 10, 90
_WIDEST_SPREAD = 12.0
_FEW_ESSAYS = 8
"""Of fewer the correlation within a class says nothing: of two essays its square is always 1."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(81)


@dataclass(frozen=True)
class Range:
    """The mean of simulated batches, and between what 80% of them lie."""

    low: float
    expected: float
    high: float

    @classmethod
    def from_values(cls, values: Sequence[float]) -> Range:
        """The range of values; there is at least one."""
        low, high = np.percentile(values, [_LOW, _HIGH])
        return cls(float(low), float(np.mean(values)), float(high))

    def scale(self, factor: float) -> Range:
        """The range of a multiple."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)


@dataclass(frozen=True)
class Design:
    """A study: how many essays and anchors, and how good its judge is.

    `agreement` is the share of random pairs in which the judge sides with the truth. Anchors are
    spread over the grades of the scale; those that do not divide evenly are left out. A judge of
    lists is as sharp in them as in pairs, which no real one need be.
    """

    n_essays: int
    agreement: float
    n_anchors: int = 0
    scale: GradeScale | None = None
    list_size: int = 2


@dataclass(frozen=True)
class Outlook:
    """What simulated batches of a design came to.

    `reliability` is the squared correlation with the simulated truth, of classes of fewer than
    eight over all batches together (0 where the correlation is not positive). `exact` and
    `adjacent` are shares of students whose grade is the true one, or next to it; None where no
    batch had grades.
    """

    design: Design
    n_batches: int
    n_anchors: int
    comparisons: Range
    readings: Range
    waves: Range
    mean_se: Range
    reliability: Range
    model_reliability: Range
    exact: Range | None
    adjacent: Range | None
    n_without_grades: int
    n_failed: int


@cache
def compute_spread(agreement: float) -> float:
    """The standard deviation of abilities, logits, that gives the agreement on random pairs.

    The agreement is the mean of the logistic function of absolute differences of two abilities.
    """
    low, high = 0.0, _WIDEST_SPREAD
    for _ in range(60):
        middle = (low + high) / 2
        differences = np.abs(_NODES) * middle * np.sqrt(2)
        shares = _WEIGHTS @ (1 / (1 + np.exp(-differences))) / _WEIGHTS.sum()
        low, high = (middle, high) if shares < agreement else (low, middle)
    return low


def simulate(design: Design, *, config: BatchConfig, n_batches: int, seed: int) -> Outlook:
    """Batches of a design; the same seed gives the same ones."""
    batches = [_simulate_batch(design, config, seed + number) for number in range(n_batches)]

    def measure(read: Callable[[_SimulatedBatch], float]) -> Range:
        return Range.from_values([read(batch) for batch in batches])

    exact, adjacent = (
        _find_range(b.exact for b in batches),
        _find_range(b.adjacent for b in batches),
    )
    return Outlook(
        design=design,
        n_batches=n_batches,
        n_anchors=batches[0].n_anchors,
        comparisons=measure(lambda batch: batch.n_comparisons),
        readings=measure(lambda batch: batch.n_readings),
        waves=measure(lambda batch: len(batch.looks)),
        mean_se=measure(lambda batch: float(batch.looks[-1].standard_error.mean())),
        reliability=_measure_reliability(batches, design),
        model_reliability=measure(
            lambda batch: batch.looks[-1].scores.reliability.model_reliability
        ),
        exact=exact,
        adjacent=adjacent,
        n_without_grades=sum(batch.lacks_grades for batch in batches),
        n_failed=sum(batch.has_failed for batch in batches),
    )


def _measure_reliability(batches: Sequence[_SimulatedBatch], design: Design) -> Range:
    if design.n_essays >= _FEW_ESSAYS:
        return Range.from_values([_correlate([batch]) for batch in batches])
    return Range.from_values([_correlate(batches)])


def _correlate(batches: Sequence[_SimulatedBatch]) -> float:
    """The squared correlation of deviations from the means of the batches."""
    estimate = np.concatenate([batch.estimate - batch.estimate.mean() for batch in batches])
    truth = np.concatenate([batch.truth - batch.truth.mean() for batch in batches])
    shared = max(0.0, float(estimate @ truth))
    spread = float(estimate @ estimate) * float(truth @ truth)
    return shared**2 / spread if spread else 0.0


def _find_range(values: Iterable[float | None]) -> Range | None:
    """The range of the values that there are; None if there is none."""
    measured_values = [value for value in values if value is not None]
    return Range.from_values(measured_values) if measured_values else None


@dataclass(frozen=True)
class _SimulatedBatch:
    looks: list[Look]
    n_anchors: int
    n_comparisons: int
    n_readings: int
    estimate: np.ndarray
    truth: np.ndarray
    exact: float | None
    adjacent: float | None

    @property
    def lacks_grades(self) -> bool:
        return bool(self.n_anchors) and self.exact is None

    @property
    def has_failed(self) -> bool:
        return self.looks[-1].decision.decision is DecisionKind.FINALIZE_FAILURE


def _simulate_batch(design: Design, config: BatchConfig, seed: int) -> _SimulatedBatch:
    rng = np.random.default_rng([seed, 15])
    world = _make_world(design, rng)
    scale = design.scale
    grades = tuple(scale.grades[int(grade)] for grade in world.anchor_grade) if scale else ()
    judge = LogisticJudge(world.ability)
    batch = ProductBatch(
        len(world.ability),
        judge,
        seed,
        config=config,
        anchor_grades=grades,
        scale=scale if grades else None,
        ranker=judge,
        list_size=design.list_size,
    )
    looks = batch.run()
    exact, adjacent = _grade(batch, world, scale) if grades and scale else (None, None)
    return _SimulatedBatch(
        looks,
        n_anchors=len(grades),
        n_comparisons=len(batch.comparisons),
        n_readings=batch.n_readings,
        estimate=looks[-1].ability[world.students],
        truth=world.ability[world.students],
        exact=exact,
        adjacent=adjacent,
    )


def _make_world(design: Design, rng: np.random.Generator) -> World:
    """Students, and anchors whose labels have the errors of real graders."""
    sd = compute_spread(design.agreement)
    n_grades = len(design.scale.grades) if design.scale else 2
    n_anchors = design.n_anchors if design.scale else 0
    per_grade = n_anchors // n_grades
    missing = 0 if per_grade or not n_anchors else n_grades - n_anchors
    return uneven_world(
        rng,
        n_students=design.n_essays,
        anchors_per_grade=per_grade or min(1, n_anchors),
        n_grades=max(n_grades, 3),
        sd=sd,
        missing_grades=missing,
    )


def _grade(
    batch: ProductBatch, world: World, scale: GradeScale
) -> tuple[float | None, float | None]:
    """Shares of students with the true grade, and with one at most one away."""
    conclusion = batch.conclude()
    is_proven = conclusion.scores.is_proven(min_reliability=batch.config.min_reliability)
    if not is_proven or not conclusion.projections.projections_available:
        return None, None
    primary = conclusion.projections.primary_grades
    grade = np.array([scale.grades.index(primary[f"e{row:04d}"]) for row in world.students])
    distance = np.abs(grade - world.student_grade)
    return float((distance == 0).mean()), float((distance <= 1).mean())
