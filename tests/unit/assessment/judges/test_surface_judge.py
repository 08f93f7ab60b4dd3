"""The surface judge behind the port of all judges."""

import asyncio
from typing import Any

from assessment.adapters.judges.registry import ModelAccess, ProviderJudges
from assessment.contracts.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
)
from assessment.domain.judge import SURFACE_CAUTION, BatchingMode, JudgeSpec

SURFACE = JudgeSpec.model_validate({"provider": "surface", "temperature": 0})


def unreachable(*_: object) -> Any:
    raise AssertionError("the surface judge has no network and no key")


def request(text_a: str, text_b: str) -> CompareRequestV1:
    return CompareRequestV1(
        correlation_id="c",
        callback=CallbackAddress(queue_url="q"),
        essay_a=CompareEssay(essay_id="a", text=text_a),
        essay_b=CompareEssay(essay_id="b", text=text_b),
        prompt_blocks=[],
        metadata=CompareMetadata(
            batch_id="b",
            wave=1,
            comparison_id="w001-00000",
            essay_a_id="a",
            essay_b_id="b",
            judge=SURFACE.label,
        ),
    )


def test_it_answers_at_once_without_network_and_cost():
    nothing: Any = None
    access = ModelAccess(
        http=unreachable,
        bedrock=unreachable,
        jobs=nothing,
        keys=nothing,
        capabilities=nothing,
        endpoint_url="",
    )
    judge = ProviderJudges(access).get_judge(SURFACE)
    longer = "Books teach people patience, and reading every evening widens a vocabulary."
    requests = [request("Books good.", longer), request(longer, "Books good.")]
    results = asyncio.run(judge.compare(requests))
    assert [getattr(result, "winner", None) for result in results] == ["B", "A"]
    for result in results:
        assert result is not None
        assert result.cost_usd == 0
        verdict = result.verdict()
        assert verdict.judge == "surface/features-1"
        assert (verdict.justification or "").startswith(SURFACE_CAUTION)
        assert result.request_metadata.comparison_id == "w001-00000"


def test_it_takes_one_comparison_at_a_time_whatever_the_stack_says():
    assert SURFACE.mode(BatchingMode.PROVIDER_BATCH_API) is BatchingMode.PER_REQUEST
