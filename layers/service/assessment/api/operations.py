"""The operations of the API: what each route takes and answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field, create_model

from assessment.api.queries import (
    AssignmentQuery,
    AttentionQuery,
    BatchQuery,
    ComparisonQuery,
    DecisionQuery,
    OfferQuery,
    Page,
    ReportQuery,
    VerdictQuery,
)
from assessment.contracts.assignments import (
    AnchorList,
    AssessmentInstructions,
    AssignmentList,
    AssignmentPath,
    AssignmentView,
    Deleted,
    StudentPrompt,
    StudentPromptView,
)
from assessment.contracts.decisions import (
    AttentionView,
    DecisionRequest,
    DecisionsDocument,
    DecisionsView,
    EssayDecisionView,
    ReleaseRequest,
    ReleaseView,
)
from assessment.contracts.erasure import ErasureList, ErasureView
from assessment.contracts.export import EssayExport
from assessment.contracts.invitations import (
    InvitationList,
    InvitationRequest,
    InvitationView,
    NewInvitations,
)
from assessment.contracts.list_protocol import CallbackBody
from assessment.contracts.manifest import (
    ContentText,
    ManifestLink,
    StoredContent,
    UploadLinks,
    UploadRequest,
)
from assessment.contracts.people import JudgingDeadline, MovedDeadline
from assessment.contracts.request import AnchorRegistration, BatchRequest, PersonVerdict
from assessment.contracts.result import ResultDocument
from assessment.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from assessment.contracts.views import (
    AnchorsRegistered,
    AuditPageView,
    BatchAccepted,
    BatchAudit,
    BatchFiles,
    BatchList,
    BatchProgress,
    ComparisonList,
    EssayView,
    PersonOffer,
    PromptView,
    VerdictAccepted,
)
from assessment.contracts.webhooks import (
    NewWebhook,
    WebhookList,
    WebhookReplay,
    WebhookRequest,
    WebhookView,
)
from assessment.domain.config import BatchConfig
from assessment.domain.judge import JudgeSpec
from assessment.domain.release import ReleasePolicy
from assessment.domain.retention import RetentionPolicy


class Accepted(BaseModel):
    """What was sent is queued."""

    status: Literal["accepted"]
    correlation_id: str


class Health(BaseModel):
    """The API answers."""

    status: Literal["ok"]
    version: str


BATCH_REQUEST = create_model(
    "BatchRequestBody",
    __base__=BatchRequest,
    __doc__="A request to assess essays together, with the settings and judges that it may name.",
    config=(BatchConfig, Field(default_factory=BatchConfig)),
    judge=(JudgeSpec | list[JudgeSpec] | None, None),
)
"""`BatchRequest` with what its use case reads in it later."""


@dataclass(frozen=True)
class Operation:
    """A route as a caller sees it."""

    summary: str
    status: int = 200
    answer: type[BaseModel] | None = None
    media_type: str | None = None
    body: type[BaseModel] | None = None
    is_body_required: bool = True
    query: type[BaseModel] | None = None
    headers: tuple[str, ...] = ()
    problems: tuple[int, ...] = ()
    is_done_at_once: bool = False
    """Whether it may also answer 204, where nothing was left to do."""


_BATCH = "/v1/batches/<batch_id>"
_ESSAY = f"{_BATCH}/essays/<essay_id>"
_INSTRUCTIONS = "/admin/v1/assessment-instructions"
_WEBHOOKS = "/admin/v1/webhooks"
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/v1/anchors/register"): Operation(
        "Register an assignment's anchors, grade scale and instructions",
        201, AnchorsRegistered, body=AnchorRegistration,
    ),
    ("GET", "/v1/anchors/<assignment_id>"): Operation(
        "List the anchors of an assignment", answer=AnchorList, problems=(404,)
    ),
    ("DELETE", "/v1/anchors/<assignment_id>/<anchor_ref>"): Operation(
        "Remove an anchor of an assignment", answer=Deleted, problems=(404,)
    ),
    ("GET", _INSTRUCTIONS): Operation(
        "List the organisation's assignments", answer=AssignmentList, query=AssignmentQuery
    ),
    ("PUT", f"{_INSTRUCTIONS}/<assignment_id>"): Operation(
        "Create an assignment, or replace its scale, instructions, rubric and settings",
        answer=AssignmentView, body=AssessmentInstructions,
    ),
    ("GET", f"{_INSTRUCTIONS}/<assignment_id>"): Operation(
        "Read what holds for an assignment", answer=AssignmentView, problems=(404,)
    ),
    ("DELETE", f"{_INSTRUCTIONS}/<assignment_id>"): Operation(
        "Remove an assignment with its anchors", answer=Deleted, problems=(404,)
    ),
    ("POST", "/admin/v1/student-prompts"): Operation(
        "Give an assignment its student prompt", 201, AssignmentView, body=StudentPrompt,
        problems=(404,),
    ),
    ("GET", "/admin/v1/student-prompts"): Operation(
        "Read the student prompt of an assignment", answer=StudentPromptView,
        query=AssignmentPath, problems=(404,),
    ),
    ("POST", "/v1/content"): Operation(
        "Store a text, which requests name by its hash", 201, StoredContent, body=ContentText,
    ),
    ("POST", "/v1/content/uploads"): Operation(
        "Get links by which many texts are uploaded", 201, UploadLinks, body=UploadRequest,
    ),
    ("POST", "/v1/manifests"): Operation(
        "Get a link by which a manifest of essays (JSON lines) is uploaded", 201, ManifestLink,
    ),
    ("GET", f"{_BATCH}/files"): Operation(
        "Get links to a batch's files", answer=BatchFiles, problems=(404,)
    ),
    ("POST", "/v1/batches"): Operation(
        "Request a batch", 202, BatchAccepted, body=BATCH_REQUEST,
        headers=("Idempotency-Key",), problems=(404, 409),
    ),
    ("GET", "/v1/batches"): Operation(
        "List the organisation's batches, the newest first", answer=BatchList, query=BatchQuery
    ),
    ("GET", _BATCH): Operation("Read a batch's progress", answer=BatchProgress, problems=(404,)),
    ("GET", f"{_BATCH}/results"): Operation(
        "Read a completed batch's result", answer=ResultDocument, problems=(404, 409)
    ),
    ("GET", f"{_BATCH}/report"): Operation(
        "Read a batch's report as one page that needs no network",
        media_type="text/html", query=ReportQuery, problems=(404, 409),
    ),
    ("GET", _ESSAY): Operation(
        "Read an essay as its judges read it", answer=EssayView, problems=(404, 409)
    ),
    ("GET", f"{_BATCH}/comparisons"): Operation(
        "Read a batch's comparisons, with what their judges said",
        answer=ComparisonList, query=ComparisonQuery, problems=(404,),
    ),
    ("GET", f"{_BATCH}/comparisons/<comparison_id>/prompt"): Operation(
        "Read what the judge of a comparison was told, and what it answered",
        answer=PromptView, problems=(404, 409),
    ),
    ("POST", f"{_BATCH}/cancel"): Operation(
        "Cancel a batch", answer=BatchAccepted, problems=(404, 409)
    ),
    ("POST", f"{_BATCH}/resume"): Operation(
        "Resume a batch that failed by a fault around it", 202, BatchAccepted, problems=(404, 409)
    ),
    ("GET", f"{_BATCH}/audit"): Operation(
        "Read the audit trail of a batch", answer=BatchAudit, problems=(404,)
    ),
    ("POST", _WEBHOOKS): Operation(
        "Add a webhook; its secret is shown this once", 201, NewWebhook,
        body=WebhookRequest, problems=(409,),
    ),
    ("GET", _WEBHOOKS): Operation("List the webhooks", answer=WebhookList),
    ("GET", f"{_WEBHOOKS}/<webhook_id>"): Operation(
        "Read a webhook with its last attempt", answer=WebhookView, problems=(404,)
    ),
    ("DELETE", f"{_WEBHOOKS}/<webhook_id>"): Operation(
        "Remove a webhook", answer=Deleted, problems=(404,)
    ),
    ("POST", f"{_WEBHOOKS}/<webhook_id>/secret"): Operation(
        "Give a webhook another secret, shown this once; the one before signs too until the next",
        answer=NewWebhook, problems=(404,),
    ),
    ("POST", f"{_WEBHOOKS}/<webhook_id>/replay"): Operation(
        "Send again what the webhook did not take", 202, WebhookReplay, problems=(404, 409)
    ),
    ("POST", f"{_BATCH}/invitations"): Operation(
        "Invite people to judge a batch; the links are shown this once", 201, NewInvitations,
        body=InvitationRequest, headers=("Idempotency-Key",), problems=(404, 409),
    ),
    ("GET", f"{_BATCH}/invitations"): Operation(
        "List the invitations of a batch with their progress",
        answer=InvitationList, problems=(404,),
    ),
    ("DELETE", f"{_BATCH}/invitations/<invitation_id>"): Operation(
        "Take an invitation back", answer=InvitationView, problems=(404,)
    ),
    ("PUT", f"{_BATCH}/judging-deadline"): Operation(
        "Move the time until which people may judge",
        answer=MovedDeadline, body=JudgingDeadline, problems=(404, 409),
    ),
    ("GET", f"{_BATCH}/next-comparison"): Operation(
        "Take the next comparison to judge in person",
        answer=PersonOffer, query=OfferQuery, problems=(404, 409),
    ),
    ("PUT", f"{_ESSAY}/decision"): Operation(
        "Confirm or change the grade that is proposed for an essay",
        answer=EssayDecisionView, body=DecisionRequest, problems=(404, 409),
    ),
    ("GET", f"{_ESSAY}/decision"): Operation(
        "Read what is proposed and decided about an essay",
        answer=EssayDecisionView, problems=(404, 409),
    ),
    ("GET", f"{_BATCH}/decisions"): Operation(
        "Read how far the decisions about a batch are",
        answer=DecisionsView, query=DecisionQuery, problems=(404, 409),
    ),
    ("GET", f"{_BATCH}/attention"): Operation(
        "List the essays that need a person, the most urgent first",
        answer=AttentionView, query=AttentionQuery, problems=(404, 409),
    ),
    ("POST", f"{_BATCH}/release"): Operation(
        "Release the grades of a batch", answer=ReleaseView, body=ReleaseRequest,
        is_body_required=False, problems=(404, 409),
    ),
    ("GET", f"{_BATCH}/release"): Operation(
        "Read the released grades with all decisions",
        answer=DecisionsDocument, problems=(404, 409),
    ),
    ("DELETE", _BATCH): Operation(
        "Erase a batch everywhere; once nothing is left of it, 204", 202, ErasureView,
        problems=(404,), is_done_at_once=True,
    ),
    ("DELETE", _ESSAY): Operation(
        "Erase one pupil's essay from a batch that has ended", 202, ErasureView,
        problems=(404, 409),
    ),
    ("GET", f"{_BATCH}/erasures"): Operation(
        "Read what was erased of a batch, and how far that is",
        answer=ErasureList, problems=(404,),
    ),
    ("GET", f"{_ESSAY}/export"): Operation(
        "Export everything that is kept about one essay", answer=EssayExport, problems=(404,)
    ),
    ("GET", "/v1/release-policy"): Operation(
        "Read what the organisation demands of a release", answer=ReleasePolicy
    ),
    ("PUT", "/v1/release-policy"): Operation(
        "Forbid or allow the release of grades without decisions",
        answer=ReleasePolicy, body=ReleasePolicy,
    ),
    ("GET", "/v1/retention-policy"): Operation(
        "Read how long the organisation keeps its batches", answer=RetentionPolicy
    ),
    ("PUT", "/v1/retention-policy"): Operation(
        "Set how long the organisation keeps the batches that are requested from now on",
        answer=RetentionPolicy, body=RetentionPolicy,
    ),
    ("POST", f"{_BATCH}/verdicts"): Operation(
        "Give a verdict in person, and take the next comparison with its answer",
        202, VerdictAccepted, body=PersonVerdict, query=VerdictQuery, problems=(404, 409),
    ),
    ("GET", "/v1/audit"): Operation(
        "Read the organisation's audit trail, the newest first", answer=AuditPageView, query=Page
    ),
    ("POST", "/v1/callbacks"): Operation(
        "Bring a verdict of a judge's endpoint, signed",
        202, Accepted, body=CallbackBody,
        headers=(TIMESTAMP_HEADER, SIGNATURE_HEADER), problems=(401, 409),
    ),
    ("GET", "/v1/healthz"): Operation("Ask whether the API answers", answer=Health),
    ("GET", "/app"): Operation("Open the rooms for people", media_type="text/html"),
    ("GET", "/app/<file_name>"): Operation(
        "Read a file of the rooms", media_type="text/javascript", problems=(404,)
    ),
    ("GET", "/v1/openapi.json"): Operation("Read this document"),
    ("GET", "/v1/docs"): Operation("Read this document as a page"),
}  # fmt: skip
"""Every route; a test compares it with those that are registered."""
