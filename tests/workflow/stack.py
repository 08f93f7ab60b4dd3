"""A stack in this process: moto's services, the template's settings, the real handlers.

Moto runs the state machine from its definition. Its JSONata engine is set to jsonata-python and its
Lambda to a dispatcher that calls the imported handlers, so every state runs the deployed code.
Messages are moved by `deliver`, in the shape and with the acknowledgements of an SQS event source.
"""

from __future__ import annotations

import importlib
import json
import os
import threading
import time
import uuid
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3
import botocore.loaders
import botocore.session
import httpx
from jsonata import Jsonata
from moto import mock_aws
from moto.sqs.models import sqs_backends

from assessment import bootstrap
from assessment.observability import metrics
from tests.workflow.declared import (
    ACCOUNT,
    ARN,
    QUEUES,
    REGION,
    create_resources,
    definition,
    environment,
    template,
)
from tests.workflow.judge import JudgeEndpoint
from tests.workflow.recorded_calls import CallRecorder

# A machine that does much else takes its time: how long a batch takes says nothing.
PATIENCE_SECONDS = 500.0
LOADER = botocore.loaders.create_loader()


@dataclass
class Fault:
    """An error of one invocation, before or after the handler did its work."""

    error: Exception
    after_work: bool = False


@dataclass
class Stack:
    """The running stack; its methods are what callers and AWS do."""

    resources: dict[str, str]
    judge: JudgeEndpoint
    recorder: CallRecorder
    invocations: Counter[str] = field(default_factory=Counter)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    answers: dict[str, deque[dict[str, Any]]] = field(default_factory=dict)
    _one_at_a_time: threading.RLock = field(default_factory=threading.RLock)
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The test's own client of a service; making one takes longer than most calls do."""
        if service not in self._clients:
            self._clients[service] = boto3.client(service)  # type: ignore[call-overload] # any
        return self._clients[service]

    # --- Lambda ---------------------------------------------------------------------------------

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Run a function's handler; one at a time, so that calls are attributed to it."""
        module = importlib.import_module(f"functions.{name}.app")
        with self._one_at_a_time:
            self.invocations[name] += 1
            if self.answers.get(name):
                return self.answers[name].popleft()
            fault = self.faults[name].popleft() if self.faults.get(name) else None
            if fault and not fault.after_work:
                raise fault.error
            with self.recorder.attribute(name), warnings.catch_warnings():
                # Powertools warns of an invocation that counted nothing; not every one does.
                warnings.filterwarnings("ignore", message="No application metrics to publish")
                result = module.handler(json.loads(json.dumps(event)), lambda_context(name))
            if fault:
                raise fault.error
            return json.loads(json.dumps(result))

    def fail_once(self, name: str, error: Exception, *, after_work: bool = False) -> None:
        """Let the function's next invocation raise."""
        self.faults.setdefault(name, deque()).append(Fault(error, after_work))

    def answer_once(self, name: str, answer: dict[str, Any]) -> None:
        """Let the function's next invocation answer this instead of working."""
        self.answers.setdefault(name, deque()).append(answer)

    def start_cold(self) -> None:
        """Let every function forget what it keeps between invocations."""
        with self._one_at_a_time:
            bootstrap.process.cache_clear()

    def watch_later(self, *, minutes: float) -> Any:
        """A round of the watchdog as if so much time had passed."""
        later = datetime.now(UTC) + timedelta(minutes=minutes)
        with mock.patch("functions.watch_batches.app.datetime", wraps=datetime) as clock:
            clock.now.return_value = later
            return self.invoke("watch_batches", {})

    # --- API ------------------------------------------------------------------------------------

    def api(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """A call of the REST API, as API Gateway hands it on."""
        response = self.invoke(
            "handle_api",
            {
                "httpMethod": method,
                "path": path,
                "resource": path,
                "headers": {"Content-Type": "application/json"},
                "multiValueHeaders": {},
                "queryStringParameters": None,
                "pathParameters": None,
                "body": None if body is None else json.dumps(body),
                "isBase64Encoded": False,
                "requestContext": {
                    "requestId": str(uuid.uuid4()),
                    "stage": "live",
                    "authorizer": {
                        "principalId": "teacher",
                        "organisation": "default",
                        "roles": "admin",
                    },
                },
            },
        )
        return response["statusCode"], json.loads(response["body"])

    # --- queues ---------------------------------------------------------------------------------

    def send(self, queue: str, body: str) -> None:
        """Put a message into a queue, as the judge's provider does."""
        self.judge.send(self.resources[queue], body)

    def deliver(self) -> int:
        """Hand waiting messages to the workers; how many there were."""
        return sum(self._deliver(queue, worker) for queue, worker in QUEUES.items())

    def _deliver(self, queue: str, worker: str) -> int:
        # Asking moto for the messages of an empty queue takes longer than looking.
        if not sqs_backends[ACCOUNT][REGION].queues[queue].messages:
            return 0
        sqs, url = self.client("sqs"), self.resources[queue]
        messages = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages", [])
        if not messages:
            return 0
        answer = self.invoke(worker, {"Records": [sqs_record(queue, dict(m)) for m in messages]})
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        worked_off = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(messages)
            if message["MessageId"] not in failed
        ]
        if worked_off:
            sqs.delete_message_batch(QueueUrl=url, Entries=worked_off)
        return len(messages)

    def events(self) -> list[dict[str, Any]]:
        """The events that a subscriber received, in order of arrival."""
        sqs, url, found = self.client("sqs"), self.resources["SubscriberQueue"], []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    # --- state machine --------------------------------------------------------------------------

    def define(self, **changes: dict[str, Any]) -> None:
        """Replace the definition by one whose named states have other fields."""
        machine = definition()
        for name, fields in changes.items():
            machine["States"][name].update(fields)
        self.client("stepfunctions").update_state_machine(
            stateMachineArn=self.resources["AssessmentStateMachine"],
            definition=json.dumps(machine),
        )

    def start(self, batch_id: str) -> None:
        """Start an execution past the API."""
        self.client("stepfunctions").start_execution(
            stateMachineArn=self.resources["AssessmentStateMachine"],
            name=batch_id,
            input=json.dumps({"batch_id": batch_id}),
        )

    def execution(self, batch_id: str) -> dict[str, Any]:
        """The execution as it stands."""
        machine = self.resources["AssessmentStateMachine"]
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{batch_id}"
        return dict(self.client("stepfunctions").describe_execution(executionArn=arn))

    def states(self, batch_id: str) -> list[str]:
        """The states that the execution entered, in order."""
        history = self.client("stepfunctions").get_execution_history(
            executionArn=self.execution(batch_id)["executionArn"]
        )
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in history["events"]
            if event["type"].endswith("StateEntered")
        ]

    def until(self, condition: Any) -> None:
        """Deliver messages until the condition holds."""
        patience = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < patience, "waited in vain"
            if self.deliver() == 0:
                self.judge.release()
                time.sleep(0.1)

    def run_to_the_end(self, batch_id: str) -> dict[str, Any]:
        """Deliver messages until the execution has ended; the ended execution."""
        self.until(lambda: self.execution(batch_id)["status"] != "RUNNING")
        return self.execution(batch_id)


def make_sender() -> Callable[[str, str], None]:
    """The judge's provider: it has a client of its own."""
    sqs = boto3.client("sqs")

    def send(url: str, body: str) -> None:
        sqs.send_message(QueueUrl=url, MessageBody=body)

    return send


def lambda_context(name: str) -> SimpleNamespace:
    return SimpleNamespace(
        function_name=name,
        memory_limit_in_mb=512,
        invoked_function_arn=f"arn:aws:lambda:{ARN}:function:{name}",
        aws_request_id=str(uuid.uuid4()),
        get_remaining_time_in_millis=lambda: 60_000,
    )


def sqs_record(queue: str, message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{ARN}:{queue}",
        "awsRegion": REGION,
    }


def dispatcher(stack: Stack) -> Any:
    """A stand-in for `invoke` of moto's Lambda that calls the stack's handlers."""

    def invoke(
        _backend: Any, function_name: str, _qualifier: Any, body: Any, _headers: Any, headers: Any
    ) -> bytes:
        try:
            answer = stack.invoke(function_name.rsplit(":", 1)[-1], json.loads(body))
        except Exception as error:  # noqa: BLE001  the runtime reports every error of a handler
            headers["x-amz-function-error"] = "Unhandled"
            answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return json.dumps(answer).encode()

    return invoke


def evaluate_jsonata(expression: str) -> Any:
    return json.loads(json.dumps(Jsonata(expression).evaluate(None)))


@contextmanager
def running_stack() -> Iterator[Stack]:
    """The stack, and nothing left of it afterwards."""
    # All workers of a parallel run import this file, and this takes seconds.
    from moto.awslambda_simple.models import LambdaSimpleBackend
    from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata

    parsed = template()
    aws = {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    configuration: Any = {
        "stepfunctions": {"execute_state_machine": True},
        "lambda": {"use_docker": False},
    }
    with mock.patch.dict(os.environ, aws), mock_aws(config=configuration):
        os.environ.pop("AWS_ENDPOINT_URL", None)
        # The descriptions of the services are read once for all stacks: they are megabytes of JSON.
        session = botocore.session.Session()
        session.register_component("data_loader", LOADER)
        boto3.setup_default_session(botocore_session=session)
        resources = create_resources(parsed)
        judge = JudgeEndpoint(send=make_sender())
        recorder = CallRecorder(resources)
        stack = Stack(resources, judge, recorder)

        def http_client() -> httpx.AsyncClient:
            return httpx.AsyncClient(transport=judge.transport())

        with (
            mock.patch.dict(os.environ, environment(parsed, resources)),
            mock.patch.object(LambdaSimpleBackend, "invoke", dispatcher(stack)),
            mock.patch.object(moto_jsonata, "_eval_jsonata", evaluate_jsonata),
            mock.patch.object(bootstrap.clients, "http_client", http_client),
            mock.patch.object(metrics.provider, "namespace", "CJAssessment"),
            recorder.listening(),
        ):
            bootstrap.process.cache_clear()
            yield stack
            bootstrap.process.cache_clear()
