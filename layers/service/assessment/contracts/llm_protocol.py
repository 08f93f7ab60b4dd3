"""The LLM-provider protocol: what we post to a judge endpoint and what comes back, versioned.

A request is answered 202 (the verdict comes later to the callback address) or 200 with the
callback's body at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from assessment.contracts.valid_values import (
    clean_text,
    read_confidence,
    read_cost_usd,
    read_degree,
    read_justification,
    read_moment,
    read_name,
    read_seconds,
    read_token_count,
)
from assessment.contracts.winner import WINNERS, WinnerLetter, read_winner
from assessment.domain.errors import CJError
from assessment.domain.prompt import PromptBlock
from assessment.domain.quotation import remove_quotations
from assessment.domain.spending import CachedTokens, Spending
from assessment.domain.verdict import MAX_NOTES, JudgeAnswer, Provenance, Verdict

LONGEST_MESSAGE = 500
"""Characters of a failure's message that travel and are kept."""

UNKNOWN_CODE = "unknown"
_NOTE = re.compile(r"[a-z_]{1,30}: left out, [\w ,]{1,80}")

COMPARE_PATH = "/api/v1/llm/compare"


class CompareEssay(BaseModel):
    """One of the two essays; essay A is shown first."""

    model_config = ConfigDict(hide_input_in_errors=True)

    essay_id: str
    text: Annotated[str, Field(repr=False)]


class CallbackAddress(BaseModel):
    """Where the verdict is to be sent: a queue, or a URL that takes signed callbacks."""

    kind: Literal["sqs", "webhook"] = "sqs"
    queue_url: str | None = None
    url: str | None = None


class ComparisonMetadata(BaseModel):
    """What ties a verdict to its comparison; the endpoint echoes it whole and may add to it.

    `prompt_sha256` is the hash of the prompt; a person is shown none. `callback_token` proves that
    the endpoint was asked about this comparison (`contracts.callback_token`).
    """

    model_config = ConfigDict(extra="allow")

    batch_id: str
    wave: int
    comparison_id: str
    attempt: int = 1
    prompt_sha256: str | None = None
    judge: str | None = None
    callback_token: Annotated[str | None, Field(repr=False)] = None


class CompareMetadata(ComparisonMetadata):
    """The metadata of a pair: essay A is shown first."""

    essay_a_id: str
    essay_b_id: str

    @property
    def shown_ids(self) -> tuple[str, ...]:
        """The two essays in the order shown."""
        return self.essay_a_id, self.essay_b_id


class CompareRequestV1(BaseModel):
    """The body of `POST {endpoint}/api/v1/llm/compare`."""

    model_config = ConfigDict(hide_input_in_errors=True)

    schema_version: Literal[1] = 1
    correlation_id: str
    callback: CallbackAddress
    provider_hints: dict[str, str] | None = None
    essay_a: CompareEssay
    essay_b: CompareEssay
    prompt_blocks: list[PromptBlock]
    metadata: CompareMetadata

    @property
    def essay_texts(self) -> list[str]:
        """The texts in the order shown."""
        return [self.essay_a.text, self.essay_b.text]


class TokenUsage(BaseModel):
    """Tokens of one verdict.

    `cache_read_tokens` and `cache_write_tokens` are parts of `input_tokens`: what the provider read
    from its prompt cache and wrote into it.
    """

    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0
    cache_read_tokens: CachedTokens = 0
    cache_write_tokens: CachedTokens = 0


class ErrorDetail(BaseModel):
    """Why there is no verdict; `may_be_paid` where the call broke off and may have been billed."""

    code: str
    message: str
    retryable: bool = True
    may_be_paid: bool = False

    def drop_quotations(self, texts: Iterable[str]) -> Self:
        """The error without words of these texts, in its message or in its code."""
        sources = list(texts)
        spelled = re.sub(r"[_.:/-]+", " ", self.code).strip()
        is_quoting = remove_quotations(spelled, sources) != spelled
        return self.model_copy(
            update={
                "code": UNKNOWN_CODE if is_quoting else self.code,
                "message": remove_quotations(self.message, sources, longest=LONGEST_MESSAGE),
            }
        )


def describe_error(error: CJError, *, retryable: bool, may_be_paid: bool = False) -> ErrorDetail:
    """An error as a callback carries it."""
    return ErrorDetail(
        code=error.code,
        message=str(error)[:LONGEST_MESSAGE],
        retryable=retryable,
        may_be_paid=may_be_paid,
    )


def repair_result(data: dict[str, Any]) -> dict[str, Any]:
    """A callback whose optional fields are valid or absent, with a note for each that was not."""
    degree, degree_note = read_degree(data.get("degree"))
    confidence, confidence_note = read_confidence(data.get("confidence"))
    justification, justification_note = read_justification(data.get("justification"))
    cost, cost_note = read_cost_usd(data.get("cost_usd"))
    usage = data.get("token_usage")
    counts = usage.model_dump() if isinstance(usage, TokenUsage) else usage
    winner = data.get("winner")
    if isinstance(winner, str):
        # An endpoint may pass on a model's own words.
        data = data | {"winner": read_winner(winner) or winner}
    return data | {
        "degree": degree,
        "confidence": confidence,
        "justification": justification,
        "cost_usd": cost,
        "token_usage": _repair_usage(counts),
        "provider": read_name(data.get("provider")) or "unknown",
        "model": read_name(data.get("model")) or "unknown",
        "served_model": read_name(data.get("served_model")),
        "served_version": read_name(data.get("served_version")),
        "request_id": read_name(data.get("request_id")),
        "answered_at": read_moment(data.get("answered_at")),
        "decision_seconds": read_seconds(data.get("decision_seconds")),
        "error_detail": _repair_error(data.get("error_detail")),
        "notes": [
            *_read_notes(data.get("notes")),
            *filter(None, (degree_note, confidence_note, justification_note, cost_note)),
        ][:MAX_NOTES],
    }


def _read_notes(notes: object) -> list[str]:
    if not isinstance(notes, list):
        return []
    return [note for note in notes if isinstance(note, str) and _NOTE.fullmatch(note)]


def _repair_usage(counts: object) -> dict[str, int] | None:
    if not isinstance(counts, dict):
        return None
    tokens = {name: read_token_count(counts.get(name)) for name in TokenUsage.model_fields}
    # Parts of the input: an endpoint that counts them beside it would be priced below nothing.
    tokens["cache_read_tokens"] = min(tokens["cache_read_tokens"], tokens["input_tokens"])
    plain = tokens["input_tokens"] - tokens["cache_read_tokens"]
    tokens["cache_write_tokens"] = min(tokens["cache_write_tokens"], plain)
    return tokens


def _repair_error(error: object) -> object:
    """An error with its code and message as texts; a text alone is its message."""
    if isinstance(error, str) and error:
        error = {"message": error}
    if not isinstance(error, dict) or not error:
        return error if isinstance(error, ErrorDetail) else None
    code = _read_code(error.get("code"))
    message, retryable = error.get("message"), error.get("retryable")
    words = [clean_text(message)] if isinstance(message, str) else []
    if " " in code:
        # A sentence in place of a code: it says something all the same.
        words = [code, *words]
    return {
        "code": UNKNOWN_CODE if " " in code else code,
        "message": ": ".join(words)[:LONGEST_MESSAGE],
        "retryable": retryable if isinstance(retryable, bool) else True,
    }


def _read_code(code: object) -> str:
    """An error's code, which may be a number, or a short sentence of words with single spaces."""
    name = str(code) if isinstance(code, int) else read_name(code, longest=100)
    return " ".join((name or UNKNOWN_CODE).split())


class ComparisonCallback(Provenance):
    """What callbacks about pairs and about lists have in common: who answered, at what cost."""

    # Whoever logs an error of pydantic would otherwise log what an endpoint said.
    model_config = ConfigDict(populate_by_name=True, hide_input_in_errors=True)

    correlation_id: str
    provider: str = "unknown"
    model: str = "unknown"
    token_usage: TokenUsage | None = None
    cost_usd: Annotated[float, Field(ge=0)] | None = None
    error_detail: ErrorDetail | None = None

    @model_validator(mode="before")
    @classmethod
    def _repair_optional(cls, data: Any) -> Any:
        """Nothing optional costs a verdict: what cannot be read is left out, with a note."""
        return repair_result(data) if isinstance(data, dict) else data

    @property
    def has_verdict(self) -> bool:
        """Whether it is no error; whether an order is one of the list is not checked yet."""
        return self.error_detail is None

    @property
    def spent(self) -> Spending:
        """What the answer cost, whether it is a verdict or not."""
        usage = self.token_usage or TokenUsage()
        return Spending(**usage.model_dump(), cost_usd=self.cost_usd or 0.0)


class LLMComparisonResultV1(ComparisonCallback, JudgeAnswer):
    """The callback: a winner or an error, never both."""

    schema_name: Annotated[Literal["LLMComparisonResultV1"], Field(alias="schema")] = (
        "LLMComparisonResultV1"
    )
    request_metadata: CompareMetadata
    winner: WinnerLetter | None = None

    @model_validator(mode="after")
    def _winner_or_error(self) -> Self:
        if (self.winner is None) == (self.error_detail is None):
            message = "exactly one of winner and error_detail must be given"
            raise ValueError(message)
        return self

    def verdict(self) -> Verdict:
        """The domain's verdict; a justification beyond 500 characters is cut, not refused."""
        if self.winner is None:
            message = "a callback with error_detail carries no verdict"
            raise ValueError(message)
        answer = self.model_dump(include=set(JudgeAnswer.model_fields))
        if self.winner == "tie":
            answer["degree"] = None
        return Verdict(
            winner=WINNERS[self.winner],
            judge=self.request_metadata.judge or f"{self.provider}/{self.model}",
            prompt_sha256=self.request_metadata.prompt_sha256,
            **answer,
            **self.spent.model_dump(),
        )
