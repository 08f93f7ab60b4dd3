"""Fifty requests with one key at the same time, over a table that keeps its conditions."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from assessment.adapters.aws.assignment_store import DynamoDBAssignmentStore
from assessment.adapters.aws.batch_store import DynamoDBBatchStore
from assessment.adapters.folder_content import FolderContentStore
from assessment.adapters.judges.registry import RequestedJudgeCheck
from assessment.adapters.prompts import JinjaPrompts
from assessment.adapters.sqlite.database import Database
from assessment.adapters.sqlite.item_table import SQLiteItemTable
from assessment.adapters.sqlite.workflow import SQLiteWorkflow
from assessment.contracts.request import BatchRequest
from assessment.domain.judge import BatchingMode
from assessment.ports.groups import RequestPorts
from assessment.usecases.request_batch import RequestCommand, request_batch
from tests.fakes.judges import KnownKeys

AT_ONCE = 50


def test_they_are_one_batch_and_one_execution(tmp_path: Path) -> None:
    database = Database(tmp_path / "batches.sqlite")
    table = SQLiteItemTable(database)
    ports = RequestPorts(
        batches=DynamoDBBatchStore(table),
        assignments=DynamoDBAssignmentStore(table),
        content=FolderContentStore(tmp_path / "content"),
        workflow=SQLiteWorkflow(database),
        judge_check=RequestedJudgeCheck(JinjaPrompts(), KnownKeys()),
    )
    essays = [{"essay_id": name, "text": f"The text of {name}."} for name in ("ann", "bo", "cy")]
    request = BatchRequest.model_validate({"essays": essays, "judge": {"provider": "person"}})
    together = threading.Barrier(AT_ONCE)

    def send(number: int) -> str:
        # As the API makes them: every request brings an id and a key of its own.
        command = RequestCommand(
            request=request,
            idempotency_key="term 1",
            is_admin=False,
            stack_config={},
            batching_mode=BatchingMode.SERIAL_BUNDLE,
            batch_id=str(uuid.UUID(int=number, version=4)),
            callback_key=f"callback key {number}",
        )
        together.wait()
        return request_batch(command, ports=ports, now=datetime(2026, 3, 2, tzinfo=UTC)).batch_id

    with ThreadPoolExecutor(AT_ONCE) as pool:
        (batch_id,) = set(pool.map(send, range(AT_ONCE)))
    executions = database.read("SELECT batch_id, status FROM executions")
    assert executions == [(batch_id, "RUNNING")]
    database.close()
