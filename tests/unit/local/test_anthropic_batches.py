"""Message Batches as their reference has them: the batch object, results, lists and refusals."""

from datetime import datetime, timedelta

import pytest

from tests.unit.local.batch_clients import AnthropicClient, messages_body

PATH = AnthropicClient.path


@pytest.fixture
def anthropic(endpoint_for):
    return lambda **options: endpoint_for(AnthropicClient, **options)


def counts(**changes):
    none = {"processing": 0, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
    return none | changes


def test_a_batch_tells_its_whole_life(anthropic, pairs):
    client = anthropic()
    request = {"custom_id": "a", "params": messages_body(pairs[0])}
    begun = client.http.post(PATH, json={"requests": [request]}).json()
    assert begun["id"].startswith("msgbatch_")
    assert (begun["type"], begun["processing_status"]) == ("message_batch", "in_progress")
    assert begun["request_counts"] == counts(processing=1)
    assert begun["ended_at"] is begun["results_url"] is begun["cancel_initiated_at"] is None
    created, expires = (
        datetime.fromisoformat(begun[f"{name}_at"]) for name in ("created", "expires")
    )
    assert begun["created_at"].endswith("Z")
    assert expires - created == timedelta(hours=24)
    client.await_end(begun["id"])
    ended = client.batch(begun["id"])
    assert ended["request_counts"] == counts(succeeded=1)
    assert datetime.fromisoformat(ended["ended_at"]) > created
    assert ended["results_url"] == f"{client.url}{PATH}/{begun['id']}/results"


def test_a_result_holds_exactly_the_synchronous_answer(anthropic, pairs):
    client = anthropic()
    asked = messages_body(pairs[0])
    (line,) = client.run({"a": asked})
    assert line.body == client.http.post("/v1/messages", json=asked).json()
    assert line.body["content"][0]["name"] == "record_verdicts"


def test_errors_are_nested_as_the_api_nests_them(anthropic, pairs):
    client = anthropic(error_rate=1)
    (line,) = client.run({"a": messages_body(pairs[0])})
    assert line.ending == "errored"
    assert line.body["type"] == "error"
    assert line.body["error"]["type"] == "overloaded_error"


@pytest.mark.parametrize(
    ("options", "counted"),
    [({"error_rate": 1}, "errored"), ({"silent": 1}, "expired"), ({}, "succeeded")],
)
def test_endings_are_counted(anthropic, pairs, options, counted):
    client = anthropic(**options)
    batch_id = client.submit({pair.comparison_id: messages_body(pair) for pair in pairs[:3]})
    client.await_end(batch_id)
    assert client.batch(batch_id)["request_counts"] == counts(**{counted: 3})


def test_a_cancelled_batch_says_so_at_once_and_cannot_be_cancelled_again(anthropic, pairs):
    client = anthropic(batch_seconds=3600)
    batch_id = client.submit({"a": messages_body(pairs[0])})
    answer = client.http.post(f"{PATH}/{batch_id}/cancel").json()
    assert answer["processing_status"] == "canceling"
    assert answer["cancel_initiated_at"] is not None
    client.await_end(batch_id)
    assert client.batch(batch_id)["request_counts"] == counts(canceled=1)
    again = client.http.post(f"{PATH}/{batch_id}/cancel")
    assert again.status_code == 400
    assert again.json()["error"]["type"] == "invalid_request_error"


def test_batches_are_listed_newest_first_in_pages_of_both_directions(anthropic, pairs):
    client = anthropic(batch_seconds=3600)
    ids = [client.submit({"a": messages_body(pairs[0])}) for _ in range(5)][::-1]

    def page(**cursor):
        found = client.http.get(PATH, params={"limit": 2} | cursor).json()
        read = [batch["id"] for batch in found["data"]]
        assert [found["first_id"], found["last_id"]] == [read[0], read[-1]]
        return read, found["has_more"]

    assert page() == (ids[:2], True)
    assert page(after_id=ids[1]) == (ids[2:4], True)
    assert page(after_id=ids[3]) == (ids[4:], False)
    assert page(before_id=ids[4]) == (ids[2:4], True)
    assert page(before_id=ids[2]) == (ids[:2], False)


@pytest.mark.parametrize(
    "parameters", [{"limit": 0}, {"limit": 1001}, {"after_id": "none"}, {"before_id": "none"}]
)
def test_a_page_that_is_none_is_refused(anthropic, parameters):
    assert anthropic().http.get(PATH, params=parameters).status_code == 400


def test_a_deleted_batch_is_gone(anthropic, pairs):
    client = anthropic()
    batch_id = client.submit({"a": messages_body(pairs[0])})
    client.await_end(batch_id)
    deleted = client.http.delete(f"{PATH}/{batch_id}").json()
    assert deleted == {"id": batch_id, "type": "message_batch_deleted"}
    gone = client.http.get(f"{PATH}/{batch_id}")
    assert gone.status_code == 404
    assert gone.json()["error"]["type"] == "not_found_error"


def test_a_batch_that_has_not_ended_has_no_results_and_stays(anthropic, pairs):
    client = anthropic(batch_seconds=3600)
    batch_id = client.submit({"a": messages_body(pairs[0])})
    answers = [
        client.http.get(f"{PATH}/{batch_id}/results"),
        client.http.delete(f"{PATH}/{batch_id}"),
    ]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert client.status(batch_id) == "in_progress"


@pytest.mark.parametrize(
    ("ids", "named"),
    [
        (["a", "b", "a"], "a is not unique"),
        (["essay one"], "custom_id"),
        (["x" * 65], "custom_id"),
        ([""], "custom_id"),
        ([], "requests"),
    ],
)
def test_ids_that_the_api_does_not_take_are_refused(anthropic, ids, named):
    client = anthropic()
    requests = [{"custom_id": name, "params": {}} for name in ids]
    answer = client.http.post(PATH, json={"requests": requests})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert named in answer.json()["error"]["message"]
    assert client.http.get(PATH).json()["data"] == []
