"""The errors of judges: the subtree of `JudgeError` in the tree of `errors`.

    JudgeError
    |-- JudgeUnavailableError      retryable: timeout, 429, 5xx
    |-- BrokenGenerationError      retryable, alone: the model's output broke at the provider
    |-- ProviderBatchError         retryable: expired, cancelled or lost in a provider's batch
    |-- JudgeDeferredError         not asked at all: its circuit is open or its rate is spent
    |   `-- QueueFullError         the provider has no room for a batch now
    `-- JudgeRefusedError          permanent: a request that is wrong every time
        |-- CredentialsRefusedError  the key, or what it may use
        |-- UnknownModelError      no such model, deployment or address
        |-- EndpointRefusedError   its name leads to the machine that the stack runs on
        |-- AccountSpentError      no money or quota is left
        |-- UnsupportedFeatureError  a field that the endpoint does not know
        |-- ModelChangedError      another model answered than `pin_model` holds to
        |-- ContentRefusedError    the essays were refused by the provider
        `-- OversizeError          the essays do not fit the model's context
            `-- RequestTooLargeError  they do not fit a limit of the provider for one request

`retryable` says whether another try may bring a verdict; `scope` what the error is about.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from enum import StrEnum
from typing import ClassVar, Self

from assessment.domain.errors import CJError
from assessment.domain.quotation import remove_quotations

_LONGEST_MESSAGE = 500


class Scope(StrEnum):
    """What a judge's error says something about.

    A call: every other call would meet the same now. A bundle: its comparisons may each pass when
    they are asked alone. An essay: one of the texts, so that only asking alone tells which.
    """

    CALL = "call"
    BUNDLE = "bundle"
    ESSAY = "essay"


class JudgeError(CJError):
    """The judge did not give a verdict.

    Attributes
    ----------
    words
        What the provider said, without any key and without any words of the prompt.
    retry_after
        The seconds that the provider asks to wait, whatever their number.
    busy
        Whether it works, but has more requests than it takes.
    may_be_paid
        Whether the request may have been worked on, and billed, although no answer came.
    """

    code = "judge-error"
    status = 502
    title = "The judge did not answer"
    retryable: ClassVar[bool] = True
    scope: ClassVar[Scope] = Scope.CALL

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        words: str = "",
        retry_after: float | None = None,
        busy: bool = False,
        may_be_paid: bool = False,
    ) -> None:
        super().__init__(f"{message}: {words}" if words else message, field=field)
        self.words = words
        self.retry_after = retry_after
        self.busy = busy
        self.may_be_paid = may_be_paid

    def drop_quotations(self, texts: Iterable[str]) -> Self:
        """The same error without words of these texts."""
        sources = list(texts)
        cleaned = copy(self)
        cleaned.words = remove_quotations(self.words, sources)
        cleaned.message = remove_quotations(self.message, sources, longest=_LONGEST_MESSAGE)
        cleaned.args = (remove_quotations(str(self), sources, longest=_LONGEST_MESSAGE),)
        return cleaned


class JudgeUnavailableError(JudgeError):
    """The judge may answer later: timeout, 429 or 5xx; `busy` where it works but has no room."""

    code = "judge-unavailable"


class BrokenGenerationError(JudgeError):
    """The model's output broke while it was made; another try, alone, may bring one."""

    code = "broken-generation"
    title = "The model's output broke"
    scope = Scope.BUNDLE


class ProviderBatchError(JudgeError):
    """A provider's batch has no answer to a comparison: it expired, was cancelled or is lost."""

    code = "provider-batch"
    title = "The provider's batch brought no verdict"


class JudgeRefusedError(JudgeError):
    """The judge will never answer this request; of a bundle, one member may be the reason."""

    code = "judge-refused"
    title = "The judge refused the request"
    retryable = False
    scope = Scope.BUNDLE


class CredentialsRefusedError(JudgeRefusedError):
    """The key is wrong, or is not allowed what is asked with it."""

    code = "credentials-refused"
    title = "The judge refused the key"
    scope = Scope.CALL


class UnknownModelError(JudgeRefusedError):
    """The endpoint has no such model or address."""

    code = "unknown-model"
    title = "The provider has no such model"
    scope = Scope.CALL


class EndpointRefusedError(JudgeRefusedError):
    """Nothing is sent to the address that the endpoint's name leads to."""

    code = "endpoint-refused"
    title = "The judge's address is not used"
    scope = Scope.CALL


class AccountSpentError(JudgeRefusedError):
    """The account has no money or no quota left; waiting does not help."""

    code = "account-spent"
    title = "The account with the provider has no money or quota left"
    scope = Scope.CALL


class UnsupportedFeatureError(JudgeRefusedError):
    """The endpoint does not know a field or a value of the request."""

    code = "feature-unsupported"
    title = "The judge's endpoint does not support the request"
    scope = Scope.CALL


class ModelChangedError(JudgeRefusedError):
    """Another model answered than the batch began with, and the judge has `pin_model`."""

    code = "model-changed"
    title = "The provider serves another model"
    scope = Scope.CALL


class ContentRefusedError(JudgeRefusedError):
    """The provider will not judge this content."""

    code = "content-refused"
    title = "The provider refused the essays"
    scope = Scope.ESSAY


class OversizeError(JudgeRefusedError):
    """The prompt is longer than the model's context."""

    code = "oversize"
    title = "The essays are too long for the model"
    scope = Scope.ESSAY


class RequestTooLargeError(OversizeError):
    """The request is larger than the provider's limit for one request or one minute."""

    code = "request-too-large"
    title = "The request is too large for the provider's limit"


class JudgeDeferredError(JudgeError):
    """The judge was not asked, and the try does not count: come back in `retry_after` seconds."""

    code = "judge-deferred"
    retry_after: float

    def __init__(
        self, message: str, *, field: str | None = None, retry_after: float = 60.0
    ) -> None:
        super().__init__(message, field=field, retry_after=retry_after)


class QueueFullError(JudgeDeferredError):
    """The provider's queue has no room for the batch; it took nothing of it."""

    code = "queue-full"

    def __init__(
        self, message: str, *, field: str | None = None, retry_after: float = 300.0
    ) -> None:
        super().__init__(message, field=field, retry_after=retry_after)
