"""Calls about assignments: instructions, student prompts and anchors."""

from collections.abc import Iterator
from urllib.parse import quote

from assessment.contracts.assignments import (
    AnchorList,
    AssessmentInstructions,
    AssignmentList,
    AssignmentSummary,
    AssignmentView,
    Deleted,
    StudentPrompt,
    StudentPromptView,
)
from assessment.contracts.request import AnchorRegistration
from assessment.contracts.views import AnchorsRegistered
from runner.api.connection import PAGE, ApiConnection

_INSTRUCTIONS = "/admin/v1/assessment-instructions"
_PROMPTS = "/admin/v1/student-prompts"


class AssignmentCalls(ApiConnection):
    """What holds for assignments, and their graded essays."""

    def register_anchors(self, registration: AnchorRegistration) -> AnchorsRegistered:
        """Register anchors; what the registration leaves out stays as it was."""
        body = registration.model_dump(mode="json", exclude_none=True)
        return self._call(AnchorsRegistered, "POST", "/v1/anchors/register", body=body)

    def put_instructions(self, assignment_id: str, body: AssessmentInstructions) -> AssignmentView:
        """Create an assignment, or replace what holds for it."""
        document = body.model_dump(mode="json")
        return self._call(AssignmentView, "PUT", _assignment(assignment_id), body=document)

    def instructions(self, assignment_id: str) -> AssignmentView:
        """What holds for an assignment."""
        return self._call(AssignmentView, "GET", _assignment(assignment_id))

    def list_assignments(self) -> Iterator[AssignmentSummary]:
        """The organisation's assignments by id in order, as long as they are asked for."""
        for page in self._pages(AssignmentList, _INSTRUCTIONS, {"limit": PAGE}):
            yield from page.assignments

    def delete_assignment(self, assignment_id: str) -> Deleted:
        """Remove an assignment with its anchors."""
        return self._call(Deleted, "DELETE", _assignment(assignment_id))

    def put_student_prompt(self, prompt: StudentPrompt) -> AssignmentView:
        """Give an assignment its student prompt."""
        return self._call(AssignmentView, "POST", _PROMPTS, body=prompt.model_dump())

    def student_prompt(self, assignment_id: str) -> StudentPromptView:
        """The student prompt of an assignment."""
        path = f"{_PROMPTS}?assignment_id={quote(assignment_id, safe='')}"
        return self._call(StudentPromptView, "GET", path)

    def list_anchors(self, assignment_id: str) -> AnchorList:
        """The anchors of an assignment."""
        return self._call(AnchorList, "GET", f"/v1/anchors/{quote(assignment_id, safe='')}")

    def remove_anchor(self, assignment_id: str, anchor_ref: str) -> Deleted:
        """Remove an anchor of an assignment."""
        parts = (quote(part, safe="") for part in (assignment_id, anchor_ref))
        return self._call(Deleted, "DELETE", f"/v1/anchors/{'/'.join(parts)}")


def _assignment(assignment_id: str) -> str:
    return f"{_INSTRUCTIONS}/{quote(assignment_id, safe='')}"
