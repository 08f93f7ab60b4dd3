"""A finished batch in memory, decided on by the product's own use cases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from assessment.contracts.result import ResultDocument, canonical_bytes
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.config import BatchConfig
from assessment.domain.document_keys import result_key, spec_key
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grade_scale import GradeScale
from assessment.domain.identifiers import content_sha256
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import JudgeInstructions
from assessment.domain.spec import BatchSpec
from assessment.ports.decisions import ReleasePorts
from tests.fakes.content import InMemoryContentStore
from tests.fakes.decisions import InMemoryDecisionStore, InMemoryReleasePolicies
from tests.fakes.messaging import InMemoryEvents
from tests.fakes.stores import InMemoryBatchStore
from tests.unit.runner import documents

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def make_finished_batch(**config: Any) -> ReleasePorts:
    """The ports of a world with the batch of `documents.result`, two essays that are graded."""
    batches, content = InMemoryBatchStore(), InMemoryContentStore()
    document = documents.result(essay_flags={"ben": [EssayFlag.INSTRUCTION_LIKE]})
    text = canonical_bytes(ResultDocument.model_validate(document)).decode()
    spec = BatchSpec.from_essays(
        [],
        instructions=JudgeInstructions(),
        grade_scale=GradeScale(name="unit", grades=("C", "=B", "A")),
        judges=(JudgeSpec(),),
    )
    content.put_document(result_key(documents.BATCH_ID), text)
    content.put_document(spec_key(documents.BATCH_ID), spec.model_dump_json())
    batches.create_batch(
        Batch(
            batch_id=documents.BATCH_ID,
            status=BatchStatus.COMPLETED,
            correlation_id=documents.BATCH_ID,
            config=BatchConfig(**config),
            config_sources={},
            seed=1,
            request_sha256="0",
            result_sha256=content_sha256(text),
            created_at=NOW,
            updated_at=NOW,
        )
    )
    return ReleasePorts(
        batches=batches,
        content=content,
        decisions=InMemoryDecisionStore(batches),
        policies=InMemoryReleasePolicies(),
        events=InMemoryEvents(),
    )
