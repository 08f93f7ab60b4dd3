"""Questions to providers' batches, what they answer, and how OpenAI says it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from assessment.domain.provider_batch import SubmissionAttempt, submission_name
from local.providers.replies import Reply
from local.providers.scripted_server import openai_reply, verdict
from tests.unit.assessment.judges.conftest import questions

NAME = submission_name("batch", 1, "openai/model-1", 0)
TRIED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def submit(asking, ids=("c1", "c2")):
    return asking.use_batch(lambda judge: judge.submit(NAME, make_questions(asking, ids)))


def make_questions(asking, ids):
    """Each with a prompt of its own."""
    return [questions([name], asking.judge) for name in ids]


def results(asking, ids=("c1", "c2"), batch="batch_1"):
    """Results by comparison."""
    found = asking.use_batch(lambda judge: judge.read_results(batch, make_questions(asking, ids)))
    assert [each.request_metadata.comparison_id for each in found] == list(ids)
    return dict(zip(ids, found, strict=True))


def find(asking, *, claimed=()):
    attempt = SubmissionAttempt(NAME, TRIED, n_requests=2)
    return asking.use_batch(
        lambda judge: judge.find(attempt, is_claimed=lambda each: each in claimed)
    )


def lines(*documents):
    return Reply("".join(json.dumps(document) + "\n" for document in documents))


def list_errors(found):
    return {
        name: (result.error_detail.code, result.error_detail.retryable)
        for name, result in found.items()
        if result.error_detail
    }


def openai_batch(status="completed", **changes):
    return Reply(
        {
            "id": "batch_1",
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "errors": None,
            "input_file_id": "file-in",
            "completion_window": "24h",
            "status": status,
            "output_file_id": "file-out",
            "error_file_id": None,
            "created_at": int(TRIED.timestamp()),
            "request_counts": {"total": 2, "completed": 2, "failed": 0},
            "metadata": {"submission": NAME},
            **changes,
        }
    )


def openai_line(name, reply, status=200):
    response = {"status_code": status, "request_id": "req_1", "body": reply.body}
    return {"id": "batch_req_1", "custom_id": name, "response": response, "error": None}


def openai_verdict(name, winner="A"):
    return openai_line(name, openai_reply({"verdicts": [verdict(name, winner)]}))
