"""Every provider over a real socket: good answers, bad answers, and refusals."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from assessment.domain.judge_errors import (
    ContentRefusedError,
    JudgeRefusedError,
    JudgeUnavailableError,
    OversizeError,
)
from assessment.domain.price import Price
from local.providers.replies import Reply
from local.providers.scripted_server import (
    make_reply,
    openai_reply,
    provider_error,
    provider_server,
    verdict,
)
from tests.present import present
from tests.unit.assessment.judges.conftest import make_asking

KEY = "sk-test-0123456789abcdef"


def reply(asking, document, **changes):
    return make_reply(asking.server.provider, document, **changes)


def test_verdicts_are_matched_by_comparison_id_whatever_their_order(asking):
    asking.server.script = [
        lambda asked: reply(asking, {
            "verdicts": [verdict("c3", "tie"), verdict("c1", "B"), verdict("c2", "A")]
        })
    ]  # fmt: skip
    results = asking.ask(["c1", "c2", "c3"])
    assert [r.request_metadata.comparison_id for r in results] == ["c1", "c2", "c3"]
    assert [r.winner for r in results] == ["B", "A", "tie"]
    assert [r.degree for r in results] == ["clear", "clear", None]
    assert results[0].verdict().judge == f"{asking.server.provider}/{asking.judge.model}"
    assert len(asking.server.requests) == 1


def test_tokens_are_split_without_loss_and_priced(asking):
    judge = asking.judge.model_copy(update={"price": Price(input_usd=2, output_usd=8)})
    results = asking.ask(["c1", "c2", "c3"], judge=judge)
    assert sum(r.token_usage.input_tokens for r in results) == 1000
    assert sum(r.token_usage.output_tokens for r in results) == 101
    assert sum(r.cost_usd for r in results) == pytest.approx((1000 * 2 + 101 * 8) / 1e6)


def test_an_unknown_price_is_no_price(asking):
    assert asking.ask(["c1"])[0].cost_usd is None


def test_one_missing_verdict_fails_alone(asking):
    asking.server.script = [reply(asking, {"verdicts": [verdict("c2")]})]
    first, second = asking.ask(["c1", "c2"])
    assert second.winner == "A"
    assert first.error_detail.code == "malformed_verdict"
    assert "no verdict for this comparison" in first.error_detail.message


def test_one_verdict_without_a_winner_fails_alone(asking):
    broken = verdict("c1", winner="essay one")
    asking.server.script = [reply(asking, {"verdicts": [broken, verdict("c2")]})]
    first, second = asking.ask(["c1", "c2"])
    assert "winner" in first.error_detail.message
    assert second.winner == "A"


@pytest.mark.parametrize(
    "broken",
    [
        {"degree": "huge"}, {"degree": 3}, {"confidence": 9}, {"confidence": "very"},
        {"confidence": 0.8}, {"confidence": True}, {"justification": {"why": "it is"}},
    ],
)  # fmt: skip
def test_nothing_optional_costs_a_verdict_and_a_note_names_what_was_left_out(asking, broken):
    (name,) = broken
    asking.server.script = [reply(asking, {"verdicts": [verdict("c1", "B", **broken)]})]
    (result,) = asking.ask(["c1"])
    stored = result.verdict()
    assert stored.winner == "second"
    assert getattr(stored, name) is None
    assert [note.partition(":")[0] for note in stored.notes] == [name]


def test_a_verdict_for_another_id_is_nobodys(asking):
    asking.server.script = [reply(asking, {"verdicts": [verdict("c9"), verdict("c2")]})]
    first, second = asking.ask(["c1", "c2"])
    assert first.error_detail is not None
    assert second.winner == "A"


def test_duplicated_ids_count_once_if_they_agree_and_not_at_all_if_they_do_not(asking):
    asking.server.script = [
        reply(asking, {"verdicts": [
            verdict("c1", "A"), verdict("c1", "B"), verdict("c2", "B"), verdict("c2", "B"),
        ]})
    ]  # fmt: skip
    first, second = asking.ask(["c1", "c2"])
    assert "contradictory" in first.error_detail.message
    assert second.winner == "B"


@pytest.mark.parametrize("document", [{"other": 1}, {"verdicts": "none"}, [], 7])
def test_a_wrong_schema_is_retried_once_and_then_final(asking, document):
    for attempt, retryable in ((1, True), (2, False)):
        asking.server.script = [reply(asking, document)]
        (result,) = asking.ask(["c1"], attempt=attempt)
        assert result.error_detail.retryable is retryable
        assert result.token_usage.input_tokens == 1000, "a bad answer was paid for too"


def test_an_answer_cut_off_at_the_token_limit_is_malformed(asking):
    stop = {"stop": "length"} if asking.server.provider == "openai" else {"stop": "max_tokens"}
    asking.server.script = [reply(asking, {"verdicts": []}, **stop)]
    (result,) = asking.ask(["c1"])
    assert "cut off" in result.error_detail.message


def test_truncated_json_in_the_answer_or_around_it_is_malformed(openai):
    openai.server.script = [openai_reply('{"verdicts": [{"comparison_id": "c1", "win')]
    assert "not JSON" in openai.ask(["c1"])[0].error_detail.message
    openai.server.script = [Reply('{"id": "chatcmpl-1", "choices": [{"mess')]
    assert "not JSON" in openai.ask(["c1"])[0].error_detail.message


@pytest.mark.parametrize("status", [429, 500])
def test_busy_and_broken_providers_are_worth_another_try(asking, status):
    asking.server.script = [provider_error(asking.server.provider, status, "come back")]
    with pytest.raises(JudgeUnavailableError, match="come back") as caught:
        asking.ask(["c1"])
    assert caught.value.retryable
    assert len(asking.server.requests) == 1, "no client may retry behind our back"


def test_retry_after_is_read_as_seconds_and_as_a_date(openai):
    openai.server.script = [provider_error("openai", 429, "slow down", Retry_After="17")]
    with pytest.raises(JudgeUnavailableError) as caught:
        openai.ask(["c1"])
    assert caught.value.retry_after == 17
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    openai.server.script = [provider_error("openai", 503, "slow down", Retry_After=until)]
    with pytest.raises(JudgeUnavailableError) as caught:
        openai.ask(["c1"])
    assert 300 < present(caught.value.retry_after) <= 600


def test_a_provider_that_does_not_answer_in_time_is_unavailable(asking):
    asking.server.latency = 1.5
    hasty = asking.judge.model_copy(update={"timeout_seconds": 1})
    with pytest.raises(JudgeUnavailableError, match="Timeout"):
        asking.ask(["c1"], judge=hasty)


def test_a_port_where_nobody_listens_is_unavailable(openai):
    judge = openai.judge.model_copy(update={"base_url": "http://127.0.0.1:9"})
    with pytest.raises(JudgeUnavailableError, match="ConnectError"):
        openai.ask(["c1"], judge=judge)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_other_statuses_are_final_and_say_what_the_provider_said(asking, status):
    asking.server.script = [provider_error(asking.server.provider, status, "no such model")]
    with pytest.raises(JudgeRefusedError, match="no such model") as caught:
        asking.ask(["c1"])
    assert not caught.value.retryable


def test_a_spent_account_is_final_although_its_status_is_429(openai):
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    openai.server.script = [Reply(body, 429)]
    with pytest.raises(JudgeRefusedError, match="quota"):
        openai.ask(["c1"])


@pytest.mark.parametrize("quoted", [KEY, f"'{KEY}'", "sk-te******cdef"])
def test_a_key_that_the_provider_quotes_is_not_passed_on(openai, quoted):
    openai.server.script = [
        provider_error("openai", 401, f"Incorrect API key provided: {quoted} . Find yours")
    ]
    with pytest.raises(JudgeRefusedError, match="Incorrect API key provided") as caught:
        openai.ask(["c1"])
    assert "sk-" not in str(caught.value)


def test_refused_content_is_told_apart(asking):
    refusals = {
        "openai": openai_reply("", refusal="I cannot help with that."),
        "anthropic": make_reply("anthropic", {}, stop="refusal"),
        "bedrock": make_reply("bedrock", {}, stop="guardrail_intervened"),
    }
    asking.server.script = [refusals[asking.server.provider]]
    with pytest.raises(ContentRefusedError):
        asking.ask(["c1"])


def test_oversize_input_is_told_apart(asking):
    told = "prompt is too long: maximum context length is 8192 tokens"
    asking.server.script = [provider_error(asking.server.provider, 400, told)]
    with pytest.raises(OversizeError):
        asking.ask(["c1"])


def test_json_mode_follows_a_refused_schema_once_and_is_remembered(openai):
    refusal = "Invalid parameter: 'response_format' of type 'json_schema' is not supported"
    openai.server.script = [provider_error("openai", 400, refusal)]
    results = openai.ask(["c1"], ["c2"])
    assert [r.winner for r in results] == ["A", "A"]
    formats = [asked.body["response_format"]["type"] for asked in openai.server.requests]
    assert formats == ["json_schema", "json_object", "json_object"]


def said(asking, text):
    """The verdict as a text, as a model without the tool gives it."""
    reply = make_reply(asking.server.provider, {})
    thought: dict[str, Any]
    if asking.server.provider == "anthropic":
        thought = {"type": "thinking", "thinking": "", "signature": "x"}
        reply.body["content"] = [thought, {"type": "text", "text": text}]
        reply.body["stop_reason"] = "end_turn"
    else:
        thought = {"reasoningContent": {"reasoningText": {"text": "hm"}}}
        reply.body["output"]["message"]["content"] = [thought, {"text": text}]
        reply.body["stopReason"] = "end_turn"
    return reply


FORCED = "tool_choice forces tool use, which is not supported for this model"
UNSCHEMED = "output_config.format: structured outputs are not supported for this model"


@pytest.mark.parametrize("provider", ["anthropic", "bedrock"])
def test_a_model_that_takes_no_forced_tool_is_given_a_schema_and_that_is_remembered(provider):
    with provider_server(provider) as server:
        asking = make_asking(provider, server, timeout_seconds=20)
        document = json.dumps({"verdicts": [verdict("c1", "B")]})
        server.script = [provider_error(provider, 400, FORCED), said(asking, document)]
        assert asking.ask(["c1"])[0].winner == "B"
        server.script = [said(asking, document)]
        assert asking.ask(["c1"])[0].winner == "B"
        first, second, third = (asked.body for asked in server.requests)
    tools, schema = {"anthropic": ("tools", "output_config"), "bedrock": ("toolConfig",
                     "outputConfig")}[provider]  # fmt: skip
    assert tools in first
    assert schema not in first
    for body in (second, third):
        assert tools not in body
        assert '"verdicts"' in json.dumps(body[schema]).replace("\\", "")


@pytest.mark.parametrize("provider", ["anthropic", "bedrock"])
def test_a_model_that_knows_neither_tool_nor_schema_is_asked_in_words(provider):
    with provider_server(provider) as server:
        asking = make_asking(provider, server, timeout_seconds=20)
        document = json.dumps({"verdicts": [verdict("c1", "tie")]}, indent=2)
        server.script = [
            provider_error(provider, 400, FORCED),
            provider_error(provider, 400, UNSCHEMED),
            said(asking, f"Here it is:\n```json\n{document}\n```\nThat is all."),
        ]
        assert asking.ask(["c1"])[0].winner == "tie"
        left = set(server.requests[2].body)
    assert left.isdisjoint({"tools", "output_config", "toolConfig", "outputConfig"})
    assert '"verdicts"' in json.dumps(server.requests[2].body).replace("\\", ""), (
        "the prompt says it"
    )


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("max_completion_tokens is too large: 9000. This model supports at most 4096", 1),
        ("max_completion_tokens: the account may not use this model", 2),
        ("this key is not allowed to use the model", 1),
    ],
)
def test_a_refusal_for_another_reason_teaches_nothing(openai, told, asked):
    openai.server.script = [provider_error("openai", 400, told)] * asked
    with pytest.raises(JudgeRefusedError):
        openai.ask(["c1"])
    assert len(openai.server.requests) == asked
    assert openai.ask(["c2"])[0].winner == "A"
    assert "max_completion_tokens" in openai.server.requests[-1].body


def test_an_old_server_is_asked_for_max_tokens(openai):
    openai.server.script = [
        provider_error("openai", 400, "Unrecognized request argument: max_completion_tokens")
    ]
    openai.ask(["c1"], ["c2"])
    limits = [set(asked.body) & {"max_tokens", "max_completion_tokens"}
              for asked in openai.server.requests]  # fmt: skip
    assert limits == [{"max_completion_tokens"}, {"max_tokens"}, {"max_tokens"}]


def test_an_answer_without_list_about_one_comparison_is_read(openai):
    alone = verdict("c1", "B")
    del alone["comparison_id"]
    openai.server.script = [openai_reply(alone)]
    assert openai.ask(["c1"])[0].winner == "B"


def test_connections_are_reused(openai):
    openai.ask(*([f"c{n}"] for n in range(10)))
    assert len(openai.server.requests) == 10
    assert openai.server.n_connections == 1


def test_the_wire_is_what_each_provider_documents(asking):
    asking.ask(["c1"], judge=asking.judge.model_copy(update={"temperature": 0.0}))
    (asked,) = asking.server.requests
    provider, body = asking.server.provider, asked.body
    if provider == "openai":
        assert asked.path == "/chat/completions"
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        assert [m["role"] for m in body["messages"]] == ["system", "user"]
        assert body["response_format"]["json_schema"]["strict"] is True
        assert (body["model"], body["temperature"]) == ("model-1", 0.0)
    elif provider == "anthropic":
        assert asked.path == "/v1/messages"
        assert asked.headers["x-api-key"] == KEY
        assert asked.headers["anthropic-version"] == "2023-06-01"
        assert body["tool_choice"] == {"type": "tool", "name": "record_verdicts"}
        assert body["tools"][0]["input_schema"]["required"] == ["verdicts"]
        (system,) = body["system"]
        assert (body["max_tokens"], system["text"][:7]) == (4000, "You are")
    else:
        assert asked.path == "/model/anthropic.claude-x/converse"
        assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256")
        assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "record_verdicts"}}
        assert body["inferenceConfig"] == {"maxTokens": 4000, "temperature": 0.0}
    assert "first of c1" in json.dumps(body)


def test_the_same_question_has_the_same_key_and_another_one_another() -> None:
    with provider_server("openai") as server:
        asking = make_asking("openai", server)
        # As after a worker that died: the same comparison in the same attempt.
        asking.ask(["c1"], ["c1"], ["c2"], ["c1", "c2"])
        keys = [asked.headers["idempotency-key"] for asked in server.requests]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    with provider_server("anthropic") as server:
        make_asking("anthropic", server).ask(["c1"])
        assert "idempotency-key" not in server.requests[0].headers
