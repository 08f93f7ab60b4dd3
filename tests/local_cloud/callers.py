"""An endpoint that calls back over the web about a comparison which has its verdict already."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx
import pytest

from assessment.adapters.aws import keys
from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.dynamodb import Table
from assessment.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign_body
from assessment.domain.comparison import Comparison
from assessment.domain.verdict import Winner
from local.demo import Stage
from tests.fakes.judges import callback_body
from tests.present import present

PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Caller:
    """Says of the comparison what its verdict does not say."""

    stage: Stage
    batch_id: str
    comparison: Comparison

    def _client(self, service):
        return self.stage.cloud.session().client(service, endpoint_url=self.stage.cloud.url)

    @property
    def secret(self) -> str:
        arn = self.stage.outputs["CallbackSecretArn"]
        return self._client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]

    @property
    def body(self) -> str:
        other = "A" if present(self.comparison.pair_verdict).winner is Winner.SECOND else "B"
        return callback_body(self.comparison, self.batch_id, key=self.callback_key, winner=other)

    @property
    def callback_key(self) -> str:
        """The key of the batch's callback tokens, which only the table holds."""
        table = Table(self._client("dynamodb"), self.stage.outputs["TableName"])
        return str(present(table.get(keys.batch(self.batch_id)))["callback_key"])

    def call(self, *, at: float, secret: str | None = None) -> httpx.Response:
        """Deliver the callback, signed at that time with that secret or with the stack's."""
        timestamp = str(int(at))
        signed = sign_body(secret or self.secret, timestamp, self.body)
        return httpx.post(
            f"{self.stage.outputs['ApiUrl']}/v1/callbacks",
            content=self.body,
            headers={TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signed},
            timeout=35,
        )

    def read_stored(self) -> Item | None:
        """The comparison in the table."""
        known = self.comparison
        table = Table(self._client("dynamodb"), self.stage.outputs["TableName"])
        return table.get(keys.comparison(self.batch_id, known.wave, known.comparison_id))

    def await_all_recorded(self) -> None:
        """Wait until no callback is on its way any more."""
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue, url = self._client("sqs"), self.stage.outputs["CallbackQueueUrl"]
        patience = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < patience:
            found = queue.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
            if all(found[name] == "0" for name in counts):
                return
            time.sleep(0.1)
        pytest.fail("callbacks stay in the queue")


def count_signatures(stage: Stage) -> int:
    """How many callbacks over the web the stack has accepted."""
    client = stage.cloud.session().client("dynamodb", endpoint_url=stage.cloud.url)
    pages = client.get_paginator("scan").paginate(
        TableName=stage.outputs["TableName"],
        FilterExpression="begins_with(PK, :mark)",
        ExpressionAttributeValues={":mark": {"S": keys.signature("")["PK"]}},
    )
    return sum(page["Count"] for page in pages)
