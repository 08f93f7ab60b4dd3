"""What a wave keeps in the content store: lists that may outgrow an item of the table.

Each document lies under a key made of its content, which the wave's item names: two runs of a step
never overwrite each other's, and the one conditional write of the item says which one counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from assessment.domain.comparison import PlannedList, PlannedPair
from assessment.domain.document_keys import not_assessed_key, plan_key, unjudged_key
from assessment.domain.identifiers import canonical_json, content_sha256
from assessment.domain.not_assessed import NotAssessed
from assessment.domain.wave import Wave
from assessment.ports.content import ContentStore


@dataclass(frozen=True)
class WavePlan:
    """New pairs and lists in their order, and the ids of failed ones that are submitted again."""

    planned: tuple[PlannedPair | PlannedList, ...] = ()
    retried: tuple[str, ...] = ()


def store_plan(
    batch_id: str, wave_number: int, plan: WavePlan, *, content: ContentStore
) -> str | None:
    """Store a plan; its key, or None for an empty one."""
    if not plan.planned and not plan.retried:
        return None
    # A plan with lists has a key of its own: each place tells by its fields which of both it is.
    name = "planned" if any(isinstance(each, PlannedList) for each in plan.planned) else "pairs"
    body = canonical_json(
        {
            name: [each.model_dump(mode="json") for each in plan.planned],
            "retried": list(plan.retried),
        }
    )
    key = plan_key(batch_id, wave_number, content_sha256(body))
    content.put_document(key, body)
    return key


def load_plan(wave: Wave, *, content: ContentStore) -> WavePlan:
    """The plan of a wave."""
    if wave.plan_key is None:
        return WavePlan()
    plan = json.loads(content.get_frozen_document(wave.plan_key))
    entries = plan["planned"] if "planned" in plan else plan["pairs"]
    planned = tuple(
        PlannedList.model_validate(entry)
        if "essay_ids" in entry
        else PlannedPair.model_validate(entry)
        for entry in entries
    )
    return WavePlan(planned, tuple(plan["retried"]))


def store_unjudged(
    batch_id: str, wave_number: int, comparison_ids: Sequence[str], *, content: ContentStore
) -> str | None:
    """Store which comparisons had no verdict at a decision; the key, or None if all had."""
    if not comparison_ids:
        return None
    body = canonical_json(list(comparison_ids))
    key = unjudged_key(batch_id, wave_number, content_sha256(body))
    content.put_document(key, body)
    return key


def load_unjudged(wave: Wave, *, content: ContentStore) -> frozenset[str]:
    """The comparisons that had no verdict when the wave was decided upon."""
    if wave.unjudged_key is None:
        return frozenset()
    return frozenset(json.loads(content.get_frozen_document(wave.unjudged_key)))


def store_not_assessed(
    batch_id: str, wave_number: int, entries: Sequence[NotAssessed], *, content: ContentStore
) -> str | None:
    """Store which essays were set aside at a decision; the key, or None if none was."""
    if not entries:
        return None
    body = canonical_json([entry.model_dump(mode="json") for entry in entries])
    key = not_assessed_key(batch_id, wave_number, content_sha256(body))
    content.put_document(key, body)
    return key


def load_not_assessed(wave: Wave, *, content: ContentStore) -> tuple[NotAssessed, ...]:
    """The essays that were set aside when the wave was decided upon."""
    if wave.not_assessed_key is None:
        return ()
    entries = json.loads(content.get_frozen_document(wave.not_assessed_key))
    return tuple(NotAssessed.model_validate(entry) for entry in entries)
