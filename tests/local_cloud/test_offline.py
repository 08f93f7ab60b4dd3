"""The same verdicts without the cloud: the bytes of the result are those of the laptop cloud."""

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from assessment.contracts.request import AnchorRegistration, BatchRequest
from assessment.contracts.result import ResultDocument
from assessment.domain.config import Source
from local.demo import CONFIG, PATIENCE, Stage
from local.judge.options import JudgeOptions
from runner.offline.engine import Engine
from runner.offline.local_client import WorkspaceClient
from runner.offline.workspace import ENDPOINT_VARIABLE, Workspace
from runner.waiting import require_completed
from tests.local_cloud.graded_texts import CONFIG as TWO_WAVES
from tests.local_cloud.graded_texts import DATA, SURFACE, read_essays, read_topics
from tests.local_cloud.running import await_end

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
            batch = await_end(set_up, client, batch_id)
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
        with Workspace.open_folder(
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


type Work = tuple[AnchorRegistration, BatchRequest]


def assert_same_bytes(on: Stage, works: list[Work], folder: Path) -> list[ResultDocument]:
    """Judge every work on the cloud, all at the same time, and in a workspace; the results."""
    with on.client() as client:
        accepted = []
        for registration, request in works:
            client.register_anchors(registration)
            key = f"bytes-{registration.assignment_id}"
            accepted.append(client.request_batch(request, idempotency_key=key).batch_id)
        batches = [await_end(on, client, batch_id) for batch_id in accepted]
        for batch in batches:
            require_completed(batch)
        there = [client.result_bytes(batch_id) for batch_id in accepted]
    stack_config = {
        name: batches[0].config[name]
        for name, source in batches[0].config_sources.items()
        if source == Source.STACK
    }
    with Workspace.open_folder(folder, create=True, environment={}) as workspace:
        local = WorkspaceClient(workspace, stack_config=stack_config)
        for (registration, request), batch_id, expected in zip(works, accepted, there, strict=True):
            local.register_anchors(registration)
            local.request_batch(request, idempotency_key=batch_id, batch_id=batch_id)
            engine = Engine(workspace, batch_id)
            with engine.running():
                engine.wait(PATIENCE.total_seconds())
            assert local.result_bytes(batch_id) == expected, registration.assignment_id
    return [ResultDocument.model_validate_json(body) for body in there]


def test_the_surface_judge_gives_the_same_bytes_on_the_laptop_cloud(
    deployed, sample, tmp_path: Path
) -> None:
    on, _ = deployed
    own = sample.registration.model_copy(update={"assignment_id": "surface"})
    request = replace(sample, registration=own).request(TWO_WAVES, judge=SURFACE)
    (document,) = assert_same_bytes(on, [(own, request)], tmp_path / "cj")
    assert document.judges == ["surface/features-1"]
    assert any("a baseline, not an assessment" in note.message for note in document.notes)


@pytest.mark.real_data
@pytest.mark.skipif(
    not (DATA / "arguments").is_dir() or not (DATA / "essays").is_dir(),
    reason=f"{DATA} has no arguments or no essays; set CJ_DATA_DIR",
)
def test_real_texts_give_the_same_bytes(deployed, tmp_path: Path) -> None:
    on, _ = deployed
    texts = [*read_topics(), read_essays()]
    assert len(texts) == 9
    works = [(each.registration, each.request) for each in texts]
    documents = assert_same_bytes(on, works, tmp_path / "cj")
    assert [document.n_students + document.n_anchors for document in documents] == [
        len(each.texts) for each in texts
    ]
    assert all(document.n_anchors for document in documents)
