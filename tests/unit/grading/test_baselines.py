"""Baselines of a batch: simulated judges who count, who read, and who read what is long."""

from __future__ import annotations

import numpy as np
import pytest

from assessment.domain.baselines import BaselineReport
from assessment.domain.config import BatchConfig
from assessment.domain.spec import BatchSpec
from assessment.domain.surface import SurfaceFeatures, measure_surface
from tests.present import present

from .batch import SCALE, STATISTICS, judge_essays, make_spec

GRADES = [*SCALE.grades, *SCALE.grades]


def measure_texts(spec: BatchSpec, rng: np.random.Generator) -> dict[str, SurfaceFeatures]:
    """Figures of texts with 60 to 600 words."""
    return {
        essay.essay_id: measure_surface(
            "Books are good because people learn. " * int(10 * np.exp(rng.uniform(0, 2.3)))
        )
        for essay in spec.essays
    }


def describe_baselines(
    *, by_length: float, by_quality: float, n_students: int = 40, grades: list[str] = GRADES
) -> BaselineReport:
    """A judge to whom a standard deviation of either is worth so many logits.

    The anchors' graders see quality alone.
    """
    spec = make_spec(n_students, grades)
    rng = np.random.default_rng(11)
    surface = measure_texts(spec, rng)
    length = np.array([surface[e.essay_id].log_words for e in spec.essays])
    quality = rng.normal(size=len(length))
    for row, essay in enumerate(spec.essays):
        if essay.grade is not None:
            quality[row] = (SCALE.position(essay.grade) - 3.5) / 2.3 + 0.2 * rng.normal()
    ability = by_length * (length - length.mean()) / length.std() + by_quality * quality
    known = {e.essay_id: float(a) for e, a in zip(spec.essays, ability, strict=True)}
    comparisons = judge_essays(spec, known, per_essay=12)
    conclusion = STATISTICS.conclude(spec, comparisons, config=BatchConfig(), surface=surface)
    return present(conclusion.baselines)


def test_a_judge_who_counts_words_is_said_to_say_no_more_than_length() -> None:
    report = describe_baselines(by_length=2.0, by_quality=0.0)
    assert present(report.length.spearman) > 0.85
    assert present(report.length.explained_share) > 0.8
    assert report.length.explains_all
    codes = [finding.code for finding in report.findings]
    assert "length_explains_abilities" in codes
    assert "not an assessment" in report.caution


def test_a_judge_who_reads_is_told_from_length() -> None:
    report = describe_baselines(by_length=0.5, by_quality=2.0)
    assert report.findings == []
    grades = present(report.length.grades)
    assert grades.anchors == len(GRADES)
    assert present(grades.rps_of_abilities) < present(grades.rps)
    low, high = present(report.length.slope_interval)
    assert low < present(report.length.slope) < high
    assert set(grades.primary_grades) == {f"essay-{k:04d}" for k in range(40)}
    assert 0 <= present(grades.equal_share) < 1


def test_a_class_of_three_and_no_anchors_has_what_can_be_told() -> None:
    report = describe_baselines(by_length=1.0, by_quality=1.0, n_students=3, grades=[])
    assert report.essays == 3
    assert report.length.grades is None
    assert report.length.slope is None
    assert report.length.spearman_interval is None
    assert report.findings == []


def test_essays_of_one_length_have_no_baseline_of_length() -> None:
    spec = make_spec(6, ["F", "A"])
    same = dict.fromkeys((e.essay_id for e in spec.essays), measure_surface("Equal words here."))
    ability = {e.essay_id: float(k) for k, e in enumerate(spec.essays)}
    comparisons = judge_essays(spec, ability, per_essay=8)
    conclusion = STATISTICS.conclude(spec, comparisons, config=BatchConfig(), surface=same)
    report = present(conclusion.baselines)
    assert report.length.spearman is None
    assert report.length.grades is None


@pytest.mark.parametrize("measured", [0, 5])
def test_essays_that_were_not_measured_leave_no_baselines(measured: int) -> None:
    spec = make_spec(6, [])
    ability = {e.essay_id: float(k) for k, e in enumerate(spec.essays)}
    surface = measure_texts(spec, np.random.default_rng(0))
    for essay in spec.essays[measured:]:
        del surface[essay.essay_id]
    conclusion = STATISTICS.conclude(
        spec, judge_essays(spec, ability, per_essay=6), config=BatchConfig(), surface=surface
    )
    assert conclusion.baselines is None
