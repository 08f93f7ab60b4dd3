"""A provider on a real port, and a way to ask it through the real adapters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config

from assessment.adapters.judges.bedrock_jobs import JobAccess
from assessment.adapters.judges.capabilities import LocalCapabilities
from assessment.adapters.judges.registry import ModelAccess, ProviderJudges
from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.llm_protocol import (
    CallbackAddress,
    CompareEssay,
    CompareMetadata,
    CompareRequestV1,
    LLMComparisonResultV1,
)
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.prompt import EssayPair, JudgeInstructions
from assessment.ports.judging import BatchJudge
from local.providers.scripted_server import ProviderServer, provider_server
from tests.fakes.content import InMemoryContentStore

KEY = "sk-test-0123456789abcdef"
PROVIDERS = ("openai", "anthropic", "bedrock")


@dataclass(frozen=True)
class FixedKeys:
    """One key for everything."""

    value: str

    def exists(self, name: str) -> bool:
        return True

    def get_key(self, name: str) -> str:
        return self.value


def questions(ids: Sequence[str], judge: JudgeSpec, *, attempt: int = 1) -> list[CompareRequestV1]:
    pairs = [EssayPair(name, f"first of {name}", f"second of {name}") for name in ids]
    blocks = JinjaPrompts().render(judge, JudgeInstructions(), pairs, bundle=True)
    return [
        CompareRequestV1(
            correlation_id=f"correlation-{pair.comparison_id}",
            callback=CallbackAddress(queue_url="memory://"),
            essay_a=CompareEssay(essay_id="a", text=pair.essay_a),
            essay_b=CompareEssay(essay_id="b", text=pair.essay_b),
            prompt_blocks=blocks,
            metadata=CompareMetadata(
                batch_id="batch", wave=1, comparison_id=pair.comparison_id, attempt=attempt,
                essay_a_id="a", essay_b_id="b", prompt_sha256="p", judge=judge.label,
            ),
        )
        for pair in pairs
    ]  # fmt: skip


@dataclass
class Asking:
    """A provider and how to ask it."""

    server: ProviderServer
    judge: JudgeSpec
    bedrock_endpoint: str
    key: str = KEY
    capabilities: LocalCapabilities = field(default_factory=LocalCapabilities)
    content: InMemoryContentStore = field(default_factory=InMemoryContentStore)

    @property
    def jobs(self) -> JobAccess:
        """Bedrock's jobs, with the bucket in memory."""
        return JobAccess(
            client=lambda: self._aws("bedrock", 1),
            content=lambda: self.content,
            bucket="bucket",
            role_arn="arn:aws:iam::123456789012:role/jobs",
        )

    def _bedrock(self, seconds: float) -> Any:
        return self._aws("bedrock-runtime", seconds)

    def _aws(self, service: str, seconds: float) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name="eu-north-1",
            endpoint_url=self.bedrock_endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(read_timeout=seconds, retries={"total_max_attempts": 1}),
        )

    def ask(
        self, *calls: Sequence[str], judge: JudgeSpec | None = None, attempt: int = 1
    ) -> list[LLMComparisonResultV1]:
        """The results of calls made one after another over one client."""
        chosen = judge or self.judge

        async def run(judges: ProviderJudges) -> list[LLMComparisonResultV1]:
            found: list[LLMComparisonResultV1] = []
            for ids in calls:
                asked = questions(ids, chosen, attempt=attempt)
                answers = await judges.get_judge(chosen).compare(asked)
                found += [each for each in answers if isinstance(each, LLMComparisonResultV1)]
            return found

        return self.run(run)

    def use_batch[T](self, use: Callable[[BatchJudge], Awaitable[T]]) -> T:
        """What comes of using the provider's batches."""
        return self.run(lambda judges: use(judges.get_batch_judge(self.judge)))

    def run[T](self, use: Callable[[ProviderJudges], Awaitable[T]]) -> T:
        """What comes of using the providers over one client."""

        async def run() -> T:
            async with httpx.AsyncClient() as client:
                access = ModelAccess(
                    http=lambda: client,
                    bedrock=self._bedrock,
                    jobs=self.jobs,
                    keys=FixedKeys(self.key),
                    capabilities=self.capabilities,
                    endpoint_url="",
                )
                return await use(ProviderJudges(access))

        return asyncio.run(run())


def make_asking(provider: str, server: ProviderServer, **settings: Any) -> Asking:
    if provider == "bedrock":
        judge = JudgeSpec(provider=Provider.BEDROCK, model="anthropic.claude-x", **settings)
    else:
        judge = JudgeSpec(
            provider=Provider(provider),
            model="model-1",
            base_url=server.url,
            api_key_secret="key",
            **settings,
        )
    return Asking(server, judge, server.url)


@pytest.fixture(params=PROVIDERS)
def asking(request: pytest.FixtureRequest) -> Iterator[Asking]:
    """Every provider in turn."""
    with provider_server(request.param) as server:
        yield make_asking(request.param, server, timeout_seconds=20)


@pytest.fixture
def openai() -> Iterator[Asking]:
    """The chat completions API alone."""
    with provider_server("openai") as server:
        yield make_asking("openai", server, timeout_seconds=20)


@pytest.fixture
def anthropic() -> Iterator[Asking]:
    """The messages API alone."""
    with provider_server("anthropic") as server:
        yield make_asking("anthropic", server, timeout_seconds=20)


@pytest.fixture
def bedrock() -> Iterator[Asking]:
    """Bedrock's Converse and its jobs alone."""
    with provider_server("bedrock") as server:
        yield make_asking("bedrock", server, timeout_seconds=20)
