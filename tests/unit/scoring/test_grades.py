"""Grade calibration: golden values, and what must hold whatever the anchors say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring._isotonic import isotonic_regression
from scoring.errors import ScoringError
from scoring.grades import (
    Calibration,
    CalibrationError,
    FewAnchorGradesError,
    calibrate,
)

METHODS = ["gls", "isotonic", "medians"]
STUDENTS = 30


def graded(
    grades: list[int],
    *,
    n_grades: int = 8,
    se: float = 0.4,
    offsets: list[float] | None = None,
    method: str = "gls",
    **options: object,
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


@settings(max_examples=50, deadline=None)
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
def test_exact_anchors_put_boundaries_halfway(method: str) -> None:
    result = graded(list(range(8)) * 2, se=0.05, method=method)
    assert np.allclose(result.boundaries, np.arange(-3, 4), atol=0.02)
    assert np.allclose(result.grade_centres, np.arange(8) - 3.5, atol=0.05)
    assert result.warnings == ()
    assert result.extrapolated_grades == ()


def test_gls_agrees_with_the_joint_normal_computed_at_length() -> None:
    """Condition the joint normal of boundaries and students on the anchors, written out in full."""
    grades, width = np.array([0, 0, 1, 2, 3, 3]), 1.0
    result = graded(grades.tolist(), n_grades=4, offsets=[0.1, -0.2, 0.0, 0.3, -0.1, 0.1])
    width = result_width(result)
    size = STUDENTS + 6
    noise = 0.16 * (np.eye(size) - 1 / size)
    position = np.arange(4) - 1.5
    centre_cov = 1e4 + 1e4 * np.outer(position, position) + (0.15 * width) ** 2 * np.eye(4)
    ability = np.concatenate(
        [np.linspace(-4, 4, STUDENTS), grades - 1.5 + np.array([0.1, -0.2, 0, 0.3, -0.1, 0.1])]
    )
    placed = np.diag((0.38 * width) ** 2 / result.anchor_weight)
    anchor_cov = centre_cov[np.ix_(grades, grades)] + placed + noise[STUDENTS:, STUDENTS:]
    halves = np.eye(4)[1:] / 2 + np.eye(4)[:-1] / 2
    # error of (boundary - student) given anchors: prior of boundary, error of student
    joint_cross = halves @ centre_cov[:, grades]
    gain = joint_cross @ np.linalg.inv(anchor_cov)
    assert np.allclose(gain @ ability[STUDENTS:], result.boundaries, atol=1e-4)
    variance = np.diag(halves @ centre_cov @ halves.T - gain @ joint_cross.T)
    assert np.allclose(np.sqrt(variance), result.boundary_se, atol=1e-4)


def result_width(result: Calibration) -> float:
    """Recover the grade width of a GLS calibration from what it says about its weights."""
    r, w = result.anchor_residual, result.anchor_weight
    k = int(np.argmax(np.abs(r)))
    scale = r[k] ** 2 / (5.0 / w[k] - 4.0)
    return float(np.sqrt(scale - 0.16 * (1 - 1 / (STUDENTS + len(r)))) / 0.38)


@settings(max_examples=80, deadline=None)
@given(data=st.data(), method=st.sampled_from(METHODS), n_grades=st.integers(2, 12))
def test_rows_sum_to_one_and_boundaries_rise_whatever_the_anchors_say(
    data: st.DataObject, method: str, n_grades: int
) -> None:
    grades = data.draw(
        st.lists(st.integers(0, n_grades - 1), min_size=2, max_size=15).filter(
            lambda g: len(set(g)) > 1
        )
    )
    offsets = data.draw(
        st.lists(st.floats(-9, 9), min_size=len(grades), max_size=len(grades))
    )
    result = graded(grades, n_grades=n_grades, offsets=offsets, method=method)
    assert np.abs(result.probabilities.sum(axis=1) - 1).max() < 1e-12
    assert (result.probabilities >= 0).all()
    assert (np.diff(result.boundaries) >= 0).all()
    assert (np.diff(result.grade_centres) >= -1e-12).all()
    for values in (result.boundary_se, result.anchor_weight, result.anchor_residual):
        assert np.isfinite(values).all()


@pytest.mark.parametrize("method", METHODS)
def test_better_essays_have_better_grades(method: str) -> None:
    result = graded(list(range(8)), method=method)
    expected = result.probabilities @ np.arange(8)
    assert (np.diff(expected) > 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_more_uncertain_abilities_have_more_uncertain_grades(method: str) -> None:
    def entropy(se: float) -> float:
        p = np.clip(graded(list(range(8)), se=se, method=method).probabilities, 1e-300, 1)
        return float(-(p * np.log(p)).sum(axis=1).mean())

    assert entropy(0.2) < entropy(0.5) < entropy(1.0)


@pytest.mark.parametrize("method", METHODS)
def test_missing_grades_are_placed_by_the_others_and_said(method: str) -> None:
    result = graded([1, 1, 2, 3, 5, 5, 6], method=method)
    assert result.extrapolated_grades == (0, 4, 7)
    assert codes(result) == {"grades_without_anchors"}
    assert np.allclose(np.diff(result.grade_centres), 1, atol=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_a_misgraded_anchor_is_named_and_loses_weight(method: str) -> None:
    offsets = [0.0] * 16
    offsets[5] = 3.0
    result = graded([*range(8), *range(8)], se=0.2, offsets=offsets, method=method)
    assert result.anchor_weight.argmin() == 5
    assert result.anchor_weight[5] < 0.5
    warned = {w.anchors for w in result.warnings if w.code == "anchor_misgraded"}
    assert (STUDENTS + 5,) in warned
    # Pooled medians drag the next grade along; the other methods accuse nobody else.
    assert method == "medians" or len(result.warnings) == 1


def test_a_misgraded_anchor_hardly_moves_the_boundaries() -> None:
    grades = [*range(8), *range(8)]
    honest = graded(grades, se=0.2).boundaries
    offsets = [0.0] * 16
    offsets[5] = 4.0
    moved = {
        method: np.abs(graded(grades, se=0.2, offsets=offsets, method=method).boundaries - honest)
        for method in METHODS
    }
    assert moved["gls"].max() < 0.25
    assert moved["gls"].max() < moved["medians"].max()


@pytest.mark.parametrize("method", METHODS)
def test_reversed_anchors_give_a_typed_warning_and_still_monotone_boundaries(method: str) -> None:
    offsets = [float(7 - 2 * g) for g in range(8)]
    result = graded(list(range(8)), offsets=offsets, method=method)
    assert "anchors_reversed" in codes(result)
    assert (np.diff(result.boundaries) >= 0).all()


def test_anchors_without_order_are_told_from_reversed_ones() -> None:
    offsets = [3.0, -2.0, 2.5, -0.5, 0.5, -2.5, 2.0, -3.0]
    result = graded(list(range(8)), offsets=offsets)
    assert "anchors_unordered" in codes(result)
    assert "anchors_reversed" not in codes(result)


def test_population_pulls_the_boundaries_to_its_quantiles() -> None:
    shares = np.array([0.3, 0.3, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])
    plain = graded([0, 7], se=0.8)
    weak, strong = (
        graded([0, 7], se=0.8, population=shares, population_weight=weight)
        for weight in (1.0, 100.0)
    )
    ignored = graded([0, 7], se=0.8, population=shares, population_weight=0.0)
    assert np.allclose(ignored.boundaries, plain.boundaries)
    cut = [r.boundaries[1] for r in (plain, weak, strong)]
    assert cut[0] < cut[1] < cut[2]
    assert abs(strong.probabilities[:, :2].sum() / STUDENTS - 0.6) < 0.08


def test_boundary_uncertainty_grows_away_from_the_anchors() -> None:
    se = graded([3, 3, 4, 4]).boundary_se
    assert se[3] < se[1] < se[0]
    assert se[3] < se[5] < se[6]


def test_report_of_good_anchors_is_good_and_of_shuffled_ones_bad() -> None:
    good = graded([*range(8), *range(8)], se=0.1).report
    shuffled = graded(
        [*range(8), *range(8)], se=0.1, offsets=[4, 3, -2, 1, 2, -3, -4, -1] * 2
    ).report
    assert good.n_anchors == 16
    assert good.rps < 0.02 < 0.1 < shuffled.rps
    assert np.nanmax(good.boundary_shift) < 0.2 < np.nanmax(shuffled.boundary_shift)


def test_anchors_that_cannot_be_left_out_are_said() -> None:
    result = graded([2, 5])
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
    assert np.allclose(result.boundaries, [0.5, 1.5, 2.5], atol=1e-3)


def test_one_distinct_grade_is_refused_by_name() -> None:
    with pytest.raises(FewAnchorGradesError, match="anchor_grade"):
        graded([3, 3, 3])


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
        ({"population": [0.5, 0.6, 0.1]}, "population"),
        ({"population": [0.5, 0.5]}, "population"),
        ({"population": [1.5, -0.5, 0.0]}, "population"),
        ({"population": [0.2, 0.3, 0.5], "method": "medians"}, "population"),
        ({"population_weight": -1.0}, "population_weight"),
    ],
)
def test_bad_arguments_are_named(options: dict[str, object], named: str) -> None:
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
