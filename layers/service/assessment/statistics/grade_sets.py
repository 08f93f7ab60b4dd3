"""Calibrated sets of grades by `scoring.grade_sets`, from this batch's anchors and earlier ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean

import numpy as np

from assessment.domain.grading import GRADE_SET_SHARE
from assessment.domain.grading_result import SetCalibration
from assessment.statistics.graded_pool import GradedPool
from scoring.grade_sets import AnchorScores, SetThreshold, set_threshold
from scoring.projections import Projection


def own_grade_probabilities(graded: GradedPool, projection: Projection) -> dict[str, float]:
    """What each anchor's own grade has by the other anchors; without those that stand alone."""
    known = np.isfinite(projection.anchor_probabilities).all(axis=1)
    _, grade = graded.pool.anchors()
    return {
        anchor.essay_id: float(projection.anchor_probabilities[row, grade[row]])
        for row, anchor in enumerate(graded.anchors)
        if known[row]
    }


def calibrate_sets(
    graded: GradedPool, projection: Projection, published: Mapping[str, str]
) -> tuple[dict[str, list[str]], SetCalibration]:
    """The grades above one line for all essays, and the published one; by essay id."""
    own = own_grade_probabilities(graded, projection)
    scores, n_earlier = _scores(graded, own)
    threshold = set_threshold(projection.probabilities, scores, level=GRADE_SET_SHARE)
    members = threshold.sets(projection.probabilities)
    sets = {
        student: [
            grade
            for grade, is_member in zip(graded.scale.grades, row, strict=True)
            if is_member or grade == published[student]
        ]
        for student, row in zip(graded.students, members, strict=True)
    }
    return sets, _report(threshold, own, n_earlier)


def _scores(graded: GradedPool, own: Mapping[str, float]) -> tuple[AnchorScores, int]:
    """Each distinct anchor once, whichever batches measured it, and how many only earlier ones did.

    The same anchor keeps its grade in every batch, so that further batches tell little more of it.
    """
    seen: dict[str, list[float]] = defaultdict(list)
    grades = {anchor.essay_id: anchor.grade or "" for anchor in graded.anchors}
    history = graded.pool.spec.anchor_history
    for batch in history.select_judges(graded.pool.judges).batches if history else []:
        for anchor in batch.anchors:
            is_known = anchor.own_grade_probability is not None and anchor.grade is not None
            if is_known and anchor.grade in graded.scale.grades:
                seen[anchor.essay_id].append(anchor.own_grade_probability or 0.0)
                grades.setdefault(anchor.essay_id, anchor.grade or "")
    for essay_id, probability in own.items():
        seen[essay_id].append(probability)
    ids = sorted(seen)
    scores = AnchorScores(
        np.array([fmean(seen[essay_id]) for essay_id in ids]),
        np.array([graded.scale.position(grades[essay_id]) for essay_id in ids], dtype=np.int64),
    )
    n_earlier = len(seen.keys() - {anchor.essay_id for anchor in graded.anchors})
    return scores, n_earlier


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
