"""People decide on the grades of a batch on the laptop cloud, and release them."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import pytest

from local.demo import CONFIG
from local.judge.options import JudgeOptions
from local.stack.look import peek
from runner.stack import mint_token, read_secret
from tests.local_cloud.running import run_batch

pytestmark = pytest.mark.local_cloud

N_AT_ONCE = 6


class Office:
    """A finished batch, and what people ask of the API."""

    def __init__(self, set_up, document):
        self.stage, self.document = set_up, document
        self._secret = read_secret(set_up.outputs["ApiSecretArn"], set_up.cloud.aws)
        self._base = f"{set_up.outputs['ApiUrl']}/v1/batches/{document['batch_id']}"

    def ask(self, method, path, *, by="ann", body=None):
        token = mint_token(self._secret, now=datetime.now(UTC), subject=by)
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, self._base + path, json=body, headers=headers, timeout=60)

    def decide(self, essay_id, grade, **keywords):
        path = f"/essays/{quote(essay_id)}/decision"
        # Who meets another is told to send the same again.
        for _ in range(20):
            response = self.ask("PUT", path, body={"grade": grade}, **keywords)
            if response.status_code != 503:
                return response
        return response


@pytest.fixture(scope="module")
def office(stage, small_sample):
    with stage(JudgeOptions(latency=0.05)) as (set_up, _):
        with set_up.client() as client:
            document = run_batch(set_up, client, small_sample, config=CONFIG)
        yield Office(set_up, document)


def test_a_class_is_decided_on_and_released(office):
    grades = office.document["grade_projections"]["primary_grades"]
    first = next(iter(grades))
    early = office.ask("POST", "/release")
    assert early.status_code == 409
    assert early.json()["type"].endswith(":open-decisions")
    assert len(early.json()["errors"]) == len(grades)

    names = [f"assessor-{n}" for n in range(N_AT_ONCE)]
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        at_once = list(pool.map(lambda by: office.decide(first, grades[first], by=by), names))
    assert [response.status_code for response in at_once] == [200] * N_AT_ONCE
    kept = office.ask("GET", f"/essays/{quote(first)}/decision").json()["decisions"]
    assert sorted(each["assessor"] for each in kept) == names
    assert [each["number"] for each in kept] == list(range(1, N_AT_ONCE + 1))

    for essay_id, grade in grades.items():
        assert office.decide(essay_id, grade).status_code == 200, essay_id
    released = office.ask("POST", "/release", by="head")
    assert released.status_code == 200, released.text
    again = office.ask("POST", "/release", by="head")
    assert (again.status_code, again.json()["type"]) == (
        409, "urn:cj-assessment:problem:already-released",
    )  # fmt: skip

    text = office.ask("GET", "/release")
    assert hashlib.sha256(text.content).hexdigest() == released.json()["decisions_sha256"]
    assert {e["essay_id"]: e["grade"] for e in text.json()["essays"]} == grades
    queue = peek(office.stage.cloud, office.stage.outputs["SubscriberQueueUrl"], rounds=1000)
    events = [
        event["detail"]
        for event in queue
        if event["detail-type"] == "AssessmentReleased.v1"
        and event["detail"]["data"]["batch_id"] == office.document["batch_id"]
    ]
    assert {event["data"]["decisions_sha256"] for event in events} == {
        released.json()["decisions_sha256"]
    }
    assert len({event["event_id"] for event in events}) == 1
