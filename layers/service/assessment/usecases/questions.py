"""What a judge is asked: the protocol's requests for comparisons that share one prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assessment.contracts.callback_token import sign_metadata
from assessment.contracts.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
    JudgeRequestV1,
    LLMComparisonResultV1,
    describe_error,
)
from assessment.domain.comparison import Comparison
from assessment.domain.document_keys import batch_texts
from assessment.domain.errors import CJError
from assessment.domain.identifiers import derive_uuid
from assessment.domain.judge import JudgeSpec, estimate_tokens
from assessment.domain.judge_errors import (
    BrokenGenerationError,
    JudgeError,
    OversizeError,
)
from assessment.domain.prompt import EssayPair, prompt_sha256
from assessment.domain.spec import BatchSpec
from assessment.ports.judging import Prompts
from assessment.ports.stores import ContentStore

_ANSWER_OVERHEAD_TOKENS = 200


@dataclass(frozen=True)
class Question:
    """A comparison that is ours to ask about, with its texts."""

    request: JudgeRequestV1
    comparison: Comparison
    pair: EssayPair

    @property
    def tokens(self) -> int:
        """What its two texts take of a prompt, estimated."""
        return estimate_tokens(self.pair.essay_a) + estimate_tokens(self.pair.essay_b)


def read_question(
    request: JudgeRequestV1, comparison: Comparison, *, spec: BatchSpec, content: ContentStore
) -> Question:
    """The comparison with the texts of its essays."""
    folder = batch_texts(request.batch_id)
    first, second = [
        content.get_text(folder, spec.text_sha256(essay))
        for essay in (comparison.first, comparison.second)
    ]
    return Question(request, comparison, EssayPair(request.comparison_id, first, second))


def ask_about(
    questions: Sequence[Question],
    *,
    judge: JudgeSpec,
    spec: BatchSpec,
    prompts: Prompts,
    callback: CallbackAddress,
    callback_key: str,
) -> list[CompareRequestV1]:
    """The protocol's requests, sharing one prompt; the same questions give the same requests."""
    blocks = prompts.render(
        judge, spec.instructions, [each.pair for each in questions], bundle=judge.is_model
    )
    sha256 = prompt_sha256(blocks)
    return [
        CompareRequestV1(
            correlation_id=derive_uuid(
                each.request.batch_id, each.pair.comparison_id, str(each.request.attempt)
            ),
            callback=callback,
            provider_hints={"model": judge.model} if judge.model else None,
            essay_a=CompareEssay(essay_id=each.comparison.first, text=each.pair.essay_a),
            essay_b=CompareEssay(essay_id=each.comparison.second, text=each.pair.essay_b),
            prompt_blocks=blocks,
            metadata=sign_metadata(
                CompareMetadata(
                    batch_id=each.request.batch_id,
                    wave=each.request.wave,
                    comparison_id=each.pair.comparison_id,
                    attempt=each.request.attempt,
                    essay_a_id=each.comparison.first,
                    essay_b_id=each.comparison.second,
                    prompt_sha256=sha256,
                    judge=judge.label,
                ),
                key=callback_key,
            ),
        )
        for each in questions
    ]


def prompt_tokens(requests: Sequence[CompareRequestV1]) -> int:
    """What the prompt of these requests takes, estimated."""
    return sum(estimate_tokens(block.content) for block in requests[0].prompt_blocks)


def check_size(judge: JudgeSpec, requests: Sequence[CompareRequestV1]) -> None:
    """Refuse before paying what cannot fit.

    Raises
    ------
    OversizeError
        If the prompt and the longest answer do not fit the model's context.
    """
    if not judge.is_model:
        return
    tokens = prompt_tokens(requests) + judge.answer_tokens(len(requests))
    if tokens + _ANSWER_OVERHEAD_TOKENS > judge.context_tokens:
        raise OversizeError(
            f"the prompt has about {tokens} tokens; the context has {judge.context_tokens}"
        )


def may_be_tried_again(error: JudgeError, request: CompareRequestV1) -> bool:
    """Whether a comparison that failed so may be asked about in a later wave.

    Output that broke once may be chance; twice, asked alone, it is how this model answers.
    """
    if isinstance(error, BrokenGenerationError):
        return request.metadata.attempt == 1
    return error.retryable


def make_failure(
    request: CompareRequestV1, error: CJError, *, retryable: bool, may_be_paid: bool = False
) -> LLMComparisonResultV1:
    """The callback that says why there is no verdict."""
    detail = describe_error(error, retryable=retryable, may_be_paid=may_be_paid)
    return LLMComparisonResultV1(
        correlation_id=request.correlation_id,
        request_metadata=request.metadata,
        error_detail=detail,
    )
