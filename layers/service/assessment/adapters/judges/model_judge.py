"""A language model as a judge: one call, one verdict for every comparison in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assessment.adapters.judges.completion import Completion, OutputLimit
from assessment.adapters.judges.model import BatchModel, Model, Submission, SubmittedCall
from assessment.adapters.judges.model_results import make_results
from assessment.contracts.list_answer import LIST_FORMS
from assessment.contracts.list_protocol import (
    CompareRequest,
    CompareRequestV2,
    ComparisonResult,
    make_result,
)
from assessment.contracts.llm_protocol import (
    describe_error,
)
from assessment.contracts.model_answer import (
    PAIR_ANSWER,
    AnswerForm,
)
from assessment.domain.judge import JudgeSpec, estimate_tokens
from assessment.domain.judge_errors import JudgeError, ProviderBatchError, Scope
from assessment.domain.provider_batch import SubmissionAttempt


class ModelJudge:
    """Asks a model and matches its verdicts by comparison id."""

    def __init__(self, judge: JudgeSpec, model: Model) -> None:
        self._judge = judge
        self._model = model

    async def compare(self, requests: Sequence[CompareRequest]) -> list[ComparisonResult]:
        """A result for every request; one that is missing or malformed fails alone."""
        completion = await self._model.complete(
            self._judge,
            requests[0].prompt_blocks,
            max_tokens=choose_limit(self._judge, requests),
            request_key=" ".join(request.correlation_id for request in requests),
        )
        return make_results(self._judge, requests, completion)


class ModelBatchJudge:
    """Hands calls to a provider's batch, and reads the verdicts on their comparisons.

    A call is named by its first comparison.
    """

    def __init__(self, judge: JudgeSpec, model: BatchModel) -> None:
        self._judge = judge
        self._model = model

    async def find(
        self, attempt: SubmissionAttempt, *, is_claimed: Callable[[str], bool]
    ) -> str | None:
        """The provider's id of a submission that may have arrived."""
        return await self._model.find(self._judge, attempt, is_claimed=is_claimed)

    async def submit(self, name: str, calls: Sequence[Sequence[CompareRequest]]) -> str:
        """The provider's id of a new batch."""
        by_name = {_name_call(call): call for call in calls}
        prompts = {name: call[0].prompt_blocks for name, call in by_name.items()}
        limits = {name: choose_limit(self._judge, call) for name, call in by_name.items()}
        submission = Submission(name, prompts, limits)
        try:
            return await self._model.submit(self._judge, submission)
        except JudgeError as error:
            raise error.drop_quotations(_list_texts(calls)) from None

    async def has_ended(self, provider_batch_id: str) -> bool:
        """Whether nothing more will be added."""
        return await self._model.has_ended(self._judge, provider_batch_id)

    async def read_results(
        self, provider_batch_id: str, calls: Sequence[Sequence[CompareRequest]]
    ) -> list[ComparisonResult]:
        """A result for every request; answers to anything else are left out."""
        submitted = {
            _name_call(call): SubmittedCall(
                [block.content for block in call[0].prompt_blocks],
                [request.metadata.comparison_id for request in call],
            )
            for call in calls
        }
        try:
            answers = await self._model.read_answers(self._judge, provider_batch_id, submitted)
        except JudgeError as error:
            raise error.drop_quotations(_list_texts(calls)) from None
        return [
            result
            for call in calls
            for result in self._read_results(call, answers.get(_name_call(call)))
        ]

    def _read_results(
        self, call: Sequence[CompareRequest], answer: Completion | JudgeError | None
    ) -> list[ComparisonResult]:
        if isinstance(answer, Completion):
            return make_results(self._judge, call, answer, in_batch=True)
        error = answer or ProviderBatchError(
            "the provider's batch has no answer to this comparison"
        )
        # One of them may be the reason: nothing is final before each was asked alone.
        is_shared = len(call) > 1 and error.scope is not Scope.CALL
        detail = describe_error(error, retryable=error.retryable or is_shared)
        return [
            make_result(
                request,
                provider=self._judge.provider,
                model=self._judge.model or "unknown",
                error_detail=detail,
            )
            for request in call
        ]

    async def cancel(self, provider_batch_id: str) -> None:
        """Begin no more of it."""
        await self._model.cancel(self._judge, provider_batch_id)

    async def delete(self, provider_batch_id: str) -> None:
        """Delete prompts and answers."""
        await self._model.delete(self._judge, provider_batch_id)


def _name_call(call: Sequence[CompareRequest]) -> str:
    return call[0].metadata.comparison_id


def _list_texts(calls: Sequence[Sequence[CompareRequest]]) -> list[str]:
    """All that the provider has of us, and might quote."""
    return [block.content for call in calls for block in call[0].prompt_blocks]


def choose_limit(judge: JudgeSpec, requests: Sequence[CompareRequest]) -> OutputLimit:
    """The most tokens of the answer; another attempt may have more, within the model's context.

    The first one may have been cut off, and a limit that is not reached costs nothing.
    """
    plain = judge.answer_tokens(len(requests))
    if requests[0].metadata.attempt == 1:
        return OutputLimit(plain, plain, _choose_form(judge, requests))
    prompt = sum(estimate_tokens(block.content) for block in requests[0].prompt_blocks)
    raised = judge.raise_answer_tokens(plain, prompt_tokens=prompt)
    return OutputLimit(plain, raised, _choose_form(judge, requests))


def _choose_form(judge: JudgeSpec, requests: Sequence[CompareRequest]) -> AnswerForm:
    """What to ask for: the requests of a call are all about pairs or all about lists."""
    is_list = isinstance(requests[0], CompareRequestV2)
    return LIST_FORMS[judge.list_form] if is_list else PAIR_ANSWER
