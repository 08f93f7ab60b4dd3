"""Messages of our own queues: comparisons to ask, provider batches to tend, deadlines of waves.

They carry ids only, no texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator


class SubmittedComparison(BaseModel):
    """A comparison of a wave: where it was planned, and which attempt this is."""

    model_config = ConfigDict(frozen=True)

    wave: int
    comparison_id: str
    attempt: int = 1


class JudgeRequestV1(BaseModel):
    """A message of the judge queue: ids only.

    `others` are comparisons that are asked in the same call, because they share essays; `alone`
    asks for a call of its own.
    """

    model_config = ConfigDict(populate_by_name=True, frozen=True, hide_input_in_errors=True)

    schema_name: Annotated[Literal["JudgeRequestV1"], Field(alias="schema")] = "JudgeRequestV1"
    batch_id: str
    wave: int
    comparison_id: str
    attempt: int = 1
    alone: bool = False
    others: tuple[SubmittedComparison, ...] = ()

    @classmethod
    def join(cls, requests: Sequence[JudgeRequestV1]) -> JudgeRequestV1:
        """One message for comparisons that are to be asked in one call."""
        first, *others = requests
        submitted = tuple(
            SubmittedComparison(
                wave=each.wave, comparison_id=each.comparison_id, attempt=each.attempt
            )
            for each in others
        )
        return first.model_copy(update={"others": submitted})

    @property
    def subject(self) -> str:
        """What the message is about, for the log."""
        return self.comparison_id

    @property
    def requests(self) -> list[JudgeRequestV1]:
        """Its comparisons as single messages would name them."""
        return [
            self.model_copy(update={"others": ()}),
            *(JudgeRequestV1(batch_id=self.batch_id, **dict(each)) for each in self.others),
        ]


class ProviderBatchV1(BaseModel):
    """A message of the judge queue: comparisons of a wave that one provider's batch takes together.

    `calls` has how many of them, one after another, are asked in one request because they share
    essays; without it each has a request of its own. The same message, later, looks whether the
    batch has ended; `look` counts them.
    """

    model_config = ConfigDict(populate_by_name=True, frozen=True, hide_input_in_errors=True)

    schema_name: Annotated[Literal["ProviderBatchV1"], Field(alias="schema")] = "ProviderBatchV1"
    batch_id: str
    wave: int
    judge: str
    name: str
    comparisons: Annotated[tuple[SubmittedComparison, ...], Field(min_length=1)]
    calls: tuple[Annotated[int, Field(ge=1)], ...] = ()
    look: int = 0

    @model_validator(mode="after")
    def _check_calls(self) -> Self:
        if self.calls and sum(self.calls) != len(self.comparisons):
            message = "calls: give each comparison its call, or leave it out"
            raise ValueError(message)
        return self

    @property
    def subject(self) -> str:
        """What the message is about, for the log."""
        return self.name

    @property
    def requests(self) -> list[JudgeRequestV1]:
        """The comparisons as single messages would name them."""
        return [
            JudgeRequestV1(batch_id=self.batch_id, **each.model_dump()) for each in self.comparisons
        ]

    @property
    def planned_calls(self) -> list[list[JudgeRequestV1]]:
        """The same, those of one request together."""
        remaining = iter(self.requests)
        sizes = self.calls or (1,) * len(self.comparisons)
        return [list(islice(remaining, size)) for size in sizes]


JudgeMessage = Annotated[JudgeRequestV1 | ProviderBatchV1, Field(discriminator="schema_name")]
"""What the judge queue carries."""

_judge_message: TypeAdapter[JudgeMessage] = TypeAdapter(
    JudgeMessage, config=ConfigDict(hide_input_in_errors=True)
)


def read_judge_message(body: str) -> JudgeMessage:
    """A message of the judge queue; raises pydantic's ValidationError."""
    return _judge_message.validate_json(body)


class WaveDeadlineV1(BaseModel):
    """A delayed message of the callback queue: the wave's time is up."""

    model_config = ConfigDict(populate_by_name=True, frozen=True)

    schema_name: Annotated[Literal["WaveDeadlineV1"], Field(alias="schema")] = "WaveDeadlineV1"
    batch_id: str
    wave: int
    deadline: AwareDatetime
