"""The anchor-first plan: every student meets anchors of all parts of the scale."""

from __future__ import annotations

import numpy as np

from scoring.pairing import WavePlan, plan_wave

STUDENTS, GRADES = 20, np.array([0, 1, 2, 3, 4, 5, 6, 7, 3, 4, 2, 5])
N = STUDENTS + len(GRADES)


def waves(count: int, size: int) -> list[WavePlan]:
    """Plan several waves, each knowing the pairs of those before."""
    plans: list[WavePlan] = []
    for seed in range(count):
        plans.append(
            plan_wave(
                N,
                rng=np.random.default_rng(seed),
                size=size,
                rounds=10,
                first=[i for p in plans for i in p.first],
                second=[i for p in plans for i in p.second],
                strategy="anchor_first",
                anchors=np.arange(STUDENTS, N),
                anchor_grade=GRADES,
            )
        )
    return plans


def pairs(plans: list[WavePlan]) -> np.ndarray:
    """Return all pairs, the smaller index first."""
    return np.sort(np.concatenate([np.stack([p.first, p.second], axis=1) for p in plans]), axis=1)


def test_each_student_meets_one_anchor_of_every_quarter_of_the_scale() -> None:
    met = pairs(waves(1, 6 + 4 * STUDENTS))
    mixed = met[(met[:, 0] < STUDENTS) & (met[:, 1] >= STUDENTS)]
    quarters = np.array_split(np.argsort(GRADES, kind="stable") + STUDENTS, 4)
    for student in range(STUDENTS):
        anchors = mixed[mixed[:, 0] == student, 1]
        of_quarter = [sum(a in quarter for a in anchors) for quarter in quarters]
        assert of_quarter == [1, 1, 1, 1]


def test_the_anchors_of_a_quarter_are_used_alike() -> None:
    met = pairs(waves(1, 6 + 4 * STUDENTS))
    mixed = met[met[:, 0] < STUDENTS]
    uses = np.bincount(mixed[:, 1] - STUDENTS)
    for quarter in np.array_split(np.argsort(GRADES, kind="stable"), 4):
        assert np.ptp(uses[quarter]) <= 1


def test_six_neighbouring_anchors_form_the_backbone() -> None:
    met = pairs(waves(1, 6))
    assert (met >= STUDENTS).all()
    grade = GRADES[met - STUDENTS]
    assert len(met) == 6
    assert (np.abs(grade[:, 0] - grade[:, 1]) <= 1).all()
    assert grade.min() <= 1
    assert grade.max() >= 6


def test_later_waves_go_on_where_the_first_ones_stopped() -> None:
    by_tens = pairs(waves(12, 10))
    at_once = pairs(waves(1, 64))
    assert len(np.unique(by_tens, axis=0)) == len(by_tens)
    assert {tuple(p) for p in at_once.tolist()} <= {tuple(p) for p in by_tens.tolist()}


def test_students_form_a_ring_once_all_have_met_their_anchors() -> None:
    met = pairs(waves(3, 64))
    ring = met[met[:, 1] < STUDENTS]
    assert len(ring) >= STUDENTS
    assert np.ptp(np.bincount(ring[:STUDENTS].ravel(), minlength=STUDENTS)) <= 2
