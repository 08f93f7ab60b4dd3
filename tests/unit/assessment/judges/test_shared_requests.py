"""Requests of several comparisons in providers' batches."""

from __future__ import annotations

import json

import pytest

from assessment.domain.document_keys import provider_batch_key
from assessment.domain.price import Price
from local.providers.replies import Reply
from local.providers.scripted_server import anthropic_reply, bedrock_reply, openai_reply, verdict
from tests.unit.assessment.judges.batch_calls import (
    NAME,
    lines,
    list_errors,
    openai_batch,
    openai_line,
)
from tests.unit.assessment.judges.conftest import questions


def answer_together(provider, name, *verdicts):
    """What a provider's batch says of one request with these verdicts."""
    body = {"verdicts": list(verdicts)}
    if provider == "openai":
        return openai_line(name, openai_reply(body))
    if provider == "anthropic":
        result = {"type": "succeeded", "message": anthropic_reply(body).body}
        return {"custom_id": f"{NAME[-24:]}-{name}", "result": result}
    return {"recordId": f"CJ{name}", "modelOutput": bedrock_reply(body).body}


def refuse_together(provider, name):
    """A request that the provider refuses for what it says."""
    message = "the prompt is not allowed"
    if provider == "openai":
        problem = {"message": message, "code": "content_policy_violation"}
        return openai_line(name, Reply({"error": problem}), status=400)
    if provider == "anthropic":
        problem = {"type": "invalid_request_error", "message": message}
        error = {"type": "error", "error": problem}
        return {
            "custom_id": f"{NAME[-24:]}-{name}",
            "result": {"type": "errored", "error": error},
        }
    return {"recordId": f"CJ{name}", "error": {"errorCode": 400, "errorMessage": message}}


def read_together(asking, calls, *answers):
    """Results by comparison of calls of several comparisons."""
    asked = [questions(ids, asking.judge) for ids in calls]
    provider = asking.judge.provider
    batch = "batch_1"
    if provider == "openai":
        asking.server.script = [openai_batch(), lines(*answers)]
    elif provider == "anthropic":
        asking.server.script = [lines(*answers)]
    else:
        batch = "arn:aws:bedrock:eu-north-1:1:model-invocation-job/j1"
        asking.server.script = [Reply({"jobName": NAME, "status": "Completed"})]
        text = "".join(json.dumps(answer) + "\n" for answer in answers)
        asking.content.put_document(
            provider_batch_key(NAME, "output/j1/input.jsonl.out"), text, content_type="text"
        )
    found = asking.use_batch(lambda judge: judge.read_results(batch, asked))
    return {each.request_metadata.comparison_id: each for each in found}


@pytest.fixture(params=["openai", "anthropic", "bedrock"])
def batches(request):
    return request.getfixturevalue(request.param)


def test_a_request_of_several_comparisons_has_a_verdict_of_each(batches):
    provider = batches.judge.provider
    batches.judge = batches.judge.model_copy(update={"price": Price(input_usd=2, output_usd=8)})
    found = read_together(
        batches,
        [["c1", "c2"], ["c3"]],
        answer_together(provider, "c3", verdict("c3", "B")),
        answer_together(provider, "c1", verdict("c2", "B"), verdict("c1", "A")),
    )
    assert {name: each.winner for name, each in found.items()} == {"c1": "A", "c2": "B", "c3": "B"}
    together = [found[name].token_usage for name in ("c1", "c2")]
    alone = found["c3"].token_usage
    assert sum(each.input_tokens for each in together) == alone.input_tokens
    assert sum(each.output_tokens for each in together) == alone.output_tokens
    assert found["c1"].cost_usd + found["c2"].cost_usd == pytest.approx(found["c3"].cost_usd)


def test_a_comparison_without_verdict_in_its_request_fails_alone(batches):
    answer = answer_together(batches.judge.provider, "c1", verdict("c1", "A"))
    found = read_together(batches, [["c1", "c2"]], answer)
    assert found["c1"].winner == "A"
    assert list_errors(found) == {"c2": ("malformed_verdict", True)}


def test_what_refuses_a_request_of_several_is_final_for_none_of_them(batches):
    provider = batches.judge.provider
    refusals = [refuse_together(provider, name) for name in ("c1", "c3")]
    found = read_together(batches, [["c1", "c2"], ["c3"]], *refusals)
    assert {name: retryable for name, (_, retryable) in list_errors(found).items()} == {
        "c1": True, "c2": True, "c3": False,
    }  # fmt: skip


def test_a_request_that_is_answered_twice_and_differently_has_no_verdict(batches):
    provider = batches.judge.provider
    found = read_together(
        batches,
        [["c1", "c2"]],
        answer_together(provider, "c1", verdict("c1", "A"), verdict("c2", "A")),
        answer_together(provider, "c1", verdict("c1", "A"), verdict("c2", "B")),
    )
    assert {error for error, _ in list_errors(found).values()} == {"malformed_verdict"}
