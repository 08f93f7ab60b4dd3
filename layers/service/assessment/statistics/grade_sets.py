"""Calibrated sets of grades by `scoring.grade_sets`, from this batch's anchors and earlier ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from statistics import fmean

import numpy as np

from assessment.domain.grading import GRADE_SET_SHARE
from assessment.domain.grading_history import AnchorHistory
from assessment.domain.grading_result import SetCalibration
from assessment.statistics.graded_pool import GradedPool
from scoring.grade_sets import AnchorScores, SetThreshold, set_threshold
from scoring.projections import Projection


def own_grade_probabilities(graded: GradedPool, projection: Projection) -> dict[str, float]:
    """What each anchor's own grade has by the other anchors; without those that stand alone.

    As in the distributions that sets are made of.
    """
    probabilities = projection.anchor_set_probabilities
    has_probabilities = np.isfinite(probabilities).all(axis=1)
    _, grade = graded.pool.anchors()
    return {
        anchor.essay_id: float(probabilities[row, grade[row]])
        for row, anchor in enumerate(graded.anchors)
        if has_probabilities[row]
    }


def calibrate_sets(
    graded: GradedPool, projection: Projection, published: Mapping[str, str]
) -> tuple[dict[str, list[str]], SetCalibration]:
    """The grades above one line for all essays, and the published one; by essay id."""
    own = own_grade_probabilities(graded, projection)
    scores, n_earlier = _scores(graded, own)
    threshold = set_threshold(projection.set_probabilities, scores, level=GRADE_SET_SHARE)
    members = threshold.sets(projection.set_probabilities)
    for row, student in enumerate(graded.students):
        members[row, graded.scale.position(published[student])] = True
    grades = np.array(graded.scale.grades)
    sets = {
        student: grades[row].tolist() for student, row in zip(graded.students, members, strict=True)
    }
    return sets, _report(threshold, own, n_earlier)


def _scores(graded: GradedPool, own: Mapping[str, float]) -> tuple[AnchorScores, int]:
    """Each distinct anchor once, whichever batches measured it, and how many only earlier ones did.

    The same anchor keeps its grade in every batch, so that further batches tell little more of it.
    """
    seen: dict[str, list[float]] = defaultdict(list)
    grades = {anchor.essay_id: anchor.grade or "" for anchor in graded.anchors}
    for essay_id, grade, probability in _earlier_scores(graded):
        seen[essay_id].append(probability)
        grades.setdefault(essay_id, grade)
    for essay_id, probability in own.items():
        seen[essay_id].append(probability)
    scores = AnchorScores(
        np.array([fmean(probabilities) for probabilities in seen.values()]),
        np.array([graded.scale.position(grades[essay_id]) for essay_id in seen], dtype=np.int64),
    )
    return scores, len(seen.keys() - {anchor.essay_id for anchor in graded.anchors})


def _earlier_scores(graded: GradedPool) -> Iterator[tuple[str, str, float]]:
    """Essay id, grade and the probability of that grade in every batch of the same judges."""
    history = graded.pool.spec.anchor_history or AnchorHistory()
    for batch in history.select_judges(graded.pool.judges).batches:
        for anchor in batch.anchors:
            if anchor.own_grade_probability is not None and anchor.grade in graded.scale.grades:
                yield anchor.essay_id, anchor.grade, anchor.own_grade_probability


def _report(threshold: SetThreshold, own: Mapping[str, float], n_earlier: int) -> SetCalibration:
    return SetCalibration(
        target=GRADE_SET_SHARE,
        least_probability=threshold.least,
        expected_coverage=threshold.expected_coverage,
        guaranteed_coverage=threshold.guaranteed_coverage,
        anchors=len(own),
        anchors_held=sum(1 for probability in own.values() if probability >= threshold.least),
        earlier_anchors=n_earlier,
        effective_anchors=threshold.n_effective,
    )
