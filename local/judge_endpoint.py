"""The sample judge: answers as real people did, by the LLM-provider protocol or as a provider.

As a provider it speaks chat completions and Messages, and the batch APIs of OpenAI, Anthropic and
Bedrock.
"""

from __future__ import annotations

import contextlib
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import boto3
import typer
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from assessment.contracts.llm_protocol import COMPARE_PATH
from local.judge import human_judge
from local.judge.options import JudgeOptions
from local.judge.sample_judge import SampleJudge
from local.providers.anthropic_batches import AnthropicBatches
from local.providers.batch_api import Services
from local.providers.bedrock_jobs import BedrockJobs
from local.providers.openai_batches import OpenAIBatches
from local.providers.provider_formats import ProviderFormats
from local.providers.s3_objects import Objects, S3Objects
from runner.sample_judge import TEXTS_PATH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "plastic-bottles"


def create_app(judge: SampleJudge, objects: Objects | None = None) -> Starlette:
    """The endpoint around a judge; Bedrock's jobs need objects to read and write."""
    formats = ProviderFormats(judge)
    services = Services(judge, formats, lambda: datetime.now(UTC), lambda: uuid.uuid4().hex[:24])

    async def healthz(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "options": judge.options.as_dict()})

    async def stats(_: Request) -> JSONResponse:
        return JSONResponse(judge.stats.as_dict())

    async def texts(http: Request) -> JSONResponse:
        """How many of the texts with these hashes this judge has no judgement on."""
        hashes = (await http.json())["sha256"]
        return JSONResponse(
            {"known_texts": len(judge.people.texts), "unknown": judge.count_unknown(hashes)}
        )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await judge.stop()

    return Starlette(
        routes=[
            Route(COMPARE_PATH, judge.compare, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/stats", stats),
            Route(TEXTS_PATH, texts, methods=["POST"]),
            *formats.routes(),
            *OpenAIBatches(services).routes(),
            *AnthropicBatches(services).routes(),
            *(BedrockJobs(services, objects).routes() if objects else ()),
        ],
        lifespan=lifespan,
    )


def sqs_sender() -> Callable[[str, str], None]:
    """Delivery to SQS, with the endpoint and credentials that the environment names."""
    client = boto3.client("sqs")

    def send(queue_url: str, body: str) -> None:
        client.send_message(QueueUrl=queue_url, MessageBody=body)

    return send


def serve(
    port: Annotated[int, typer.Option(envvar="CJ_JUDGE_PORT", help="Port on 127.0.0.1.")] = 4580,
    sample: Annotated[Path, typer.Option(help="Folder with texts and judgements.")] = SAMPLE,
    seed: Annotated[int, typer.Option(help="Decides which person answers which comparison.")] = 1,
    latency: Annotated[float, typer.Option(help="Mean seconds until a verdict.")] = 0.2,
    error_rate: Annotated[float, typer.Option(help="Share of requests that fail retryably.")] = 0.0,
    duplicate_rate: Annotated[float, typer.Option(help="Share of callbacks sent twice.")] = 0.0,
    shuffle: Annotated[
        float, typer.Option(help="Callbacks wait up to this many seconds more.")
    ] = 0.0,
    silent: Annotated[float, typer.Option(help="Share of comparisons never answered.")] = 0.0,
    coin_flip: Annotated[bool, typer.Option(help="Flip a coin instead of asking people.")] = False,  # noqa: FBT002 - a command-line flag
    immediate: Annotated[bool, typer.Option(help="Answer 200 with the verdict at once.")] = False,  # noqa: FBT002 - a command-line flag
    batch_seconds: Annotated[
        float, typer.Option(help="Seconds that a provider's batch waits before it runs.")
    ] = 1.0,
    bedrock_minimum_records: Annotated[
        int, typer.Option(help="A model invocation job with fewer records fails.")
    ] = 100,
) -> None:
    """Serve the sample judge until interrupted."""
    options = JudgeOptions(
        seed=seed,
        latency=latency,
        error_rate=error_rate,
        duplicate_rate=duplicate_rate,
        shuffle=shuffle,
        silent=silent,
        coin_flip=coin_flip,
        immediate=immediate,
        batch_seconds=batch_seconds,
        bedrock_minimum_records=bedrock_minimum_records,
    )
    judge = SampleJudge(human_judge.load(sample), options, sqs_sender())
    app = create_app(judge, S3Objects(boto3.client("s3")))
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="info")


if __name__ == "__main__":
    typer.run(serve)
