"""Anthropic's batches over a real socket: what goes out, and everything that can come back.

Shapes: docs.anthropic.com/en/api/creating-message-batches (and its neighbours).
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from assessment.domain.judge_errors import JudgeDeferredError
from local.providers.replies import Reply
from local.providers.scripted_server import (
    anthropic_reply,
    provider_error,
    verdict,
)
from tests.unit.assessment.judges.batch_calls import (
    NAME,
    TRIED,
    find,
    lines,
    list_errors,
    results,
    submit,
)
from tests.unit.assessment.judges.conftest import KEY

MARK = NAME[-24:]


def anthropic_batch(status="ended", *, size=2, created=TRIED, **changes):
    counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    counts["succeeded" if status == "ended" else "processing"] = size
    return Reply(
        {
            "id": "msgbatch_1",
            "type": "message_batch",
            "processing_status": status,
            "request_counts": counts,
            "created_at": created.isoformat().replace("+00:00", "Z"),
            "expires_at": (created + timedelta(days=1)).isoformat(),
            "ended_at": None,
            "results_url": "https://attacker.example.org/results",
            **changes,
        }
    )


def anthropic_line(name, kind="succeeded", mark=MARK, **result):
    return {"custom_id": f"{mark}-{name}", "result": {"type": kind, **result}}


def anthropic_verdict(name, winner="A", mark=MARK):
    reply = anthropic_reply({"verdicts": [verdict(name, winner)]})
    return anthropic_line(name, mark=mark, message=reply.body)


def anthropic_error(name, kind):
    error = {"type": "error", "error": {"type": kind, "message": f"{kind} it is"}}
    return anthropic_line(name, "errored", error=error)


def test_anthropic_takes_all_requests_in_one(anthropic):
    anthropic.server.script = [anthropic_batch("in_progress")]
    assert submit(anthropic, ("w001-00000", "w001-00001")) == "msgbatch_1"
    (order,) = anthropic.server.requests
    assert order.path == "/v1/messages/batches"
    assert order.headers["x-api-key"] == KEY
    assert order.headers["anthropic-version"] == "2023-06-01"
    first, second = order.body["requests"]
    assert first["custom_id"] == f"{MARK}-w001-00000"
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", second["custom_id"])
    assert first["params"]["tool_choice"] == {"type": "tool", "name": "record_verdicts"}
    assert "first of w001-00000" in first["params"]["messages"][0]["content"]


def test_anthropic_results_come_in_any_order_and_fail_alone(anthropic):
    ids = ("good", "other", "busy", "bad", "key", "expired", "canceled", "never")
    refused = anthropic_reply({}, stop="refusal")
    quoting = anthropic_error("key", "invalid_request_error")
    quoting["result"]["error"]["error"]["message"] = f"no such key: {KEY}"
    anthropic.server.script = [
        lines(
            anthropic_error("busy", "overloaded_error"),
            anthropic_verdict("good", "B"),
            anthropic_error("bad", "invalid_request_error"),
            quoting,
            anthropic_line("expired", "expired"),
            anthropic_line("canceled", "canceled"),
            anthropic_line("other", message=refused.body),
        )
    ]
    found = results(anthropic, ids, "msgbatch_1")
    assert found["good"].winner == "B"
    assert list_errors(found) == {
        "other": ("content-refused", False),
        "busy": ("provider-batch", True),
        "bad": ("judge-refused", False),
        "key": ("judge-refused", False),
        "expired": ("provider-batch", True),
        "canceled": ("provider-batch", True),
        "never": ("provider-batch", True),
    }
    assert "invalid_request_error it is" in found["bad"].error_detail.message
    assert "sk-" not in found["key"].error_detail.message


def test_anthropic_models_that_take_no_forced_tool_are_asked_without_the_next_time(anthropic):
    forced = anthropic_error("c1", "invalid_request_error")
    forced["result"]["error"]["error"]["message"] = "tool_choice: forced tool use is not supported"
    anthropic.server.script = [lines(forced)]
    assert list_errors(results(anthropic, ("c1",))) == {"c1": ("provider-batch", True)}
    anthropic.server.script = [anthropic_batch("in_progress")]
    submit(anthropic)
    params = anthropic.server.requests[-1].body["requests"][0]["params"]
    assert "tool_choice" not in params
    assert params["output_config"]["format"]["type"] == "json_schema"


def test_anthropic_that_refuses_the_tool_at_once_is_asked_again_at_once(anthropic):
    refusal = provider_error("anthropic", 400, "requests.0.params.tool_choice: not supported")
    anthropic.server.script = [refusal, anthropic_batch("in_progress")]
    assert submit(anthropic) == "msgbatch_1"
    assert "tools" not in anthropic.server.requests[1].body["requests"][0]["params"]


def test_anthropic_results_are_fetched_where_the_judge_says_and_nowhere_else(anthropic):
    anthropic.server.script = [anthropic_batch(), lines(anthropic_verdict("c1"))]
    assert anthropic.use_batch(lambda judge: judge.has_ended("msgbatch_1"))
    results(anthropic, ("c1",), "msgbatch_1")
    assert anthropic.server.requests[1].path == "/v1/messages/batches/msgbatch_1/results"


def anthropic_page(*batches, has_more=False):
    data = [batch.body for batch in batches]
    last = data[-1]["id"] if data else None
    return Reply({"data": data, "has_more": has_more, "first_id": None, "last_id": last})


def test_anthropic_batches_are_found_by_their_answers(anthropic):
    anthropic.server.script = [
        anthropic_page(
            anthropic_batch(id="too_late", created=TRIED + timedelta(hours=1)),
            anthropic_batch(id="other_size", size=3),
            anthropic_batch(id="known_to_be_another"),
            anthropic_batch(id="somebody_elses"),
            has_more=True,
        ),
        lines(anthropic_verdict("c1", mark="not-ours")),
        anthropic_page(anthropic_batch(id="ours")),
        lines(anthropic_verdict("c1"), anthropic_verdict("c2")),
    ]
    assert find(anthropic, claimed={"known_to_be_another"}) == "ours"
    assert [each.path for each in anthropic.server.requests] == [
        "/v1/messages/batches?limit=100",
        "/v1/messages/batches/somebody_elses/results",
        "/v1/messages/batches?limit=100&after_id=somebody_elses",
        "/v1/messages/batches/ours/results",
    ]


def test_anthropic_that_has_a_batch_which_may_be_ours_is_waited_for(anthropic):
    anthropic.server.script = [anthropic_page(anthropic_batch("in_progress"))]
    with pytest.raises(JudgeDeferredError):
        find(anthropic)


def test_anthropic_is_not_searched_beyond_the_time_of_the_try(anthropic):
    old = anthropic_batch("in_progress", created=TRIED - timedelta(minutes=6))
    anthropic.server.script = [anthropic_page(old, has_more=True)]
    assert find(anthropic) is None
    assert len(anthropic.server.requests) == 1


@pytest.mark.parametrize("act", ["cancel", "delete"])
def test_anthropic_cancels_and_deletes(anthropic, act):
    anthropic.server.script = [anthropic_batch("canceling")]
    anthropic.use_batch(lambda judge: getattr(judge, act)("msgbatch_1"))
    (asked,) = anthropic.server.requests
    method, path = {"cancel": ("POST", "/cancel"), "delete": ("DELETE", "")}[act]
    assert (asked.method, asked.path) == (method, f"/v1/messages/batches/msgbatch_1{path}")
