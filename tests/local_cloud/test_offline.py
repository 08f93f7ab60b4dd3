"""The same verdicts without the cloud: the bytes of the result are those of the laptop cloud."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from assessment.domain.config import Source
from local.demo import CONFIG, PATIENCE
from local.judge.options import JudgeOptions
from runner.offline.engine import Engine
from runner.offline.local_client import WorkspaceClient
from runner.offline.workspace import ENDPOINT_VARIABLE, Workspace
from runner.waiting import await_batch, require_completed

pytestmark = pytest.mark.local_cloud


def test_offline_and_the_laptop_cloud_give_the_same_bytes(stage, sample, tmp_path: Path) -> None:
    # Anchors that other batches of the cloud have measured would change the grades.
    own = sample.registration.model_copy(update={"assignment_id": "offline"})
    sample = replace(sample, registration=own)
    request = sample.request(CONFIG)
    with stage(JudgeOptions(latency=0.02, immediate=True)) as (set_up, judge):
        with set_up.client() as client:
            client.register_anchors(sample.registration)
            batch_id = client.request_batch(request, idempotency_key="offline").batch_id
            batch = await_batch(client, batch_id, show=lambda *_: None, timeout=PATIENCE)
            require_completed(batch)
            there = client.result_bytes(batch_id)
        # What the stack's parameters set, which a workspace has not.
        stack_config = {
            name: batch.config[name]
            for name, source in batch.config_sources.items()
            if source == Source.STACK
        }
        n_asked = sum(httpx.get(f"{judge.url}/stats", timeout=60).json()["requests"].values())
        environment = {ENDPOINT_VARIABLE: judge.url}
        with Workspace.opened(
            tmp_path / "cj", n_calls=20, create=True, environment=environment
        ) as workspace:
            local = WorkspaceClient(workspace, stack_config=stack_config)
            local.register_anchors(sample.registration)
            local.request_batch(request, idempotency_key="offline", batch_id=batch_id)
            engine = Engine(workspace, batch_id)
            with engine.running():
                engine.wait(PATIENCE.total_seconds())
            here = local.result_bytes(batch_id)
        stats = httpx.get(f"{judge.url}/stats", timeout=60).json()
    assert here == there
    # The judge was asked as often again, and never twice by either.
    assert sum(stats["requests"].values()) == 2 * n_asked
    assert set(stats["requests"].values()) == {2}
