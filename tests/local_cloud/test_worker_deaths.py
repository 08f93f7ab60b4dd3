"""Workers of all functions are killed at work: the result is that of a quiet batch.

AWS and the laptop cloud tell the death of a worker alike: an error of the step, a message that
comes back, an event that is delivered again, a gateway that answers 502.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from assessment.adapters.aws import keys
from assessment.adapters.aws.dynamodb import Table
from assessment.contracts.erasure import SweepAnchorsV1
from assessment.contracts.events import EventType, envelope
from assessment.contracts.views import BatchProgress
from assessment.contracts.webhooks import PublishedEvent
from assessment.domain.errors import CJError
from assessment.domain.identifiers import join_key
from local.demo import Stage
from local.judge.options import JudgeOptions
from local.stack.deploy import STACK
from runner.client import ApiClient
from runner.errors import RunnerError
from runner.progress import is_ended
from tests.local_cloud.disturbances import SETTINGS, new_id, result_bytes, set_apart, visibility
from tests.local_cloud.killing import FUNCTIONS, Killer

pytestmark = [pytest.mark.local_cloud, pytest.mark.deaths]

KILLS = 2
PATIENCE_SECONDS = 600
# A dead worker's messages come back after this, s, instead of three and six minutes.
SOON = {"CallbackQueueUrl": 5, "JudgeQueueUrl": 20}
NOBODY = "nobody"
UNKNOWN = [{"essay_id": f"essay-{n}", "text": f"No person judged this text, {n}."} for n in "abc"]


class Requester:
    """Requests batches by event, and asks for them as often as it takes."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._client = lambda service: stage.cloud.session().client(
            service, endpoint_url=stage.cloud.url
        )
        self._lambda = self._client("lambda")
        self._sqs = self._client("sqs")
        self._rounds: list[threading.Thread] = []
        self._table = Table(self._client("dynamodb"), stage.outputs["TableName"])

    def request(self, **data: object) -> str:
        """Ask for a batch by an event; its id."""
        event_id = new_id()
        entry = {
            "EventBusName": self.stage.outputs["EventBusName"],
            "Source": "school",
            "DetailType": EventType.REQUESTED.value,
            "Detail": json.dumps({"event_id": event_id, "data": data}),
        }
        self._client("events").put_events(Entries=[entry])
        return event_id

    def watch(self) -> None:
        """Begin a round of the watchdog, unless one is under way."""
        if not any(each.is_alive() for each in self._rounds):
            watch = {"FunctionName": f"{STACK}-watch-batches"}
            self._rounds.append(threading.Thread(target=self._lambda.invoke, kwargs=watch))
            self._rounds[-1].start()

    def send_chores(self) -> None:
        """Give the functions beside the loop something to do: what removes and sends nothing."""
        sweep = SweepAnchorsV1(organisation=NOBODY, assignment_id="nothing")
        event = envelope(
            EventType.FAILED,
            batch_id=new_id(),
            correlation_id=new_id(),
            organisation=NOBODY,
            data={
                "assignment_id": None,
                "status": "REFUSED",
                "error_info": dict.fromkeys(("code", "what", "why", "what_to_do"), "nothing"),
            },
            now=datetime.now(UTC),
        )
        self._send("ERASURE_QUEUE_URL", sweep.model_dump_json(by_alias=True))
        self._send("WEBHOOK_QUEUE_URL", PublishedEvent(detail=event).model_dump_json())

    def _send(self, variable: str, body: str) -> None:
        """Send a message to the queue that the API's function is told by this variable."""
        api = self._lambda.get_function_configuration(FunctionName=f"{STACK}-handle-api")
        address = api["Environment"]["Variables"][variable]
        self._sqs.send_message(QueueUrl=address, MessageBody=body)

    def read_progress(self, event_id: str) -> BatchProgress | None:
        """The batch of an event, by a token that the authorizer has not seen; None before it is."""
        claim = self._table.get(keys.key_claim(join_key("bus", event_id)))
        if claim is None:
            return None
        with ApiClient(self.stage.outputs["ApiUrl"], self.stage.token(new_id())) as client:
            try:
                return client.batch(claim["batch_id"])
            except (RunnerError, CJError):
                # Its worker died, or the batch is not stored yet.
                return None


@pytest.fixture(scope="module")
def outcome(stage, sample):
    """The batches, the result of the one that has it, and the kills by function."""
    with stage(JudgeOptions(latency=0.05)) as (set_up, _), visibility(set_up, **SOON):
        requester, own = Requester(set_up), set_apart(sample)
        with set_up.client() as client:
            client.register_anchors(own.registration)
            with Killer(set_up, next_to_die, seed=1) as killed:
                known = own.request(SETTINGS).model_dump(exclude_none=True)
                batches = await_ends(requester, killed, (known, {"essays": UNKNOWN}))
            yield batches, client.result_document(batches[0].batch_id), killed


def next_to_die(killed: Counter[str]) -> list[str]:
    return [function for function in FUNCTIONS if killed[function] < KILLS]


def await_ends(
    requester: Requester, killed: Counter[str], requests: Sequence[dict[str, Any]]
) -> list[BatchProgress]:
    """Call what nobody else calls until the batches have ended and every function has died."""
    patience = time.monotonic() + PATIENCE_SECONDS
    events = [requester.request(**request) for request in requests]
    while True:
        read = [requester.read_progress(event) for event in events]
        ended = [batch for batch in read if batch and is_ended(batch)]
        if len(ended) == len(events):
            if not next_to_die(killed):
                return ended[: len(requests)]
            # A worker may be done before the killer has looked at it. Further batches give it work.
            events += [requester.request(**request) for request in requests]
        assert time.monotonic() < patience, (read, killed)
        # As on AWS, where a schedule calls it: a lost task-token call is its to find.
        requester.watch()
        requester.send_chores()
        time.sleep(0.5)


def test_workers_of_every_function_died_at_work(outcome):
    assert outcome[2] == dict.fromkeys(FUNCTIONS, KILLS)


def test_the_result_is_that_of_a_quiet_batch(outcome, quiet):
    document = outcome[1]
    assert document["comparisons"]["failed"] == 0
    assert result_bytes(document) == result_bytes(quiet)


def test_only_the_calls_in_flight_are_paid_again(outcome):
    assert outcome[1]["repeated_calls"] <= 10 * KILLS


def test_a_batch_that_fails_says_why_all_the_same(outcome):
    failed = outcome[0][1]
    assert (failed.status, failed.failure["code"]) == ("FAILED", "judge_refused")
