"""Small services behind the real adapters: bucket, queues, state machine, bus and secrets.

They do so little here that a dictionary does it, many times faster than a server would. The table
is in `table`, the providers of models in `providers`.
"""

from __future__ import annotations

import io
import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.faults.calls import Outside
from tests.workflow.declared import REGION


@cache
def real_client(service: str) -> Any:
    """A real client, made once: its names tell what operations there are."""
    return boto3.client(  # type: ignore[call-overload]
        service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
    )


class Client:
    """A client whose every operation goes through the harness."""

    def __init__(self, service: str, behind: Any, outside: Outside) -> None:
        self.meta = real_client(service).meta
        self._service = service
        self._behind = behind
        self._outside = outside

    def __getattr__(self, name: str) -> Any:
        operation = self.meta.method_to_api_mapping[name]
        method = getattr(self._behind, name)

        def call(**request: Any) -> Any:
            return self._outside.perform(self._service, operation, lambda: method(**request))

        return call


def make_error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


@dataclass
class Bucket:
    """S3."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.objects[Key] = Body
        return {}

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise make_error("NoSuchKey", "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}


@dataclass
class Message:
    """A message of a queue."""

    message_id: str
    body: str
    visible_at: datetime
    receives: int = 0


@dataclass
class Clock:
    """The time of the journey; nothing waits for real."""

    now: datetime

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Queues:
    """SQS; a receipt is the message's id."""

    clock: Clock
    messages: dict[str, list[Message]] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def send_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        MessageBody: str,  # noqa: N803
        DelaySeconds: int = 0,  # noqa: N803
    ) -> dict[str, Any]:
        visible_at = self.clock.now + timedelta(seconds=DelaySeconds)
        queue = self.messages.setdefault(QueueUrl, [])
        queue.append(Message(f"m{next(self._ids)}", MessageBody, visible_at))
        return {}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
        for entry in Entries:
            self.send_message(QueueUrl=QueueUrl, MessageBody=entry["MessageBody"])
        return {}

    def change_message_visibility(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        ReceiptHandle: str,  # noqa: N803
        VisibilityTimeout: int,  # noqa: N803
    ) -> dict[str, Any]:
        for message in self.messages[QueueUrl]:
            if message.message_id == ReceiptHandle:
                message.visible_at = self.clock.now + timedelta(seconds=VisibilityTimeout)
        return {}


@dataclass
class Machine:
    """Step Functions: executions by name, and what became of tokens."""

    executions: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    is_deaf: bool = False
    """Whether calls with tokens get lost, though they are answered."""

    def start_execution(self, *, name: str, **_: Any) -> dict[str, Any]:
        if self.executions.setdefault(name, "RUNNING") != "RUNNING":
            raise make_error("ExecutionAlreadyExists", "StartExecution")
        return {}

    def stop_execution(self, *, executionArn: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.executions[executionArn.rsplit(":", 1)[-1]] = "ABORTED"
        return {}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        name = executionArn.rsplit(":", 1)[-1]
        if name not in self.executions:
            raise make_error("ExecutionDoesNotExist", "DescribeExecution")
        return {"status": self.executions[name]}

    def send_task_success(self, *, taskToken: str, output: str) -> dict[str, Any]:  # noqa: N803
        return self._settle(taskToken, {"output": json.loads(output)}, "SendTaskSuccess")

    def send_task_failure(self, *, taskToken: str, **failure: Any) -> dict[str, Any]:  # noqa: N803
        return self._settle(taskToken, {"failure": failure}, "SendTaskFailure")

    def _settle(self, token: str, outcome: dict[str, Any], operation: str) -> dict[str, Any]:
        if self.tokens.get(token, {}) is not None:
            raise make_error("TaskTimedOut", operation)
        if not self.is_deaf:
            self.tokens[token] = outcome
        return {}


@dataclass
class Bus:
    """EventBridge."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.entries += Entries
        return {"FailedEntryCount": 0}


class Secrets:
    """Secrets Manager."""

    def get_secret_value(self, **_: Any) -> dict[str, Any]:
        return {"SecretString": "a secret of the simulated account, known to nobody else"}

    def describe_secret(self, **_: Any) -> dict[str, Any]:
        return {}
