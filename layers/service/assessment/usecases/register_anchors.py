"""Register the anchors of an assignment, if it has any, and what its judge is to be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assessment.contracts.request import MAX_ANCHORS, AnchorRegistration
from assessment.contracts.views import AnchorsRegistered, RegisteredAnchor
from assessment.domain.assignment import Assignment, check_anchor_grades
from assessment.domain.document_keys import anchor_texts
from assessment.domain.errors import InvalidRequestError, UnknownGradeError
from assessment.domain.essay import Anchor
from assessment.domain.grade_scale import GradeScale, find_scale
from assessment.domain.grading_prior import PopulationPrior
from assessment.domain.masking import Masker
from assessment.domain.prompt import JudgeInstructions, check_instructions_size
from assessment.ports.content import ContentStore
from assessment.ports.groups import AnchorPorts
from assessment.ports.stores import AssignmentStore
from assessment.usecases.assignment import resolve_assignment_config


def register_anchors(
    registration: AnchorRegistration,
    *,
    is_admin: bool,
    stack_config: Mapping[str, Any],
    ports: AnchorPorts,
) -> AnchorsRegistered:
    """Store the anchors; what the registration leaves out stays as it was registered before.

    Raises
    ------
    UnknownGradeError
        If an anchor's grade, or one of the population's, is not on the scale; `problems`
        names every such anchor.
    ManyInvalidFieldsError, NotPermittedError
        If the assignment's configuration is not valid. Nothing has been stored in these cases.
    """
    registered = ports.assignments.get_assignment(registration.assignment_id)
    config = _config(registration, registered, stack_config, is_admin=is_admin)
    scale = _scale(registration, registered)
    population = _population(registration, registered, scale)
    earlier = registered.anchors if registered else []
    instructions = _instructions(registration, registered)
    _check_grades(registration, earlier, scale)
    anchors = {anchor.anchor_ref: anchor for anchor in earlier}
    n_anchors = len(anchors.keys() | {anchor.anchor_ref for anchor in registration.anchors})
    if n_anchors > MAX_ANCHORS:
        raise InvalidRequestError(
            f"the assignment would have {n_anchors} anchors; {MAX_ANCHORS} are allowed",
            field="anchors",
        )
    anchors |= _store_anchors(registration, ports.content)
    assignment = Assignment(
        assignment_id=registration.assignment_id,
        instructions=instructions,
        grade_scale=scale,
        anchors=[anchors[reference] for reference in sorted(anchors)],
        population=population,
        config=config,
    )
    ports.assignments.put_assignment(assignment)
    return AnchorsRegistered(
        assignment_id=assignment.assignment_id,
        registered=len(registration.anchors),
        grade_scale=scale.grades,
        anchors=[
            RegisteredAnchor(anchor_ref=anchor.anchor_ref, grade=anchor.grade)
            for anchor in assignment.anchors
        ],
    )


def replaces_anchors(registration: AnchorRegistration, *, assignments: AssignmentStore) -> bool:
    """Whether the registration has an anchor that is there already, whose text may change."""
    registered = assignments.get_assignment(registration.assignment_id)
    registered_refs = {anchor.anchor_ref for anchor in registered.anchors} if registered else set()
    return any(anchor.anchor_ref in registered_refs for anchor in registration.anchors)


def _scale(registration: AnchorRegistration, registered: Assignment | None) -> GradeScale:
    if registration.grade_scale is None and registered is not None:
        return registered.grade_scale
    return find_scale(registration.grade_scale)


def _config(
    registration: AnchorRegistration,
    registered: Assignment | None,
    stack_config: Mapping[str, Any],
    *,
    is_admin: bool,
) -> dict[str, Any]:
    """The assignment's own settings, checked as a request's would be."""
    if registration.config is None:
        return registered.config if registered else {}
    return resolve_assignment_config(registration.config, stack_config, is_admin=is_admin)


def _population(
    registration: AnchorRegistration, registered: Assignment | None, scale: GradeScale
) -> PopulationPrior | None:
    """The population that now holds; UnknownGradeError if the scale lacks one of its grades."""
    population = registration.population or (registered.population if registered else None)
    if population is not None:
        population.order_shares(scale)
    return population


def _store_anchors(registration: AnchorRegistration, content: ContentStore) -> dict[str, Anchor]:
    folder = anchor_texts(registration.assignment_id)
    masker = None if registration.masking is None else Masker(registration.masking)
    anchors = {}
    for submitted in registration.anchors:
        text, n_masked = (submitted.text, {}) if masker is None else masker.mask(submitted.text)
        anchors[submitted.anchor_ref] = Anchor(
            anchor_ref=submitted.anchor_ref,
            grade=submitted.grade,
            text_sha256=content.put_text(folder, text),
            n_masked=n_masked,
        )
    return anchors


def _check_grades(
    registration: AnchorRegistration, earlier: Sequence[Anchor], scale: GradeScale
) -> None:
    """Every anchor's grade is on the scale, of the earlier ones too that are not replaced."""
    unknown: list[UnknownGradeError] = []
    for index, submitted in enumerate(registration.anchors):
        try:
            scale.position(submitted.grade, field=f"anchors[{index}].grade")
        except UnknownGradeError as error:
            unknown.append(error)
    if unknown:
        unknown[0].problems = [problem for error in unknown for problem in error.problems]
        raise unknown[0]
    replaced = {submitted.anchor_ref for submitted in registration.anchors}
    check_anchor_grades(earlier, scale, replaced=replaced)


def _instructions(
    registration: AnchorRegistration, registered: Assignment | None
) -> JudgeInstructions:
    changes = registration.model_dump(
        include={"instructions", "student_prompt", "judge_rubric"}, exclude_none=True
    )
    present = registered.instructions.model_dump() if registered else {}
    instructions = JudgeInstructions.model_validate({**present, **changes})
    check_instructions_size(instructions, changed=changes)
    return instructions
