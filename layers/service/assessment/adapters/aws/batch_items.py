"""Batches and waves as items of the table hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from assessment.adapters.aws.attributes import Item
from assessment.domain.batch import Batch
from assessment.domain.erasure import ERASED
from assessment.domain.errors import ErasedBatchError
from assessment.domain.wave import Wave

_BATCH_DOCUMENTS = (
    "config", "config_sources", "judges", "decision", "failure", "not_assessed", "release",
    "own_texts", "masking",
)  # fmt: skip
_WAVE_DOCUMENTS = ("score", "context", "decision")
WAVE_SUMMARY = (
    "PK",
    "SK",
    "wave",
    "status",
    "closed_by",
    "score",
    "decision",
    "new_pairs",
    "n_readings",
    "deadline",
    "task_token",
    "markers_written",
    "messages_sent",
    "n_retried",
    "n_submitted",
    "n_recorded",
    "n_failed",
)
"""Attributes of a wave without its context."""


def _unpack(item: Mapping[str, Any], documents: Sequence[str]) -> dict[str, Any]:
    return {
        name: json.loads(value) if name in documents and isinstance(value, str) else value
        for name, value in item.items()
        if name not in ("PK", "SK")
    }


def read_batch_item(item: Item) -> Batch:
    """The batch as an item holds it.

    Raises
    ------
    ErasedBatchError
    """
    if item.get("status") == ERASED:
        raise ErasedBatchError.from_id(item["PK"].removeprefix("BATCH#"))
    return Batch.model_validate(_unpack(item, _BATCH_DOCUMENTS))


def read_wave_item(item: Item) -> Wave:
    """The wave as an item holds it, whole or as a summary."""
    return Wave.model_validate(_unpack(item, _WAVE_DOCUMENTS))
