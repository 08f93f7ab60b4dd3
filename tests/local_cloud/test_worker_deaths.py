"""Workers of all functions are killed at work: the result is that of a quiet batch.

AWS and the laptop cloud tell the death of a worker alike: an error of the step, a message that
comes back, an event that is delivered again, a gateway that answers 502.
"""

import json
import time
import uuid
from collections import Counter

import pytest

from assessment.contracts.events import EventType
from assessment.domain.errors import CJError
from local.demo import Stage
from local.judge.options import JudgeOptions
from local.stack.deploy import STACK
from local.stack.look import peek
from runner.errors import RunnerError
from tests.local_cloud.disturbances import SETTINGS, new_id, result_bytes, visibility
from tests.local_cloud.killing import FUNCTIONS, Killer

pytestmark = [pytest.mark.local_cloud, pytest.mark.timeout(900)]

KILLS = 2
PATIENCE_SECONDS = 600
# A dead worker's messages come back after this, s, instead of three and six minutes.
SOON = {"CallbackQueueUrl": 5, "JudgeQueueUrl": 20}
UNKNOWN = [{"essay_id": f"essay-{n}", "text": f"No person judged this text, {n}."} for n in "abc"]


class Caller:
    """Requests batches by event and by API, and asks for them as often as it takes."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._client = lambda service: stage.cloud.session().client(
            service, endpoint_url=stage.cloud.url
        )
        self._lambda = self._client("lambda")

    def request(self, **data: object) -> str:
        """Ask for a batch by an event; its correlation id."""
        correlation_id = new_id()
        detail = {
            "event_id": new_id(),
            "correlation_id": correlation_id,
            "data": {"config": SETTINGS, **data},
        }
        entry = {
            "EventBusName": self.stage.outputs["EventBusName"],
            "Source": "school",
            "DetailType": EventType.REQUESTED.value,
            "Detail": json.dumps(detail),
        }
        self._client("events").put_events(Entries=[entry])
        return correlation_id

    def watch(self) -> None:
        """A round of the watchdog, as the schedule begins it."""
        self._lambda.invoke(FunctionName=f"{STACK}-watch-batches", InvocationType="Event")

    def ask(self) -> None:
        """A call of the API with a token that its authorizer has not seen; it may die of it."""
        with self.stage.client() as client:
            try:
                client.batch(str(uuid.uuid4()))
            except (RunnerError, CJError):
                return

    def ends(self, *correlation_ids: str) -> dict[str, dict]:
        """The events that end batches, by correlation id; each may come more than once."""
        queue = peek(self.stage.cloud, self.stage.outputs["SubscriberQueueUrl"], rounds=1000)
        kinds = {EventType.RESULT_PUBLISHED, EventType.FAILED}
        return {
            event["detail"]["correlation_id"]: event["detail"]
            for event in queue
            if event["detail-type"] in kinds
            and event["detail"]["correlation_id"] in correlation_ids
        }


@pytest.fixture(scope="module")
def outcome(stage, sample):
    """What the two batches came to, and how many workers of each function were killed."""
    with (
        stage(JudgeOptions(latency=0.05)) as (set_up, _),
        visibility(set_up, **SOON),
        set_up.client() as client,
    ):
        client.register_anchors(sample.registration)
        caller = Caller(set_up)
        with Killer(set_up, next_to_die, seed=1) as killed:
            known = sample.request(SETTINGS).model_dump(exclude_none=True)
            batch = caller.request(**known)
            failing = caller.request(essays=UNKNOWN)
            ends = await_ends(caller, killed, batch, failing)
        yield client.result_document(ends[batch]["data"]["batch_id"]), ends[failing], killed


def next_to_die(killed: Counter[str]) -> list[str]:
    return [function for function in FUNCTIONS if killed[function] < KILLS]


def await_ends(caller: Caller, killed: Counter[str], *batches: str) -> dict[str, dict]:
    """Call what nobody else calls until both batches have ended and every function has died."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while len(ends := caller.ends(*batches)) < len(batches) or next_to_die(killed):
        assert time.monotonic() < patience, (ends, killed)
        if killed["watch-batches"] < KILLS:
            caller.watch()
        caller.ask()
        time.sleep(0.3)
    return ends


def test_workers_of_every_function_died_at_work(outcome):
    assert outcome[2] == dict.fromkeys(FUNCTIONS, KILLS)
    assert len(FUNCTIONS) == 12


def test_the_result_is_that_of_a_quiet_batch(outcome, quiet):
    document = outcome[0]
    assert document["comparisons"]["failed"] == 0
    assert result_bytes(document) == result_bytes(quiet)


def test_only_the_calls_in_flight_are_paid_again(outcome):
    assert outcome[0]["repeated_calls"] <= 10 * KILLS


def test_a_batch_that_fails_says_why_all_the_same(outcome):
    assert outcome[1]["data"]["error_info"]["code"] == "judge_refused"
