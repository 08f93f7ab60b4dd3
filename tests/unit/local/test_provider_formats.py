"""The sample judge as a provider that is asked one request at a time."""

import pytest

from tests.unit.local.batch_clients import OpenAIClient, chat_body, messages_body

PATHS = {"/v1/chat/completions": chat_body, "/v1/messages": messages_body}


@pytest.fixture
def provider(endpoint_for):
    return lambda **options: endpoint_for(OpenAIClient, **options)


@pytest.fixture(params=PATHS)
def path(request):
    return request.param


def test_a_request_that_is_not_of_the_apis_form_is_told_so(provider, path, pairs):
    client = provider()
    answers = [
        client.http.post(path, json={"model": "m"}),
        client.http.post(path, json={"messages": "none"}),
        client.http.post(path, json=PATHS[path](pairs[0]) | {"messages": []}),
    ]
    assert {answer.status_code for answer in answers} == {400}
    assert "'messages'" in answers[0].json()["error"]["message"]
    assert "0 comparison ids" in answers[2].json()["error"]["message"]
    assert client.stats()["totals"] == {"calls": 3}


@pytest.mark.parametrize(
    ("option", "counted"), [("silent", "silent"), ("error_rate", "refused_503")]
)
def test_silence_and_errors_refuse_a_call(provider, path, pairs, option, counted):
    client = provider(**{option: 1})
    answer = client.http.post(path, json=PATHS[path](pairs[0]))
    assert answer.status_code == 503
    assert answer.json()["error"]["type"] == "overloaded_error"
    assert client.stats()["totals"] == {"calls": 1, "requests": 1, counted: 1}


def test_the_same_question_gets_the_same_answer(provider, path, pairs):
    client = provider()
    first, second = (client.http.post(path, json=PATHS[path](pairs[0])).json() for _ in range(2))
    assert first == second
    assert client.stats()["verdicts"] == {pairs[0].comparison_id: 2}


@pytest.mark.parametrize("as_parts", [False, True])
def test_what_the_system_says_counts_as_input(provider, pairs, as_parts):
    body = messages_body(pairs[0])
    rubric = "word" * 1000
    long = body | {"system": [{"type": "text", "text": rubric}] if as_parts else rubric}
    client = provider()
    without, counted = (
        client.http.post("/v1/messages", json=each).json()["usage"]["input_tokens"]
        for each in (body | {"system": ""}, long)
    )
    assert counted - without == 1000
