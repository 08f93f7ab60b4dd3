"""A fit batch with anchors and a scale: its calibration and the students' probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assessment.domain.config import BatchConfig
from assessment.domain.essay import Essay
from assessment.domain.grade_scale import GradeScale
from assessment.statistics.anchors import LinkedFit
from assessment.statistics.pool import Floats, Ints, JudgedPool
from scoring import Fit
from scoring.grader_spread import AnchorSpread, anchor_spread, noisy_probabilities, remove_prior
from scoring.grades import Calibration, calibrate


@dataclass(frozen=True)
class GradedPool:
    """A fit pool whose specification has anchors and a scale."""

    pool: JudgedPool
    fit: Fit
    link: LinkedFit
    config: BatchConfig
    scale: GradeScale
    anchors: list[Essay]
    students: list[str]

    def calibrate(self, *, with_population: bool) -> Calibration:
        """Boundaries and probabilities; raises FewAnchorGradesError and other ScoringErrors."""
        anchors, anchor_grade = self.pool.anchors()
        population = self._population() if with_population else None
        return calibrate(
            self.link.ability,
            self.link.covariance,
            anchors=anchors,
            anchor_grade=anchor_grade,
            n_grades=len(self.scale.grades),
            students=self.pool.indices(self.students),
            method=self.config.grade_method,
            population=None if population is None else population[0],
            population_weight=0.0 if population is None else population[1],
            prior_sd=_prior_sd_of_anchors(self.fit, self.link.covariance, anchors),
        )

    def estimate_spread(self, calibration: Calibration) -> AnchorSpread:
        """How far the anchors lie from the centres of their grades."""
        _, variance = remove_prior(self.fit, self.fit.prior_sd or np.inf)
        return anchor_spread(calibration, variance[self.pool.anchors()[0]])

    def probabilities(self, calibration: Calibration, spread: AnchorSpread) -> Floats:
        """P(grade) of the students; wider where the anchors show that their graders disagree."""
        if calibration.method != "gls" or not spread.is_noisy:
            return calibration.probabilities
        ability, variance = remove_prior(self.fit, self.fit.prior_sd or np.inf)
        population = self._population()
        return noisy_probabilities(
            calibration,
            spread,
            ability=ability,
            variance=variance,
            students=self.pool.indices(self.students),
            population=None if population is None else population[0],
            population_weight=0.0 if population is None else population[1],
        )

    def _population(self) -> tuple[tuple[float, ...], float] | None:
        """The assignment's prior, for the one method that can use it."""
        prior = self.pool.spec.population
        if prior is None or self.config.grade_method != "gls":
            return None
        return prior.order_shares(self.scale), prior.weight


def _prior_sd_of_anchors(fit: Fit, covariance: Floats, anchors: Ints) -> float:
    """The prior sd to divide out of the anchors' abilities, logits.

    Where the spread was integrated over, the abilities also hold its uncertainty, and may be less
    certain than the prior at its middle; the least sd that holds them is taken then.
    """
    prior_sd = fit.prior_sd or np.inf
    block = covariance[np.ix_(anchors, anchors)]
    n = len(fit.ability)
    while np.isfinite(prior_sd) and len(anchors):
        widest = np.linalg.eigvalsh(block + prior_sd**2 / n).max()
        if widest <= prior_sd**2:
            break
        prior_sd *= 1.1
    return float(prior_sd)
