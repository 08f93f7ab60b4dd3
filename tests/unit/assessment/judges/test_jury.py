"""Judges as requests name them: refused at once when they could not be asked later."""

from __future__ import annotations

from collections import Counter

import pytest

from assessment.domain.errors import (
    IdempotencyConflictError,
    InvalidRequestError,
    NotPermittedError,
)
from assessment.domain.identifiers import comparison_id
from assessment.domain.judge import (
    BatchingMode,
    JudgeSpec,
    Provider,
    resolve_effective_llm_batching_mode,
)
from assessment.domain.jury import draw_judge, read_judges
from tests.fakes.judges import Habits
from tests.fakes.world import World
from tests.present import present

OPENAI = {"provider": "openai", "model": "gpt-4.1-mini"}
ANTHROPIC = {"provider": "anthropic", "model": "claude-sonnet-4-20250514"}
ONE_AT_A_TIME = (Provider.CALLBACK_ENDPOINT, Provider.PERSON, Provider.SURFACE)
CUSTOM = (
    "{% block system %}{{ verdict_schema }}{% endblock %}"
    "{% block user %}{% for c in comparisons %}{{ c.comparison_id }} {{ c.essay_a }} "
    "{{ c.essay_b }}{% endfor %}{% endblock %}"
)


def refusal(judge, **request):
    with pytest.raises(InvalidRequestError) as caught:
        World().request(4, judge=judge, **request)
    problems = getattr(caught.value, "problems", [(caught.value.field, caught.value.message)])
    return problems[0]


@pytest.mark.parametrize(
    ("judge", "field", "told"),
    [
        ({"provider": "oracle", "model": "m"}, "judge.provider", "openai"),
        ({**OPENAI, "colour": "red"}, "judge.colour", "no such field"),
        ({"provider": "openai"}, "judge", "name the model"),
        ({**OPENAI, "temperature": 3}, "judge.temperature", "less than or equal to 2"),
        ({**OPENAI, "base_url": "http://llm.example.org/v1"}, "judge.base_url", "https"),
        ({**OPENAI, "base_url": "https://u:p@llm.example.org"}, "judge.base_url", "without query"),
        ({**OPENAI, "base_url": "https://[llm"}, "judge.base_url", "give a URL"),
        ({**OPENAI, "base_url": "file:///etc/passwd"}, "judge.base_url", "give a URL"),
        ({"provider": "bedrock", "model": "m", "base_url": "https://x.org"}, "judge", "IAM"),
        ({**OPENAI, "api_key_secret": "other"}, "judge.api_key_secret", "no secret for 'other'"),
        ({**OPENAI, "template": "best@9"}, "judge.template", "comparison@2"),
        ({**OPENAI, "template_source": "{% block"}, "judge.template_source", "line 1"),
        ({**OPENAI, "template_source": "Hello"}, "judge.template_source", "block system"),
        (
            {**OPENAI, "template_source": CUSTOM.replace("{{ c.essay_b }}", "")},
            "judge.template_source", "essay_b",
        ),
        (
            {**OPENAI, "template_source": CUSTOM.replace("c.essay_a", "c.text")},
            "judge.template_source", "no attribute 'text'",
        ),
        (
            {**OPENAI, "template_source": CUSTOM.replace("{{ verdict_schema }}", "")},
            "judge.template_source", "verdict_schema",
        ),
        (
            {**OPENAI, "template_source": CUSTOM.replace("{{ c.comparison_id }}", "")},
            "judge.template_source", "comparison_id",
        ),
        (
            {**OPENAI, "template_source": "{% block system %}{{ 'a' * 9**9 }}{% endblock %}"},
            "judge.template_source", "operator",
        ),
        (
            {**OPENAI, "template_source": "{% block system %}{{ 'a'.ljust(99) }}{% endblock %}"},
            "judge.template_source", "cannot have a call",
        ),
        (
            {"provider": "person", "batching_mode": "provider_batch_api"},
            "judge.batching_mode", "per_request",
        ),
        (
            {"provider": "bedrock", "model": "m", "batching_mode": "provider_batch_api"},
            "judge.batching_mode", "batches of 100 comparisons or more",
        ),
        (
            {"provider": "callback_endpoint", "batching_mode": "serial_bundle"},
            "judge.batching_mode", "per_request",
        ),
        ([OPENAI, OPENAI], "judge", "`name` of its own"),
        ([OPENAI, {"provider": "callback_endpoint"}], "judge", "`name` of its own"),
        ([], "judge", "one judge"),
        ("openai", "judge", "send an object"),
        ([OPENAI, {**ANTHROPIC, "share": 0}], "judge[1].share", "greater than 0"),
    ],
)  # fmt: skip
def test_what_could_not_be_asked_is_refused_by_field(judge, field, told):
    assert refusal(judge)[0] == field
    assert told in refusal(judge)[1]


def test_nothing_is_stored_for_a_refused_judge():
    world = World()
    with pytest.raises(InvalidRequestError):
        world.request(4, judge={"provider": "oracle"})
    assert not world.content.texts
    assert not world.batches.batches


def test_python_cannot_be_reached_from_a_template():
    source = CUSTOM.replace("{{ verdict_schema }}", "{{ verdict_schema }}{{ ''.__class__ }}")
    assert refusal({**OPENAI, "template_source": source})[0] == "judge.template_source"


def test_only_an_administrator_names_an_endpoint():
    judge = {**OPENAI, "base_url": "https://llm.example.org/v1"}
    with pytest.raises(NotPermittedError, match=r"judge\.base_url"):
        World().request(4, judge=judge, is_admin=False)
    assert World().request(4, judge=judge).judges[0].base_url == "https://llm.example.org/v1"


@pytest.mark.parametrize("host", ["localhost:11434", "127.0.0.1:11434", "[::1]:11434"])
def test_plain_http_is_for_this_machine(host):
    judge = JudgeSpec(provider=Provider.OPENAI, model="llama3.2:3b", base_url=f"http://{host}/v1")
    assert judge.secret_name is None, "a key goes nowhere but to its provider"


def test_a_cap_on_money_needs_a_price():
    judge = {"provider": "bedrock", "model": "eu.some-model-v1:0"}
    field, _ = refusal(judge, config={"max_cost_usd": 1})
    assert field == "judge.price"
    priced = {**judge, "price": {"input_usd": 1, "output_usd": 2}}
    World().request(4, judge=priced, config={"max_cost_usd": 1})


def test_the_default_judge_is_the_stacks_endpoint_and_needs_no_check():
    batch = World().request(4)
    assert batch.judges == (JudgeSpec(),)
    assert batch.judges[0].provider is Provider.CALLBACK_ENDPOINT


def test_the_spec_hash_knows_the_judge_but_not_its_key_or_price():
    def spec_hash(**changes):
        world = World()
        world.prepare(world.request(4, judge={**OPENAI, **changes}).batch_id)
        return next(iter(world.batches.batches.values())).spec_hash

    base = spec_hash()
    price = {"input_usd": 1, "output_usd": 1}
    assert spec_hash(price=price, requests_per_minute=9, timeout_seconds=9) == base
    assert spec_hash(api_key_secret="anthropic") == base
    changed = [
        spec_hash(model="gpt-4.1"), spec_hash(temperature=0.5), spec_hash(name="strict"),
        spec_hash(template_source=CUSTOM), spec_hash(batching_mode="per_request"),
    ]  # fmt: skip
    assert len({base, *changed}) == 6


def test_another_judge_under_the_same_key_is_another_request():
    world = World()
    first = world.request(4, key="k", judge=OPENAI)
    assert world.request(4, key="k", judge=OPENAI).batch_id == first.batch_id
    with pytest.raises(IdempotencyConflictError):
        world.request(4, key="k", judge=ANTHROPIC)


def test_a_jury_divides_the_comparisons_by_shares_and_for_good():
    judges = read_judges([{**OPENAI, "share": 3}, ANTHROPIC], is_admin=True)
    ids = [comparison_id(1, n) for n in range(4000)]
    drawn = Counter(draw_judge(name, judges).label for name in ids)
    # Binomial(4000, 3/4) has a standard deviation of 27.
    assert abs(drawn["openai/gpt-4.1-mini"] - 3000) < 4 * 27.4
    assert [draw_judge(n, judges) for n in ids] == [draw_judge(n, judges) for n in ids]


def test_a_jury_is_fitted_as_separate_judges():
    world = World(habits=Habits(at_once=1.0))
    batch = world.request(8, judge=[{**OPENAI, "name": "one"}, {**ANTHROPIC, "name": "two"}])
    world.prepare(batch.batch_id)
    wave = world.plan(batch.batch_id)
    world.submit(batch.batch_id, wave.wave, world.workflow.issue("t"))
    world.answer_all()
    for message in list(world.callback_queue.messages):
        world.record(message.body)
    judges = {present(c.pair_verdict).judge for c in world.list_comparisons(batch.batch_id)}
    assert judges == {"one", "two"}


@pytest.mark.parametrize("provider", Provider)
def test_the_stacks_mode_holds_where_the_provider_can(provider):
    stack = BatchingMode.PROVIDER_BATCH_API
    effective = resolve_effective_llm_batching_mode(None, provider, stack=stack)
    one_at_a_time = provider in ONE_AT_A_TIME
    assert effective.mode is (BatchingMode.PER_REQUEST if one_at_a_time else stack)


@pytest.mark.parametrize("provider", Provider)
@pytest.mark.parametrize("requested", [None, *BatchingMode])
def test_the_effective_mode_is_one_the_provider_has(provider, requested):
    refused = provider in ONE_AT_A_TIME and requested not in (None, BatchingMode.PER_REQUEST)
    if refused:
        with pytest.raises(ValueError, match=f"{provider}.*use"):
            resolve_effective_llm_batching_mode(requested, provider)
        return
    effective = resolve_effective_llm_batching_mode(requested, provider)
    if provider in ONE_AT_A_TIME:
        assert effective.mode is BatchingMode.PER_REQUEST
        assert effective.reason
    else:
        assert effective.mode is (requested or BatchingMode.SERIAL_BUNDLE)
