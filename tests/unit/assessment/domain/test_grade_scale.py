"""Grade scales: known ones, own ones, and grades that are not on them."""

from __future__ import annotations

import pytest

from assessment.domain.errors import InvalidRequestError, UnknownGradeError
from assessment.domain.grade_scale import DEFAULT_SCALE, SCALES, find_scale


@pytest.mark.parametrize("name", sorted(SCALES))
def test_known_scales_have_positions_worst_first(name: str) -> None:
    scale = find_scale(name)
    assert [scale.position(grade) for grade in scale.grades] == list(range(len(scale.grades)))
    if scale.passing_grade is not None:
        assert 0 < scale.position(scale.passing_grade) < len(scale.grades) - 1


def test_default_scale_is_the_sample_one() -> None:
    assert find_scale(None).name == DEFAULT_SCALE
    assert find_scale(None).grades == ("F", "E", "D", "D+", "C", "C+", "B", "A")


def test_own_scale() -> None:
    assert find_scale(["poor", "fair", "good"]).position("good") == 2


@pytest.mark.parametrize("grade", ["a", "A ", "", "A++", "ESSAY"])
def test_unknown_grade_names_field_and_scale(grade: str) -> None:
    with pytest.raises(UnknownGradeError, match="F E D D") as refused:
        find_scale(None).position(grade, field="anchors[3].grade")
    assert refused.value.field == "anchors[3].grade"


@pytest.mark.parametrize(
    "value", ["no_such_scale", [], ["A"], ["A", "A"], ["A", " "], [str(i) for i in range(41)]]
)
def test_what_is_no_scale_is_refused(value: str | list[str]) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        find_scale(value)
    assert refused.value.field == "grade_scale"
