"""Grade calibration: golden values, and what must hold whatever the anchors say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring._grades.isotonic import isotonic_regression
from scoring.errors import CalibrationError, FewAnchorGradesError, ScoringError
from scoring.grades import Calibration, Method, calibrate
from tests.examples import scale_examples
from tests.present import present

METHODS: list[Method] = ["gls", "isotonic", "medians"]
STUDENTS = 30


def calibrate_anchors(
    grades: list[int],
    *,
    n_grades: int = 8,
    se: float = 0.4,
    offsets: list[float] | None = None,
    method: Method = "gls",
    **options: Any,
) -> Calibration:
    """Calibrate with one logit per grade, anchors at their grade's centre plus an offset."""
    centre = np.array(grades, dtype=float) - (n_grades - 1) / 2
    anchors = centre + (0 if offsets is None else np.array(offsets))
    ability = np.concatenate([np.linspace(-4, 4, STUDENTS), anchors])
    size = len(ability)
    covariance = se**2 * (np.eye(size) - 1 / size)
    return calibrate(
        ability,
        covariance,
        anchors=np.arange(STUDENTS, size),
        anchor_grade=grades,
        n_grades=n_grades,
        students=np.arange(STUDENTS),
        method=method,
        **options,
    )


def codes(calibration: Calibration) -> set[str]:
    return {warning.code for warning in calibration.warnings}


def test_isotonic_regression_golden_example_of_r_isoreg() -> None:
    fitted = isotonic_regression(np.array([1, 0, 4, 3, 3, 5, 4, 2, 0], dtype=float))
    assert np.allclose(fitted, [0.5, 0.5, 3, 3, 3, 3, 3, 3, 3], atol=1e-12)


@settings(max_examples=scale_examples(50))
@given(
    st.lists(
        st.tuples(st.floats(-5, 5), st.floats(0.1, 5)),
        min_size=1,
        max_size=20,
    )
)
def test_isotonic_regression_agrees_with_scipy(points: list[tuple[float, float]]) -> None:
    from scipy.optimize import isotonic_regression as reference

    values, weights = np.array(points).T
    expected = reference(values, weights=weights).x
    assert np.allclose(isotonic_regression(values, weights), expected, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_exact_anchors_put_boundaries_halfway(method: Method) -> None:
    result = calibrate_anchors(list(range(8)) * 2, se=0.05, method=method)
    assert np.allclose(result.boundaries, np.arange(-3, 4), atol=0.02)
    assert np.allclose(result.grade_centres, np.arange(8) - 3.5, atol=0.05)
    assert result.warnings == ()
    assert result.extrapolated_grades == ()


def test_gls_agrees_with_the_joint_normal_computed_at_length() -> None:
    """Condition the joint normal of all unknowns on the verdicts, written out in full.

    The fit's posterior is turned back into the likelihood of all abilities; then students get their
    prior, anchors their grades, and everything is solved in one large system.
    """
    grade, sd = np.array([0, 0, 1, 2, 3, 3]), 2.0
    rng = np.random.default_rng(4)
    n, students, anchors = 14, np.arange(8), np.arange(8, 14)
    pairs = np.array([(i, j) for i in range(n) for j in range(i) if rng.random() < 0.6])
    contrast = np.zeros((len(pairs), n))
    contrast[np.arange(len(pairs)), pairs[:, 0]] = 1
    contrast[np.arange(len(pairs)), pairs[:, 1]] = -1
    information = contrast.T @ contrast * 0.2
    ability = np.concatenate([rng.normal(0, 1, 8), grade - 1.5 + rng.normal(0, 0.3, 6)])
    ability -= ability.mean()
    precision = information + np.eye(n) / sd**2
    result = calibrate(
        ability,
        np.linalg.inv(precision) - sd**2 / n,
        anchors=anchors,
        anchor_grade=grade,
        n_grades=4,
        students=students,
        prior_sd=sd,
    )
    # Unknowns: 14 abilities, alpha, width, 4 deviations. The width in the scales is the solution.
    width, position = solve_width(result), np.arange(4) - 1.5
    design = np.column_stack([np.ones(4), position, np.eye(4)])[grade]
    place = np.diag(result.anchor_weight / (0.3 * width) ** 2)
    system = np.zeros((20, 20))
    system[:14, :14] = information
    system[students, students] += 1 / sd**2
    system[8:14, 8:14] += place
    system[8:14, 14:] -= place @ design
    system[14:, 8:14] -= design.T @ place
    system[14:, 14:] += design.T @ place @ design
    system[14:, 14:] += np.diag([1e-4, 1e-4, *[(0.15 * width) ** -2] * 4])
    covariance = np.linalg.inv(system)
    solution = covariance @ np.concatenate([precision @ ability, np.zeros(6)])
    assert solution[15] == pytest.approx(width, abs=1e-4)
    edges = np.zeros((3, 20))
    edges[:, 14:] = (
        np.column_stack([np.ones(4), position, np.eye(4)])[1:]
        + np.column_stack([np.ones(4), position, np.eye(4)])[:-1]
    ) / 2
    centred = edges.copy()
    centred[:, :14] -= 1 / 14
    assert np.allclose(centred @ solution, result.boundaries, atol=1e-4)
    boundary_se = np.sqrt(np.diag(centred @ covariance @ centred.T))
    assert np.allclose(boundary_se, result.boundary_se, atol=1e-4)
    for student in students:
        contrast = edges - np.eye(20)[student]
        spread = np.sqrt(np.diag(contrast @ covariance @ contrast.T))
        below = [0.5 * math.erfc(-z / math.sqrt(2)) for z in contrast @ solution / spread]
        expected = np.diff([0, *below, 1])
        assert np.allclose(result.probabilities[student], expected, atol=1e-4)


def solve_width(result: Calibration) -> float:
    """Fit the line through the centres, shrunk as the deviations are: alpha and width are flat."""
    position = np.arange(4) - 1.5
    return float(position @ result.grade_centres / (position @ position))


@settings(max_examples=scale_examples(80))
@given(data=st.data(), method=st.sampled_from(METHODS), n_grades=st.integers(2, 12))
def test_rows_sum_to_one_and_boundaries_rise_whatever_the_anchors_say(
    data: st.DataObject, method: Method, n_grades: int
) -> None:
    grades = data.draw(
        st.lists(st.integers(0, n_grades - 1), min_size=2, max_size=15).filter(
            lambda g: len(set(g)) > 1
        )
    )
    offsets = data.draw(st.lists(st.floats(-9, 9), min_size=len(grades), max_size=len(grades)))
    result = calibrate_anchors(grades, n_grades=n_grades, offsets=offsets, method=method)
    assert np.abs(result.probabilities.sum(axis=1) - 1).max() < 1e-12
    assert (result.probabilities >= 0).all()
    assert (np.diff(result.boundaries) >= 0).all()
    assert (np.diff(result.grade_centres) >= -1e-12).all()
    for values in (result.boundary_se, result.anchor_weight, result.anchor_residual):
        assert np.isfinite(values).all()


@pytest.mark.parametrize("method", METHODS)
def test_better_essays_have_better_grades(method: Method) -> None:
    result = calibrate_anchors(list(range(8)), method=method)
    expected = result.probabilities @ np.arange(8)
    assert (np.diff(expected) > 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_more_uncertain_abilities_have_more_uncertain_grades(method: Method) -> None:
    def entropy(se: float) -> float:
        p = np.clip(
            calibrate_anchors(list(range(8)), se=se, method=method).probabilities, 1e-300, 1
        )
        return float(-(p * np.log(p)).sum(axis=1).mean())

    assert entropy(0.2) < entropy(0.5) < entropy(1.0)


@pytest.mark.parametrize("method", METHODS)
def test_missing_grades_are_placed_by_the_others_and_said(method: Method) -> None:
    result = calibrate_anchors([1, 1, 2, 3, 5, 5, 6], method=method)
    assert result.extrapolated_grades == (0, 4, 7)
    assert codes(result) == {"grades_without_anchors"}
    assert np.allclose(np.diff(result.grade_centres), 1, atol=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_a_misgraded_anchor_is_named_and_loses_weight(method: Method) -> None:
    offsets = [0.0] * 16
    offsets[5] = 3.0
    result = calibrate_anchors([*range(8), *range(8)], se=0.2, offsets=offsets, method=method)
    assert result.anchor_weight.argmin() == 5
    assert result.anchor_weight[5] < 0.5
    warned = {w.anchors for w in result.warnings if w.code == "anchor_misgraded"}
    assert (STUDENTS + 5,) in warned
    # Pooled medians drag the next grade along; the other methods accuse nobody else.
    assert method == "medians" or len(result.warnings) == 1


def test_a_misgraded_anchor_hardly_moves_the_boundaries() -> None:
    grades = [*range(8), *range(8)]
    honest = calibrate_anchors(grades, se=0.2).boundaries
    offsets = [0.0] * 16
    offsets[5] = 4.0
    moved = {
        method: np.abs(
            calibrate_anchors(grades, se=0.2, offsets=offsets, method=method).boundaries - honest
        )
        for method in METHODS
    }
    assert moved["gls"].max() < 0.25
    assert moved["gls"].max() < moved["medians"].max()


@pytest.mark.parametrize("method", METHODS)
def test_reversed_anchors_give_a_typed_warning_and_monotone_boundaries(
    method: Method,
) -> None:
    offsets = [float(7 - 2 * g) for g in range(8)]
    result = calibrate_anchors(list(range(8)), offsets=offsets, method=method)
    assert "anchors_reversed" in codes(result)
    assert (np.diff(result.boundaries) >= 0).all()


def test_anchors_without_order_are_told_from_reversed_ones() -> None:
    offsets = [3.0, -2.0, 2.5, -0.5, 0.5, -2.5, 2.0, -3.0]
    result = calibrate_anchors(list(range(8)), offsets=offsets)
    assert "anchors_unordered" in codes(result)
    assert "anchors_reversed" not in codes(result)


def test_population_pulls_the_boundaries_to_its_quantiles() -> None:
    shares = np.array([0.3, 0.3, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])
    plain = calibrate_anchors([0, 7], se=0.8)
    weak, strong = (
        calibrate_anchors([0, 7], se=0.8, population=shares, population_weight=weight)
        for weight in (1.0, 100.0)
    )
    ignored = calibrate_anchors([0, 7], se=0.8, population=shares, population_weight=0.0)
    assert np.allclose(ignored.boundaries, plain.boundaries)
    cut = [r.boundaries[1] for r in (plain, weak, strong)]
    assert cut[0] < cut[1] < cut[2]
    assert abs(strong.probabilities[:, :2].sum() / STUDENTS - 0.6) < 0.08


def test_boundary_uncertainty_grows_away_from_the_anchors() -> None:
    se = calibrate_anchors([3, 3, 4, 4]).boundary_se
    assert se[3] < se[1] < se[0]
    assert se[3] < se[5] < se[6]


def test_report_of_good_anchors_is_good_and_of_shuffled_ones_bad() -> None:
    good = calibrate_anchors([*range(8), *range(8)], se=0.1).report
    shuffled = calibrate_anchors(
        [*range(8), *range(8)], se=0.1, offsets=[4, 3, -2, 1, 2, -3, -4, -1] * 2
    ).report
    assert good.n_anchors == 16
    assert present(good.rps) < 0.02
    assert present(shuffled.rps) > 0.1
    assert np.nanmax(good.boundary_shift) < 0.2 < np.nanmax(shuffled.boundary_shift)


def test_anchors_that_cannot_be_left_out_are_said() -> None:
    result = calibrate_anchors([2, 5])
    assert result.report.rps is None
    assert result.report.n_anchors == 0
    assert np.isnan(result.report.boundary_shift).all()
    assert "irreplaceable_anchors" in codes(result)


def test_no_students_still_gives_boundaries() -> None:
    result = calibrate(
        np.arange(4.0),
        0.1 * np.eye(4),
        anchors=[0, 1, 2, 3],
        anchor_grade=[0, 1, 2, 3],
        n_grades=4,
        students=[],
    )
    assert result.probabilities.shape == (0, 4)
    assert np.allclose(result.boundaries, [-1, 0, 1], atol=0.05)


def test_anchors_are_not_shrunken_by_the_students_prior() -> None:
    """Anchors far out keep their place, however strongly the fit pulled them in."""
    truth = np.arange(8) - 3.5
    information, sd = 2.0, 1.0
    shrunken = truth * information / (information + 1 / sd**2)
    students = np.zeros(200)
    ability = np.concatenate([students, shrunken])
    covariance = np.eye(208) / (information + 1 / sd**2)
    freed, kept = (
        calibrate(
            ability,
            covariance,
            anchors=np.arange(200, 208),
            anchor_grade=np.arange(8),
            n_grades=8,
            students=np.arange(200),
            prior_sd=prior_sd,
        )
        for prior_sd in (sd, np.inf)
    )
    assert np.allclose(np.diff(freed.grade_centres), 1.0, atol=0.03)
    assert np.diff(kept.grade_centres).max() < 0.7


def test_an_anchor_without_comparisons_says_nothing() -> None:
    """Essay 34 meets nobody: ability and covariance as `fit` gives them, prior sd 2."""
    laplacian = 0.2 * (34 * np.eye(34) - np.ones((34, 34)))
    information = np.zeros((35, 35))
    information[:34, :34] = laplacian
    covariance = np.linalg.inv(information + np.eye(35) / 4) - 4 / 35
    ability = np.concatenate([np.linspace(-2, 2, 30), [-1.5, -0.5, 0.5, 1.5], [0.0]])
    given: dict[str, Any] = {"n_grades": 4, "students": np.arange(30)}
    with_it = calibrate(
        ability, covariance, anchors=np.arange(30, 35), anchor_grade=[0, 1, 2, 3, 3], **given
    )
    without = calibrate(
        ability, covariance, anchors=np.arange(30, 34), anchor_grade=[0, 1, 2, 3], **given
    )
    assert np.allclose(with_it.probabilities, without.probabilities, atol=1e-4)
    assert with_it.anchor_weight[-1] == pytest.approx(1.0, abs=1e-3)


def test_one_distinct_grade_is_refused_by_name() -> None:
    with pytest.raises(FewAnchorGradesError, match="anchor_grade"):
        calibrate_anchors([3, 3, 3])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"ability": [0.0, np.nan, 1.0, 2.0]}, "ability"),
        ({"ability": np.zeros((2, 2))}, "ability"),
        ({"covariance": np.eye(3)}, "covariance"),
        ({"covariance": np.full((4, 4), np.inf)}, "covariance"),
        ({"covariance": -np.eye(4)}, "covariance"),
        ({"anchors": [0, 4]}, "anchors"),
        ({"anchors": [0, 0]}, "anchors"),
        ({"anchors": [0.5, 1]}, "anchors"),
        ({"students": [1, 2]}, "students"),
        ({"students": [-1]}, "students"),
        ({"anchor_grade": [0, 3]}, "anchor_grade"),
        ({"anchor_grade": [0]}, "anchor_grade"),
        ({"anchor_grade": [0.0, 1.0]}, "anchor_grade"),
        ({"n_grades": 1}, "n_grades"),
        ({"method": "mean"}, "method"),
        ({"prior_sd": 0.0}, "prior_sd"),
        ({"prior_sd": 0.5}, "prior_sd"),
        ({"population": [0.5, 0.6, 0.1]}, "population"),
        ({"population": [0.5, 0.5]}, "population"),
        ({"population": [1.5, -0.5, 0.0]}, "population"),
        ({"population": [0.2, 0.3, 0.5], "method": "medians"}, "population"),
        ({"population_weight": -1.0}, "population_weight"),
    ],
)
def test_bad_arguments_are_named(options: dict[str, Any], named: str) -> None:
    arguments = {
        "ability": np.arange(4.0),
        "covariance": np.eye(4),
        "anchors": [0, 1],
        "anchor_grade": [0, 2],
        "n_grades": 3,
        "students": [2, 3],
        **options,
    }
    ability, covariance = arguments.pop("ability"), arguments.pop("covariance")
    with pytest.raises(CalibrationError, match=named) as raised:
        calibrate(ability, covariance, **arguments)
    assert isinstance(raised.value, ScoringError)
