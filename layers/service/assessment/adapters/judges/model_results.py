"""What a model said, as the results of the comparisons that it was asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assessment.adapters.judges.completion import Completion
from assessment.contracts.list_answer import ModelOrder, read_list_answer
from assessment.contracts.list_protocol import (
    CompareRequest,
    CompareRequestV2,
    ComparisonResult,
    make_result,
)
from assessment.contracts.llm_protocol import (
    LONGEST_MESSAGE,
    ErrorDetail,
    TokenUsage,
)
from assessment.contracts.model_answer import (
    CUT_OFF,
    PROMPT_CUT,
    ModelVerdict,
    find_cut_prompt,
    is_loose_text,
    read_answer,
    split_evenly,
)
from assessment.contracts.rankings import MALFORMED, AnswerProblem
from assessment.domain.judge import JudgeSpec
from assessment.domain.prices import find_price
from assessment.domain.verdict import Provenance

type _Read = ModelVerdict | ModelOrder | AnswerProblem


def make_results(
    judge: JudgeSpec,
    requests: Sequence[CompareRequest],
    completion: Completion,
    *,
    in_batch: bool = False,
) -> list[ComparisonResult]:
    """A completion as results, each with its share of the tokens."""
    wanted = [request.metadata.comparison_id for request in requests]
    usage = completion.usage or TokenUsage()
    usages = _split_usage(usage, len(requests))
    verdicts = _read_verdicts(requests, completion, wanted)
    return [
        _make_result(
            judge,
            request,
            verdicts[name],
            share,
            completion.provenance,
            in_batch=in_batch,
        )
        for request, name, share in zip(requests, wanted, usages, strict=True)
    ]


def _split_usage(usage: TokenUsage, n_parts: int) -> list[TokenUsage]:
    """The tokens of a call as those of its comparisons."""
    names = list(TokenUsage.model_fields)
    counts = zip(*(split_evenly(getattr(usage, name), n_parts) for name in names), strict=True)
    return [TokenUsage(**dict(zip(names, each, strict=True))) for each in counts]


def _read_verdicts(
    requests: Sequence[CompareRequest], completion: Completion, wanted: Sequence[str]
) -> dict[str, _Read]:
    """A verdict for each comparison, or what kept the answer from having one."""
    cut = find_cut_prompt(requests[0].prompt_blocks, completion.usage)
    if cut is not None:
        return dict.fromkeys(wanted, AnswerProblem(PROMPT_CUT, cut))
    if completion.problem is not None:
        return dict.fromkeys(wanted, AnswerProblem(MALFORMED, completion.problem))
    if not completion.is_cut_off:
        return _read_candidates(requests, completion.candidates)
    # What is whole of a bundle's answer was paid for; a thought that was cut off is no answer.
    documents = [place for place in completion.candidates if not is_loose_text(place)]
    problem = AnswerProblem(CUT_OFF, _describe_cut(completion))
    return {
        name: problem if isinstance(verdict, AnswerProblem) else verdict
        for name, verdict in _read_candidates(requests, documents).items()
    }


def _read_candidates(
    requests: Sequence[CompareRequest], candidates: Sequence[object]
) -> dict[str, _Read]:
    """What the places in which the verdicts may stand say of each comparison."""
    lists = {
        request.metadata.comparison_id: request.metadata.essay_ids
        for request in requests
        if isinstance(request, CompareRequestV2)
    }
    if lists:
        return dict(read_list_answer(candidates, lists))
    verdicts = read_answer(candidates, [request.metadata.comparison_id for request in requests])
    return {
        name: AnswerProblem(MALFORMED, verdict) if isinstance(verdict, str) else verdict
        for name, verdict in verdicts.items()
    }


def _describe_cut(completion: Completion) -> str:
    n_tokens = (completion.usage or TokenUsage()).output_tokens
    n_reasoning = completion.n_reasoning_tokens
    thoughts = f" ({n_reasoning} of them thoughts)" if n_reasoning else ""
    return (
        f"the answer was cut off at its token limit, after {n_tokens} tokens{thoughts}: raise "
        "max_output_tokens"
    )


def _make_result(
    judge: JudgeSpec,
    request: CompareRequest,
    verdict: _Read,
    usage: TokenUsage,
    provenance: Provenance,
    *,
    in_batch: bool,
) -> ComparisonResult:
    price = find_price(judge)
    cost = price.compute(**dict(usage), in_batch=in_batch) if price else None
    result = make_result(
        request,
        provider=judge.provider,
        model=judge.model or "unknown",
        **dict(provenance),
        token_usage=usage,
        cost_usd=cost,
        # Replaced below: a result is a verdict or an error, and never neither.
        error_detail=ErrorDetail(code=MALFORMED, message="unread"),
    )
    if isinstance(verdict, AnswerProblem):
        # Malformed once may be chance; twice, asked alone, is how this model answers.
        detail = ErrorDetail(
            code=verdict.code,
            message=verdict.message[:LONGEST_MESSAGE],
            retryable=request.metadata.attempt == 1,
        )
        return result.model_copy(update={"error_detail": detail})
    said = _list_order(verdict) if isinstance(verdict, ModelOrder) else dict(verdict)
    return result.model_copy(update={**said, "error_detail": None, "notes": list(verdict.notes)})


def _list_order(verdict: ModelOrder) -> dict[str, Any]:
    """An order as a callback carries it."""
    order = verdict.order
    scores = dict(zip(order.ranking, order.scores, strict=True)) if order.scores else None
    return {
        "ranking": list(order.ranking),
        "gaps": list(order.gaps) if order.gaps else None,
        "scores": scores,
        "justification": verdict.justification,
    }
