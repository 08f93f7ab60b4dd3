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

from assessment.domain.conflict_errors import (
    AnswerTooLargeError,
    ComparisonLeasedError,
    ConflictError,
    IdempotencyConflictError,
    IllegalTransitionError,
    ReplayedCallbackError,
    ResultNotReadyError,
)
from assessment.domain.error_base import (
    PROBLEM_TYPE_PREFIX,
    CJError,
    InvalidRequestError,
    ManyInvalidFieldsError,
)
from assessment.domain.fault_errors import (
    CorruptStoreError,
    MissingSettingError,
    PermissionMissingError,
    ScoringFailedError,
    ServiceRefusedError,
    TransientError,
    UnexpectedError,
    UnplannedWaveError,
)
from assessment.domain.missing_errors import (
    ErasedBatchError,
    MissingDocumentError,
    NotFoundError,
    UnknownAnchorError,
    UnknownAssignmentError,
    UnknownBatchError,
    UnknownComparisonError,
    UnknownContentError,
    UnknownInvitationError,
    UnknownManifestError,
)

__all__ = [
    "PROBLEM_TYPE_PREFIX",
    "REQUEST_REFUSALS",
    "STEP_REFUSALS",
    "AnswerTooLargeError",
    "CJError",
    "CallbackRefusedError",
    "ComparisonLeasedError",
    "ConflictError",
    "CorruptStoreError",
    "ErasedBatchError",
    "GradeScaleMismatchError",
    "IdempotencyConflictError",
    "IllegalTransitionError",
    "InvalidRequestError",
    "InvitationEndedError",
    "MalformedCallbackError",
    "ManyInvalidFieldsError",
    "MethodNotAllowedError",
    "MissingDocumentError",
    "MissingSettingError",
    "NotFoundError",
    "NotPermittedError",
    "NotYourComparisonError",
    "PermissionMissingError",
    "QuotaExceededError",
    "ReplayedCallbackError",
    "ResultNotReadyError",
    "ScoringFailedError",
    "ServiceRefusedError",
    "SignatureRefusedError",
    "TokenRefusedError",
    "TransientError",
    "UnexpectedError",
    "UnknownAnchorError",
    "UnknownAssignmentError",
    "UnknownBatchError",
    "UnknownComparisonError",
    "UnknownContentError",
    "UnknownGradeError",
    "UnknownInvitationError",
    "UnknownManifestError",
    "UnplannedWaveError",
]


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


class InvitationEndedError(NotPermittedError):
    """The caller came by an invitation that has expired or was taken back."""

    code = "invitation-ended"
    title = "This invitation does not open its batch any more"


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
