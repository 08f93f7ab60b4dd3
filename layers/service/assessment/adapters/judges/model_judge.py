"""A language model as a judge: one call, one verdict for every comparison in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

from assessment.adapters.judges.completion import Completion, OutputLimit
from assessment.contracts.list_answer import LIST_FORMS, ModelOrder, read_list_answer
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
    describe_error,
)
from assessment.contracts.model_answer import (
    CUT_OFF,
    PAIR_ANSWER,
    PROMPT_CUT,
    AnswerForm,
    ModelVerdict,
    find_cut_prompt,
    is_loose_text,
    read_answer,
    split_evenly,
)
from assessment.contracts.rankings import MALFORMED, AnswerProblem
from assessment.domain.judge import JudgeSpec, estimate_tokens
from assessment.domain.judge_errors import JudgeError, ProviderBatchError, Scope
from assessment.domain.prices import find_price
from assessment.domain.prompt import PromptBlock
from assessment.domain.provider_batch import SubmissionAttempt
from assessment.domain.verdict import Provenance


class Model(Protocol):
    """A provider's way to complete a prompt with a structured answer."""

    async def complete(
        self,
        judge: JudgeSpec,
        blocks: Sequence[PromptBlock],
        *,
        max_tokens: OutputLimit,
        request_key: str = "",
    ) -> Completion:
        """One call; raises JudgeError.

        `request_key` is that of the same questions whenever they are asked again without having
        been answered.
        """


@dataclass(frozen=True)
class Submission:
    """What a provider's batch is to answer: prompts and limits by the name of the call."""

    name: str
    prompts: Mapping[str, Sequence[PromptBlock]]
    limits: Mapping[str, OutputLimit]


@dataclass(frozen=True)
class SubmittedCall:
    """A request of a provider's batch: the texts of its prompt, and whose verdicts it is about."""

    texts: Sequence[str]
    comparison_ids: Sequence[str]


def list_call_texts(calls: Mapping[str, SubmittedCall]) -> Iterator[str]:
    """All that a provider has of us in these calls, and might quote."""
    return chain.from_iterable(call.texts for call in calls.values())


class BatchModel(Protocol):
    """A provider's way to complete many prompts within a day."""

    async def find(
        self, judge: JudgeSpec, attempt: SubmissionAttempt, *, is_claimed: Callable[[str], bool]
    ) -> str | None:
        """The provider's id of a submission that may have arrived; raises JudgeError."""

    async def submit(self, judge: JudgeSpec, submission: Submission) -> str:
        """The provider's id of a new batch; raises JudgeError."""

    async def has_ended(self, judge: JudgeSpec, batch_id: str) -> bool:
        """Whether nothing more will be added; raises JudgeError."""

    async def read_answers(
        self, judge: JudgeSpec, batch_id: str, calls: Mapping[str, SubmittedCall]
    ) -> Mapping[str, Completion | JudgeError]:
        """What the batch says of these calls by their names, where it says anything.

        Raises JudgeUnavailableError while the files of a batch that has ended are not there yet,
        and JudgeError.
        """

    async def cancel(self, judge: JudgeSpec, batch_id: str) -> None:
        """Begin no more of it; raises JudgeError."""

    async def delete(self, judge: JudgeSpec, batch_id: str) -> None:
        """Delete prompts and answers; raises JudgeError."""


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
        return _make_results(self._judge, requests, completion)


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
            return _make_results(self._judge, call, answer, in_batch=True)
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


def _make_results(
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


type _Read = ModelVerdict | ModelOrder | AnswerProblem


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
