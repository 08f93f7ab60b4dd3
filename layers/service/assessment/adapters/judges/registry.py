"""The adapters of all providers: each is made once in a process, with its key, and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from assessment.adapters.judges.anthropic import AnthropicModel
from assessment.adapters.judges.anthropic_batches import AnthropicBatchModel
from assessment.adapters.judges.bedrock import BedrockModel
from assessment.adapters.judges.bedrock_jobs import BedrockBatchModel, JobAccess
from assessment.adapters.judges.callback_endpoint import CallbackEndpointJudge
from assessment.adapters.judges.capabilities import Capabilities
from assessment.adapters.judges.model import BatchModel, Model
from assessment.adapters.judges.model_judge import ModelBatchJudge, ModelJudge
from assessment.adapters.judges.openai import OpenAIModel
from assessment.adapters.judges.openai_batches import OpenAIBatchModel
from assessment.adapters.judges.surface import SurfaceJudge
from assessment.adapters.prompts import JinjaPrompts
from assessment.domain.errors import InvalidRequestError
from assessment.domain.judge import EMBEDDING_MODEL, PAIR_SIZE, JudgeSpec, Provider
from assessment.domain.surface_judge import Contributions, surface_contributions
from assessment.ports.judging import BatchJudge, Judge, ProviderKeys


@dataclass(frozen=True)
class ModelAccess:
    """How to reach providers.

    `embeddings` is what the surface judge's model with embeddings adds to a text's score; None
    where nothing makes them, as in a stack.
    """

    http: Callable[[], httpx.AsyncClient]
    bedrock: Callable[[float], Any]
    jobs: JobAccess
    keys: ProviderKeys
    capabilities: Capabilities
    endpoint_url: str
    embeddings: Contributions | None = None


class ProviderJudges:
    """The judges of all batches; a model's adapter is kept while its key stays the same."""

    def __init__(self, access: ModelAccess) -> None:
        self._access = access
        self._models: dict[tuple[Provider, str | None], Model] = {}
        self._batch_models: dict[tuple[Provider, str | None], BatchModel] = {}

    def get_judge(self, judge: JudgeSpec) -> Judge:
        """The adapter that answers for this judge."""
        if judge.provider is Provider.SURFACE:
            return self._surface_judge(judge)
        if judge.provider is Provider.CALLBACK_ENDPOINT:
            return CallbackEndpointJudge(
                self._access.http(),
                judge.base_url or self._access.endpoint_url,
                timeout_seconds=judge.timeout_seconds,
            )
        place = self._place(judge)
        if place not in self._models:
            self._models[place] = self._model(*place)
        return ModelJudge(judge, self._models[place])

    def get_batch_judge(self, judge: JudgeSpec) -> BatchJudge:
        """The adapter that takes batches for this judge."""
        place = self._place(judge)
        if place not in self._batch_models:
            self._batch_models[place] = self._batch_model(*place)
        return ModelBatchJudge(judge, self._batch_models[place])

    def _surface_judge(self, judge: JudgeSpec) -> Judge:
        if not judge.needs_embeddings:
            return SurfaceJudge(judge, surface_contributions)
        if self._access.embeddings is None:
            raise _refuse_embeddings()
        return SurfaceJudge(judge, self._access.embeddings)

    def _place(self, judge: JudgeSpec) -> tuple[Provider, str | None]:
        key = self._access.keys.get_key(judge.secret_name) if judge.secret_name else None
        return judge.provider, key

    def _model(self, provider: Provider, key: str | None) -> Model:
        access = self._access
        if provider is Provider.BEDROCK:
            return BedrockModel(access.bedrock, access.capabilities)
        if provider is Provider.ANTHROPIC:
            return AnthropicModel(access.http(), key, access.capabilities)
        return OpenAIModel(access.http(), key, access.capabilities)

    def _batch_model(self, provider: Provider, key: str | None) -> BatchModel:
        access = self._access
        if provider is Provider.BEDROCK:
            return BedrockBatchModel(access.jobs, access.capabilities)
        if provider is Provider.ANTHROPIC:
            return AnthropicBatchModel(access.http(), key, access.capabilities)
        return OpenAIBatchModel(access.http(), key, access.capabilities)


class RequestedJudgeCheck:
    """Finds out when a batch is requested of a stack what would fail in the middle of it."""

    def __init__(self, prompts: JinjaPrompts, keys: ProviderKeys) -> None:
        self._prompts = prompts
        self._keys = keys

    def check(self, judge: JudgeSpec) -> None:
        """Refuse a template that loses an essay, a missing key, and a model that stacks lack."""
        if judge.needs_embeddings:
            raise _refuse_embeddings()
        self._prompts.check(judge)
        if judge.list_size > PAIR_SIZE:
            self._prompts.check_lists(judge, size=judge.list_size)
        if judge.secret_name and not self._keys.exists(judge.secret_name):
            raise InvalidRequestError(
                f"there is no secret for {judge.secret_name!r}; store the provider's key by "
                f"`cj key set {judge.secret_name}`, which reads OPENAI_API_KEY and "
                "ANTHROPIC_API_KEY, or name another key",
                field="judge.api_key_secret",
            )


def _refuse_embeddings() -> InvalidRequestError:
    return InvalidRequestError(
        f"a stack has not got {EMBEDDING_MODEL}, whose embeddings its functions have no room for: "
        "`pip install 'cj-runner[embeddings]'` and `cj execute --offline`",
        field="judge.model",
    )
