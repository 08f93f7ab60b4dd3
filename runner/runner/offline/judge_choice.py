"""Who judges offline where nobody is named."""

from __future__ import annotations

import dataclasses

from assessment.domain.judge import Provider
from runner.console import note
from runner.inputs import Assessment
from runner.offline.workspace import Workspace

DEFAULT_JUDGE = {"provider": Provider.SURFACE.value}


def choose_judge(assessment: Assessment, workspace: Workspace) -> Assessment:
    """The assessment with a judge: the endpoint of the environment, or the surface of the texts."""
    if assessment.request.judge is not None or workspace.settings.judge_endpoint_url:
        return assessment
    note(
        "No --judge is named, so the surface of the texts is compared: a baseline, "
        "not an assessment."
    )
    request = assessment.request.model_copy(update={"judge": DEFAULT_JUDGE})
    return dataclasses.replace(assessment, request=request)
