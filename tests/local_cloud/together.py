"""Batches that run at the same time on the laptop cloud, which mostly waits for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.demo import Stage
from local.sample import Sample
from runner.waiting import require_completed
from tests.local_cloud.disturbances import new_id
from tests.local_cloud.running import await_end

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
            require_completed(await_end(stage, client, batch_id))
        return [client.result_document(batch_id) for batch_id in batch_ids]
