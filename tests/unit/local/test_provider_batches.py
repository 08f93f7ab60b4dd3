"""What holds of every provider's batches: verdicts, counts, cancelling and failures."""

import pytest

from assessment.domain.prompt import EssayPair
from tests.unit.local.batch_clients import CLIENTS, chat_body, until


@pytest.fixture(params=CLIENTS)
def endpoint(request, endpoint_for):
    """Opens a client of each provider in turn."""
    return lambda **options: endpoint_for(CLIENTS[request.param], **options)


def bodies(client, pairs):
    return {pair.comparison_id: client.body(pair) for pair in pairs}


def synchronous(client, *pairs):
    """The document that chat completions give for some pairs."""
    answer = client.http.post("/v1/chat/completions", json=chat_body(*pairs))
    return CLIENTS["openai"].document(client, answer.raise_for_status().json())


def test_a_batch_brings_the_verdicts_of_synchronous_calls(endpoint, pairs):
    client = endpoint()
    results = client.run(bodies(client, pairs))
    assert {each.ending for each in results} == {"succeeded"}
    assert {each.key: client.document(each.body) for each in results} == {
        pair.comparison_id: synchronous(client, pair) for pair in pairs
    }


def test_a_line_may_ask_about_several_comparisons(endpoint, pairs):
    client = endpoint()
    (line,) = client.run({"all": client.body(*pairs[:5])})
    document = client.document(line.body)
    assert [verdict["comparison_id"] for verdict in document["verdicts"]] == [
        pair.comparison_id for pair in pairs[:5]
    ]
    assert document == synchronous(client, *pairs[:5])


def test_every_comparison_is_counted_once_and_no_call_is(endpoint, pairs):
    client = endpoint()
    client.run(bodies(client, pairs))
    stats = client.stats()
    once = dict.fromkeys((pair.comparison_id for pair in pairs), 1)
    assert stats["requests"] == once
    assert stats["verdicts"] == once
    assert stats["totals"] == {"batches": 1, "requests": len(pairs), "verdicts": len(pairs)}


def test_results_are_shuffled_and_always_in_the_same_way(endpoint, pairs):
    client = endpoint()
    first, second = (client.run(bodies(client, pairs)) for _ in range(2))
    order = [each.key for each in first]
    assert order == [each.key for each in second]
    assert order != sorted(order)
    assert sorted(order) == [pair.comparison_id for pair in pairs]


def test_a_batch_that_waits_is_cancelled_whole(endpoint, pairs):
    client = endpoint(batch_seconds=3600)
    batch_id = client.submit(bodies(client, pairs))
    client.cancel(batch_id)
    assert client.await_end(batch_id) == client.cancelled
    results = client.results(batch_id)
    assert {each.ending for each in results} == (
        {"cancelled"} if client.tells_unrun_lines else set()
    )
    assert len(results) == (len(pairs) if client.tells_unrun_lines else 0)
    assert client.stats()["totals"] == {"batches": 1}


def test_cancelling_keeps_what_has_run(endpoint, pairs):
    client = endpoint(latency=60)
    batch_id = client.submit(bodies(client, pairs))
    until(lambda: client.count_succeeded(batch_id), lambda count: count > 0)
    client.cancel(batch_id)
    client.await_end(batch_id)
    results = client.results(batch_id)
    ran = {each.key for each in results if each.ending == "succeeded"}
    assert 0 < len(ran) < len(pairs)
    assert client.stats()["verdicts"] == dict.fromkeys(ran, 1)
    assert client.stats()["requests"] == dict.fromkeys(ran, 1)
    if client.tells_unrun_lines:
        rest = {each.key for each in results if each.ending == "cancelled"}
        assert ran | rest == {pair.comparison_id for pair in pairs}


def test_a_text_from_elsewhere_fails_its_line_alone(endpoint, pairs):
    client = endpoint()
    foreign = EssayPair("w001-99999", pairs[0].essay_a, "a text from elsewhere")
    results = {each.key: each for each in client.run(bodies(client, [foreign, *pairs[:3]]))}
    wrong = results.pop("w001-99999")
    assert wrong.ending == "errored"
    status, message = client.complaint(wrong.body)
    assert (status, "essay B" in message) == (400, True)
    assert {each.ending for each in results.values()} == {"succeeded"}


def test_a_line_that_is_no_request_fails_alone(endpoint, pairs):
    client = endpoint()
    results = client.run({"good": client.body(pairs[0]), "bad": {"model": "m"}})
    assert {each.key: each.ending for each in results} == {"good": "succeeded", "bad": "errored"}
    (wrong,) = [each.body for each in results if each.key == "bad"]
    assert client.complaint(wrong)[0] == 400


def test_transient_errors_fail_their_lines_and_another_batch_tries_again(endpoint, pairs):
    client = endpoint(error_rate=0.5)
    asked = bodies(client, pairs)
    results = client.run(asked)
    failed = {each.key: each.body for each in results if each.ending == "errored"}
    assert 0 < len(failed) < len(pairs)
    assert {client.complaint(body)[0] for body in failed.values()} == {503}
    assert client.stats()["totals"]["refused_503"] == len(failed)
    again = client.run({key: asked[key] for key in failed})
    assert any(each.ending == "succeeded" for each in again)
    assert set(client.stats()["verdicts"].values()) == {1}


def test_a_silent_line_expires(endpoint, pairs):
    client = endpoint(silent=0.5)
    batch_id = client.submit(bodies(client, pairs))
    assert client.await_end(batch_id) in {"expired", "ended", "PartiallyCompleted"}
    results = client.results(batch_id)
    judged = {each.key for each in results if each.ending == "succeeded"}
    assert 0 < len(judged) < len(pairs)
    assert client.stats()["totals"]["silent"] == len(pairs) - len(judged)
    if client.tells_unrun_lines:
        silent = {each.key for each in results if each.ending == "expired"}
        assert judged | silent == {pair.comparison_id for pair in pairs}
    else:
        assert len(results) == len(judged)
