"""Calls of a client that moto answers as plain function calls, without the HTTP between them.

A client of AWS still checks and serializes what it is given, and parses what it receives; moto
still runs its own handler. Left out is what carries one to the other: a request that is put
together, signed, matched with the addresses of all services and taken apart as a web server would.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlparse

import pytest
from botocore.awsrequest import AWSResponse
from botocore.endpoint import Endpoint, convert_to_response_dict
from botocore.parsers import BaseJSONParser
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.responses import DynamoHandler
from moto.events.responses import EventsHandler
from moto.secretsmanager.responses import SecretsManagerResponse
from moto.sqs.responses import SQSResponse
from moto.stepfunctions.responses import StepFunctionResponse
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

HANDLERS: dict[str, type[Any]] = {
    "dynamodb": DynamoHandler,
    "events": EventsHandler,
    "secretsmanager": SecretsManagerResponse,
    "sqs": SQSResponse,
    "stepfunctions": StepFunctionResponse,
}
"""What answers the services whose requests and answers are JSON, by the services' names."""

ONE_AT_A_TIME = threading.RLock()
"""moto answers one request at a time (tests/conftest.py)."""

ATTRIBUTE = "AttributeValue"


class OtherValueError(Exception):
    """A value of DynamoDB that more has to be done for than copying."""


def answer_directly(patch: pytest.MonkeyPatch) -> None:
    """Let clients call moto's handlers, and copy the values of DynamoDB as they are."""
    changes: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
        (Endpoint, "_send_request", send_directly),
        (BaseJSONSerializer, "_serialize_type_structure", serialize_attributes),
        (BaseJSONParser, "_handle_structure", parse_attributes),
    )
    for kind, name, change in changes:
        patch.setattr(kind, name, change(getattr(kind, name)))


def send_directly(send: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """Give a request to moto's handler of the service; what is no such request goes its way."""

    def send_request(endpoint: Any, request: dict[str, Any], operation: Any) -> Any:
        handler = HANDLERS.get(operation.service_model.service_name)
        if handler is None or not botocore_stubber.enabled or not is_of_aws(request["url"]):
            return send(endpoint, request, operation)
        n_attempts = 0
        while True:
            n_attempts += 1
            answer = ask(endpoint, handler, request, operation)
            http, parsed = answer
            if http.status_code < HTTPStatus.MULTIPLE_CHOICES or not endpoint._needs_retry(
                n_attempts, operation, request, answer
            ):
                parsed["ResponseMetadata"]["RetryAttempts"] = n_attempts - 1
                return answer

    return send_request


@cache
def is_of_aws(url: str) -> bool:
    """Whether an address is one that moto stands in for."""
    return url.startswith("https://") and ".amazonaws.com" in url


def ask(
    endpoint: Any, handler: type[Any], request: dict[str, Any], operation: Any
) -> tuple[AWSResponse, Any]:
    """The handler's answer, as it comes and as the client reads it."""
    with ONE_AT_A_TIME:
        status, headers, body = call_handler(handler(), request, operation.name)
    headers = {name: str(value) for name, value in headers.items()}
    http = AWSResponse(request["url"], int(status), headers, MockRawResponse(body))  # type: ignore[arg-type]
    given = convert_to_response_dict(http, operation)
    protocol = operation.service_model.resolved_protocol
    parser = endpoint._response_parser_factory.create_parser(protocol)
    parsed = parser.parse(given, operation.output_shape)
    if http.status_code >= HTTPStatus.MULTIPLE_CHOICES:
        endpoint._add_modeled_error_fields(given, parsed, operation, parser)
    return http, parsed


def call_handler(handler: Any, request: dict[str, Any], action: str) -> tuple[Any, Any, Any]:
    """Run a handler with what it would have read from the request: status, headers and body."""
    url = urlparse(request["url"])
    body = request["body"].decode()
    handler.uri, handler.parsed_url = request["url"], url
    handler.path = handler.raw_path = url.path
    handler.method = request["method"]
    handler.headers = {**request["headers"], "Host": url.netloc, "X-Amz-Target": f".{action}"}
    handler.body = handler.raw_body = body
    handler.form_data, handler.uri_match = {}, {}
    handler.response_headers = {"server": "amazon.com"}
    handler.querystring = handler.data = {}
    named = handler.region_regex.search(request["url"])
    handler.region = named[1] if named else request["context"]["client_region"]
    handler.partition = get_partition(handler.region)
    handler.access_key = "testing"
    handler.current_account = handler.get_current_account()
    try:
        if handler.automated_parameter_parsing:
            read_parameters(handler, request, body)
        return handler.call_action()
    except HTTPException as error:
        return error.code, error.get_headers(), error.get_body()


def read_parameters(handler: Any, request: dict[str, Any], body: str) -> None:
    """Read the parameters from the body; only binary values of DynamoDB need more than JSON."""
    if isinstance(handler, DynamoHandler) and '"B"' not in body and '"BS"' not in body:
        handler.params = json.loads(body)
        return
    handler.parse_parameters(
        SimpleNamespace(
            content_type=request["headers"]["Content-Type"], method="POST", values={},
            headers=handler.headers, data=request["body"], path=handler.path,
        )
    )  # fmt: skip


def serialize_attributes(serialize: Callable[..., None]) -> Callable[..., None]:
    """Copy a value of DynamoDB: moto looks for each of ten types under six names each."""

    def serialize_structure(
        serializer: Any, serialized: Any, value: Any, shape: Any, key: str
    ) -> None:
        if shape.name == ATTRIBUTE and key:
            try:
                serialized[serializer.get_serialized_name(shape, key)] = copy_value(value)
            except OtherValueError:
                pass
            else:
                return
        serialize(serializer, serialized, value, shape, key)

    return serialize_structure


def parse_attributes(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Take a value of DynamoDB as JSON has it, for the same reason."""

    def parse_structure(parser: Any, shape: Any, value: Any) -> Any:
        if shape.name == ATTRIBUTE:
            try:
                return copy_value(value)
            except OtherValueError:
                pass
        return parse(parser, shape, value)

    return parse_structure


def copy_value(value: Any) -> dict[str, Any]:
    """A typed value of DynamoDB without binary parts; raises OtherValueError for all others."""
    if type(value) is not dict or len(value) != 1:
        raise OtherValueError
    ((kind, content),) = value.items()
    if kind in {"S", "N"} and type(content) is str:
        return {kind: content}
    if kind == "M" and type(content) is dict:
        return {kind: {name: copy_value(part) for name, part in content.items()}}
    if kind == "L" and type(content) is list:
        return {kind: [copy_value(part) for part in content]}
    if kind in {"BOOL", "NULL"} and type(content) is bool:
        return {kind: content}
    if kind in {"SS", "NS"} and type(content) is list:
        return {kind: [str(part) for part in content]}
    raise OtherValueError
