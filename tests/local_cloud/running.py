"""Batches that run on the laptop cloud to their end, as the cloud's table tells it.

The table tells an end at once. `await_batch` asks the API, whose answer takes a function or two,
and asks less often the longer nothing has moved; one such question is left for each batch.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from assessment.adapters.aws import keys
from assessment.adapters.aws.dynamodb import Table
from assessment.contracts.views import BatchProgress
from assessment.domain.batch import FINAL_STATUSES
from local.demo import PATIENCE, Stage
from local.sample import Sample
from runner.client import ApiClient
from runner.waiting import await_batch, require_completed

type Judge = Mapping[str, Any] | None
"""As a request has it; None is the stack's own endpoint."""

PAUSE_SECONDS = 0.25


def run_batch(
    on: Stage, client: ApiClient, sample: Sample, *, config: Mapping[str, Any], judge: Judge = None
) -> dict[str, Any]:
    """The result of a batch of the sample's essays, with its anchors."""
    (document,) = run_together(on, client, sample, [judge], config=config)
    return document


def run_together(
    on: Stage,
    client: ApiClient,
    sample: Sample,
    judges: Sequence[Judge],
    *,
    config: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The results of batches of the sample by these judges, which run at the same time."""
    client.register_anchors(sample.registration)
    batch_ids = [
        client.request_batch(
            sample.request(config, judge), idempotency_key=str(uuid.uuid4())
        ).batch_id
        for judge in judges
    ]
    for batch_id in batch_ids:
        require_completed(await_end(on, client, batch_id))
    return [client.result_document(batch_id) for batch_id in batch_ids]


def await_end(on: Stage, client: ApiClient, batch_id: str) -> BatchProgress:
    """The batch as the API tells of it once it has ended."""
    dynamodb = on.cloud.session().client("dynamodb", endpoint_url=on.cloud.url)
    table = Table(dynamodb, on.outputs["TableName"])
    patience = time.monotonic() + PATIENCE.total_seconds()
    while time.monotonic() < patience:
        batch = table.get(keys.batch(batch_id))
        if batch is not None and batch["status"] in FINAL_STATUSES:
            break
        time.sleep(PAUSE_SECONDS)
    return await_batch(client, batch_id, show=lambda *_: None, timeout=PATIENCE)
