"""What is refused by name, before any comparison is paid for."""

from __future__ import annotations

import pytest

from assessment.domain.errors import GradeScaleMismatchError, InvalidRequestError, UnknownGradeError
from tests.fakes.world import World


def anchors(*grades):
    return [
        {"anchor_ref": f"a{k}", "grade": grade, "text": f"anchor {k}"}
        for k, grade in enumerate(grades)
    ]


def refuse(world, error, field, **registration):
    values = {"assignment_id": "unit", "anchors": anchors("E", "A"), **registration}
    with pytest.raises(error) as raised:
        world.register(**values)
    assert field in raised.value.field
    assert world.assignments.get_assignment("unit") is None
    assert not world.content.texts
    return str(raised.value)


@pytest.mark.parametrize("scale", [["A"], ["B", "A", "B"], ["B", " "], "no_such_scale"])
def test_what_is_no_scale(scale):
    refuse(World(), InvalidRequestError, "grade_scale", grade_scale=scale)


def test_an_anchor_whose_grade_is_not_on_the_scale():
    message = refuse(World(), UnknownGradeError, "anchors[1].grade", anchors=anchors("E", "A+"))
    assert "A+" in message
    assert "F E D D+ C C+ B A" in message


@pytest.mark.parametrize(
    "shares", [{"E": 0.5, "A": 0.4}, {"E": 0.7, "A": 0.7}, {"E": -0.2, "A": 1.2}, {}]
)
def test_a_prior_that_does_not_sum_to_one(shares):
    refuse(World(), InvalidRequestError, "population.shares", population={"shares": shares})


def test_a_prior_of_a_grade_that_is_not_on_the_scale():
    refuse(World(), UnknownGradeError, "population.shares", population={"shares": {"9": 1.0}})


def test_a_negative_weight_of_the_prior():
    population = {"shares": {"E": 1.0}, "weight": -1}
    refuse(World(), InvalidRequestError, "population.weight", population=population)


@pytest.fixture
def registered():
    world = World()
    world.register(assignment_id="unit", anchors=anchors("E", "A"))
    return world


def test_a_request_whose_scale_is_not_the_assignments(registered):
    with pytest.raises(GradeScaleMismatchError, match="F E D D") as raised:
        registered.request(6, assignment_id="unit", grade_scale="cefr_a1_c2")
    assert raised.value.field == "grade_scale"
    assert not registered.batches.batches
    assert not registered.workflow.executions


@pytest.mark.parametrize(
    "scale", ["swedish_8_anchor", ["F", "E", "D", "D+", "C", "C+", "B", "A"], None]
)
def test_a_request_with_the_assignments_scale_is_taken(scale, registered):
    assert registered.request(6, assignment_id="unit", grade_scale=scale).assignment_id == "unit"


def test_a_scale_without_an_assignment_has_no_anchors_to_be_read_off():
    with pytest.raises(GradeScaleMismatchError, match="assignment_id"):
        World().request(6, grade_scale="gcse_9_1")


def test_a_prior_that_a_new_scale_does_not_know_is_refused(registered):
    registered.register(
        assignment_id="unit", anchors=anchors("E", "A"), population={"shares": {"E": 1.0}}
    )
    with pytest.raises(UnknownGradeError):
        registered.register(
            assignment_id="unit", anchors=anchors("A1", "C2"), grade_scale="cefr_a1_c2"
        )
