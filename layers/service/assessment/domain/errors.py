"""Every error the product raises on purpose, as one small tree.

The class name is a contract: the state machine catches by it, the API turns it into a problem
document (RFC 9457) and the command line prints it.

    CJError
    |-- InvalidRequestError            the caller can correct it; names the field
    |   |-- UnknownGradeError          a grade that is not on the scale
    |   |-- GradeScaleMismatchError    a scale that is not the assignment's
    |   |-- MalformedCallbackError     a callback that cannot be read or attributed
    |   |-- CallbackRefusedError       a callback of an endpoint that was not asked
    |   |-- NotYourComparisonError     a person's verdict without a lease
    |   |-- SignatureRefusedError      a callback that is not signed with the stack's secret
    |   `-- ManyInvalidFieldsError     several fields are wrong at once
    |-- NotPermittedError              a value that only an administrator may set
    |   `-- InvitationEndedError       an invitation that expired or was taken back
    |-- TokenRefusedError              a bearer token that is not valid
    |-- NotFoundError
    |   |-- UnknownBatchError
    |   |   `-- ErasedBatchError       a batch that there was
    |   |-- UnknownAssignmentError
    |   |-- UnknownAnchorError
    |   |-- UnknownInvitationError
    |   |-- UnknownContentError        a text that was not stored
    |   |-- UnknownManifestError       a manifest that was not uploaded
    |   |-- UnknownComparisonError
    |   `-- MissingDocumentError       a stored text or document is not there any more
    |-- QuotaExceededError             more in a day than the stack allows
    |-- MethodNotAllowedError          a path that has other methods
    |-- ConflictError
    |   |-- IdempotencyConflictError   same key, different request
    |   |-- IllegalTransitionError     the batch is not in a status that allows this
    |   |-- ResultNotReadyError
    |   |-- ReplayedCallbackError      a signed callback that was accepted before
    |   `-- ComparisonLeasedError      another worker is asking the judge right now
    |-- JudgeError                     a judge gave no verdict: its subtree is in `judge_errors`
    |   (what is refused about people's decisions is in `decision_errors`)
    |-- ScoringFailedError             the statistics could not be computed
    |-- TransientError                 an AWS call that is worth repeating
    |-- ServiceRefusedError            an AWS service refuses a request of ours permanently
    |   `-- PermissionMissingError     a right that a function's role lacks
    |-- CorruptStoreError              a database on this machine that cannot be read
    |-- UnplannedWaveError             a wave that was never planned: a defect
    |-- UnexpectedError                a defect, as the API tells of it
    `-- MissingSettingError            a variable of the function's environment is missing or wrong
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

PROBLEM_TYPE_PREFIX = "urn:cj-assessment:problem:"
"""Before the code of an error it makes the `type` of its problem document."""


class CJError(Exception):
    """Base of all errors; `code` is the stable slug of the problem type.

    `field` names what is wrong in the caller's input, if anything there is; `problems` lists every
    (field, message).
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "The request could not be completed"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.message = message
        self.field = field or ""
        self.problems: list[tuple[str, str]] = [(field, message)] if field else []

    @classmethod
    def from_problem(cls, document: Mapping[str, Any]) -> CJError | None:
        """The error that a problem document (RFC 9457) stands for; None for a foreign type."""
        code = str(document.get("type", "")).removeprefix(PROBLEM_TYPE_PREFIX)
        # Of the classes that share a code, the first is the one that they inherit it from.
        kind = next((kind for kind in _family(cls) if kind.code == code), None)
        if kind is None:
            return None
        problems = _read_problems(document)
        if len(problems) > 1 and kind is InvalidRequestError:
            return ManyInvalidFieldsError(problems)
        if len(problems) == 1:
            field, message = problems[0]
            return kind(message, field=field)
        error = kind(str(document.get("detail") or document.get("title") or kind.title))
        error.problems = problems
        return error


def _family(kind: type[CJError]) -> Iterator[type[CJError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def _read_problems(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(field, message) of every wrong field that the document lists."""
    errors = document.get("errors")
    if not isinstance(errors, list):
        return []
    return [
        (str(error.get("field", "")), str(error.get("message", "")))
        for error in errors
        if isinstance(error, dict)
    ]


class InvalidRequestError(CJError):
    """The request is wrong in a named field; the message says how to correct it."""

    code = "invalid-request"
    status = 400
    title = "The request is not valid"


class ManyInvalidFieldsError(InvalidRequestError):
    """Several fields are wrong at once; `problems` lists (field, message)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        field, message = problems[0]
        super().__init__(message, field=field)
        self.problems = problems


class UnknownGradeError(InvalidRequestError):
    """A grade that the assignment's scale does not have."""

    code = "unknown-grade"
    title = "The grade is not on the scale"


class GradeScaleMismatchError(InvalidRequestError):
    """A request whose grade scale is not that of its assignment."""

    code = "grade-scale-mismatch"
    title = "The grade scale is not the assignment's"


class MalformedCallbackError(InvalidRequestError):
    """A callback that is not valid JSON, has no attribution, or carries an unknown winner."""

    code = "malformed-callback"
    title = "The callback cannot be read"


class CallbackRefusedError(InvalidRequestError):
    """The callback's sender was not asked about this comparison."""

    code = "callback-refused"
    status = 403
    title = "The callback is not of a request for this comparison"


class NotYourComparisonError(InvalidRequestError):
    """A person's verdict on a comparison that is not leased to them."""

    code = "not-your-comparison"
    status = 409
    title = "The comparison is not leased to you"


class SignatureRefusedError(InvalidRequestError):
    """A callback over the web that is not signed as agreed."""

    code = "signature-refused"
    status = 401
    title = "The callback's signature is not accepted"


class NotPermittedError(CJError):
    """A value that only an administrator may set; the message and `field` name it."""

    code = "not-permitted"
    status = 403
    title = "This value needs administrator rights"


class NotFoundError(CJError):
    """Something named in the request does not exist."""

    code = "not-found"
    status = 404
    title = "Not found"


class QuotaExceededError(CJError):
    """The organisation has requested as much in a day as the stack lets it: batches, or money."""

    code = "quota-exceeded"
    status = 429
    title = "Too much requested in a day"


class MethodNotAllowedError(CJError):
    """The path has no such method; the answer's header Allow lists those that it has."""

    code = "method-not-allowed"
    status = 405
    title = "The path has no such method"


class UnknownBatchError(NotFoundError):
    """No batch has this id."""

    code = "unknown-batch"
    title = "There is no such batch"

    @classmethod
    def from_id(cls, batch_id: str) -> Self:
        """The error for an id that no batch has."""
        return cls(f"there is no batch {batch_id}", field="batch_id")


class ErasedBatchError(UnknownBatchError):
    """The batch was erased: nothing is left of it but that it was."""

    code = "erased-batch"
    status = 410
    title = "The batch was erased"

    @classmethod
    def from_id(cls, batch_id: str) -> Self:
        """The error for the id of an erased batch."""
        return cls(f"batch {batch_id} was erased; nothing of it is kept", field="batch_id")


class UnknownAssignmentError(NotFoundError):
    """No anchors or instructions were registered for this assignment."""

    code = "unknown-assignment"
    title = "There is no such assignment"

    @classmethod
    def from_id(cls, assignment_id: str) -> Self:
        """The error for an id under which nothing is registered."""
        return cls(
            f"nothing is registered for {assignment_id!r}; register its anchors or instructions "
            "first, or leave the field out",
            field="assignment_id",
        )


class UnknownAnchorError(NotFoundError):
    """The assignment has no anchor with this reference."""

    code = "unknown-anchor"
    title = "There is no such anchor"

    @classmethod
    def from_id(cls, assignment_id: str, anchor_ref: str) -> Self:
        """The error for a reference that no anchor of the assignment has."""
        return cls(f"assignment {assignment_id!r} has no anchor {anchor_ref!r}", field="anchor_ref")


class UnknownInvitationError(NotFoundError):
    """The batch has no invitation with this id."""

    code = "unknown-invitation"
    title = "There is no such invitation"

    @classmethod
    def from_id(cls, batch_id: str, invitation_id: str) -> Self:
        """The error for an id that no invitation of the batch has."""
        return cls(f"batch {batch_id} has no invitation {invitation_id}", field="invitation_id")


class UnknownContentError(NotFoundError):
    """The organisation has stored no text under this id."""

    code = "unknown-content"
    title = "There is no such text"

    @classmethod
    def from_ids(cls, content_ids: Sequence[str], *, essay_id: str) -> Self:
        """The error for ids of texts, the first of which is that of the essay."""
        others = f", and {len(content_ids) - 1} others" if len(content_ids) > 1 else ""
        return cls(
            f"no text {content_ids[0]} is stored (essay {essay_id}{others}); store it first",
            field="content_id",
        )


class UnknownManifestError(NotFoundError):
    """The organisation has uploaded no manifest under this id."""

    code = "unknown-manifest"
    title = "There is no such manifest"

    @classmethod
    def from_id(cls, manifest_id: str) -> Self:
        """The error for an id under which nothing was uploaded."""
        return cls(f"no manifest {manifest_id} was uploaded", field="manifest_id")


class InvitationEndedError(NotPermittedError):
    """The caller came by an invitation that has expired or was taken back."""

    code = "invitation-ended"
    title = "This invitation does not open its batch any more"


class UnknownComparisonError(NotFoundError):
    """A callback or message names a comparison that was never planned."""

    code = "unknown-comparison"
    title = "There is no such comparison"

    @classmethod
    def from_id(cls, batch_id: str, comparison_id: str) -> Self:
        """The error for an id that no comparison of the batch has."""
        return cls(f"batch {batch_id} has no comparison {comparison_id}", field="comparison_id")


class MissingDocumentError(NotFoundError):
    """A text or document that was stored is not there."""

    code = "missing-document"
    title = "A stored document is missing"

    @classmethod
    def from_key(cls, key: str) -> Self:
        """The error for a key under which nothing is stored."""
        return cls(f"the content store has no {key}")


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


class ScoringFailedError(CJError):
    """The verdicts could not be turned into abilities; the message carries the reason."""

    code = "scoring-failed"
    title = "The verdicts could not be scored"


class TransientError(CJError):
    """A call of AWS or a database failed in a way that is worth repeating (a lost race)."""

    code = "transient"
    status = 503
    title = "Please try again"


class CorruptStoreError(CJError):
    """A database on this machine is no database, or one of another version."""

    code = "corrupt-store"
    title = "The database cannot be used"


class ServiceRefusedError(CJError):
    """An AWS service refuses a request of the product: a repeat would change nothing."""

    code = "service-refused"
    title = "A service refused a request of the product"


class PermissionMissingError(ServiceRefusedError):
    """The role of a function lacks a right; the message names it."""

    code = "permission-missing"
    title = "The product lacks a permission"

    @classmethod
    def from_action(cls, action: str) -> Self:
        """The error for an IAM action that was denied."""
        return cls(f"the role of this function may not call {action}")


class UnexpectedError(CJError):
    """What was not foreseen, as the API tells it to a caller: a defect, not an input."""

    code = "unexpected"


class MissingSettingError(CJError):
    """The function's environment lacks a variable or has a wrong one; the message names it."""

    code = "missing-setting"
    title = "The stack is not set up completely"


class UnplannedWaveError(CJError):
    """The state machine asked to submit a wave that was never planned: a defect, not an input."""

    code = "unplanned-wave"
    title = "The wave was never planned"


class TokenRefusedError(CJError):
    """A bearer token that is missing, malformed, expired, of another audience or badly signed."""

    code = "token-refused"
    status = 401
    title = "The token is not accepted"


STEP_REFUSALS = frozenset(
    refusal.__name__
    for refusal in (
        InvalidRequestError,
        UnknownGradeError,
        GradeScaleMismatchError,
        UnknownBatchError,
        UnknownAssignmentError,
        MissingDocumentError,
        IllegalTransitionError,
        ScoringFailedError,
    )
)
"""What a step of the state machine refuses permanently: it is never repeated by itself."""

REQUEST_REFUSALS = (
    InvalidRequestError,
    UnknownGradeError,
    GradeScaleMismatchError,
    UnknownAssignmentError,
)
"""What is wrong with a request itself: whoever made it has to change it, and no function failed."""
