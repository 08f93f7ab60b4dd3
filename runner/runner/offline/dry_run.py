"""What `cj execute` would send, checked by the use cases of a stack in a workspace of a moment."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from assessment.adapters.prompts import JinjaPrompts
from assessment.domain.judge import JudgeSpec
from runner.inputs import Assessment
from runner.offline.local_client import WorkspaceClient
from runner.offline.workspace import Workspace


class _TemplateCheck:
    """Checks of judges what can be known without a stack: that their templates lose no essay."""

    def check(self, judge: JudgeSpec) -> None:
        """Refuse a template that does not render, or loses an essay."""
        JinjaPrompts().check(judge)


def check_envelope(assessment: Assessment) -> dict[str, Any]:
    """The bodies of both requests, which have been accepted once.

    Raises
    ------
    CJError
        What a stack would refuse.
    """
    registration = assessment.registration
    with (
        tempfile.TemporaryDirectory() as folder,
        Workspace.open_folder(Path(folder), create=True) as workspace,
    ):
        workspace.replace_judge_check(_TemplateCheck())
        client = WorkspaceClient(workspace)
        if registration is not None:
            client.register_anchors(registration.request)
        request = assessment.request
        if registration is None and request.assignment_id is not None:
            # Only the stack knows its assignments.
            request = request.model_copy(update={"assignment_id": None})
        client.request_batch(request, idempotency_key="dry-run")
    return {
        "registration": _body(registration.request) if registration else None,
        "request": _body(assessment.request),
    }


def _body(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", exclude_none=True)
