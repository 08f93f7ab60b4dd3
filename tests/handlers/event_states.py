"""What each event file of the API needs of the store, and what it is answered then."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from assessment.api.operations import OPERATIONS, Operation
from assessment.contracts.webhooks import WebhookRequest
from assessment.domain.comparison import ComparisonLease
from assessment.domain.identifiers import content_sha256
from assessment.domain.invitation import INVITED_PREFIX
from assessment.usecases.change_webhooks import add_webhook
from tests.handlers.conftest import BATCH_ID, Stack, adapters, event, invoke

# Event: how the stack is brought to where the event makes sense, status, problem type, fields.
PROBLEMS: dict[str, tuple[str, int, str, str | None]] = {
    "register_anchors_unknown_grade": ("", 400, "unknown-grade", "anchors[0].grade"),
    "register_anchors_none": ("", 400, "invalid-request", "anchors"),
    "create_batch_same_key_other_essays": (
        "key_used",
        409,
        "idempotency-conflict",
        "Idempotency-Key",
    ),
    "create_batch_one_essay": ("", 400, "invalid-request", "essays"),
    "create_batch_duplicate_ids": ("", 400, "invalid-request", "body"),
    "create_batch_empty_text": ("", 400, "invalid-request", "essays[1].text"),
    "create_batch_malformed_json": ("", 400, "invalid-request", "body"),
    "create_batch_no_body": ("", 400, "invalid-request", "body"),
    "create_batch_unknown_setting": ("", 400, "invalid-request", "config.max_wave"),
    "create_batch_setting_out_of_range": ("", 400, "invalid-request", "config.audit_share"),
    "create_batch_admin_setting": ("", 403, "not-permitted", "config.prior_sd"),
    "create_batch_unknown_assignment": ("", 404, "unknown-assignment", "assignment_id"),
    "put_instructions_as_assessor": ("", 403, "not-permitted", None),
    "put_instructions_bad_id": ("", 400, "invalid-request", "assignment_id"),
    "put_instructions_other_scale": ("registered", 400, "unknown-grade", "grade_scale"),
    "put_instructions_unknown_setting": ("", 400, "invalid-request", "config.max_wave"),
    "put_instructions_too_long": ("", 400, "invalid-request", "instructions"),
    "get_instructions_unknown": ("registered", 404, "unknown-assignment", "assignment_id"),
    "list_instructions_bad_limit": ("", 400, "invalid-request", "limit"),
    "delete_instructions_unknown": ("registered", 404, "unknown-assignment", "assignment_id"),
    "post_student_prompt_unknown": ("registered", 404, "unknown-assignment", "assignment_id"),
    "post_student_prompt_empty": ("registered", 400, "invalid-request", "student_prompt"),
    "get_student_prompt_no_assignment": ("", 400, "invalid-request", "assignment_id"),
    "list_anchors_unknown": ("registered", 404, "unknown-assignment", "assignment_id"),
    "remove_anchor_unknown": ("registered", 404, "unknown-anchor", "anchor_ref"),
    "invite_judges_same_key_other_quota": (
        "invited",
        409,
        "idempotency-conflict",
        "Idempotency-Key",
    ),
    "invite_judges_no_people": ("submitted", 400, "invalid-request", "batch_id"),
    "invite_judges_too_long": ("inviting", 400, "invalid-request", "days"),
    "invite_judges_twice_the_same": ("inviting", 400, "invalid-request", "names"),
    "move_judging_deadline_too_late": ("inviting", 400, "invalid-request", "judging_deadline"),
    "move_judging_deadline_no_people": ("submitted", 400, "invalid-request", "judging_deadline"),
    "move_judging_deadline_without_zone": (
        "inviting",
        400,
        "invalid-request",
        "judging_deadline",
    ),
    "revoke_invitation_unknown": ("inviting", 404, "unknown-invitation", "invitation_id"),
    "next_comparison_unknown_invitation": ("inviting", 403, "invitation-ended", None),
    "judge_verdict_not_leased": ("inviting", 409, "not-your-comparison", "comparison_id"),
    "store_content_empty": ("", 400, "invalid-request", "text"),
    "announce_texts_bad_hash": ("", 400, "invalid-request", "texts[0].content_id"),
    "create_batch_two_sources": ("", 400, "invalid-request", "manifest_id"),
    "create_batch_unknown_manifest": ("", 404, "unknown-manifest", "manifest_id"),
    "get_batch_unknown": ("", 404, "unknown-batch", "batch_id"),
    "get_batch_bad_id": ("", 400, "invalid-request", "batch_id"),
    "get_results_not_ready": ("submitted", 409, "result-not-ready", None),
    "get_results_failed": ("failed", 409, "result-not-ready", None),
    "cancel_batch_completed": ("completed", 409, "illegal-transition", None),
    "resume_batch_completed": ("completed", 409, "illegal-transition", None),
    "list_batches_bad_cursor": ("", 400, "invalid-request", "cursor"),
    "list_batches_crossed_times": ("", 400, "invalid-request", "created_since"),
    "list_batches_bad_filter": ("", 400, "invalid-request", "state"),
    "get_comparisons_bad_cursor": ("", 400, "invalid-request", "cursor"),
    "get_audit_as_assessor": ("", 403, "not-permitted", None),
    "decide_grade_unknown_grade": ("completed", 400, "unknown-grade", "grade"),
    "decide_grade_other_essay": ("completed", 404, "unknown-essay", "essay_id"),
    "decide_grade_not_finished": ("submitted", 409, "result-not-ready", None),
    "decide_grade_without_reason": ("completed", 400, "reason-missing", "reason"),
    "decide_grade_without_grade": ("completed", 400, "invalid-request", "grade"),
    "decide_grade_released": ("released", 409, "already-released", None),
    "get_attention_bad_limit": ("completed", 400, "invalid-request", "limit"),
    "release_batch_open": (
        "completed",
        409,
        "open-decisions",
        "essays[anna] essays[ben] essays[carl] essays[dora]",
    ),
    "release_batch_twice": ("released", 409, "already-released", None),
    "release_batch_forbidden": ("cautious", 409, "decisions-required", "without_decisions"),
    "get_release_not_released": ("decided", 409, "not-released", None),
    "change_release_policy_as_assessor": ("", 403, "not-permitted", None),
    "change_retention_policy_as_assessor": ("", 403, "not-permitted", None),
    "erase_batch_as_assessor": ("completed", 403, "not-permitted", None),
    "erase_batch_unknown": ("completed", 404, "unknown-batch", "batch_id"),
    "erase_essay_unknown": ("completed", 404, "unknown-essay", "essay_id"),
    "erase_essay_running": ("submitted", 409, "erasure-refused", None),
    "export_essay_unknown": ("completed", 404, "unknown-essay", "essay_id"),
    "get_batch_erased": ("erased", 410, "erased-batch", "batch_id"),
    "callback_unsigned": ("", 401, "signature-refused", None),
    "get_report_bad_query": ("completed", 400, "invalid-request", "hide_names"),
    "get_prompt_unknown": ("submitted", 404, "unknown-comparison", "comparison_id"),
    "get_essay_other": ("submitted", 404, "unknown-essay", "essay_id"),
    "get_rooms_file_unknown": ("", 404, "not-found", None),
    "add_webhook_as_assessor": ("", 403, "not-permitted", None),
    "add_webhook_private_address": ("", 400, "address-refused", "url"),
    "add_webhook_no_https": ("", 400, "address-refused", "url"),
    "add_webhook_unknown_event": ("", 400, "invalid-request", "event_types[0]"),
    "get_webhook_unknown": ("", 404, "unknown-webhook", "webhook_id"),
    "rotate_webhook_secret_unknown": ("", 404, "unknown-webhook", "webhook_id"),
    "replay_webhook_unknown": ("", 404, "unknown-webhook", "webhook_id"),
    "unknown_route": ("", 404, "not-found", None),
}

# How the stack is brought to where the events make sense, and the events in an order in which each
# of them still does.
ACTING: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "",
        (
            "healthz", "get_docs", "get_openapi", "get_rooms", "get_rooms_without_slash",
            "register_anchors",
            "create_batch_without_anchors", "create_batch_as_admin", "put_instructions",
            "store_content", "announce_manifest", "get_retention_policy",
            "change_retention_policy", "get_release_policy", "change_release_policy",
            "add_webhook", "get_audit",
        ),
    ),
    (
        "registered",
        (
            "create_batch", "create_batch_own_rubric", "get_instructions", "list_instructions",
            "list_anchors", "post_student_prompt", "get_student_prompt", "remove_anchor",
            "delete_instructions",
        ),
    ),
    ("registered", ("create_batch_masked",)),
    ("uploaded", ("announce_texts", "create_batch_contents", "create_batch_manifest")),
    (
        "submitted",
        (
            "get_batch", "list_batches", "get_comparisons", "get_prompt", "get_essay",
            "cancel_batch", "get_batch_audit",
        ),
    ),
    ("stopped", ("resume_batch",)),
    ("inviting", ("invite_judges", "list_invitations", "next_comparison", "revoke_invitation")),
    ("leased", ("judge_verdict", "judge_verdict_with_offer")),
    (
        "completed",
        (
            "get_results", "get_report", "list_files", "get_attention", "export_essay",
            "decide_grade", "get_decision", "get_decisions",
        ),
    ),
    ("completed", ("erase_essay", "get_erasures")),
    ("decided", ("release_batch", "get_release", "erase_batch")),
    (
        "hooked",
        (
            "list_webhooks", "get_webhook", "rotate_webhook_secret", "replay_webhook",
            "remove_webhook",
        ),
    ),
)  # fmt: skip


REDIRECTS = {"get_rooms_without_slash": 308}
"""The events that are answered with another address."""


def find_operation(name: str) -> Operation:
    """What the API's document says of the route of an event file."""
    given = event(f"handle_api/{name}.json")
    path = given["path"].rstrip("/")
    return next(
        operation
        for (method, route), operation in OPERATIONS.items()
        if method == given["httpMethod"]
        and re.fullmatch(re.sub("<[a-z_]+>", "[^/]+", re.escape(route)), path)
    )


def prepare_state(state: str, stack: Stack) -> None:
    """Bring the stack to where an event makes sense; an empty state is a new stack."""
    if state in _STATES:
        _STATES[state](stack)
    elif state:
        getattr(stack, state)()


def _use_key(stack: Stack) -> None:
    stack.registered()
    assert invoke("handle_api", event("handle_api/create_batch.json"))["statusCode"] == 202


def _invite(stack: Stack) -> None:
    stack.inviting()
    assert invoke("handle_api", event("handle_api/invite_judges.json"))["statusCode"] == 201


def _lease(stack: Stack) -> None:
    """The invited judge has the comparison that the event names."""
    stack.inviting()
    comparisons = adapters().person_ports.comparisons
    waiting = ComparisonLease(comparison_id="w001-00000", wave=1)
    now = datetime.now(UTC)
    judge = f"{INVITED_PREFIX}0123456789abcdef"
    until = now + timedelta(minutes=10)
    assert comparisons.take(BATCH_ID, waiting, judge, until=until, now=now)


def _stop(stack: Stack) -> None:
    """Its surroundings brought the batch down."""
    stack.submitted()
    died = {"Error": "Lambda.Unknown", "Cause": "The worker was killed"}
    invoke("fail_batch", {"batch_id": BATCH_ID, "decision": None, "error": died})


def _add_webhook(_: Stack) -> None:
    add_webhook(
        WebhookRequest(url="http://127.0.0.1:8377/events"),
        webhook_id="fedcba9876543210",
        secret="whsec_c2VlZGVkIGZvciBhIHRlc3QsIG5vIHNlY3JldA==",
        subject="teacher",
        ports=adapters().webhook_ports,
        now=datetime.now(UTC),
    )


def _upload(stack: Stack) -> None:
    """Texts and a manifest of the events' ids, put as the holders of the links would."""
    texts = (
        "Bottles are bad for the sea.",
        "Bottles are cheap, and they keep water clean where no tap does.",
    )
    files = {f"texts/{content_sha256(text)}.txt": text for text in texts}
    lines = (
        json.dumps({"essay_id": name, "text": text})
        for name, text in zip(("ann", "bo"), texts, strict=True)
    )
    files[f"manifests/{'0' * 32}.jsonl"] = "\n".join(lines)
    for name, body in files.items():
        key = f"content/default/{name}"
        stack.client("s3").put_object(Bucket="cj-bucket", Key=key, Body=body.encode())


_STATES: dict[str, Callable[[Stack], None]] = {
    "key_used": _use_key,
    "invited": _invite,
    "leased": _lease,
    "stopped": _stop,
    "hooked": _add_webhook,
    "uploaded": _upload,
}
