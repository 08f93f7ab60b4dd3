"""The surface judge: answers at once, without a network, a key or a cost."""

from __future__ import annotations

from collections.abc import Sequence

from assessment.contracts.list_protocol import (
    CompareRequest,
    CompareRequestV2,
    ComparisonResult,
    LLMComparisonResultV2,
)
from assessment.contracts.llm_protocol import LLMComparisonResultV1, TokenUsage
from assessment.contracts.winner import WINNERS
from assessment.domain.judge import JudgeSpec
from assessment.domain.surface_judge import (
    Contributions,
    judge_surface,
    rank_surface,
    surface_contributions,
)

_LETTERS = {winner: letter for letter, winner in WINNERS.items()}


class SurfaceJudge:
    """Verdicts of `assessment.domain.surface_judge`: a baseline, not an assessment."""

    def __init__(
        self, judge: JudgeSpec, contributions: Contributions = surface_contributions
    ) -> None:
        self._judge = judge
        self._contributions = contributions

    async def compare(self, requests: Sequence[CompareRequest]) -> list[ComparisonResult]:
        """A verdict for every comparison; the prompt is not read."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: CompareRequest) -> ComparisonResult:
        if isinstance(request, CompareRequestV2):
            return self._rank(request)
        verdict = judge_surface(
            request.essay_a.text,
            request.essay_b.text,
            judge=self._judge.label or "",
            temperature=self._temperature,
            contributions=self._contributions,
        )
        return LLMComparisonResultV1(
            correlation_id=request.correlation_id,
            request_metadata=request.metadata,
            provider=self._judge.provider,
            model=self._judge.model or "unknown",
            winner=_LETTERS[verdict.winner],
            degree=verdict.degree,
            confidence=verdict.confidence,
            justification=verdict.justification,
            token_usage=TokenUsage(),
            cost_usd=0.0,
        )

    def _rank(self, request: CompareRequestV2) -> LLMComparisonResultV2:
        order = rank_surface(
            request.essay_texts,
            judge=self._judge.label or "",
            temperature=self._temperature,
            contributions=self._contributions,
        )
        return LLMComparisonResultV2(
            correlation_id=request.correlation_id,
            request_metadata=request.metadata,
            provider=self._judge.provider,
            model=self._judge.model or "unknown",
            ranking=[request.metadata.essay_ids[place] for place in order.places],
            gaps=list(order.gaps),
            justification=order.justification,
            token_usage=TokenUsage(),
            cost_usd=0.0,
        )

    @property
    def _temperature(self) -> float:
        return 1.0 if self._judge.temperature is None else self._judge.temperature
