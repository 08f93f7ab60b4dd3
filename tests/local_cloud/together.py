"""Batches that run at the same time on the laptop cloud, which mostly waits for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.demo import PATIENCE, Stage
from local.sample import Sample
from runner.waiting import await_batch, require_completed
from tests.local_cloud.disturbances import new_id

type Judge = Mapping[str, Any] | None


def run_together(
    stage: Stage, sample: Sample, judges: Sequence[Judge], *, config: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The results of batches of the sample by these judges; None is the stack's own endpoint."""
    with stage.client() as client:
        client.register_anchors(sample.registration)
        batch_ids = [
            client.request_batch(sample.request(config, judge), idempotency_key=new_id()).batch_id
            for judge in judges
        ]
        for batch_id in batch_ids:
            require_completed(await_batch(client, batch_id, show=lambda *_: None, timeout=PATIENCE))
        return [client.result_document(batch_id) for batch_id in batch_ids]
