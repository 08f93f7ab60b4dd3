"""The way to `scoring`: the domain's comparisons as arrays, its estimates as results.

Only the functions with the scoring layer import this module, and only this module imports
`scoring`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assessment.domain.comparison import Comparison, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.errors import ScoringFailedError
from assessment.domain.grade_scale import GradeScale
from assessment.domain.result import (
    AnchorHealth,
    AuditReport,
    CalibrationInfo,
    Confidence,
    GradeProjections,
    OrderEffect,
    Ranking,
    Reliability,
    Scores,
    confidence_label,
)
from assessment.domain.spec import BatchSpec
from assessment.domain.verdict import Winner, signed_outcome
from scoring import Comparisons, Fit, ScoringError, fit
from scoring.audit import Audit, prequential_audit
from scoring.grades import Calibration, FewAnchorGradesError, calibrate
from scoring.pairing import plan_wave
from scoring.reliability import model_reliability

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_PREFERRED = {Winner.FIRST: 1.0, Winner.SECOND: 0.0, Winner.TIE: 0.5}
# Anchors ordered against their grades beyond chance place no boundary that could be trusted.
_UNUSABLE = "anchors_reversed"
_TWO_GRADES = 2


@contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except ScoringError as error:
        raise ScoringFailedError(str(error)) from error


@dataclass(frozen=True)
class JudgedPool:
    """The recorded comparisons of a specification as index arrays."""

    spec: BatchSpec
    recorded: list[Comparison]
    judges: list[str]

    @classmethod
    def of(cls, spec: BatchSpec, comparisons: Sequence[Comparison]) -> JudgedPool:
        """The pool of all comparisons that have a verdict, in the order of their ids."""
        recorded = sorted((c for c in comparisons if c.verdict), key=lambda c: c.comparison_id)
        return cls(spec, recorded, sorted({c.verdict.judge for c in recorded if c.verdict}))

    @property
    def n_essays(self) -> int:
        """Students and anchors together."""
        return len(self.spec.essays)

    def indices(self, essay_ids: Sequence[str]) -> Ints:
        """Positions of essays in all arrays."""
        position = {essay.essay_id: index for index, essay in enumerate(self.spec.essays)}
        return np.array([position[essay_id] for essay_id in essay_ids], dtype=np.int64)

    def comparisons(self, selection: Sequence[Comparison] | None = None) -> Comparisons:
        """The verdicts as `scoring` takes them.

        Degrees are used only if every preference has one: a mixture would make a missing degree
        look like a slight one.
        """
        chosen = self.recorded if selection is None else selection
        verdicts = [comparison.verdict for comparison in chosen if comparison.verdict]
        graded = all(v.degree for v in verdicts if v.winner is not Winner.TIE)
        order = {judge: index for index, judge in enumerate(self.judges)}
        return Comparisons(
            self.n_essays,
            self.indices([comparison.first for comparison in chosen]),
            self.indices([comparison.second for comparison in chosen]),
            np.array([signed_outcome(v, graded=graded) for v in verdicts], dtype=np.int64),
            np.array([order[v.judge] for v in verdicts], dtype=np.int64),
        )

    def fitted(self, config: BatchConfig, selection: Sequence[Comparison] | None = None) -> Fit:
        """The fit of all recorded verdicts, or of a selection of them."""
        return fit(self.comparisons(selection), prior_sd=config.prior_sd)

    def counts(self) -> Ints:
        """Recorded comparisons of each essay."""
        ends = [c.first for c in self.recorded] + [c.second for c in self.recorded]
        return np.bincount(self.indices(ends), minlength=self.n_essays)


class ScoringStatistics:
    """Planning, scoring and grading by the `scoring` package."""

    def plan(
        self,
        spec: BatchSpec,
        comparisons: Sequence[Comparison],
        *,
        config: BatchConfig,
        seed: int,
        wave: int,
        size: int,
    ) -> list[PlannedPair]:
        """The next wave's new pairs with the predictions of the fit that stands now."""
        pool = JudgedPool.of(spec, comparisons)
        anchors, anchor_grade = _anchors(pool)
        with _named_failures():
            standing = pool.fitted(config) if pool.recorded else None
            plan = plan_wave(
                pool.n_essays,
                rng=np.random.default_rng([seed, wave]),
                size=size,
                rounds=config.comparisons_per_essay_per_wave,
                first=pool.indices([c.first for c in comparisons]),
                second=pool.indices([c.second for c in comparisons]),
                ability=standing.ability if standing else None,
                covariance=standing.covariance if standing else None,
                strategy=config.strategy,
                audit_share=config.audit_share,
                anchors=anchors if len(anchors) else None,
                anchor_grade=anchor_grade if len(anchors) else None,
            )
            predicted = standing.predict(plan.first, plan.second) if standing else None
        ids = [essay.essay_id for essay in spec.essays]
        return [
            PlannedPair(
                first=ids[plan.first[row]],
                second=ids[plan.second[row]],
                audit=bool(plan.audit[row]),
                predicted=None if predicted is None else float(predicted[row]),
            )
            for row in range(len(plan))
        ]

    def score(
        self, spec: BatchSpec, comparisons: Sequence[Comparison], *, config: BatchConfig
    ) -> Scores:
        """Abilities with standard errors, and what is known of the judges."""
        pool = JudgedPool.of(spec, comparisons)
        with _named_failures():
            fitted = pool.fitted(config)
            audit = _audit(pool, config)
            reliability = model_reliability(fitted)
        counts = pool.counts()
        return Scores(
            rankings=_rankings(spec, fitted, counts),
            reliability=Reliability(
                model_reliability=reliability,
                mean_se=float(fitted.standard_error.mean()),
                max_se=float(fitted.standard_error.max()),
            ),
            order_effects=[
                OrderEffect(
                    judge=judge,
                    estimate=float(fitted.order_effect[index]),
                    standard_error=float(fitted.order_effect_se[index]),
                )
                for index, judge in enumerate(pool.judges)
            ],
            audit=audit,
            components=int(np.unique(fitted.components).size),
            isolated_essays=int((counts == 0).sum()),
            anchor_order=_anchor_order(pool, fitted),
        )

    def project_grades(
        self, spec: BatchSpec, comparisons: Sequence[Comparison], *, config: BatchConfig
    ) -> GradeProjections:
        """The probability of every grade for every student essay, or why there is none."""
        if spec.grade_scale is None or not spec.anchors:
            return GradeProjections(
                projections_available=False, reason="the assignment has no anchors"
            )
        pool = JudgedPool.of(spec, comparisons)
        try:
            calibration = _calibrated(pool, spec.grade_scale, config)
        except FewAnchorGradesError as error:
            return GradeProjections(projections_available=False, reason=str(error))
        except ScoringError as error:
            raise ScoringFailedError(str(error)) from error
        reversed_anchors = [w for w in calibration.warnings if w.code == _UNUSABLE]
        if reversed_anchors:
            return GradeProjections(projections_available=False, reason=reversed_anchors[0].message)
        return _projections(spec, spec.grade_scale, calibration, config)


def _anchors(pool: JudgedPool) -> tuple[Ints, Ints]:
    """The anchors' indices and the positions of their grades; empty without a scale."""
    scale = pool.spec.grade_scale
    anchors = pool.spec.anchors if scale else []
    positions = [scale.position(anchor.grade or "") for anchor in anchors if scale]
    return pool.indices([a.essay_id for a in anchors]), np.array(positions, dtype=np.int64)


def _rankings(spec: BatchSpec, fitted: Fit, counts: Ints) -> list[Ranking]:
    """Essays by ability, the best first; equal abilities share a rank."""
    order = np.argsort(-fitted.ability, kind="stable")
    rounded = np.round(fitted.ability, 12)
    return [
        Ranking(
            rank=int((rounded > rounded[index]).sum()) + 1,
            essay_id=spec.essays[index].essay_id,
            bradley_terry_score=float(fitted.ability[index]),
            bradley_terry_se=float(fitted.standard_error[index]),
            comparison_count=int(counts[index]),
            is_anchor=spec.essays[index].is_anchor,
            anchor_grade=spec.essays[index].grade,
        )
        for index in order
    ]


def _anchor_order(pool: JudgedPool, fitted: Fit) -> float | None:
    """Kendall's tau-b of the anchors' abilities and grades (Kendall 1945); None without order."""
    anchors, grade = _anchors(pool)
    if np.unique(grade).size < _TWO_GRADES:
        return None
    ability = fitted.ability[anchors]
    above = np.sign(np.subtract.outer(ability, ability))
    higher = np.sign(np.subtract.outer(grade, grade))
    return float((above * higher).sum() / np.sqrt((above**2).sum() * (higher**2).sum()))


def _audit(pool: JudgedPool, config: BatchConfig) -> AuditReport:
    """Predictions made before the verdicts, against the verdicts."""
    opening, opening_predicted = _opening(pool, config)
    later = [c for c in pool.recorded if c.predicted is not None and not c.resampled]
    tested = opening + later
    predicted = np.array(
        opening_predicted + [c.predicted for c in later if c.predicted is not None]
    )
    if not tested:
        return AuditReport(pairs=0)
    preferred = np.array([_PREFERRED[c.verdict.winner] for c in tested if c.verdict])
    random = np.array([c.predicted is None or c.audit for c in tested])
    chance = prequential_audit(predicted, preferred)
    if not random.any():
        return AuditReport(
            pairs=0,
            tested_pairs=len(tested),
            chance_z=chance.chance_z,
            at_chance=chance.at_chance,
        )
    return _report(prequential_audit(predicted[random], preferred[random]), chance)


def _opening(pool: JudgedPool, config: BatchConfig) -> tuple[list[Comparison], list[float]]:
    """The second half of the opening wave, predicted from its first half.

    All pairs of an opening wave are random, so its own first half may predict the rest.
    """
    opening = [c for c in pool.recorded if c.predicted is None and not c.resampled]
    middle = len(opening) // 2
    if middle == 0:
        return [], []
    half = pool.fitted(config, opening[:middle])
    rest = opening[middle:]
    predicted = half.predict(
        pool.indices([c.first for c in rest]), pool.indices([c.second for c in rest])
    )
    return rest, [float(p) for p in predicted]


def _report(audit: Audit, chance: Audit) -> AuditReport:
    return AuditReport(
        pairs=audit.n,
        tested_pairs=chance.n,
        chance_z=chance.chance_z,
        agreement=audit.agreement,
        agreement_interval=_finite(audit.agreement_interval),
        log_loss=audit.log_loss,
        log_loss_interval=_finite(audit.log_loss_interval),
        slope=audit.slope,
        slope_interval=_finite(audit.slope_interval),
        at_chance=chance.at_chance,
    )


def _finite(interval: tuple[float, float]) -> tuple[float, float] | None:
    return interval if np.isfinite(interval).all() else None


def _calibrated(pool: JudgedPool, scale: GradeScale, config: BatchConfig) -> Calibration:
    fitted = pool.fitted(config)
    students = [essay.essay_id for essay in pool.spec.essays if not essay.is_anchor]
    anchors, anchor_grade = _anchors(pool)
    return calibrate(
        fitted.ability,
        fitted.covariance,
        anchors=anchors,
        anchor_grade=anchor_grade,
        n_grades=len(scale.grades),
        students=pool.indices(students),
        method=config.grade_method,
    )


def _projections(
    spec: BatchSpec, scale: GradeScale, calibration: Calibration, config: BatchConfig
) -> GradeProjections:
    students = [essay.essay_id for essay in spec.essays if not essay.is_anchor]
    probabilities = calibration.probabilities
    entropy = _normalised_entropy(probabilities)
    labels: dict[str, Confidence] = {
        student: confidence_label(float(entropy[row])) for row, student in enumerate(students)
    }
    top = probabilities.argmax(axis=1)
    return GradeProjections(
        projections_available=True,
        grade_scale=list(scale.grades),
        primary_grades={s: scale.grades[top[row]] for row, s in enumerate(students)},
        grade_probabilities={
            student: {grade: float(p) for grade, p in zip(scale.grades, row, strict=True)}
            for student, row in zip(students, probabilities, strict=True)
        },
        confidence_labels=labels,
        confidence_scores={s: 1.0 - float(entropy[row]) for row, s in enumerate(students)},
        needs_more_evidence=[
            student
            for row, student in enumerate(students)
            if probabilities[row, top[row]] < config.needs_more_evidence_below
        ],
        calibration_info=_calibration_info(spec, scale, calibration),
    )


def _normalised_entropy(probabilities: Floats) -> Floats:
    """Shannon entropy of each row over log G: 0 for a certain grade, 1 for no idea."""
    logs = np.log(np.where(probabilities > 0, probabilities, 1.0))
    entropy: Floats = -(probabilities * logs).sum(axis=1) / np.log(probabilities.shape[1])
    return np.clip(entropy, 0.0, 1.0)


def _calibration_info(
    spec: BatchSpec, scale: GradeScale, calibration: Calibration
) -> CalibrationInfo:
    steps = [f"{low}|{high}" for low, high in zip(scale.grades, scale.grades[1:], strict=False)]
    return CalibrationInfo(
        method=calibration.method,
        boundaries=dict(zip(steps, map(float, calibration.boundaries), strict=True)),
        boundary_se=dict(zip(steps, map(float, calibration.boundary_se), strict=True)),
        grade_centres=dict(zip(scale.grades, map(float, calibration.grade_centres), strict=True)),
        anchors=[
            AnchorHealth(
                essay_id=anchor.essay_id,
                grade=anchor.grade or "",
                weight=float(calibration.anchor_weight[row]),
                residual=float(calibration.anchor_residual[row]),
            )
            for row, anchor in enumerate(spec.anchors)
        ],
        extrapolated_grades=[scale.grades[g] for g in calibration.extrapolated_grades],
        warnings=[warning.message for warning in calibration.warnings],
    )
