"""The sample judge over HTTP, with a list in place of the callback queue."""

import json
import threading
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assessment.contracts.llm_protocol import COMPARE_PATH, LLMComparisonResultV1
from local.demo import SAMPLE
from local.judge.options import JudgeOptions
from local.judge.sample_judge import SampleJudge
from local.judge_endpoint import create_app
from local.providers.replies import Reply
from local.providers.scripted_server import provider_server

QUEUE = "http://queue.example/callbacks"


class Mailbox:
    """Keeps what is sent and lets a test wait for it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.arrived = threading.Condition()

    def send(self, queue_url: str, body: str) -> None:
        with self.arrived:
            self.sent.append((queue_url, body))
            self.arrived.notify_all()

    def results(self, count: int) -> list[LLMComparisonResultV1]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.sent) >= count, timeout=60)
        return [LLMComparisonResultV1.model_validate_json(body) for _, body in self.sent]


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def endpoint(people, mailbox):
    opened = []

    def open_endpoint(**options):
        judge = SampleJudge(people, JudgeOptions(**({"latency": 0} | options)), mailbox.send)
        client = TestClient(create_app(judge))
        opened.append(client)
        return client.__enter__()

    yield open_endpoint
    for client in opened:
        client.__exit__(None, None, None)


def read_sample_text(name: str) -> str:
    return next(Path(SAMPLE).rglob(f"{name}.txt")).read_text()


def request(comparison="w001-00000", attempt=1, first="arg219204", second="arg219212", **changes):
    return {
        "schema_version": 1,
        "correlation_id": "0c9d3b8e-8d55-4a29-9d0d-0a4f39b1e001",
        "callback": {"kind": "sqs", "queue_url": QUEUE},
        "essay_a": {"essay_id": "ANCHOR_x_01234567", "text": read_sample_text(first)},
        "essay_b": {"essay_id": second, "text": read_sample_text(second)},
        "prompt_blocks": [{"role": "user", "content": "Which is better?"}],
        "metadata": {
            "batch_id": "b1",
            "wave": 1,
            "comparison_id": comparison,
            "attempt": attempt,
            "essay_a_id": "ANCHOR_x_01234567",
            "essay_b_id": second,
            "prompt_sha256": "00",
            "kept": "as it is",
        },
    } | changes


def test_a_request_is_accepted_and_answered_by_a_callback_that_echoes_it(endpoint, mailbox, people):
    sent = request()
    answer = endpoint().post(COMPARE_PATH, json=sent)
    assert answer.status_code == 202
    assert answer.json() == {"status": "queued", "correlation_id": sent["correlation_id"]}
    (result,) = mailbox.results(1)
    assert mailbox.sent[0][0] == QUEUE
    assert result.correlation_id == sent["correlation_id"]
    assert result.request_metadata.model_dump(exclude_none=True) == sent["metadata"]
    assert result.winner == people.verdict(
        sent["essay_a"]["text"], sent["essay_b"]["text"], seed=1, comparison_id="w001-00000"
    )


def test_the_immediate_judge_answers_at_once_and_sends_nothing(endpoint, mailbox):
    answer = endpoint(immediate=True).post(COMPARE_PATH, json=request())
    assert answer.status_code == 200
    assert LLMComparisonResultV1.model_validate(answer.json()).winner in {"A", "B", "tie"}
    assert mailbox.sent == []


def test_every_callback_comes_twice_when_asked_for(endpoint, mailbox):
    client = endpoint(duplicate_rate=1)
    client.post(COMPARE_PATH, json=request())
    first, second = mailbox.results(2)
    assert first == second


def test_errors_are_refusals_or_callbacks_and_all_are_retryable(endpoint, mailbox):
    client = endpoint(error_rate=1)
    answers = [client.post(COMPARE_PATH, json=request(f"w001-{i:05d}")) for i in range(30)]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert 0 < len(refused) < 30
    assert all(answer.json()["error_detail"]["retryable"] for answer in refused)
    results = mailbox.results(30 - len(refused))
    assert all(result.error_detail and result.error_detail.retryable for result in results)
    totals = client.get("/stats").json()["totals"]
    assert totals["refused_503"] == len(refused)
    assert totals["requests"] == 30


def test_silence_is_accepted_and_nothing_follows(endpoint, mailbox):
    client = endpoint(silent=1)
    assert client.post(COMPARE_PATH, json=request()).status_code == 202
    assert client.get("/stats").json()["totals"]["silent"] == 1
    assert mailbox.sent == []


def test_a_coin_knows_no_texts(endpoint):
    client = endpoint(coin_flip=True, immediate=True)
    foreign = {"essay_id": "x", "text": "a text from elsewhere"}
    answers = [
        client.post(COMPARE_PATH, json=request(f"w001-{i:05d}", essay_a=foreign)).json()
        for i in range(400)
    ]
    heads = sum(answer["winner"] == "A" for answer in answers)
    assert {answer["winner"] for answer in answers} == {"A", "B"}
    assert heads / 400 == pytest.approx(0.5, abs=0.125)  # five standard deviations
    assert {answer["model"] for answer in answers} == {"coin-flip"}


def test_a_text_from_elsewhere_is_a_permanent_refusal(endpoint):
    answer = endpoint().post(COMPARE_PATH, json=request(essay_b={"essay_id": "x", "text": "?"}))
    assert answer.status_code == 400
    assert answer.json()["error_detail"]["retryable"] is False
    assert "essay B" in answer.json()["error_detail"]["message"]


@pytest.mark.parametrize(
    ("body", "named"),
    [(json.dumps({"schema_version": 3}), "schema_version"), ("{not json", "JSON")],
)
def test_a_malformed_request_is_told_what_is_wrong(endpoint, body, named):
    answer = endpoint().post(COMPARE_PATH, content=body)
    assert answer.status_code == 400
    assert named in answer.json()["error_detail"]["message"]


def test_a_lost_callback_is_counted_and_the_next_one_goes_out(people):
    mailbox = Mailbox()
    broken = [True]

    def send(queue_url: str, body: str) -> None:
        if broken:
            broken.pop()
            raise ConnectionError("no such queue")
        mailbox.send(queue_url, body)

    judge = SampleJudge(people, JudgeOptions(latency=0), send)
    with TestClient(create_app(judge)) as client:
        client.post(COMPARE_PATH, json=request("w001-00000"))
        client.post(COMPARE_PATH, json=request("w001-00001"))
        assert mailbox.results(1)[0].request_metadata.comparison_id == "w001-00001"
        assert client.get("/stats").json()["totals"]["callbacks_lost"] == 1


def test_a_webhook_is_called_and_the_queue_is_not(endpoint, mailbox, tmp_path, monkeypatch):
    secret = tmp_path / "callback-secret"
    secret.write_text("a secret of the stack")
    monkeypatch.setenv("CJ_CALLBACK_SECRET", str(secret))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    called = threading.Event()

    def take(asked):
        called.set()
        return Reply({}, 202)

    with provider_server("openai") as api:
        api.script = [take]
        callback = {"kind": "webhook", "url": f"{api.url}/v1/callbacks"}
        endpoint().post(COMPARE_PATH, json=request(callback=callback))
        assert called.wait(timeout=60)
        assert LLMComparisonResultV1.model_validate(api.requests[0].body).winner
        assert "x-cj-signature" in api.requests[0].headers
    assert mailbox.sent == []


@pytest.mark.parametrize("location", ["", "no/such/file"])
def test_a_webhook_that_nobody_can_sign_is_refused_at_once(
    endpoint, mailbox, monkeypatch, location
):
    monkeypatch.setenv("CJ_CALLBACK_SECRET", location)
    callback = {"kind": "webhook", "url": "http://127.0.0.1:9/v1/callbacks"}
    client = endpoint()
    answer = client.post(COMPARE_PATH, json=request(callback=callback))
    assert answer.status_code == 400
    detail = answer.json()["error_detail"]
    assert detail["retryable"] is False
    assert "CJ_CALLBACK_SECRET" in detail["message"]
    assert client.get("/stats").json()["totals"].get("callbacks_lost", 0) == 0
    assert mailbox.sent == []
    assert endpoint(immediate=True).post(COMPARE_PATH, json=request(callback=callback)).is_success


def test_stats_count_by_comparison(endpoint, mailbox):
    client = endpoint()
    for attempt in (1, 2):
        client.post(COMPARE_PATH, json=request(attempt=attempt))
    mailbox.results(2)
    stats = client.get("/stats").json()
    assert stats["requests"] == {"b1/w001-00000": 2}
    assert client.get("/healthz").json()["options"]["latency"] == 0
