"""What a provider's model is asked, alone or in a batch: one class for each provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from assessment.adapters.judges.completion import Completion, OutputLimit
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import JudgeError
from assessment.domain.prompt import PromptBlock
from assessment.domain.provider_batch import SubmissionAttempt


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
