"""What a judge is asked: the protocol's requests for comparisons that share one prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assessment.contracts.callback_token import sign_metadata
from assessment.contracts.list_protocol import (
    CompareRequest,
    CompareRequestV2,
    ComparisonResult,
    ListMetadata,
    label_essays,
    make_result,
)
from assessment.contracts.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
    describe_error,
)
from assessment.contracts.queue_messages import JudgeRequestV1
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
from assessment.domain.prompt import EssayList, EssayPair, PromptBlock, prompt_sha256
from assessment.domain.spec import BatchSpec
from assessment.ports.content import ContentStore
from assessment.ports.judging import Prompts

_ANSWER_OVERHEAD_TOKENS = 200
# Room for role, rubric and assignment when a call is filled; the size check knows exactly.
_INSTRUCTION_TOKENS = 3000


@dataclass(frozen=True)
class Question:
    """A comparison that is ours to ask about, with its texts."""

    request: JudgeRequestV1
    comparison: Comparison
    texts: tuple[str, ...]

    @property
    def pair(self) -> EssayPair:
        """The texts of a pair."""
        first, second = self.texts
        return EssayPair(
            self.request.comparison_id,
            first,
            second,
            essay_a_id=self.comparison.first,
            essay_b_id=self.comparison.second,
        )

    @property
    def essay_list(self) -> EssayList:
        """The texts of a list."""
        return EssayList(self.request.comparison_id, self.texts)


def count_text_tokens(questions: Sequence[Question], *, once: bool) -> int:
    """What the texts of a call take of its prompt, estimated.

    Parameters
    ----------
    once
        Whether the prompt prints an essay of several comparisons once.
    """
    texts = [
        text
        for each in questions
        for text in zip(each.comparison.essay_ids, each.texts, strict=True)
    ]
    printed = dict(texts).items() if once else texts
    return sum(estimate_tokens(text) for _, text in printed)


def fits_in_call(questions: Sequence[Question], *, judge: JudgeSpec, prompts: Prompts) -> bool:
    """Whether a judge is asked about all of these in one call, by its limits."""
    tokens = count_text_tokens(questions, once=prompts.prints_texts_once(judge))
    total_tokens = tokens + _INSTRUCTION_TOKENS + judge.answer_tokens(len(questions))
    return (
        len(questions) <= judge.bundle_size
        and tokens <= judge.bundle_tokens
        and total_tokens <= judge.context_tokens
    )


def read_question(
    request: JudgeRequestV1, comparison: Comparison, *, spec: BatchSpec, content: ContentStore
) -> Question:
    """The comparison with the texts of its essays."""
    folder = batch_texts(request.batch_id)
    texts = tuple(
        content.get_text(folder, spec.text_sha256(essay)) for essay in comparison.essay_ids
    )
    return Question(request, comparison, texts)


def make_requests(
    questions: Sequence[Question],
    *,
    judge: JudgeSpec,
    spec: BatchSpec,
    prompts: Prompts,
    callback: CallbackAddress,
    callback_key: str,
) -> list[CompareRequest]:
    """The protocol's requests, sharing one prompt; the same questions give the same requests.

    The questions are either all about pairs or all about lists.
    """
    blocks = render_prompt(questions, judge=judge, spec=spec, prompts=prompts)
    call = _Call(blocks, judge, callback, callback_key, prompt_sha256(blocks))
    return [
        call.ask_about_list(each) if each.comparison.is_list else call.ask_about_pair(each)
        for each in questions
    ]


def render_prompt(
    questions: Sequence[Question], *, judge: JudgeSpec, spec: BatchSpec, prompts: Prompts
) -> list[PromptBlock]:
    """The prompt of a call about pairs, or about lists."""
    if questions[0].comparison.is_list:
        lists = [each.essay_list for each in questions]
        return prompts.render_lists(judge, spec.instructions, lists, bundle=judge.is_model)
    pairs = [each.pair for each in questions]
    return prompts.render(judge, spec.instructions, pairs, bundle=judge.is_model)


@dataclass(frozen=True)
class _Call:
    """What the requests of one call share."""

    blocks: list[PromptBlock]
    judge: JudgeSpec
    callback: CallbackAddress
    callback_key: str
    sha256: str

    def ask_about_pair(self, question: Question) -> CompareRequestV1:
        """The request about a pair."""
        comparison, pair = question.comparison, question.pair
        return CompareRequestV1(
            **self._share(question),
            essay_a=CompareEssay(essay_id=comparison.first, text=pair.essay_a),
            essay_b=CompareEssay(essay_id=comparison.second, text=pair.essay_b),
            metadata=sign_metadata(
                CompareMetadata(
                    **self._identify(question),
                    essay_a_id=comparison.first,
                    essay_b_id=comparison.second,
                ),
                key=self.callback_key,
            ),
        )

    def ask_about_list(self, question: Question) -> CompareRequestV2:
        """The request about a list."""
        essay_ids = question.comparison.essay_ids
        return CompareRequestV2(
            **self._share(question),
            essays=label_essays(essay_ids, question.texts),
            metadata=sign_metadata(
                ListMetadata(**self._identify(question), essay_ids=essay_ids),
                key=self.callback_key,
            ),
        )

    def _share(self, question: Question) -> dict[str, Any]:
        request = question.request
        return {
            "correlation_id": derive_uuid(
                request.batch_id, request.comparison_id, str(request.attempt)
            ),
            "callback": self.callback,
            "provider_hints": {"model": self.judge.model} if self.judge.model else None,
            "prompt_blocks": self.blocks,
        }

    def _identify(self, question: Question) -> dict[str, Any]:
        request = question.request
        return {
            "batch_id": request.batch_id,
            "wave": request.wave,
            "comparison_id": request.comparison_id,
            "attempt": request.attempt,
            "prompt_sha256": self.sha256,
            "judge": self.judge.label,
        }


def prompt_tokens(requests: Sequence[CompareRequest]) -> int:
    """What the prompt of these requests takes, estimated."""
    return sum(estimate_tokens(block.content) for block in requests[0].prompt_blocks)


def check_size(judge: JudgeSpec, requests: Sequence[CompareRequest]) -> None:
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


def may_be_tried_again(error: JudgeError, request: CompareRequest) -> bool:
    """Whether a comparison that failed so may be asked about in a later wave.

    Output that broke once may be chance; twice, asked alone, it is how this model answers.
    """
    if isinstance(error, BrokenGenerationError):
        return request.metadata.attempt == 1
    return error.retryable


def make_failure(
    request: CompareRequest, error: CJError, *, retryable: bool, may_be_paid: bool = False
) -> ComparisonResult:
    """The callback that says why there is no verdict."""
    detail = describe_error(error, retryable=retryable, may_be_paid=may_be_paid)
    return make_result(request, error_detail=detail)
