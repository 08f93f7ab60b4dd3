"""The assignment of a batch, its settings, and the flags of its essays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assessment.domain.assignment import Assignment
from assessment.domain.config import BatchConfig, Source, replace_hints, resolve_config
from assessment.domain.errors import UnknownAssignmentError
from assessment.domain.essay_flags import EssayFlag, list_flags
from assessment.domain.judge import JudgeSpec
from assessment.ports.stores import AssignmentStore


def load_assignment(assignment_id: str | None, assignments: AssignmentStore) -> Assignment | None:
    """The registered assignment; None for a batch without one.

    Raises
    ------
    UnknownAssignmentError
        If nothing is registered under the id.
    """
    if assignment_id is None:
        return None
    assignment = assignments.get_assignment(assignment_id)
    if assignment is None:
        raise UnknownAssignmentError.from_id(assignment_id)
    return assignment


def resolve_assignment_config(
    config: Mapping[str, Any], stack_config: Mapping[str, Any], *, is_admin: bool
) -> dict[str, Any]:
    """The settings of an assignment in their final form, checked as a request's would be.

    Raises
    ------
    ManyInvalidFieldsError, NotPermittedError
    """
    # Over the stack's values, as a batch will have them: its caps hold here too.
    resolved = resolve_config(
        [(Source.STACK, stack_config), (Source.REQUEST, config)], is_admin=is_admin
    )
    values = resolved.config.model_dump(mode="json")
    return {
        name: values[name]
        for name, source in resolved.sources.items()
        if source is Source.REQUEST and name in replace_hints(config)
    }


def flag_texts(
    texts: Sequence[str], *, config: BatchConfig, judges: Sequence[JudgeSpec]
) -> list[tuple[EssayFlag, ...]]:
    """The flags of each text under a batch's configuration and its smallest context."""
    return list_flags(
        texts,
        min_words=config.min_essay_words,
        context_tokens=min(judge.context_tokens for judge in judges),
        language=config.essay_language,
    )
