"""The REST API as typed calls: answers become models, problem documents become named errors."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from httpx_retries import Retry, RetryTransport
from pydantic import BaseModel, ConfigDict, ValidationError

from assessment.contracts.assignments import (
    AnchorList,
    AssessmentInstructions,
    AssignmentList,
    AssignmentSummary,
    AssignmentView,
    Deleted,
    StudentPrompt,
    StudentPromptView,
)
from assessment.contracts.decisions import (
    AttentionView,
    DecisionRequest,
    EssayDecisionView,
    ReleaseRequest,
    ReleaseView,
)
from assessment.contracts.erasure import ErasureList, ErasureView
from assessment.contracts.invitations import (
    InvitationList,
    InvitationRequest,
    InvitationView,
    NewInvitations,
)
from assessment.contracts.manifest import ManifestLink, StoredContent
from assessment.contracts.people import JudgingDeadline, MovedDeadline
from assessment.contracts.request import AnchorRegistration, BatchRequest
from assessment.contracts.result import ResultDocument
from assessment.contracts.views import (
    AnchorsRegistered,
    BatchAccepted,
    BatchFiles,
    BatchList,
    BatchProgress,
    BatchSummary,
    ComparisonList,
    PromptView,
)
from assessment.contracts.webhooks import (
    NewWebhook,
    WebhookList,
    WebhookReplay,
    WebhookRequest,
)
from assessment.domain.comparison import Comparison
from assessment.domain.field_problems import list_problems
from runner.errors import BadInputError, NotAuthorisedError, Problem, StackNotReachableError
from runner.problems import error_from_response

MAX_REQUEST_BYTES = 6_000_000
"""API Gateway hands a Lambda function at most 6 MiB of event; the rest is its envelope."""

# Every call may be repeated: reads by nature, anchors and cancelling because the API makes them
# idempotent, batch requests because they carry an idempotency key, decisions because the same one
# again adds nothing. A deletion that comes twice may be answered with 404: it is gone then.
RETRY = Retry(
    total=5,
    allowed_methods=["GET", "POST", "PUT", "DELETE"],
    backoff_factor=0.5,
    max_backoff_wait=10.0,
    total_timeout=30.0,
)
_PROBE = Retry(total=1, allowed_methods=["GET"], backoff_factor=0.25)
_PAGE = 100
_INSTRUCTIONS = "/admin/v1/assessment-instructions"
_PROMPTS = "/admin/v1/student-prompts"
# Below what a request can carry, for the escapes and names around the texts.
_MOST_INLINE_BYTES = 4_000_000
_UPLOAD = httpx.Timeout(300.0, connect=5.0)
_TIMEOUT = httpx.Timeout(35.0, connect=5.0)  # API Gateway gives a function 29 s


class Health(BaseModel):
    """The stack's answer to whether it is there."""

    model_config = ConfigDict(frozen=True)

    status: str
    version: str


class ApiClient:
    """A stack's REST API. Use it as a context manager, or close it.

    Every method raises the `assessment.domain.errors` class that the API's problem document
    names, `NotAuthorisedError` when the token is refused, and `StackNotReachableError` when no
    answer comes after retries.
    """

    def __init__(self, api_url: str, token: str | None = None, *, retry: Retry = RETRY) -> None:
        self.api_url = api_url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._has_token = token is not None
        try:
            self._http = httpx.Client(
                base_url=self.api_url,
                headers=headers,
                timeout=_TIMEOUT,
                transport=RetryTransport(retry=retry),
            )
        except httpx.InvalidURL as error:
            raise BadInputError(Problem(f"not a URL ({error})", field="--api-url")) from None

    def __repr__(self) -> str:
        return f"ApiClient({self.api_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def health(self) -> Health:
        """Whether the stack answers; waits less long than the other calls. Needs no token."""
        return self._call(Health, "GET", "/v1/healthz", extensions={"retry": _PROBE})

    def register_anchors(self, registration: AnchorRegistration) -> AnchorsRegistered:
        """Register anchors; what the registration leaves out stays as it was."""
        body = registration.model_dump(mode="json", exclude_none=True)
        return self._call(AnchorsRegistered, "POST", "/v1/anchors/register", body=body)

    def put_instructions(self, assignment_id: str, body: AssessmentInstructions) -> AssignmentView:
        """Create an assignment, or replace what holds for it."""
        sent = body.model_dump(mode="json")
        return self._call(AssignmentView, "PUT", _assignment(assignment_id), body=sent)

    def instructions(self, assignment_id: str) -> AssignmentView:
        """What holds for an assignment."""
        return self._call(AssignmentView, "GET", _assignment(assignment_id))

    def list_assignments(self) -> Iterator[AssignmentSummary]:
        """The organisation's assignments by id in order, as long as they are asked for."""
        for page in self._pages(AssignmentList, _INSTRUCTIONS, {"limit": _PAGE}):
            yield from page.assignments

    def delete_assignment(self, assignment_id: str) -> Deleted:
        """Remove an assignment with its anchors."""
        return self._call(Deleted, "DELETE", _assignment(assignment_id))

    def put_student_prompt(self, prompt: StudentPrompt) -> AssignmentView:
        """Give an assignment its student prompt."""
        return self._call(AssignmentView, "POST", _PROMPTS, body=prompt.model_dump())

    def student_prompt(self, assignment_id: str) -> StudentPromptView:
        """The student prompt of an assignment."""
        path = f"{_PROMPTS}?assignment_id={quote(assignment_id, safe='')}"
        return self._call(StudentPromptView, "GET", path)

    def list_anchors(self, assignment_id: str) -> AnchorList:
        """The anchors of an assignment."""
        return self._call(AnchorList, "GET", f"/v1/anchors/{quote(assignment_id, safe='')}")

    def remove_anchor(self, assignment_id: str, anchor_ref: str) -> Deleted:
        """Remove an anchor of an assignment."""
        parts = (quote(part, safe="") for part in (assignment_id, anchor_ref))
        return self._call(Deleted, "DELETE", f"/v1/anchors/{'/'.join(parts)}")

    def request_batch(self, request: BatchRequest, *, idempotency_key: str) -> BatchAccepted:
        """Request a batch; the same key and request again give the same batch.

        Texts that are more than a request can carry are uploaded first, as a manifest.
        """
        body = request.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        if sum(len(essay.text.encode()) for essay in request.essays) > _MOST_INLINE_BYTES:
            body["manifest_id"] = self.upload_manifest(body.pop("essays"))
        headers = {"Idempotency-Key": idempotency_key}
        return self._call(BatchAccepted, "POST", "/v1/batches", body=body, headers=headers)

    def upload_manifest(self, essays: Sequence[Mapping[str, Any]]) -> str:
        """Upload the essays as JSON lines; the id by which a request names them."""
        upload = self._call(ManifestLink, "POST", "/v1/manifests")
        lines = "".join(json.dumps(essay, ensure_ascii=False) + "\n" for essay in essays)
        try:
            # By a client without the token: the link is the permission, and it leads elsewhere.
            with httpx.Client(transport=RetryTransport(retry=RETRY), timeout=_UPLOAD) as client:
                client.put(
                    upload.link, content=lines.encode(), headers=upload.headers
                ).raise_for_status()
        except httpx.HTTPError as error:
            raise StackNotReachableError(
                f"the texts could not be uploaded ({type(error).__name__}); try again"
            ) from None
        return upload.manifest_id

    def store_content(self, text: str) -> StoredContent:
        """Store a text, which requests can name by its id for some days."""
        return self._call(StoredContent, "POST", "/v1/content", body={"text": text})

    def files(self, batch_id: str) -> BatchFiles:
        """The files of a batch by links."""
        return self._call(BatchFiles, "GET", f"/v1/batches/{batch_id}/files")

    def batch(self, batch_id: str) -> BatchProgress:
        """How far a batch is."""
        return self._call(BatchProgress, "GET", f"/v1/batches/{batch_id}")

    def list_batches(
        self, *, status: str | None = None, assignment_id: str | None = None
    ) -> Iterator[BatchSummary]:
        """The organisation's batches, the newest first, as long as they are asked for."""
        query = {"limit": _PAGE, "status": status, "assignment_id": assignment_id}
        for page in self._pages(BatchList, "/v1/batches", query):
            yield from page.batches

    def list_comparisons(self, batch_id: str) -> Iterator[Comparison]:
        """The comparisons of a batch with what their judges said, whatever its status."""
        path = f"/v1/batches/{batch_id}/comparisons"
        for page in self._pages(ComparisonList, path, {"limit": _PAGE}):
            yield from page.comparisons

    def _pages[P: (AssignmentList, BatchList, ComparisonList)](
        self, model: type[P], path: str, query: Mapping[str, str | int | None]
    ) -> Iterator[P]:
        """The pages of a list, one after another."""
        asked = {name: value for name, value in query.items() if value is not None}
        while True:
            page = _answer(model, self._send("GET", path, query=asked))
            yield page
            if page.cursor is None:
                return
            asked["cursor"] = page.cursor

    def result_bytes(self, batch_id: str) -> bytes:
        """The result of a completed batch, byte by byte as the stack keeps it."""
        return self._send("GET", f"/v1/batches/{batch_id}/results").content

    def result_document(self, batch_id: str) -> dict[str, Any]:
        """The result of a completed batch as data."""
        document = json.loads(self.result_bytes(batch_id))
        if not isinstance(document, dict):
            raise StackNotReachableError("the stack's result is not a JSON object")
        return document

    def cancel(self, batch_id: str) -> BatchAccepted:
        """Cancel a batch; what is recorded is kept."""
        return self._call(BatchAccepted, "POST", f"/v1/batches/{batch_id}/cancel")

    def move_deadline(self, batch_id: str, deadline: JudgingDeadline) -> MovedDeadline:
        """Move the time until which people may judge a batch."""
        path = f"/v1/batches/{batch_id}/judging-deadline"
        return self._call(MovedDeadline, "PUT", path, body=deadline.model_dump(mode="json"))

    def resume(self, batch_id: str) -> BatchAccepted:
        """Resume a batch that failed by a fault around it; nothing recorded is paid again."""
        return self._call(BatchAccepted, "POST", f"/v1/batches/{batch_id}/resume")

    def invite(
        self, batch_id: str, request: InvitationRequest, *, idempotency_key: str
    ) -> NewInvitations:
        """Invite people to judge a batch; the same key again shows the same links."""
        path = f"/v1/batches/{batch_id}/invitations"
        headers = {"Idempotency-Key": idempotency_key}
        return self._call(NewInvitations, "POST", path, body=request.model_dump(), headers=headers)

    def add_webhook(self, request: WebhookRequest) -> NewWebhook:
        """Add a webhook; one with the same URL is a conflict, so that none is added twice."""
        body = request.model_dump(mode="json")
        return self._call(NewWebhook, "POST", "/admin/v1/webhooks", body=body)

    def rotate_webhook_secret(self, webhook_id: str) -> NewWebhook:
        """Give a webhook another secret; a repeated call draws another one again."""
        return self._call(NewWebhook, "POST", f"{_webhook_path(webhook_id)}/secret")

    def list_webhooks(self) -> WebhookList:
        """The organisation's webhooks."""
        return self._call(WebhookList, "GET", "/admin/v1/webhooks")

    def remove_webhook(self, webhook_id: str) -> Deleted:
        """Remove a webhook."""
        return self._call(Deleted, "DELETE", _webhook_path(webhook_id))

    def replay_webhook(self, webhook_id: str) -> WebhookReplay:
        """Send again what a webhook did not take."""
        return self._call(WebhookReplay, "POST", f"{_webhook_path(webhook_id)}/replay")

    def list_invitations(self, batch_id: str) -> InvitationList:
        """The invitations of a batch with their progress."""
        return self._call(InvitationList, "GET", f"/v1/batches/{batch_id}/invitations")

    def revoke_invitation(self, batch_id: str, invitation_id: str) -> InvitationView:
        """Take an invitation back."""
        path = f"/v1/batches/{batch_id}/invitations/{quote(invitation_id, safe='')}"
        return self._call(InvitationView, "DELETE", path)

    def attention(self, batch_id: str, *, limit: int) -> AttentionView:
        """The essays of a batch that need a person, the most urgent first."""
        path = f"/v1/batches/{batch_id}/attention?limit={limit}"
        return self._call(AttentionView, "GET", path)

    def decide(self, batch_id: str, essay_id: str, decision: DecisionRequest) -> EssayDecisionView:
        """Confirm or change the grade that is proposed for an essay."""
        path = f"/v1/batches/{batch_id}/essays/{quote(essay_id, safe='')}/decision"
        return self._call(EssayDecisionView, "PUT", path, body=decision.model_dump())

    def release(self, batch_id: str, release: ReleaseRequest) -> ReleaseView:
        """Release the grades of a batch."""
        path = f"/v1/batches/{batch_id}/release"
        return self._call(ReleaseView, "POST", path, body=release.model_dump())

    def erase(self, batch_id: str, essay_id: str | None = None) -> ErasureView | None:
        """Erase a batch, or one essay of it; None where nothing is left of the batch."""
        path = f"/v1/batches/{batch_id}"
        if essay_id is not None:
            path += f"/essays/{quote(essay_id, safe='')}"
        response = self._send("DELETE", path)
        if response.status_code == httpx.codes.NO_CONTENT:
            return None
        return _answer(ErasureView, response)

    def erasures(self, batch_id: str) -> ErasureList:
        """All erasures of a batch and of its essays."""
        return self._call(ErasureList, "GET", f"/v1/batches/{batch_id}/erasures")

    def prompt(self, batch_id: str, comparison_id: str) -> PromptView:
        """What the judge of a comparison was told, and what it answered."""
        path = f"/v1/batches/{batch_id}/comparisons/{quote(comparison_id, safe='')}/prompt"
        return self._call(PromptView, "GET", path)

    def export_essay(self, batch_id: str, essay_id: str) -> str:
        """Everything that is kept about one essay, as the stack says it."""
        path = f"/v1/batches/{batch_id}/essays/{quote(essay_id, safe='')}/export"
        return self._send("GET", path).text

    def _call[M: BaseModel](
        self,
        model: type[M],
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> M:
        response = self._send(method, path, body=body, headers=headers, extensions=extensions)
        return _answer(model, response)

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> httpx.Response:
        request = self._http.build_request(
            method,
            path,
            json=body,
            headers=headers,
            extensions=dict(extensions or {}),
            params=dict(query) if query else None,
        )
        _check_size(request)
        try:
            response = self._http.send(request)
            if response.status_code == httpx.codes.SEE_OTHER:
                return _follow_link(response.headers["Location"])
        except httpx.HTTPError as error:
            raise StackNotReachableError(
                f"{self.api_url} does not answer ({type(error).__name__}); "
                "check that the stack is deployed and running"
            ) from error
        if response.is_success:
            return response
        failure = error_from_response(response)
        if isinstance(failure, NotAuthorisedError) and not self._has_token:
            failure = NotAuthorisedError(
                "the stack needs a token: set CJ_TOKEN (`cj token` prints one)"
            )
        raise failure


def _follow_link(link: str) -> httpx.Response:
    """What is at a link, fetched without the token: the link is the permission."""
    with httpx.Client(transport=RetryTransport(retry=RETRY), timeout=_UPLOAD) as client:
        return client.get(link).raise_for_status()


def _assignment(assignment_id: str) -> str:
    return f"{_INSTRUCTIONS}/{quote(assignment_id, safe='')}"


def _check_size(request: httpx.Request) -> None:
    size = len(request.content)
    if size > MAX_REQUEST_BYTES:
        raise BadInputError(
            Problem(
                f"the texts make a request of {size / 1e6:.1f} MB; the API takes up to "
                f"{MAX_REQUEST_BYTES / 1e6:.0f} MB: send fewer or shorter texts at a time; the "
                "rankings of several batches are on one scale only where they share anchors"
            )
        )


def _answer[M: BaseModel](model: type[M], response: httpx.Response) -> M:
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        raise _not_understood(error) from None


def check_sha256(body: bytes, announced: str | None) -> None:
    """Hold a result's bytes to the hash that the stack announced.

    Raises
    ------
    StackNotReachableError
        If they are other bytes.
    """
    if announced is not None and hashlib.sha256(body).hexdigest() != announced:
        raise StackNotReachableError(
            f"the result's bytes do not have the SHA-256 {announced} that the stack announced; "
            "ask for it again"
        )


def parse_result(document: Mapping[str, Any]) -> ResultDocument:
    """A result document as a model.

    Raises
    ------
    StackNotReachableError
        If the stack speaks another version of the document than this command.
    """
    try:
        return ResultDocument.model_validate(document)
    except ValidationError as error:
        raise _not_understood(error) from None


def _not_understood(error: ValidationError) -> StackNotReachableError:
    fields = {path for path, _ in list_problems(error)}
    return StackNotReachableError(
        f"this version of cj does not understand the stack's answer ({', '.join(sorted(fields))}); "
        "install the version that the stack was deployed from"
    )


def _webhook_path(webhook_id: str) -> str:
    return f"/admin/v1/webhooks/{quote(webhook_id, safe='')}"
