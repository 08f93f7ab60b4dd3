"""A fit batch with anchors and a scale: its calibration and the students' probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assessment.domain.config import BatchConfig
from assessment.domain.essay import Essay
from assessment.domain.grade_scale import GradeScale
from assessment.statistics.anchors import LinkedFit
from assessment.statistics.pool import Floats, JudgedPool
from scoring import Fit
from scoring.projections import AnchorGrades, Projection, project


@dataclass(frozen=True)
class GradedPool:
    """A fit pool whose specification has anchors and a scale; the fit is at one spread."""

    pool: JudgedPool
    fit: Fit
    link: LinkedFit
    config: BatchConfig
    scale: GradeScale
    anchors: list[Essay]
    students: list[str]

    def project(self) -> Projection:
        """Grades of students and anchors; raises FewAnchorGradesError and other ScoringErrors."""
        essays, grade = self.pool.anchors()
        shares, weight = (
            order_population(self.pool, self.scale)
            # The one method that can use it.
            if self.config.grade_method == "gls"
            else (None, 0.0)
        )
        return project(
            self.fit,
            AnchorGrades(essays, grade, len(self.scale.grades), shares, weight),
            students=self.pool.indices(self.students),
            method=self.config.grade_method,
            linked=(self.link.ability, self.link.covariance),
        )


def order_population(pool: JudgedPool, scale: GradeScale) -> tuple[Floats | None, float]:
    """The assignment's prior of the grades in the scale's order, and its weight."""
    prior = pool.spec.population
    if prior is None:
        return None, 0.0
    return np.array(prior.order_shares(scale)), prior.weight
