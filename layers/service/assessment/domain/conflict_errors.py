"""Errors of valid requests that do not fit the present state; their tree is in `errors`."""

from __future__ import annotations

from assessment.domain.error_base import CJError


class ConflictError(CJError):
    """The request is valid but does not fit the present state."""

    code = "conflict"
    status = 409
    title = "The request conflicts with the present state"


class IdempotencyConflictError(ConflictError):
    """The idempotency key was used before with a different request."""

    code = "idempotency-conflict"
    title = "The idempotency key was used for another request"


class IllegalTransitionError(ConflictError):
    """The batch is not in a status from which this step is legal."""

    code = "illegal-transition"
    title = "The batch is not in a status that allows this"


class ResultNotReadyError(ConflictError):
    """The batch has no result (yet)."""

    code = "result-not-ready"
    title = "The batch has no result"


class AnswerTooLargeError(ConflictError):
    """What was asked for does not fit into an answer of the API."""

    code = "answer-too-large"
    title = "The answer is larger than the API can send"


class ComparisonLeasedError(ConflictError):
    """Another delivery of the same message is asking the judge right now; try again later."""

    code = "comparison-leased"
    title = "The comparison is being judged"


class ReplayedCallbackError(ConflictError):
    """A signed callback that was accepted before."""

    code = "replayed-callback"
    title = "The callback was accepted before"
