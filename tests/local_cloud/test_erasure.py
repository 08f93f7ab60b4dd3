"""A batch whose texts are masked, kept for a time, erased: nothing of its pupils is left."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime

import httpx
import pytest

from local.demo import Stage
from tests.local_cloud.leaks import find_leaks

pytestmark = pytest.mark.local_cloud

PATIENCE_SECONDS = 300
SAID = "a reason that only this test gives, of letters alone"
WRITTEN = "words that only this pupil writes, of letters alone"
PUPIL = "Ylva Quistberg"
ADDRESS = "ylva.quistberg@skola.example"


@pytest.fixture
def api(deployed):
    on, _ = deployed
    headers = {"Authorization": f"Bearer {on.token()}"}
    with httpx.Client(base_url=on.outputs["ApiUrl"], headers=headers, timeout=60) as client:
        yield client


def await_answer(ask, is_it):
    """The first answer that is the one awaited."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while not is_it(answer := ask()):
        assert time.monotonic() < patience, answer.text
        time.sleep(0.2)
    return answer


def read_everything(on: Stage) -> dict[str, str]:
    """Items of the table, and every version of every object, by place."""
    client = lambda service: on.cloud.session().client(service, endpoint_url=on.cloud.url)  # noqa: E731
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=on.outputs["TableName"])
    items = [item for page in pages for item in page["Items"]]
    stored = {f"{each['PK']['S']} {each['SK']['S']}": json.dumps(each) for each in items}
    s3, bucket = client("s3"), on.outputs["BucketName"]
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in page.get("Versions", []):
            place = {"Key": version["Key"], "VersionId": version["VersionId"]}
            body = s3.get_object(Bucket=bucket, **place)["Body"].read()
            stored["{Key} {VersionId}".format(**place)] = body.decode(errors="replace")
    return stored


def find_places(stored: dict[str, str], *words: str) -> list[str]:
    return [
        place
        for place, content in stored.items()
        if any(word in place or word in content for word in words)
    ]


def test_a_masked_batch_is_erased_everywhere(deployed, api):
    on, _ = deployed
    since = datetime.now(UTC)
    texts = [f"{PUPIL} ({ADDRESS}) has {WRITTEN}.", "Another has nothing of the kind to say here."]
    pupils = [f"pupil-{uuid.uuid4().hex}" for _ in texts]
    body = {
        "essays": [
            {"essay_id": name, "text": text} for name, text in zip(pupils, texts, strict=True)
        ],
        "judge": {"provider": "person"},
        "masking": {"names": [PUPIL]},
        "retention_days": 30,
    }
    batch_id = api.post("/v1/batches", json=body).raise_for_status().json()["batch_id"]
    batch = f"/v1/batches/{batch_id}"
    offer = await_answer(
        lambda: api.get(f"{batch}/next-comparison"),
        lambda answer: answer.status_code == 200 and answer.json()["comparison"] is not None,
    ).json()["comparison"]
    shown = offer["essay_a"] + offer["essay_b"]
    assert WRITTEN in shown
    assert not any(name in shown for name in (*PUPIL.split(), ADDRESS))
    assert find_places(read_everything(on), PUPIL, ADDRESS) == []
    verdict = {"comparison_id": offer["comparison_id"], "winner": "A", "justification": SAID}
    api.post(f"{batch}/verdicts", json=verdict).raise_for_status()
    await_answer(lambda: api.get(f"{batch}/comparisons"), lambda answer: SAID in answer.text)
    stored = read_everything(on)
    assert find_places(stored, WRITTEN)
    assert any(place.startswith("RETENTION") for place in find_places(stored, batch_id))

    assert api.delete(batch).status_code == 202
    await_answer(
        lambda: api.get(f"{batch}/erasures"),
        lambda answer: all(each["erased_at"] for each in answer.json()["erasures"]),
    )
    assert api.get(batch).status_code == 410
    assert find_places(read_everything(on), WRITTEN, SAID, *pupils) == []
    assert find_leaks(on, [WRITTEN, SAID, PUPIL, ADDRESS], since=since) == []
