"""Which AWS calls every function made, as IAM would name them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from unittest import mock

import boto3

from assessment import bootstrap

Call = tuple[str, str, str]
"""Function, IAM action, and the resource by its logical id (or kind, or `*`)."""

_PREFIXES = {"stepfunctions": "states"}
_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:DeleteObjects": "s3:DeleteObjectVersion",
}
_BY_TOKEN = {"states:SendTaskSuccess", "states:SendTaskFailure"}


class CallRecorder:
    """Listens to the clients that the handlers use, and to no other."""

    def __init__(self, resources: dict[str, str]) -> None:
        self.calls: set[Call] = set()
        self.requests: Counter[tuple[str, str]] = Counter()
        self._resources = resources
        self._function: str | None = None

    @contextmanager
    def attribute(self, function: str) -> Iterator[None]:
        """What is called meanwhile is called by this function."""
        before, self._function = self._function, function
        try:
            yield
        finally:
            self._function = before

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Every client that is made meanwhile reports its calls."""
        made: Any = boto3.client

        def client(*arguments: Any, **settings: Any) -> Any:
            fresh = made(*arguments, **settings)
            fresh.meta.events.register("provide-client-params", self._heard)
            fresh.meta.events.register("after-call.s3.GetObject", self._note_missing_object)
            return fresh

        stand_in = mock.Mock(wraps=boto3)
        stand_in.client = client
        with mock.patch.object(bootstrap.clients, "boto3", stand_in):
            yield

    def _heard(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        self.requests[service, model.name] += 1
        if model.name == "TransactWriteItems":
            for item in params["TransactItems"]:
                self._note(f"dynamodb:{next(iter(item))}Item", "AssessmentTable")
            return
        name = f"{_PREFIXES.get(service, service)}:{model.name}"
        self._note(_ACTIONS.get(name, name), self._resource(name, params))

    def _note_missing_object(self, http_response: Any, **_: Any) -> None:
        """S3 says that an object is missing only to those who may list the bucket."""
        if http_response.status_code == HTTPStatus.NOT_FOUND:
            self._note("s3:ListBucket", "ContentBucket")

    def _note(self, action: str, resource: str) -> None:
        assert self._function, f"{action} was called outside of a function"
        self.calls.add((self._function, action, resource))

    def _resource(self, action: str, params: dict[str, Any]) -> str:
        service = action.split(":", maxsplit=1)[0]
        if service == "sqs":
            by_url = {url: name for name, url in self._resources.items()}
            return by_url[params["QueueUrl"]]
        if action in _BY_TOKEN:
            return "*"
        if service == "states":
            return "stateMachine" if "stateMachineArn" in params else "execution"
        return {
            "dynamodb": "AssessmentTable",
            "s3": "ContentBucket",
            "events": "AssessmentEventBus",
            "secretsmanager": "ApiSecret",
        }[service]
