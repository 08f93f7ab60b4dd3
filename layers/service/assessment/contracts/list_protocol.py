"""Version 2 of the LLM-provider protocol: one call ranks a list of essays.

Version 1 asks about pairs: a request says by `schema_version` which
of the two it is, and a callback by its `schema`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, WithJsonSchema, model_validator

from assessment.contracts.llm_protocol import (
    CallbackAddress,
    CompareMetadata,
    CompareRequestV1,
    ComparisonCallback,
    ComparisonMetadata,
    LLMComparisonResultV1,
)
from assessment.contracts.rankings import AnswerProblem, Order, ShownEssays, read_order
from assessment.domain.comparison import LARGEST_LIST, SMALLEST_LIST
from assessment.domain.prompt import LABELS, PromptBlock
from assessment.domain.verdict import MAX_JUSTIFICATION, MAX_NOTES, Gap, ListVerdict, Provenance

RESULT_SCHEMA_V2 = "LLMComparisonResultV2"

_LISTS_VERSION = 2
_GAPS = [*map(str, Gap), None]


def _describe(schema: dict[str, Any]) -> WithJsonSchema:
    """The form in which a field is to be sent, or null."""
    return WithJsonSchema({"anyOf": [schema, {"type": "null"}]})


class ListedEssay(BaseModel):
    """One of the essays of a list; the prompt shows it under its label."""

    model_config = ConfigDict(hide_input_in_errors=True)

    label: str
    essay_id: str
    text: Annotated[str, Field(repr=False)]


class ListMetadata(ComparisonMetadata):
    """The metadata of a list; `essay_ids` are the essays in the order shown."""

    essay_ids: Annotated[tuple[str, ...], Field(min_length=SMALLEST_LIST, max_length=LARGEST_LIST)]

    @property
    def shown_ids(self) -> tuple[str, ...]:
        """The essays in the order shown."""
        return self.essay_ids


class CompareRequestV2(BaseModel):
    """The body of `POST {endpoint}/api/v1/llm/compare` that asks to rank a list of essays."""

    model_config = ConfigDict(hide_input_in_errors=True)

    schema_version: Literal[2] = 2
    correlation_id: str
    callback: CallbackAddress
    provider_hints: dict[str, str] | None = None
    essays: Annotated[list[ListedEssay], Field(min_length=SMALLEST_LIST, max_length=LARGEST_LIST)]
    prompt_blocks: list[PromptBlock]
    metadata: ListMetadata

    @property
    def essay_texts(self) -> list[str]:
        """The texts in the order shown."""
        return [essay.text for essay in self.essays]


class LLMComparisonResultV2(ComparisonCallback):
    """The callback about a list: an order of all its essays or an error, never both.

    Attributes
    ----------
    ranking
        The ids of all essays, the best first; it may be left out where the scores give the order.
    gaps
        By how much each essay is better than the next one: tie, slight, clear or decisive, one
        fewer than essays.
    scores
        In place of gaps: a score for each essay by its id, the higher the better.
    """

    schema_name: Annotated[Literal["LLMComparisonResultV2"], Field(alias="schema")] = (
        "LLMComparisonResultV2"
    )
    request_metadata: ListMetadata
    # Judges write orders in many forms; `contracts.rankings` reads them.
    ranking: Annotated[Any, _describe({"type": "array", "items": {"type": "string"}})] = None
    gaps: Annotated[
        Any, _describe({"type": "array", "items": {"type": ["string", "null"], "enum": _GAPS}})
    ] = None
    scores: Annotated[
        Any, _describe({"type": "object", "additionalProperties": {"type": "number"}})
    ] = None
    justification: Annotated[str | None, Field(max_length=MAX_JUSTIFICATION, repr=False)] = None
    notes: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _order_or_error(self) -> Self:
        has_order = self.ranking is not None or self.scores is not None
        if has_order == (self.error_detail is not None):
            message = "exactly one of ranking (or scores) and error_detail must be given"
            raise ValueError(message)
        return self

    def read_order(self) -> Order | AnswerProblem:
        """The order of all essays that were asked about, or what is wrong with it."""
        return read_order(
            ranking=self.ranking,
            gaps=self.gaps,
            scores=self.scores,
            shown=ShownEssays(self.request_metadata.essay_ids),
        )

    def verdict(self) -> ListVerdict:
        """The domain's verdict.

        Raises
        ------
        ValueError
            If there is none: see `read_order`.
        """
        order = self.read_order()
        if self.error_detail is not None or isinstance(order, AnswerProblem):
            message = "the callback carries no order of the list"
            raise ValueError(message)
        return ListVerdict(
            ranking=order.ranking,
            gaps=order.gaps,
            scores=order.scores,
            justification=self.justification,
            judge=self.request_metadata.judge or f"{self.provider}/{self.model}",
            prompt_sha256=self.request_metadata.prompt_sha256,
            notes=[*self.notes, *order.notes][:MAX_NOTES],
            **self.model_dump(include=set(Provenance.model_fields)),
            **self.spent.model_dump(),
        )


type AnyMetadata = CompareMetadata | ListMetadata
type CompareRequest = CompareRequestV1 | CompareRequestV2
type ComparisonResult = LLMComparisonResultV1 | LLMComparisonResultV2


class CallbackBody(RootModel[LLMComparisonResultV1 | LLMComparisonResultV2]):
    """A callback: the verdict on a pair or on a list, or why there is none."""


def label_essays(essay_ids: Sequence[str], texts: Sequence[str]) -> list[ListedEssay]:
    """The essays of a list under the labels by which the prompt shows them."""
    return [
        ListedEssay(label=label, essay_id=essay_id, text=text)
        for label, essay_id, text in zip(LABELS, essay_ids, texts, strict=False)
    ]


def make_result(request: CompareRequest, **fields: Any) -> ComparisonResult:
    """The result that answers a request, in the request's version."""
    if isinstance(request, CompareRequestV2):
        return LLMComparisonResultV2(
            correlation_id=request.correlation_id, request_metadata=request.metadata, **fields
        )
    return LLMComparisonResultV1(
        correlation_id=request.correlation_id, request_metadata=request.metadata, **fields
    )


def read_request(body: bytes | str) -> CompareRequest:
    """A request in either version, as an endpoint takes it; raises pydantic's ValidationError."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    is_list = isinstance(document, dict) and document.get("schema_version") == _LISTS_VERSION
    version = CompareRequestV2 if is_list else CompareRequestV1
    return version.model_validate_json(body)


def choose_result_type(data: object) -> type[LLMComparisonResultV1 | LLMComparisonResultV2]:
    """The version of a callback: by its schema, or by what it echoes where it names none."""
    fields: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    schema, metadata = fields.get("schema"), fields.get("request_metadata")
    if schema is None and isinstance(metadata, Mapping) and "essay_a_id" not in metadata:
        return LLMComparisonResultV2 if "essay_ids" in metadata else LLMComparisonResultV1
    return LLMComparisonResultV2 if schema == RESULT_SCHEMA_V2 else LLMComparisonResultV1
