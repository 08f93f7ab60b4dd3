"""Registering anchors: again is the same, more is added, and nothing half-registered stays."""

from __future__ import annotations

from typing import Any

import pytest

from assessment.domain.errors import InvalidRequestError, UnknownGradeError
from tests.fakes.world import World


def anchor(ref: str, grade: str = "A", text: str | None = None) -> dict[str, str]:
    return {"anchor_ref": ref, "grade": grade, "text": text or f"Anchor {ref}"}


def test_registering_twice_is_registering_once(world: World) -> None:
    given: dict[str, Any] = {"assignment_id": "x", "anchors": [anchor("b"), anchor("a", "F")]}
    first = world.register(**given)
    stored = world.assignments.get_assignment("x")
    assert world.register(**given) == first
    assert world.assignments.get_assignment("x") == stored
    assert [(a.anchor_ref, a.grade) for a in first.anchors] == [("a", "F"), ("b", "A")]
    assert first.registered == 2


def test_later_registrations_add_and_replace(world: World) -> None:
    world.register(assignment_id="x", anchors=[anchor("a"), anchor("b")], judge_rubric="R")
    world.register(assignment_id="x", anchors=[anchor("b", "F"), anchor("c")], instructions="I")
    stored = world.assignments.get_assignment("x")
    assert stored is not None
    assert [(a.anchor_ref, a.grade) for a in stored.anchors] == [
        ("a", "A"),
        ("b", "F"),
        ("c", "A"),
    ]
    assert (stored.instructions.judge_rubric, stored.instructions.instructions) == ("R", "I")


def test_the_scale_stays_when_it_is_not_named_again(world: World) -> None:
    world.register(assignment_id="x", anchors=[anchor("a", "9")], grade_scale="gcse_9_1")
    again = world.register(assignment_id="x", anchors=[anchor("b", "1")])
    assert again.grade_scale[0] == "U"


def test_unknown_grade_names_its_anchor_and_stores_nothing(world: World) -> None:
    with pytest.raises(UnknownGradeError) as refused:
        world.register(assignment_id="x", anchors=[anchor("a"), anchor("b", "A++")])
    assert refused.value.field == "anchors[1].grade"
    assert world.assignments.get_assignment("x") is None
    assert not world.content.texts


def test_a_scale_that_loses_an_earlier_grade_is_refused_and_stores_nothing(world: World) -> None:
    world.register(assignment_id="x", anchors=[anchor("a", "D+")])
    texts = dict(world.content.texts)
    with pytest.raises(UnknownGradeError, match="anchor a"):
        world.register(assignment_id="x", anchors=[anchor("b", "B1")], grade_scale="cefr_a1_c2")
    assert world.content.texts == texts
    replaced = world.register(
        assignment_id="x", anchors=[anchor("a", "B1")], grade_scale="cefr_a1_c2"
    )
    assert [(a.anchor_ref, a.grade) for a in replaced.anchors] == [("a", "B1")]


@pytest.mark.parametrize("scale", ["nowhere", ["A"], ["A", "A"]])
def test_bad_scale_names_its_field(world: World, scale: Any) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        world.register(assignment_id="x", anchors=[anchor("a")], grade_scale=scale)
    assert refused.value.field == "grade_scale"
    assert world.assignments.get_assignment("x") is None
