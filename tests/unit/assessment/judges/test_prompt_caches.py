"""Prompt caches of providers: marked where they are known, counted and priced in every form."""

from __future__ import annotations

from typing import Any

import pytest

from assessment.adapters.judges.anthropic import message_body
from assessment.adapters.judges.bedrock_jobs import record_id
from assessment.adapters.judges.completion import OutputLimit
from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.llm_protocol import LLMComparisonResultV1
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.price import Price
from assessment.domain.prompt import EssayList, EssayPair, JudgeInstructions
from assessment.domain.spending import Spending, add_spending
from local.providers.replies import Reply
from local.providers.scripted_server import make_reply, provider_error, provider_server, verdict
from tests.unit.assessment.judges.conftest import Asking, make_asking, questions

PRICE = Price(input_usd=2, output_usd=8, cache_read_share=0.1, cache_write_share=1.25)
# Of 1,000 tokens in all, 600 were read from the cache and 300 written into it.
USAGES: dict[str, list[dict[str, Any]]] = {
    "openai": [
        {"prompt_tokens": 1000, "completion_tokens": 101,
         "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 300}},
        {"input_tokens": 1000, "output_tokens": 101,
         "input_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 300}},
        {"prompt_tokens": 1000, "completion_tokens": 101, "prompt_tokens_details": None,
         "cache_read_input_tokens": 600, "cache_creation_input_tokens": 300},
    ],
    "anthropic": [
        {"input_tokens": 100, "cache_read_input_tokens": 600, "output_tokens": 101,
         "cache_creation_input_tokens": 300,
         "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 0}},
    ],
    "bedrock": [
        {"inputTokens": 100, "outputTokens": 101, "totalTokens": 1101,
         "cacheReadInputTokens": 600, "cacheWriteInputTokens": 300},
    ],
}  # fmt: skip
REFUSALS = [
    ("anthropic", 400, "system.0.cache_control: Extra inputs are not permitted"),
    ("anthropic", 400, "system: Input should be a valid string"),
    ("bedrock", 403, ("You invoked an unsupported model or your request did not allow prompt "
     "caching. See the documentation for more information.")),
    ("bedrock", 400, ("Malformed input request: #/system/1: extraneous key [cachePoint] is not "
     "permitted, please reformat your input and try again.")),
]  # fmt: skip


def marks(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The marks in the system's part of a request."""
    system = body["system"]
    parts = [] if isinstance(system, str) else system
    kinds = ("cache_control", "cachePoint")
    return [part[kind] for part in parts for kind in kinds if kind in part]


@pytest.mark.parametrize(
    ("provider", "usage"), [(name, usage) for name, usages in USAGES.items() for usage in usages]
)
def test_cached_tokens_are_counted_split_without_loss_and_priced(provider, usage):
    with provider_server(provider) as server:
        asking = make_asking(provider, server, price=PRICE)
        answer = make_reply(provider, {"verdicts": [verdict(f"c{n}") for n in range(7)]})
        answer.body["usage"] = usage
        server.script = [answer]
        results = asking.ask([f"c{n}" for n in range(7)])
    spent = add_spending(result.verdict().spent for result in results)
    counts = spent.model_dump(exclude={"cost_usd"})
    assert counts == {
        "input_tokens": 1000, "output_tokens": 101, "cache_read_tokens": 600,
        "cache_write_tokens": 300,
    }  # fmt: skip
    cost = ((100 + 600 * 0.1 + 300 * 1.25) * 2 + 101 * 8) / 1e6
    assert spent.cost_usd == pytest.approx(cost)


def test_a_count_of_the_cache_above_the_prompts_is_not_believed(openai: Asking) -> None:
    answer = make_reply("openai", {"verdicts": [verdict("c1")]})
    answer.body["usage"]["prompt_tokens_details"] = {"cached_tokens": 10**7}
    answer.body["usage"]["cache_write_tokens"] = "many"
    openai.server.script = [answer]
    usage = openai.ask(["c1"])[0].token_usage
    assert usage is not None
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (1000, 0)


def test_a_callback_may_count_the_cache_as_part_of_its_input() -> None:
    usage = {"input_tokens": 50, "cache_read_tokens": 60, "cache_write_tokens": 7}
    (request,) = questions(["c1"], JudgeSpec())
    body = {
        "schema": "LLMComparisonResultV1", "correlation_id": "c", "winner": "A",
        "request_metadata": request.metadata.model_dump(), "token_usage": usage,
    }  # fmt: skip
    spent = LLMComparisonResultV1.model_validate(body).verdict().spent
    assert spent == Spending(input_tokens=50, cache_read_tokens=50)


def test_without_a_cache_nothing_is_written_that_was_not_before() -> None:
    assert list(Spending(input_tokens=7).model_dump()) == [
        "input_tokens", "output_tokens", "cost_usd",
    ]  # fmt: skip
    assert list(Price(input_usd=1, output_usd=2).model_dump()) == [
        "input_usd", "output_usd", "batch_share",
    ]  # fmt: skip


def test_what_calls_have_in_common_comes_first_and_is_marked(asking: Asking) -> None:
    asking.ask(["c1"], ["c2", "c3"])
    provider = asking.server.provider
    first, second = (asked.body for asked in asking.server.requests)
    if provider == "openai":
        # Caches by itself what prompts begin with.
        assert first["messages"][0] == second["messages"][0]
        assert first["messages"][0]["role"] == "system"
        return
    assert first["system"] == second["system"]
    expected = {"anthropic": {"type": "ephemeral"}, "bedrock": {"type": "default"}}[provider]
    assert marks(first) == [expected]


@pytest.mark.parametrize(("provider", "status", "told"), REFUSALS)
def test_an_endpoint_that_knows_no_marks_is_asked_without_and_that_is_remembered(
    provider, status, told
):
    with provider_server(provider) as server:
        asking = make_asking(provider, server, timeout_seconds=20)
        server.script = [provider_error(provider, status, told)]
        assert [result.winner for result in asking.ask(["c1"], ["c2"])] == ["A", "A"]
        found = [len(marks(asked.body)) for asked in server.requests]
    assert found == [1, 0, 0]
    tools = {"anthropic": "tools", "bedrock": "toolConfig"}[provider]
    assert all(tools in asked.body for asked in server.requests), "nothing else is given up"


def test_a_system_with_essays_in_it_is_not_marked() -> None:
    source = (
        "{% block system %}{{ verdict_schema }}{% for comparison in comparisons %}"
        "{{ comparison.comparison_id }}{{ comparison.essay_a }}{{ comparison.essay_b }}"
        "{% endfor %}{% endblock %}{% block user %}Judge.{% endblock %}"
    )
    judge = JudgeSpec(provider=Provider.ANTHROPIC, model="m", template_source=source)
    pairs = [EssayPair("c1", "one", "two")]
    blocks = JinjaPrompts().render(judge, JudgeInstructions(), pairs, bundle=True)
    assert isinstance(message_body(judge, blocks, limit=OutputLimit(9, 9))["system"], str)


def test_lists_are_marked_too_and_a_mark_changes_no_prompt() -> None:
    judge = JudgeSpec(provider=Provider.ANTHROPIC, model="m", list_size=3)
    lists = [EssayList("c1", ("one", "two", "three"))]
    system, user = JinjaPrompts().render_lists(judge, JudgeInstructions(), lists, bundle=True)
    assert (system.is_fixed, user.is_fixed) == (True, False)
    assert list(system.model_dump()) == ["role", "content"], "the prompt's hash is what it was"


def test_jobs_of_bedrock_have_no_marks() -> None:
    with provider_server("bedrock") as server:
        asking = make_asking("bedrock", server)
        requests = questions(["c1"], asking.judge)
        server.script = [Reply({"jobArn": "arn:aws:bedrock:eu-north-1:1:model-invocation-job/x"})]
        asking.use_batch(lambda judge: judge.submit("name", [requests]))
    (written,) = asking.content.documents.values()
    assert record_id("c1") in written
    assert "cachePoint" not in written
