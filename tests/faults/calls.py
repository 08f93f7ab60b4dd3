"""Outside calls, written down as they are made, and one of them disturbed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError
from botocore.exceptions import ReadTimeoutError as AwsReadTimeoutError

HTTP = "http"


@dataclass(frozen=True, order=True)
class Call:
    """The n-th call of an operation by a function, counted from 1."""

    function: str
    service: str
    operation: str
    number: int

    def __str__(self) -> str:
        return f"{self.function} {self.service}:{self.operation} #{self.number}"


class FaultKind(StrEnum):
    """What happens to a call."""

    FAILED_BEFORE = "fails before it"
    FAILED_AFTER = "fails after it took effect"
    TIMED_OUT = "times out"
    THROTTLED = "is throttled"
    DIED_BEFORE = "process dies before it"
    DIED_AFTER = "process dies after it"


_AFTER = {FaultKind.FAILED_AFTER, FaultKind.DIED_AFTER}
_DEATHS = {FaultKind.DIED_BEFORE, FaultKind.DIED_AFTER}
_URL = "https://service.test"


class WorkerDiedError(BaseException):
    """The process is gone: no handler of exceptions runs in it any more."""


@dataclass(frozen=True)
class Fault:
    """One disturbance of one call."""

    call: Call
    kind: FaultKind

    def __str__(self) -> str:
        return f"{self.call} {self.kind}"


@dataclass
class Outside:
    """Everything beyond the process; it counts the calls of each function in their order."""

    fault: Fault | None = None
    calls: list[Call] = field(default_factory=list)
    function: str | None = None
    died: bool = False
    hit: bool = False
    _counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def attribute(self, function: str) -> Iterator[None]:
        """Calls that are made meanwhile are this function's."""
        self.function, before = function, self.function
        try:
            yield
        finally:
            self.function = before

    def perform(self, service: str, operation: str, effect: Callable[[], Any]) -> Any:
        """Make a call, or what the fault makes of it."""
        with self._lock:
            if self.died:
                raise WorkerDiedError
            assert self.function, f"{service}:{operation} was called outside of a function"
            name = (self.function, service, operation)
            self._counts[name] += 1
            call = Call(*name, self._counts[name])
            self.calls.append(call)
            kind = self.fault.kind if self.fault and self.fault.call == call else None
            self.hit = self.hit or kind is not None
        if kind is None:
            return effect()
        if kind in _AFTER:
            effect()
        if kind in _DEATHS:
            self.died = True
            raise WorkerDiedError
        return _http_fault(kind) if service == HTTP else _aws_fault(kind, operation)


def _aws_fault(kind: FaultKind, operation: str) -> Any:
    if kind is FaultKind.FAILED_BEFORE:
        raise EndpointConnectionError(endpoint_url=_URL)
    if kind is FaultKind.FAILED_AFTER:
        raise ConnectionClosedError(endpoint_url=_URL)
    if kind is FaultKind.TIMED_OUT:
        raise AwsReadTimeoutError(endpoint_url=_URL)
    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slower"}}, operation)


def _http_fault(kind: FaultKind) -> httpx.Response:
    if kind is FaultKind.FAILED_BEFORE:
        raise httpx.ConnectError("refused")
    if kind is FaultKind.FAILED_AFTER:
        raise httpx.ReadError("the connection was closed")
    if kind is FaultKind.TIMED_OUT:
        raise httpx.ReadTimeout("no answer")
    return httpx.Response(429, headers={"Retry-After": "1"})
