"""One translation of what AWS answers, so that every adapter tells errors apart alike.

An adapter raises three kinds: `TransientError` where a repeat may succeed,
`PermissionMissingError` for a right that a role lacks, and the service's own `ClientError` for
everything else, conditions that did not hold among it.

The codes are those that botocore's standard retries repeat (`botocore.retries.standard`) and the
"common errors" of the API references of S3, DynamoDB, SQS, Step Functions, EventBridge and Secrets
Manager.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from botocore.exceptions import (
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from assessment.domain.errors import PermissionMissingError, TransientError

TRANSIENT_CODES = frozenset(
    {
        # throttling
        "BandwidthLimitExceeded", "EC2ThrottledException", "ExecutionLimitExceeded",
        "KMS.ThrottlingException", "KmsThrottled", "LimitExceededException", "OverLimit",
        "PriorRequestNotComplete", "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling",
        "ThrottlingError", "ThrottlingException", "TooManyRequestsException",
        # a service that is not well
        "InternalError", "InternalException", "InternalFailure", "InternalServerError",
        "InternalServerErrorException", "InternalServiceError", "ServiceUnavailable",
        "ServiceUnavailableException",
        # a request that came too slowly or met another
        "ConcurrentModificationException", "OperationAborted", "RequestTimeout",
        "RequestTimeoutException", "TransactionConflict", "TransactionConflictException",
        "TransactionInProgressException",
    }
)  # fmt: skip

BROKEN_CONNECTIONS = (
    BotoConnectionError,
    HTTPClientError,
    IncompleteReadError,
    FlexibleChecksumError,
    ConnectionError,
    TimeoutError,
)
"""Time-outs, refused and broken connections, and bodies that ended too early."""

_DENIED_CODES = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "AuthorizationError", "KMS.AccessDeniedException",
        "KmsAccessDenied", "NotAuthorized", "UnauthorizedOperation",
    }
)  # fmt: skip
_IAM_PREFIXES = {"stepfunctions": "states"}


def error_code(error: ClientError) -> str:
    """The service's name of the error; for an answer without a body it is the HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_transient(error: ClientError) -> bool:
    """Whether the same call may succeed a little later."""
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return (
        error_code(error) in TRANSIENT_CODES
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or status == HTTPStatus.TOO_MANY_REQUESTS
    )


@contextmanager
def translate_errors(service: str, operation: str) -> Iterator[None]:
    """Raise the domain's errors instead of botocore's around one call.

    Parameters
    ----------
    service
        The name that boto3 gives the service.
    operation
        The API operation, in the spelling of its reference.

    Raises
    ------
    TransientError
        If a repeat may succeed.
    PermissionMissingError
        If the role lacks the permission, which the message names.
    """
    action = f"{_IAM_PREFIXES.get(service, service)}:{operation}"
    try:
        yield
    except ClientError as error:
        if is_transient(error):
            raise TransientError(f"{action}: {error_code(error)}") from error
        if error_code(error) in _DENIED_CODES:
            raise PermissionMissingError.from_action(action) from error
        raise
    except BROKEN_CONNECTIONS as error:
        raise TransientError(f"{action}: {type(error).__name__}") from error


class _TranslatingClient:
    """A client of boto3 whose every call is translated."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        operation = self._client.meta.method_to_api_mapping.get(name)
        if operation is None:
            return method
        service = self._client.meta.service_model.service_name

        def call(**request: Any) -> Any:
            with translate_errors(service, operation):
                return method(**request)

        return call


def wrap_client(client: Any) -> Any:
    """The client with every operation translated; its other attributes are untouched."""
    return _TranslatingClient(client)
