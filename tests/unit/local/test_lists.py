"""The sample judge in lists: the same order by the protocol and in the providers' formats."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

import httpx
import pytest

from assessment.adapters.judges.anthropic import AnthropicModel
from assessment.adapters.judges.anthropic_batches import AnthropicBatchModel
from assessment.adapters.judges.callback_endpoint import CallbackEndpointJudge
from assessment.adapters.judges.capabilities import LocalCapabilities
from assessment.adapters.judges.model_judge import ModelBatchJudge, ModelJudge
from assessment.adapters.judges.openai import OpenAIModel
from assessment.adapters.judges.openai_batches import OpenAIBatchModel
from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.list_protocol import (
    CompareRequestV2,
    ComparisonResult,
    ListMetadata,
    LLMComparisonResultV2,
    label_essays,
)
from assessment.contracts.llm_protocol import CallbackAddress
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import EssayList, JudgeInstructions
from assessment.domain.provider_batch import submission_name
from assessment.domain.verdict import ListVerdict
from local.judge.human_judge import HumanJudge
from local.judge.options import JudgeOptions
from local.judge.sample_judge import SampleJudge
from local.judge.serving import serve
from local.judge_endpoint import create_app

MODELS: dict[str, tuple[Any, Any]] = {
    "openai": (OpenAIModel, OpenAIBatchModel),
    "anthropic": (AnthropicModel, AnthropicBatchModel),
}


@pytest.fixture
def texts(pairs):
    """Twelve of the sample's texts by made-up ids."""
    found = dict.fromkeys(text for pair in pairs for text in (pair.essay_a, pair.essay_b))
    return {f"essay-{n:02d}": text for n, text in enumerate(itertools.islice(found, 12))}


@pytest.fixture
def url(people):
    options = JudgeOptions(latency=0, batch_seconds=0.05, immediate=True)
    with serve(create_app(SampleJudge(people, options, lambda *_: None))) as address:
        yield address


def requests_about(texts: dict[str, str], judge: JudgeSpec) -> list[CompareRequestV2]:
    """Two lists of five and one of two more, in one call."""
    ids = list(texts)
    shown = {"w001-00000": ids[:5], "w001-00001": ids[5:10], "w001-00002": [ids[11], *ids[9:11]]}
    lists = [EssayList(name, tuple(texts[e] for e in essays)) for name, essays in shown.items()]
    blocks = JinjaPrompts().render_lists(judge, JudgeInstructions(), lists, bundle=True)
    return [
        CompareRequestV2(
            correlation_id=each.comparison_id,
            callback=CallbackAddress(queue_url="memory://"),
            essays=label_essays(shown[each.comparison_id], each.texts),
            prompt_blocks=blocks,
            metadata=ListMetadata(
                batch_id="b",
                wave=1,
                comparison_id=each.comparison_id,
                essay_ids=tuple(shown[each.comparison_id]),
                judge="judge",
            ),
        )
        for each in lists
    ]


def orders(results: list[ComparisonResult | None]) -> list[tuple[Any, Any]]:
    verdicts = [each.verdict() for each in results if isinstance(each, LLMComparisonResultV2)]
    assert len(verdicts) == len(results)
    assert all(isinstance(each, ListVerdict) for each in verdicts)
    return [(each.ranking, each.gaps) for each in verdicts]


async def ask_by_protocol(url: str, texts: dict[str, str]) -> list[ComparisonResult | None]:
    judge = JudgeSpec.model_validate({"provider": "callback_endpoint"})
    async with httpx.AsyncClient() as client:
        endpoint = CallbackEndpointJudge(client, url, timeout_seconds=20)
        return [(await endpoint.compare([one]))[0] for one in requests_about(texts, judge)]


async def ask_model(provider: str, url: str, texts: dict[str, str], *, in_batch: bool) -> Any:
    base = f"{url}/v1" if provider == "openai" else url
    judge = JudgeSpec.model_validate({"provider": provider, "model": "m", "base_url": base})
    single, together = MODELS[provider]
    requests = requests_about(texts, judge)
    async with httpx.AsyncClient() as client:
        if not in_batch:
            return await ModelJudge(judge, single(client, None)).compare(requests)
        batches = ModelBatchJudge(judge, together(client, None, LocalCapabilities()))
        return await _run_batch(batches, texts, judge)


async def _run_batch(batches: ModelBatchJudge, texts: dict[str, str], judge: JudgeSpec) -> Any:
    alone = [[_alone(each, texts, judge)] for each in requests_about(texts, judge)]
    batch = await batches.submit(submission_name("b", 1, "judge", 0), alone)
    deadline = time.monotonic() + 60
    while not await batches.has_ended(batch):
        assert time.monotonic() < deadline, "the batch does not end"
        await asyncio.sleep(0.02)
    return await batches.read_results(batch, alone)


def _alone(request: CompareRequestV2, texts: dict[str, str], judge: JudgeSpec) -> CompareRequestV2:
    """The request with a prompt of its own, as a provider's batch has it."""
    shown = tuple(texts[essay_id] for essay_id in request.metadata.essay_ids)
    one = EssayList(request.metadata.comparison_id, shown)
    blocks = JinjaPrompts().render_lists(judge, JudgeInstructions(), [one], bundle=True)
    return request.model_copy(update={"prompt_blocks": blocks})


def test_the_same_orders_by_the_protocol_and_in_every_format(url, texts) -> None:
    expected = orders(asyncio.run(ask_by_protocol(url, texts)))
    assert [len(ranking) for ranking, _ in expected] == [5, 5, 3]
    for provider, in_batch in itertools.product(MODELS, (False, True)):
        found = orders(asyncio.run(ask_model(provider, url, texts, in_batch=in_batch)))
        assert found == expected, (provider, in_batch)


def test_an_order_does_not_depend_on_how_the_texts_are_shown(people: HumanJudge, texts) -> None:
    shown = list(texts.values())[:6]
    places, gaps = people.rank(shown, seed=1, comparison_id="x")
    turned, same_gaps = people.rank(shown[::-1], seed=1, comparison_id="x")
    assert [shown[n] for n in places] == [shown[::-1][n] for n in turned]
    assert gaps == same_gaps
    assert set(gaps) <= {"tie", "slight", "clear", "decisive"}
