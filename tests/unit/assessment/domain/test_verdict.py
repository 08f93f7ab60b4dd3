"""Verdicts: from the callback's words to what the statistics take."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from assessment.contracts.llm_protocol import LLMComparisonResultV1
from assessment.domain.verdict import Verdict, Winner, signed_outcome

METADATA = {
    "batch_id": "b", "wave": 1, "comparison_id": "w001-00000", "essay_a_id": "x",
    "essay_b_id": "y", "prompt_sha256": "p",
}  # fmt: skip


def result(**fields: Any) -> LLMComparisonResultV1:
    return LLMComparisonResultV1.model_validate(
        {"correlation_id": "c", "request_metadata": METADATA, **fields}
    )


@pytest.mark.parametrize(
    ("winner", "degree", "mapped", "graded", "plain"),
    [
        ("A", "slight", Winner.FIRST, 1, 1),
        ("A", "clear", Winner.FIRST, 2, 1),
        ("A", "decisive", Winner.FIRST, 3, 1),
        ("A", None, Winner.FIRST, 1, 1),
        ("B", "slight", Winner.SECOND, -1, -1),
        ("B", "decisive", Winner.SECOND, -3, -1),
        ("tie", None, Winner.TIE, 0, 0),
        ("tie", "decisive", Winner.TIE, 0, 0),
    ],
)
def test_mapping(winner: str, degree: str | None, mapped: Winner, graded: int, plain: int) -> None:
    verdict = result(winner=winner, degree=degree, provider="p", model="m").verdict()
    assert verdict.winner is mapped
    assert signed_outcome(verdict, graded=True) == graded
    assert signed_outcome(verdict, graded=False) == plain
    assert verdict.judge == "p/m"
    assert verdict.prompt_sha256 == "p"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"winner": "A", "error_detail": {"code": "x", "message": "y"}},
        {"winner": "C"},
        {"winner": "a or b"},
        {"winner": ["A"]},
        {"winner": "A", "schema": "LLMComparisonResultV2"},
    ],
)
def test_what_is_no_verdict_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        result(**fields)


@pytest.mark.parametrize(
    ("name", "value", "note"),
    [
        ("degree", "huge", "degree"),
        ("confidence", 0, "confidence"),
        ("confidence", 6, "confidence"),
        ("confidence", float("nan"), "confidence"),
        ("cost_usd", -1, "cost_usd"),
        ("cost_usd", float("inf"), "cost_usd"),
        ("justification", 7, "justification"),
        ("token_usage", {"input_tokens": -1, "output_tokens": "many"}, None),
        ("token_usage", "none", None),
    ],
)
def test_nothing_optional_costs_a_verdict(name: str, value: Any, note: str | None) -> None:
    verdict = result(winner="A", **{name: value}).verdict()
    assert verdict.winner is Winner.FIRST
    assert [each.partition(":")[0] for each in verdict.notes] == ([note] if note else [])
    assert (verdict.input_tokens, verdict.output_tokens, verdict.cost_usd) == (0, 0, 0.0)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_text_is_made_valid() -> None:
    verdict = result(
        winner="A", justification="half \ud83d, whole \ud83d\ude00, none \x00."
    ).verdict()
    assert verdict.justification == "half \ufffd, whole \U0001f600, none ."


def test_long_justification_is_cut_not_refused() -> None:
    verdict = result(winner="A", justification="x" * 900).verdict()
    assert verdict.justification == "x" * 500


def test_cost_and_tokens_are_kept() -> None:
    usage = {"input_tokens": 7, "output_tokens": 3}
    verdict = result(winner="B", token_usage=usage, cost_usd=0.25, confidence=5).verdict()
    assert (verdict.input_tokens, verdict.output_tokens) == (7, 3)
    assert (verdict.cost_usd, verdict.confidence) == (0.25, 5)


def test_metadata_is_kept_whole_even_what_the_endpoint_added() -> None:
    echoed = result(winner="A", request_metadata={**METADATA, "trace": "t"})
    assert echoed.model_dump()["request_metadata"]["trace"] == "t"


def test_error_carries_no_verdict() -> None:
    failed = result(error_detail={"code": "overloaded", "message": "later"})
    assert failed.error_detail is not None
    assert failed.error_detail.retryable
    with pytest.raises(ValueError, match="no verdict"):
        failed.verdict()
