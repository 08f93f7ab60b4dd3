"""Verdicts that come in through the API's gateway: of people, and of endpoints that sign."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from contextlib import ExitStack

import httpx
import pytest

from assessment.contracts.request import BatchRequest
from assessment.domain.comparison import Comparison
from local.demo import CONFIG, SAMPLE
from local.judge import human_judge
from local.judge.options import JudgeOptions
from runner.waiting import require_completed
from tests.local_cloud.callers import Caller, count_signatures
from tests.local_cloud.conftest import KEY_NAME
from tests.local_cloud.people import Person, side_by_side
from tests.local_cloud.running import await_end, run_batch

pytestmark = pytest.mark.local_cloud

MODEL = {"provider": "openai", "model": "sample-model", "api_key_secret": KEY_NAME}
# Eight essays make 28 pairs: two waves of nearly twelve, and what did not fit a matching.
WAVES = {
    "comparisons_per_essay_per_wave": 3,
    "min_comparisons_per_essay": 6,
    "max_comparisons_per_essay": 6,
    "seed": 7,
}
COMPARISONS = 24
# Two waves of 32 comparisons of 16 texts, by callbacks.
TWO_WAVES = {**CONFIG, "max_comparisons_per_essay": 8}


@pytest.fixture(scope="module")
def gateway(stage):
    with stage(JudgeOptions(latency=0.05, duplicate_rate=0.2)) as answered:
        yield answered


@pytest.fixture(scope="module")
def client(gateway):
    with gateway[0].client() as client:
        yield client


@pytest.fixture(scope="module")
def people(gateway):
    """People by name."""
    judge = human_judge.load(SAMPLE)
    with ExitStack() as stack:
        yield lambda *names: [
            stack.enter_context(Person(name, gateway[0], judge)) for name in names
        ]


def start_batch(client, sample, judge):
    """The id of a batch of eight essays."""
    request = BatchRequest.model_validate(
        {"essays": sample.essays[:8], "config": WAVES, "judge": judge}
    )
    return client.request_batch(request, idempotency_key=str(uuid.uuid4())).batch_id


def result(gateway, client, batch_id):
    """The result of a batch once it has one."""
    require_completed(await_end(gateway[0], client, batch_id))
    return client.result_document(batch_id)


def list_recorded(gateway, batch_id):
    """Every comparison of an ended batch, as the stack keeps it."""
    set_up = gateway[0]
    s3 = set_up.cloud.session().client("s3", endpoint_url=set_up.cloud.url)
    key = f"batches/default/{batch_id}/comparisons.jsonl"
    body = s3.get_object(Bucket=set_up.outputs["BucketName"], Key=key)["Body"].read().decode()
    return [json.loads(line) for line in body.splitlines()]


@pytest.fixture(scope="module")
def by_two(gateway, client, sample, people):
    """A batch that two people judged side by side, up to half of it each."""
    batch_id = start_batch(client, sample, {"provider": "person", "quota": COMPARISONS // 2})
    pair = people("ann", "bob")
    told = side_by_side(pair, batch_id)
    return result(gateway, client, batch_id), pair, told


def test_two_people_bring_a_batch_to_its_end(by_two):
    document, _, _ = by_two
    assert document["status"] == "COMPLETED"
    assert document["n_waves"] > 1
    assert document["comparisons"] == {
        "planned": COMPARISONS, "recorded": COMPARISONS, "failed": 0, "pending": 0,
    }  # fmt: skip


def test_no_pair_is_given_to_two_people_or_to_one_twice(by_two):
    _, (ann, bob), _ = by_two
    assert len(set(ann.given + bob.given)) == len(ann.given + bob.given) == COMPARISONS


def test_a_quota_holds_for_each_of_them(by_two):
    _, pair, told = by_two
    assert [len(person.given) for person in pair] == [COMPARISONS // 2] * 2
    # Who comes to their quota first is told so; the other's last verdict may have ended the batch.
    assert any("all 12 verdicts of your quota" in words for words in told)


def test_every_verdict_is_of_the_person_who_gave_it(gateway, by_two):
    document, pair, _ = by_two
    givers = {name: f"person/{person.name}" for person in pair for name in person.given}
    history = list_recorded(gateway, document["batch_id"])
    assert {c["comparison_id"]: c["verdict"]["judge"] for c in history} == givers
    assert document["judges"] == ["person/ann", "person/bob"]


@pytest.fixture(scope="module")
def held(client, sample, people):
    """A batch that waits for people, and a pair of it that Ann holds."""
    batch_id = start_batch(client, sample, {"provider": "person"})
    (ann,) = people("ann")
    yield batch_id, ann, ann.await_offer(batch_id)
    client.cancel(batch_id)


def is_refusal(response, status, kind):
    """Whether it is this refusal, as a problem document."""
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.status_code == response.json()["status"] == status
    assert response.json()["type"] == f"urn:cj-assessment:problem:{kind}"


def test_asking_again_gives_the_same_pair(held):
    batch_id, ann, comparison_id = held
    assert ann.ask(batch_id).json()["comparison"]["comparison_id"] == comparison_id


def test_a_verdict_without_the_lease_is_refused(held, people):
    batch_id, _, comparison_id = held
    (eve,) = people("eve")
    is_refusal(eve.say(batch_id, comparison_id), 409, "not-your-comparison")
    own = eve.ask(batch_id).json()["comparison"]["comparison_id"]
    assert own != comparison_id
    assert eve.say(batch_id, own).status_code == 202


def test_there_is_nothing_to_ask_of_an_unknown_batch(people):
    (ann,) = people("ann")
    is_refusal(ann.ask(str(uuid.uuid4())), 404, "unknown-batch")


def test_people_and_a_model_judge_side_by_side_and_enter_one_fit(gateway, client, sample, people):
    model = MODEL | {"base_url": f"{gateway[1].url}/v1"}
    batch_id = start_batch(client, sample, [{"provider": "person"}, model])
    pair = people("ann", "bob")
    for person in pair:
        person.await_offer(batch_id)  # or the other one may be quick enough to judge all
    side_by_side(pair, batch_id)
    document = result(gateway, client, batch_id)
    given = Counter(c["verdict"]["judge"] for c in list_recorded(gateway, batch_id))
    assert set(given) == {"openai/sample-model", "person/ann", "person/bob"}
    assert given.total() == COMPARISONS
    assert document["judges"] == sorted(given)
    # One fit has an order effect of each judge and the verdicts of all behind every ability.
    assert sorted(effect["judge"] for effect in document["order_effects"]) == sorted(given)
    assert {fit["judge"]: fit["verdicts"] for fit in document["judge_fit"]} == given
    assert sum(r["comparison_count"] for r in document["rankings"]) == 2 * COMPARISONS


@pytest.fixture(scope="module")
def by_webhooks(gateway, client, small_sample):
    """A batch by callbacks over the web, and how many signatures were accepted for it."""
    judge = {"provider": "callback_endpoint", "callback": "webhook"}
    before = count_signatures(gateway[0])
    document = run_batch(gateway[0], client, small_sample, config=TWO_WAVES, judge=judge)
    return document, count_signatures(gateway[0]) - before


def test_webhooks_alone_bring_a_batch_to_its_end(client, by_webhooks):
    document, accepted = by_webhooks
    assert document["status"] == "COMPLETED"
    waves = client.batch(document["batch_id"]).waves
    assert {wave.closed_by for wave in waves} == {"callbacks"}
    assert document["comparisons"]["planned"] == document["comparisons"]["recorded"] <= accepted


def test_a_verdict_that_is_delivered_twice_counts_once(gateway, by_webhooks):
    document = by_webhooks[0]
    stats = httpx.get(f"{gateway[1].url}/stats", timeout=10).json()
    assert any(name.startswith(f"{document['batch_id']}/") for name in stats["duplicates"])
    ends = sum(ranking["comparison_count"] for ranking in document["rankings"])
    assert ends == 2 * document["comparisons"]["recorded"]


def test_abilities_are_those_of_callbacks_by_the_queue(gateway, client, small_sample, by_webhooks):
    by_queue = run_batch(gateway[0], client, small_sample, config=TWO_WAVES)
    assert abilities(by_webhooks[0]) == abilities(by_queue)


def abilities(document):
    return {r["essay_id"]: r["bradley_terry_score"] for r in document["rankings"]}


@pytest.fixture(scope="module")
def caller(gateway, by_webhooks):
    batch_id = by_webhooks[0]["batch_id"]
    first = Comparison.model_validate(list_recorded(gateway, batch_id)[0])
    return Caller(gateway[0], batch_id, first)


def test_a_replay_is_refused_and_a_late_verdict_replaces_nothing(client, caller):
    before = caller.read_stored(), client.result_document(caller.batch_id)
    now = time.time()
    assert caller.call(at=now).status_code == 202
    is_refusal(caller.call(at=now), 409, "replayed-callback")
    caller.await_all_recorded()
    assert (caller.read_stored(), client.result_document(caller.batch_id)) == before


@pytest.mark.parametrize(
    ("age", "secret"),
    [(0, "another secret"), (302, None), (-310, None)],
    ids=["wrong signature", "stale", "of the future"],
)
def test_what_is_not_signed_as_agreed_is_refused(caller, age, secret):
    before = count_signatures(caller.stage)
    is_refusal(caller.call(at=time.time() - age, secret=secret), 401, "signature-refused")
    assert count_signatures(caller.stage) == before
