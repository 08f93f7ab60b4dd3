"""Callbacks forged, doubled, reordered and late: the result is that of a quiet batch."""

import json
import threading
import time
from typing import Any

import pytest

from assessment.adapters.aws.comparison_store import DynamoDBComparisonStore
from assessment.adapters.aws.dynamodb import Table
from assessment.domain.comparison import Comparison, ComparisonStatus
from assessment.domain.verdict import Winner
from local.demo import Stage
from local.judge.options import JudgeOptions
from tests.fakes.judges import callback_body
from tests.local_cloud.callers import PATIENCE_SECONDS, Caller
from tests.local_cloud.disturbances import new_id, result_bytes, run_sample

pytestmark = pytest.mark.local_cloud

# Every callback comes twice, and they come in another order than that of the requests.
DOUBLED = JudgeOptions(latency=0.1, duplicate_rate=1.0, shuffle=2)
KINDS = (
    "no token", "token of another comparison", "token of another batch", "unknown id",
    "unknown id, signed", "other batch, signed", "unknown batch", "second verdict",
)  # fmt: skip


class Forger(threading.Thread):
    """Says of a running batch's comparisons what nobody asked, each kind of forgery a few times."""

    def __init__(self, stage: Stage, quiet_batch: str) -> None:
        super().__init__()
        self.stage = stage
        self.quiet_batch = quiet_batch
        self.batch_id = ""
        self.sent: dict[str, int] = dict.fromkeys(KINDS, 0)
        self.over = threading.Event()
        self._sqs: Any = stage.cloud.session().client("sqs", endpoint_url=stage.cloud.url)
        table = stage.cloud.session().client("dynamodb", endpoint_url=stage.cloud.url)
        self._table = Table(table, stage.outputs["TableName"])
        self._store = DynamoDBComparisonStore(self._table)

    def run(self) -> None:
        """Forge while the batch runs."""
        while not self.over.wait(0.3):
            self.batch_id = self.batch_id or self._running_batch()
            if self.batch_id:
                self._forge_about(self._store.list_comparisons(self.batch_id, 2))

    def _running_batch(self) -> str:
        active = self._table.query("ACTIVE")
        return next((item["SK"].removeprefix("BATCH#") for item in active), "")

    def _forge_about(self, comparisons: list[Comparison]) -> None:
        open_ones = [c for c in comparisons if c.status is ComparisonStatus.PENDING]
        settled = [c for c in comparisons if c.verdict]
        if len(open_ones) > 1 and self.sent["no token"] < 6:
            self._forge_unasked(open_ones[0], open_ones[-1])
        if settled and self.sent["second verdict"] < 6:
            self._send("second verdict", self._sign(settled[-1], self.batch_id))

    def _forge_unasked(self, one: Comparison, other: Comparison) -> None:
        key = Caller(self.stage, self.batch_id, one).callback_key
        token = json.loads(callback_body(other, self.batch_id, key=key))["request_metadata"]
        unknown = one.model_copy(update={"comparison_id": f"{one.comparison_id[:-1]}~"})
        stolen = {"callback_token": token["callback_token"]}
        before = json.loads(self._sign(one, self.quiet_batch))["request_metadata"]
        for kind, body in {
            "no token": callback_body(one, self.batch_id, echo={"callback_token": None}),
            "token of another comparison": self._sign(one, self.batch_id, echo=stolen),
            "token of another batch": self._sign(
                one, self.batch_id, echo={"callback_token": before["callback_token"]}
            ),
            "unknown id": self._sign(unknown, self.batch_id, echo=stolen),
            "unknown id, signed": self._sign(unknown, self.batch_id),
            "other batch, signed": self._sign(one, self.quiet_batch),
            "unknown batch": callback_body(one, new_id()),
        }.items():
            self._send(kind, body)

    def _sign(self, comparison: Comparison, batch_id: str, **changes: Any) -> str:
        """A callback under the batch's own key, for the essay that did not win."""
        key = Caller(self.stage, batch_id, comparison).callback_key
        verdict = comparison.pair_verdict
        winner = "A" if verdict is None or verdict.winner is Winner.SECOND else "B"
        return callback_body(comparison, batch_id, key=key, winner=winner, **changes)

    def _send(self, kind: str, body: str) -> None:
        queue = self.stage.outputs["CallbackQueueUrl"]
        self._sqs.send_message(QueueUrl=queue, MessageBody=body)
        self.sent[kind] += 1

    def await_all_received(self) -> None:
        """Wait until each forgery was read, and take from the queue what was refused."""
        queue, count = self.stage.outputs["CallbackQueueUrl"], "ApproximateNumberOfMessages"
        patience = time.monotonic() + PATIENCE_SECONDS
        while int(
            self._sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[count])["Attributes"][
                count
            ]
        ):
            assert time.monotonic() < patience, "forgeries wait in the queue"
            time.sleep(0.1)
        self._sqs.purge_queue(QueueUrl=queue)


@pytest.fixture(scope="module")
def disturbed(stage, sample, quiet):
    """A forger, and the result of the batch that it disturbed."""
    with stage(DOUBLED) as (set_up, _):
        forger = Forger(set_up, quiet["batch_id"])
        forger.start()
        try:
            document = run_sample(set_up, sample)
        finally:
            forger.over.set()
            forger.join()
    forger.await_all_received()
    return forger, document


def test_every_kind_of_forgery_was_tried(disturbed):
    forger, document = disturbed
    assert forger.batch_id == document["batch_id"]
    assert all(forger.sent.values()), forger.sent


def test_the_result_is_that_of_a_quiet_batch(disturbed, quiet):
    document = disturbed[1]
    assert document["repeated_calls"] == quiet["repeated_calls"] == 0
    assert result_bytes(document) == result_bytes(quiet)


def test_what_comes_after_the_end_changes_nothing(disturbed):
    forger, document = disturbed
    history = forger._store.list_comparisons(document["batch_id"], 2)
    caller = Caller(forger.stage, document["batch_id"], history[0])
    before = caller.read_stored()
    assert caller.call(at=time.time()).status_code == 202
    caller.await_all_recorded()
    with forger.stage.client() as client:
        assert client.result_document(document["batch_id"]) == document
    assert caller.read_stored() == before


def test_the_other_batch_is_as_it_was(disturbed, quiet):
    with disturbed[0].stage.client() as client:
        assert client.result_document(quiet["batch_id"]) == quiet
