"""Grades of a fit batch: what a few anchors may claim, and anchors graded by each other."""

from __future__ import annotations

import numpy as np
import pytest

from scoring import Comparisons, Fit, fit
from scoring._grades.grade_gls import gls_curve
from scoring._grades.grade_model import AnchorSet
from scoring.batch_fit import fit_batch, refit_at_one_spread
from scoring.errors import NotConvergedError, SolverState
from scoring.grader_spread import anchor_spread, place_grades
from scoring.projections import AnchorGrades, Projection, project
from scoring.simulate import LogisticJudge, random_matchings

STUDENTS = 30
GRADES = 6


def fit_places(places: list[float], *, rounds: int = 30, seed: int = 3) -> Fit:
    """Students N(0, 2), then anchors at their places, by a simulated judge."""
    rng = np.random.default_rng(seed)
    ability = np.concatenate([rng.normal(0, 2, STUDENTS), places])
    first, second = random_matchings(len(ability), rounds, rng)
    outcome = LogisticJudge(ability, (1.0, 2.5)).judge(first, second, rng)
    judge = np.zeros_like(first)
    comparisons = Comparisons(len(ability), first, second, outcome, judge)
    return fit(comparisons, prior_sd=2.0, estimator="variational")


def project_anchors(grades: list[int], offsets: list[float] | None = None) -> Projection:
    """Anchors 1.4 logits apart per grade, off by the offsets."""
    places = 1.4 * (np.array(grades) - (GRADES - 1) / 2) + np.array(offsets or [0.0] * len(grades))
    essays = np.arange(STUDENTS, STUDENTS + len(grades))
    return project(
        fit_places(list(places)),
        AnchorGrades(essays, np.array(grades), GRADES),
        students=np.arange(STUDENTS),
    )


def test_three_anchors_in_perfect_order_claim_no_certainty():
    few, many = (
        project_anchors([0, 2, 5]),
        project_anchors([g for g in range(GRADES) for _ in range(5)]),
    )
    assert few.spread.measured is None
    assert few.spread.is_noisy
    assert not few.spread.is_measured_noisy
    assert few.probabilities.max() < 0.9
    assert not many.spread.is_noisy
    assert many.probabilities.max(axis=1).mean() > few.probabilities.max(axis=1).mean() + 0.2


def test_an_anchor_is_graded_by_the_others_as_a_student_is():
    grades = [0, 1, 2, 3, 4, 5] * 3
    rng = np.random.default_rng(1)
    offsets = list(rng.normal(0, 1.2, len(grades)))
    whole = project_anchors(grades, offsets)
    assert whole.spread.is_measured_noisy
    places = 1.4 * (np.array(grades) - (GRADES - 1) / 2) + np.array(offsets)
    standing = fit_places(list(places))
    for row in (0, 7, 17):
        kept = np.delete(np.arange(len(grades)), row)
        alone = project(
            standing,
            AnchorGrades(STUDENTS + kept, np.array(grades)[kept], GRADES),
            students=np.array([STUDENTS + row]),
        )
        assert whole.anchor_probabilities[row] == pytest.approx(alone.probabilities[0], abs=0.03)


def test_sets_take_grades_for_as_common_as_they_are_in_the_class():
    """Anchors of the outer grades lie beyond all students, who seldom have those."""
    grades = [0, 1, 2, 3, 4, 5]
    few = project_anchors(grades)
    assert few.by_class is not None
    assert few.set_probabilities.sum(axis=1) == pytest.approx(np.ones(STUDENTS))
    assert few.anchor_set_probabilities.sum(axis=1) == pytest.approx(np.ones(GRADES))
    outer = [0, GRADES - 1]
    assert few.set_probabilities[:, outer].mean() < few.probabilities[:, outer].mean()
    many = project_anchors([g for g in range(GRADES) for _ in range(5)])
    assert many.by_class is None
    assert many.set_probabilities is many.probabilities
    assert many.anchor_set_probabilities is many.anchor_probabilities


def test_too_few_students_show_no_class():
    places = list(1.4 * (np.arange(GRADES) - (GRADES - 1) / 2))
    essays = np.arange(STUDENTS, STUDENTS + GRADES)
    anchors = AnchorGrades(essays, np.arange(GRADES), GRADES)
    standing = fit_places(places)
    nine, ten = (project(standing, anchors, students=np.arange(n)) for n in (9, 10))
    assert nine.by_class is None
    assert nine.set_probabilities is nine.probabilities
    assert ten.by_class is not None


@pytest.mark.parametrize(("weight", "is_known"), [(0.0, False), (0.5, True), (1.0, True)])
def test_sets_take_the_population_for_the_class_if_it_counts(weight, is_known):
    essays = np.arange(STUDENTS, STUDENTS + GRADES)
    places = list(1.4 * (np.arange(GRADES) - (GRADES - 1) / 2))
    found = project(
        fit_places(places),
        AnchorGrades(essays, np.arange(GRADES), GRADES, np.full(GRADES, 1 / GRADES), weight),
        students=np.arange(STUDENTS),
    )
    assert (found.by_class is None) is is_known


def test_an_anchor_without_which_one_grade_is_left_has_no_distribution():
    found = project_anchors([0, 0, 4])
    assert np.isnan(found.anchor_probabilities[2]).all()
    assert found.anchor_probabilities[:2].sum(axis=1) == pytest.approx([1, 1])
    assert np.isnan(found.anchor_set_probabilities[2]).all()
    assert found.anchor_set_probabilities[:2].sum(axis=1) == pytest.approx([1, 1])


def two_judges(rounds: int, *, seed: int = 5) -> tuple[Comparisons, np.ndarray]:
    """A model and people judge 24 students and eight anchors; returns the places of all."""
    rng = np.random.default_rng(seed)
    places = np.concatenate([rng.normal(0, 2, 24), 1.4 * (np.arange(8) - 3.5)])
    columns = []
    for number in range(2):
        first, second = random_matchings(len(places), rounds, rng)
        outcome = LogisticJudge(places).judge(first, second, rng)
        columns.append((first, second, outcome, np.full(len(first), number)))
    joined = [np.concatenate(column) for column in zip(*columns, strict=True)]
    return Comparisons(len(places), *joined), places


def test_the_fit_at_one_spread_is_what_a_fit_with_that_spread_is():
    judgements, _ = two_judges(12)
    standing = fit_batch(judgements)
    again = refit_at_one_spread(standing, judgements)
    assert again.spread is None
    assert again.prior_sd == pytest.approx(standing.prior_sd)
    afresh = fit_batch(judgements, prior_sd=standing.prior_sd)
    assert again.ability == pytest.approx(afresh.ability, abs=1e-4)
    assert again.standard_error == pytest.approx(afresh.standard_error, abs=1e-4)


def test_grades_on_peoples_scale_are_read_from_the_fit_that_has_it():
    judgements, places = two_judges(12)
    standing = fit_batch(judgements, is_model=[True, False])
    assert standing.construct_gaps
    assert refit_at_one_spread(standing, judgements) is standing
    anchors = AnchorGrades(np.arange(24, 32), np.arange(8), 8)
    found = project(standing, anchors, students=np.arange(24))
    assert found.probabilities.sum(axis=1) == pytest.approx(np.ones(24))
    expected = found.probabilities @ np.arange(8)
    assert np.corrcoef(expected, places[:24])[0, 1] > 0.9


def test_where_no_gaussian_is_found_at_the_middle_the_mixture_stands(
    monkeypatch: pytest.MonkeyPatch,
):
    """And grades can be read off it, though it may be less certain than the prior at its middle."""
    judgements, _ = two_judges(4)
    standing = fit_batch(judgements)

    def unsettled(*_: object, **__: object) -> Fit:
        raise NotConvergedError(
            "simulated", SolverState(1, standing.ability, standing.ability, 1.0, 0.0)
        )

    monkeypatch.setattr("scoring.batch_fit.fit", unsettled)
    assert refit_at_one_spread(standing, judgements) is standing
    anchors = AnchorGrades(np.arange(24, 32), np.arange(8), 8)
    assert np.isfinite(project(standing, anchors, students=np.arange(24)).probabilities).all()


def test_anchors_of_disagreeing_graders_share_the_line_instead_of_losing_their_weight():
    """Grades are one logit wide, anchors two off in turn: the places assumed hang on very few."""
    grade = np.tile(np.arange(GRADES), 4)
    off = np.repeat([2.0, -2.0, 1.6, -1.6], GRADES)
    exact = np.full(len(grade), 1e-4)
    anchors = AnchorSet(grade - 2.5 + off, np.diag(exact), grade, GRADES)
    assumed = gls_curve(anchors, None)
    assert (assumed.weight < 0.5).sum() > len(grade) / 2
    spread = anchor_spread(assumed, exact)
    curve, around = place_grades(anchors, exact, spread)
    assert curve.weight.min() > 0.5
    assert around.logits == pytest.approx(off.std(), rel=0.25)
    # Least squares: the variance of a mean of 24 anchors, in the middle of the scale.
    middle = curve.boundary_variance[GRADES // 2 - 1]
    assert middle == pytest.approx(around.logits**2 / len(grade), rel=0.35)
    assert np.diff(curve.centres) == pytest.approx(np.ones(GRADES - 1), abs=0.1)
