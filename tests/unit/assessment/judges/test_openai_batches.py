"""OpenAI's batches over a real socket: what goes out, and everything that can come back.

Shapes: platform.openai.com/docs/api-reference/batch (and .../files).
"""

from __future__ import annotations

import json
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest

from assessment.domain.judge_errors import JudgeUnavailableError
from assessment.domain.price import Price
from local.providers.replies import Reply
from local.providers.scripted_server import openai_reply, provider_error
from tests.unit.assessment.judges.batch_calls import (
    NAME,
    TRIED,
    find,
    lines,
    list_errors,
    openai_batch,
    openai_line,
    openai_verdict,
    results,
    submit,
)
from tests.unit.assessment.judges.conftest import KEY


def test_openai_takes_a_file_of_requests_and_a_batch_of_the_file(openai):
    openai.server.script = [Reply({"id": "file-in", "object": "file"}), openai_batch("validating")]
    assert submit(openai) == "batch_1"
    upload, order = openai.server.requests
    assert (upload.path, order.path) == ("/files", "/batches")
    assert {each.headers["authorization"] for each in openai.server.requests} == {f"Bearer {KEY}"}
    head = f"Content-Type: {upload.headers['content-type']}\r\n\r\n".encode()
    parts: Any = message_from_bytes(head + upload.content).get_payload()
    purpose, file = parts
    assert purpose.get_payload() == "batch"
    sent = [json.loads(line) for line in file.get_payload().splitlines()]
    assert [line["custom_id"] for line in sent] == ["c1", "c2"]
    assert {(line["method"], line["url"]) for line in sent} == {("POST", "/v1/chat/completions")}
    assert sent[0]["body"]["response_format"]["type"] == "json_schema"
    assert "first of c1" in sent[0]["body"]["messages"][1]["content"]
    assert "first of c2" not in sent[0]["body"]["messages"][1]["content"]
    assert order.body == {
        "input_file_id": "file-in",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"submission": NAME},
    }


def test_openai_is_known_not_to_have_what_was_never_ordered(openai):
    openai.server.script = [provider_error("openai", 500, "no disk")]
    with pytest.raises(JudgeUnavailableError) as upload:
        submit(openai)
    assert upload.value.busy, "there is no batch to look for"
    openai.server.script = [Reply({"id": "file-in"}), provider_error("openai", 500, "oh")]
    with pytest.raises(JudgeUnavailableError) as order:
        submit(openai)
    assert not order.value.busy, "there may be one"


def test_openai_that_does_not_answer_the_order_may_have_taken_it(openai):
    openai.judge = openai.judge.model_copy(update={"timeout_seconds": 2})
    openai.server.script = [Reply({"id": "file-in"}), Reply({"id": "batch_1"}, delay=2.5)]
    with pytest.raises(JudgeUnavailableError, match="ReadTimeout") as caught:
        submit(openai)
    assert not caught.value.busy


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("validating", False), ("in_progress", False), ("finalizing", False),
        ("cancelling", False), ("completed", True), ("failed", True), ("expired", True),
        ("cancelled", True), ("something new", False),
    ],
)  # fmt: skip
def test_openai_batches_end_in_four_ways(openai, status, ended):
    openai.server.script = [openai_batch(status)]
    assert openai.use_batch(lambda judge: judge.has_ended("batch_1")) is ended


def test_openai_verdicts_come_in_any_order_and_cost_half(openai):
    openai.judge = openai.judge.model_copy(update={"price": Price(input_usd=2, output_usd=8)})
    openai.server.script = [
        openai_batch(),
        lines(openai_verdict("c2", "B"), openai_verdict("c9"), openai_verdict("c1", "tie")),
    ]
    found = results(openai)
    assert [found[name].winner for name in ("c1", "c2")] == ["tie", "B"]
    assert found["c1"].cost_usd == pytest.approx((1000 * 2 + 101 * 8) / 1e6 / 2)
    assert [each.path for each in openai.server.requests] == [
        "/batches/batch_1",
        "/files/file-out/content",
    ]


def test_openai_lines_fail_alone_each_for_its_reason(openai):
    ids = ("good", "busy", "refused", "policy", "expired", "cut", "talk", "never")
    talk = openai_line("talk", openai_reply("I prefer essay A."))
    cut = json.dumps(openai_verdict("cut"))[:60]
    expired = {
        "id": "batch_req_2",
        "custom_id": "expired",
        "response": None,
        "error": {"code": "batch_expired", "message": "This request could not be executed."},
    }
    output = lines(openai_verdict("good"), talk)
    output.body += cut
    failing = lines(
        openai_line("busy", provider_error("openai", 429, "slow down"), 429),
        openai_line("refused", provider_error("openai", 400, "bad request"), 400),
        openai_line("policy", provider_error("openai", 400, "content_policy_violation"), 400),
        expired,
    )
    openai.server.script = [openai_batch("expired", error_file_id="file-err"), output, failing]
    found = results(openai, ids)
    assert found["good"].winner == "A"
    assert list_errors(found) == {
        "busy": ("judge-unavailable", True),
        "refused": ("judge-refused", False),
        "policy": ("content-refused", False),
        "expired": ("provider-batch", True),
        "cut": ("provider-batch", True),
        "talk": ("malformed_verdict", True),
        "never": ("provider-batch", True),
    }
    assert "batch_expired" in found["expired"].error_detail.message


def test_openai_that_knows_no_schemas_is_asked_without_the_next_time(openai):
    refusal = provider_error("openai", 400, "response_format json_schema is not supported")
    openai.server.script = [
        openai_batch(output_file_id=None, error_file_id="file-err"),
        lines(openai_line("c1", refusal, 400), openai_line("c2", refusal, 400)),
    ]
    assert list_errors(results(openai)) == {
        "c1": ("provider-batch", True),
        "c2": ("provider-batch", True),
    }
    openai.server.requests.clear()
    openai.server.script = [Reply({"id": "file-in"}), openai_batch("validating")]
    submit(openai)
    assert b'{"type": "json_object"}' in openai.server.requests[0].content
    assert b"json_schema" not in openai.server.requests[0].content


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("invalid_json_line", ("judge-refused", False)),
        ("rate_limit_exceeded", ("provider-batch", True)),
    ],
)
def test_openai_refuses_a_batch_whole_with_a_reason(openai, code, expected):
    problem = {"code": code, "message": "not like this", "param": None, "line": 2}
    openai.server.script = [
        openai_batch("failed", output_file_id=None, errors={"object": "list", "data": [problem]})
    ]
    found = results(openai)
    assert list_errors(found) == {"c1": expected, "c2": expected}
    assert f"{code}: not like this (line 2)" in found["c1"].error_detail.message


def openai_page(*batches, has_more=False):
    data = [batch.body for batch in batches]
    return Reply({"object": "list", "data": data, "has_more": has_more})


def test_openai_batches_are_found_by_their_name_on_any_page(openai):
    others = [openai_batch(id=f"batch_{n}", metadata=None) for n in (9, 8)]
    openai.server.script = [
        openai_page(*others, has_more=True),
        openai_page(openai_batch(id="batch_7")),
    ]
    assert find(openai) == "batch_7"
    assert openai.server.requests[0].path == "/batches?limit=100"
    assert openai.server.requests[1].path == "/batches?limit=100&after=batch_8"


def test_openai_is_not_searched_beyond_the_time_of_the_try(openai):
    long_ago = int((TRIED - timedelta(minutes=10)).timestamp())
    openai.server.script = [
        openai_page(openai_batch(metadata={}), openai_batch(created_at=long_ago), has_more=True)
    ]
    assert find(openai) is None
    assert len(openai.server.requests) == 1


def test_openai_lets_go_of_files_even_where_some_are_gone(openai):
    gone = provider_error("openai", 404, "no such file")
    openai.server.script = [openai_batch(), gone, Reply({"deleted": True})]
    openai.use_batch(lambda judge: judge.delete("batch_1"))
    assert [(each.method, each.path) for each in openai.server.requests[1:]] == [
        ("DELETE", "/files/file-in"),
        ("DELETE", "/files/file-out"),
    ]
