"""A judge of a batch: which provider, which model, and with what settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from assessment.domain.endpoint import check_endpoint
from assessment.domain.field_problems import WrongFieldError
from assessment.domain.identifiers import content_sha256
from assessment.domain.list_ratio import ExpectedRatio, is_blunt
from assessment.domain.price import Price
from assessment.domain.prompt import DEFAULT_TEMPLATE

MAX_BUNDLE = 10
PAIR_SIZE, MAX_LIST_SIZE = 2, 10
"""Essays of one comparison: two are a pair, more a list that the judge ranks."""

MAX_PROVIDER_BATCH = 500
_CHARACTERS_PER_TOKEN = 3.0
_TOKENS_PER_VERDICT = 300
# No model that is in use today answers with fewer than 4,096 tokens at the most.
_ANSWER_TOKENS = 4000
_RAISE_FACTOR = 4
_MOST_ANSWER_TOKENS = 64_000
_ANSWER_MARGIN_TOKENS = 200


class Provider(StrEnum):
    """Whom to ask."""

    CALLBACK_ENDPOINT = "callback_endpoint"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    BEDROCK = "bedrock"
    PERSON = "person"
    SURFACE = "surface"


class BatchingMode(StrEnum):
    """How comparisons are put into calls of the provider.

    Each in a call of its own; several in a call, answered at once; or many in a batch that the
    provider answers within a day at a lower price.
    """

    PER_REQUEST = "per_request"
    SERIAL_BUNDLE = "serial_bundle"
    PROVIDER_BATCH_API = "provider_batch_api"


class ListForm(StrEnum):
    """How a judge says by how much the essays of a list differ.

    By the gap between neighbours of its order, or by a score for each essay, which gives the order.
    """

    GAPS = "gaps"
    SCORES = "scores"


SURFACE_MODEL = "features-1"
"""Names the figures and weights of the surface judge; others get another name."""

EMBEDDING_MODEL = "embeddings-1"
"""The same figures with a small model's embeddings of the texts, from a package beside ours."""

SURFACE_MODELS = (SURFACE_MODEL, EMBEDDING_MODEL)

SURFACE_CAUTION = "judges the surface; a baseline, not an assessment"
"""What everything that comes of the surface judge says of itself."""

PERSON_LABEL = f"{Provider.PERSON}/"
"""Beginning of the name that a person has as a judge."""

_SINGLE = (Provider.CALLBACK_ENDPOINT, Provider.PERSON, Provider.SURFACE)

DEFAULT_BASE_URLS = {
    Provider.OPENAI: "https://api.openai.com/v1",
    Provider.ANTHROPIC: "https://api.anthropic.com",
}


class JudgeSpec(BaseModel):
    """One judge of a batch, as a request describes it.

    `name` is what its verdicts are attributed to, so two judges of a jury never share one.
    `share` is its weight in the draw that assigns comparisons.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Provider = Provider.CALLBACK_ENDPOINT
    # Lengths stand apart from patterns: the engine compiles a counted repeat of `\w` for long.
    model: Annotated[str, Field(pattern=r"^[\w.:/@-]+$", max_length=200)] | None = None
    name: Annotated[str, Field(pattern=r"^[\w.:/@ -]+$", max_length=80)] | None = None
    base_url: Annotated[str, Field(max_length=500)] | None = None
    callback: Literal["sqs", "webhook"] = "sqs"
    api_key_secret: Annotated[str, Field(pattern=r"^[\w.-]+$", max_length=100)] | None = None
    template: Annotated[str, Field(max_length=100)] = DEFAULT_TEMPLATE
    template_source: Annotated[str | None, Field(max_length=20_000, repr=False)] = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_output_tokens: Annotated[int, Field(ge=50, le=64_000)] | None = None
    timeout_seconds: Annotated[float, Field(ge=1, le=50)] = 45.0
    context_tokens: Annotated[int, Field(ge=1000, le=10_000_000)] = 128_000
    batching_mode: BatchingMode | None = None
    bundle_size: Annotated[int, Field(ge=1, le=MAX_BUNDLE)] = MAX_BUNDLE
    bundle_tokens: Annotated[int, Field(ge=500, le=1_000_000)] = 24_000
    provider_batch_size: Annotated[int, Field(ge=1, le=MAX_PROVIDER_BATCH)] = 200
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1000, le=1_000_000_000)] | None = None
    price: Price | None = None
    quota: Annotated[int, Field(ge=1, le=100_000)] | None = None
    lease_seconds: Annotated[int, Field(ge=30, le=86_400)] = 900
    control_share: Annotated[float, Field(ge=0, le=0.5)] | None = None
    pin_model: StrictBool = False
    share: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 1.0
    # Two are pairs. Left out where it is so, as it was before there were lists.
    list_size: Annotated[
        int, Field(ge=2, le=MAX_LIST_SIZE, exclude_if=lambda value: value == PAIR_SIZE)
    ] = PAIR_SIZE
    list_form: Annotated[ListForm, Field(exclude_if=lambda value: value == ListForm.GAPS)] = (
        ListForm.GAPS
    )
    # As `cj prompt-check --list-size` measured it: sharpness in lists as a share of that in pairs,
    # and the standard error of its logarithm.
    list_ratio: Annotated[
        float | None, Field(gt=0, le=10, exclude_if=lambda value: value is None)
    ] = None
    list_ratio_error: Annotated[
        float | None, Field(ge=0, le=3, exclude_if=lambda value: value is None)
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _name_surface_model(cls, data: Any) -> Any:
        """The surface judge counts unless another model is named; it is in the specification."""
        if isinstance(data, dict) and data.get("provider") == Provider.SURFACE:
            return {"model": SURFACE_MODEL} | {k: v for k, v in data.items() if v is not None}
        return data

    @model_validator(mode="after")
    def _check_surface(self) -> Self:
        if self.provider is not Provider.SURFACE:
            return self
        if self.model not in SURFACE_MODELS:
            models = " and ".join(SURFACE_MODELS)
            raise WrongFieldError("model", f"the surface judge has the models {models}")
        if self.base_url or self.template_source:
            message = "the surface judge asks nobody: leave out base_url and template_source"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_model(self) -> Self:
        if self.is_model and self.model is None:
            message = f"name the model that {self.provider} is to use in `model`"
            raise ValueError(message)
        if self.provider is Provider.PERSON and (self.base_url or self.model):
            message = "people are asked through the API: leave out model and base_url"
            raise ValueError(message)
        if self.name is not None and self.name.startswith(PERSON_LABEL):
            raise WrongFieldError("name", "person/... is kept for the people who judge")
        return self

    @model_validator(mode="after")
    def _check_access(self) -> Self:
        if self.provider is Provider.BEDROCK and (self.base_url or self.api_key_secret):
            message = "bedrock is called in the stack's region by IAM: leave out base_url and key"
            raise ValueError(message)
        if not self.is_model and self.api_key_secret:
            message = f"{self.provider} takes no key: leave out api_key_secret"
            raise ValueError(message)
        if self.base_url is not None:
            check_endpoint(self.base_url)
        return self

    @model_validator(mode="after")
    def _check_list_size(self) -> Self:
        """People would have to hold five texts in mind at once."""
        if self.list_size > PAIR_SIZE and self.provider is Provider.PERSON:
            raise WrongFieldError("list_size", "people judge pairs only; leave it out")
        if self.list_form is not ListForm.GAPS and self.list_size == PAIR_SIZE:
            raise WrongFieldError("list_form", "is about lists; set list_size, or leave it out")
        return self

    @model_validator(mode="after")
    def _check_list_ratio(self) -> Self:
        if self.list_ratio is None and self.list_ratio_error is None:
            return self
        if self.list_ratio is None:
            raise WrongFieldError("list_ratio", "give the ratio that list_ratio_error is of")
        if self.list_ratio_error is None:
            raise WrongFieldError("list_ratio_error", "give the standard error of log list_ratio")
        if self.list_size == PAIR_SIZE:
            raise WrongFieldError("list_ratio", "is about lists; set list_size, or leave it out")
        if is_blunt(ExpectedRatio(self.list_ratio, self.list_ratio_error).probability_blunt):
            message = "so blunt a judge is better asked for pairs; leave out list_size"
            raise WrongFieldError("list_ratio", message)
        return self

    @model_validator(mode="after")
    def _check_batching(self) -> Self:
        resolve_effective_llm_batching_mode(self.batching_mode, self.provider)
        return self

    @property
    def is_model(self) -> bool:
        """Whether a language model answers within the call: not an endpoint that calls back."""
        return self.provider not in _SINGLE

    @property
    def needs_embeddings(self) -> bool:
        """Whether it is the surface judge's model with embeddings, which only the workbench has."""
        return self.provider is Provider.SURFACE and self.model == EMBEDDING_MODEL

    @property
    def label(self) -> str | None:
        """What verdicts are attributed to; None leaves it to the endpoint's own answer."""
        if self.name:
            return self.name
        if self.provider is Provider.PERSON:
            return self.provider.value
        has_label = self.is_model or self.provider is Provider.SURFACE
        return f"{self.provider}/{self.model}" if has_label else None

    @property
    def expected_list_ratio(self) -> ExpectedRatio | None:
        """What the request says of its sharpness in lists, if anything."""
        if self.list_ratio is None or self.list_ratio_error is None:
            return None
        return ExpectedRatio.from_measurement(self.list_ratio, self.list_ratio_error)

    @property
    def endpoint(self) -> str | None:
        """Where the provider is, if the batch or the provider says so."""
        return self.base_url or DEFAULT_BASE_URLS.get(self.provider)

    @property
    def secret_name(self) -> str | None:
        """The secret that holds the key; an endpoint of one's own has none unless it is named."""
        if self.api_key_secret or self.base_url or self.provider not in DEFAULT_BASE_URLS:
            return self.api_key_secret
        return self.provider.value

    @property
    def circuit(self) -> str:
        """What shares a circuit breaker and rate limits: the same model at the same place."""
        return content_sha256(f"{self.provider}\x1f{self.endpoint}\x1f{self.model}")[:24]

    @property
    def template_id(self) -> str:
        """The template's name, or the hash of one that the request brought."""
        if self.template_source is None:
            return self.template
        return f"sha256:{content_sha256(self.template_source)}"

    def mode(self, stack: BatchingMode) -> BatchingMode:
        """How this judge's comparisons are put into calls under the stack's default."""
        return resolve_effective_llm_batching_mode(
            self.batching_mode, self.provider, stack=stack
        ).mode

    def asks_together(self, stack: BatchingMode) -> bool:
        """Whether several of its comparisons are asked in one call or request of a batch."""
        return self.mode(stack) is not BatchingMode.PER_REQUEST and self.bundle_size > 1

    def pairs_per_call_beside_lists(self, stack: BatchingMode) -> int:
        """The most pairs of one call where the judge is asked for lists as well.

        Where every list is a call of its own the pairs are not: a call of pairs prints no more
        texts than a list does.
        """
        if not self.is_model:
            return 1
        if self.mode(stack) is BatchingMode.SERIAL_BUNDLE:
            return self.bundle_size
        return min(self.bundle_size, self.list_size // PAIR_SIZE)

    def uses_provider_batches(self, stack: BatchingMode) -> bool:
        """Whether its comparisons go into the provider's batches."""
        return self.mode(stack) is BatchingMode.PROVIDER_BATCH_API

    def answer_tokens(self, comparisons: int) -> int:
        """The most tokens an answer about so many comparisons may have.

        Models that reason count their thoughts, so there is room for more than the verdicts
        where the request does not say.
        """
        if self.max_output_tokens is not None:
            return self.max_output_tokens * comparisons
        room_to_think = min(_ANSWER_TOKENS, self.context_tokens // 4)
        return max(_TOKENS_PER_VERDICT * comparisons, room_to_think)

    def raise_answer_tokens(self, plain: int, *, prompt_tokens: int) -> int:
        """More room for an answer than `plain` tokens, as far as the context leaves it."""
        room = self.context_tokens - prompt_tokens - _ANSWER_MARGIN_TOKENS
        return max(plain, min(plain * _RAISE_FACTOR, _MOST_ANSWER_TOKENS, room))

    def identity(self) -> dict[str, Any]:
        """What a verdict depends on; keys, prices, limits and time-outs change no verdict."""
        return {
            "provider": self.provider,
            "model": self.model,
            "name": self.name,
            "base_url": self.base_url,
            "template": self.template_id,
            "temperature": self.temperature,
            "mode": self.batching_mode,
            "bundle": (self.bundle_size, self.bundle_tokens),
            "share": self.share,
        } | self._list_identity()

    def _list_identity(self) -> dict[str, Any]:
        """What a verdict on a list depends on; nothing for pairs, as before there were lists."""
        size = {"list_size": self.list_size} if self.list_size > PAIR_SIZE else {}
        form = {"list_form": self.list_form} if self.list_form is not ListForm.GAPS else {}
        return size | form


def estimate_tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few: three bytes of UTF-8 to a token."""
    return int(len(text.encode()) / _CHARACTERS_PER_TOKEN) + 1


@dataclass(frozen=True)
class EffectiveMode:
    """How a judge's comparisons are put into calls, and why if not as the stack asks."""

    mode: BatchingMode
    reason: str | None = None


def resolve_effective_llm_batching_mode(
    requested: BatchingMode | None,
    provider: Provider,
    *,
    stack: BatchingMode = BatchingMode.SERIAL_BUNDLE,
) -> EffectiveMode:
    """The mode for a provider: the batch's own wish, or the stack's as far as it can be met.

    Raises
    ------
    ValueError
        If the batch asks for what the provider cannot do; says what it can.
    """
    if provider in _SINGLE:
        reason = f"{provider} takes one comparison at a time"
        if requested not in (None, BatchingMode.PER_REQUEST):
            raise WrongFieldError("batching_mode", f"{reason}; use per_request")
        return EffectiveMode(BatchingMode.PER_REQUEST, reason)
    return EffectiveMode(requested or stack)
