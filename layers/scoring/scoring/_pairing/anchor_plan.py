"""The anchor-first plan: anchors over the grades for every student, then a ring of students."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scoring._types import Bools, Ints


def anchor_plan(
    met: Bools,
    anchors: Ints,
    grades: Ints,
    *,
    per_student: int,
    backbone: int,
    budget: int,
) -> Ints:
    """Return the next pairs of the plan that are not in `met`, at most `budget`.

    In order: neighbouring anchors, spread over the scale; for each student one anchor of every
    stratum of the scale, with equal use of the stratum's anchors; the students in a ring, each with
    the next one, then with the one after that, and so on. The plan depends only on the
    essays, so that each wave continues where the previous one stopped.

    Parameters
    ----------
    met : (n, n) ndarray of bool
        True where a pair exists already, and on the diagonal.
    anchors, grades : (a,) ndarray of int
        Essay indices and grade positions of the anchors.
    per_student : int
        Anchors that each student is compared with.
    backbone : int
        Pairs of neighbouring anchors.
    budget : int
        The largest number of pairs.

    Returns
    -------
    (p, 2) ndarray of int
        Essay indices.
    """
    by_grade = anchors[np.argsort(grades, kind="stable")]
    students = np.setdiff1d(np.arange(len(met)), anchors)
    plan: list[tuple[int, int]] = []
    for pairs in _stages(by_grade, students, per_student, backbone):
        for i, j in pairs:
            if len(plan) >= budget:
                return _as_pairs(plan)
            if not met[i, j]:
                plan.append((int(i), int(j)))
    return _as_pairs(plan)


def _stages(
    by_grade: Ints, students: Ints, per_student: int, backbone: int
) -> Iterator[Iterable[Iterable[int]]]:
    """Yield the stages of the plan, each an iterable of pairs."""
    # A fixed shuffle, so that neither the ring nor the choice of anchors follows the class list.
    shuffled = np.random.default_rng(len(students)).permutation(students)
    yield _backbone(by_grade, backbone)
    for stratum in np.array_split(by_grade, min(per_student, len(by_grade))):
        yield ((s, stratum[k % len(stratum)]) for k, s in enumerate(shuffled))
        shuffled = np.roll(shuffled, 1)
    for lag in range(1, len(shuffled) // 2 + 1):
        yield zip(shuffled, np.roll(shuffled, -lag), strict=True)


def _backbone(by_grade: Ints, pairs: int) -> Ints:
    """Return neighbouring anchors, evenly spread along the scale, `(p, 2)`."""
    gaps = len(by_grade) - 1
    start = np.unique(np.linspace(0, gaps - 1, min(pairs, gaps)).round().astype(int))
    return np.stack([by_grade[start], by_grade[start + 1]], axis=1)


def _as_pairs(plan: list[tuple[int, int]]) -> Ints:
    return np.array(plan, dtype=np.int64).reshape(-1, 2)
