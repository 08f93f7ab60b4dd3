"""Set, read, list and remove what is registered for assignments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assessment.contracts.assignments import (
    AnchorList,
    AssessmentInstructions,
    AssignmentList,
    AssignmentSummary,
    AssignmentView,
    Deleted,
    StudentPrompt,
)
from assessment.domain.assignment import Assignment, check_anchor_grades
from assessment.domain.errors import UnknownAnchorError, UnknownAssignmentError
from assessment.domain.grade_scale import find_scale
from assessment.domain.prompt import JudgeInstructions, check_instructions_size
from assessment.ports.stores import AssignmentStore
from assessment.usecases.assignment import load_assignment, resolve_assignment_config


def set_instructions(
    assignment_id: str,
    body: AssessmentInstructions,
    *,
    is_admin: bool,
    stack_config: Mapping[str, Any],
    assignments: AssignmentStore,
) -> AssignmentView:
    """Create the assignment or replace what holds for it; student prompt and anchors stay.

    Raises
    ------
    UnknownGradeError
        If one of its anchors, or of the population's grades, is not on the scale.
    InvalidRequestError, ManyInvalidFieldsError, NotPermittedError
        If a text is too long, the scale is none, or the configuration is not valid. Nothing has
        been stored in these cases.
    """
    registered = assignments.get_assignment(assignment_id)
    scale = find_scale(body.grade_scale)
    anchors = registered.anchors if registered else []
    check_anchor_grades(anchors, scale)
    if body.population is not None:
        body.population.order_shares(scale)
    texts = body.model_dump(include={"instructions", "judge_rubric"})
    prompt = registered.instructions.student_prompt if registered else ""
    instructions = JudgeInstructions(student_prompt=prompt, **texts)
    check_instructions_size(instructions, changed=texts)
    assignment = Assignment(
        assignment_id=assignment_id,
        instructions=instructions,
        grade_scale=scale,
        anchors=anchors,
        population=body.population,
        config=resolve_assignment_config(body.config, stack_config, is_admin=is_admin),
    )
    assignments.put_assignment(assignment)
    return AssignmentView.from_assignment(assignment)


def set_student_prompt(prompt: StudentPrompt, *, assignments: AssignmentStore) -> AssignmentView:
    """Give the assignment its student prompt.

    Raises
    ------
    UnknownAssignmentError
        If there is no such assignment yet.
    InvalidRequestError
        If its texts would be too long together.
    """
    registered = get_registered(prompt.assignment_id, assignments)
    texts = {"student_prompt": prompt.student_prompt}
    instructions = registered.instructions.model_copy(update=texts)
    check_instructions_size(instructions, changed=texts)
    changed = registered.model_copy(update={"instructions": instructions})
    assignments.put_assignment(changed)
    return AssignmentView.from_assignment(changed)


def get_registered(assignment_id: str, assignments: AssignmentStore) -> Assignment:
    """The assignment.

    Raises
    ------
    UnknownAssignmentError
    """
    assignment = load_assignment(assignment_id, assignments)
    if assignment is None:
        raise UnknownAssignmentError.from_id(assignment_id)
    return assignment


def list_assignments(
    *, limit: int, after: str | None, assignments: AssignmentStore
) -> AssignmentList:
    """The next assignments of the organisation, by id in order."""
    page = assignments.list_assignments(limit=limit, after=after)
    summaries = [AssignmentSummary.from_assignment(one) for one in page.assignments]
    return AssignmentList(assignments=summaries, cursor=page.cursor)


def delete_assignment(assignment_id: str, *, assignments: AssignmentStore) -> Deleted:
    """Remove an assignment with its anchors; batches that are prepared keep what they have.

    Raises
    ------
    UnknownAssignmentError
        If there was nothing to remove.
    """
    if not assignments.delete_assignment(assignment_id):
        raise UnknownAssignmentError.from_id(assignment_id)
    return Deleted(deleted=assignment_id)


def list_anchors(assignment_id: str, *, assignments: AssignmentStore) -> AnchorList:
    """The anchors of an assignment.

    Raises
    ------
    UnknownAssignmentError
    """
    return AnchorList.from_assignment(get_registered(assignment_id, assignments))


def remove_anchor(assignment_id: str, anchor_ref: str, *, assignments: AssignmentStore) -> Deleted:
    """Remove an anchor; batches that are prepared keep it.

    Raises
    ------
    UnknownAssignmentError, UnknownAnchorError
    """
    get_registered(assignment_id, assignments)
    if not assignments.delete_anchor(assignment_id, anchor_ref):
        raise UnknownAnchorError.from_id(assignment_id, anchor_ref)
    return Deleted(deleted=anchor_ref)
