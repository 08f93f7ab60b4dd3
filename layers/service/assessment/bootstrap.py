"""Real adapters from the settings, made once in a process and only when they are needed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import cache
from typing import Any

import boto3
import httpx
from botocore.config import Config

from assessment.adapters.aws.assignment_store import DynamoDBAssignmentStore
from assessment.adapters.aws.batch_store import DynamoDBBatchStore
from assessment.adapters.aws.capability_store import DynamoDBCapabilities
from assessment.adapters.aws.comparison_store import DynamoDBComparisonStore
from assessment.adapters.aws.dynamodb import Table
from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.adapters.aws.person_leases import DynamoDBPersonLeases
from assessment.adapters.aws.provider_batch_store import DynamoDBProviderBatchStore
from assessment.adapters.aws.s3 import S3ContentStore
from assessment.adapters.aws.secrets import secret_text
from assessment.adapters.aws.signatures import DynamoDBSeenSignatures
from assessment.adapters.aws.sqs import SQSCallbackQueue, SQSJudgeQueue
from assessment.adapters.aws.stepfunctions import StepFunctionsWorkflow
from assessment.adapters.judges.bedrock_jobs import JobAccess
from assessment.adapters.judges.gate import DynamoDBJudgeGate
from assessment.adapters.judges.registry import (
    JudgeKeys,
    ModelAccess,
    ProviderJudges,
    RequestedJudgeCheck,
)
from assessment.adapters.prompts import JinjaPrompts
from assessment.domain.judge import BatchingMode
from assessment.settings import settings
from assessment.usecases.questions import JudgePorts

# Standard retries with jitter; the pool covers our parallel writers.
# A connection that hangs must not eat a function's whole time: SQS and Step Functions try again.
_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5},
    max_pool_connections=25,
    connect_timeout=3,
    read_timeout=10,
)


@cache
def aws(service: str) -> Any:
    """A client of an AWS service."""
    # The name is a plain string here, so the typed overloads of boto3 do not apply.
    make: Any = boto3.client
    return make(service, config=_CONFIG, endpoint_url=settings().laptop_cloud_url or None)


@cache
def table() -> Table:
    """The one table."""
    return Table(aws("dynamodb"), settings().table_name)


@cache
def assignments() -> DynamoDBAssignmentStore:
    """The registry of anchors."""
    return DynamoDBAssignmentStore(table())


@cache
def batches() -> DynamoDBBatchStore:
    """Batches, essays and waves."""
    return DynamoDBBatchStore(table())


@cache
def comparisons() -> DynamoDBComparisonStore:
    """Comparisons and pending marks."""
    return DynamoDBComparisonStore(table())


@cache
def content() -> S3ContentStore:
    """Essay texts and documents."""
    return S3ContentStore(aws("s3"), settings().bucket_name)


@cache
def judge_queue() -> SQSJudgeQueue:
    """The way to call_judge."""
    return SQSJudgeQueue(aws("sqs"), settings().judge_queue_url)


@cache
def callback_queue() -> SQSCallbackQueue:
    """The way to record_callback."""
    return SQSCallbackQueue(aws("sqs"), settings().callback_queue_url)


@cache
def workflow() -> StepFunctionsWorkflow:
    """The state machine."""
    return StepFunctionsWorkflow(aws("stepfunctions"), settings().state_machine_arn)


@cache
def events() -> EventBridgePublisher:
    """The event bus."""
    return EventBridgePublisher(aws("events"), settings().event_bus_name)


@cache
def api_secret() -> str:
    """The key that signs the API's tokens, read once in a process."""
    return secret_text(aws("secretsmanager"), settings().api_secret_arn)


def person_ports() -> dict[str, Any]:
    """What people's judging needs, by the names of its use cases."""
    return {
        "batches": batches(),
        "comparisons": comparisons(),
        "content": content(),
        "leases": DynamoDBPersonLeases(table()),
    }


@cache
def callback_secret() -> str:
    """The key that signs callbacks over the web, read once in a process."""
    return secret_text(aws("secretsmanager"), settings().callback_secret_arn)


def callback_ports() -> dict[str, Any]:
    """What accepting a signed callback needs, by the names of its use case."""
    return {
        "secret": callback_secret(),
        "seen": DynamoDBSeenSignatures(table()),
        "callback_queue": callback_queue(),
    }


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """The one event loop of the process: connections belong to a loop and outlive invocations."""
    return asyncio.new_event_loop()


def run[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the process's loop."""
    return event_loop().run_until_complete(work)


@cache
def http_client() -> httpx.AsyncClient:
    """The one HTTP client of the process; every call brings its own time limit."""
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=60)
    transport = httpx.AsyncHTTPTransport(retries=1, limits=limits)
    return httpx.AsyncClient(transport=transport, follow_redirects=False)


@cache
def bedrock(timeout_seconds: float) -> Any:
    """Bedrock's runtime with a time limit, and without retries: the queue does those."""
    make: Any = boto3.client
    return make(
        "bedrock-runtime",
        endpoint_url=settings().laptop_cloud_url or None,
        config=Config(
            read_timeout=timeout_seconds, retries={"mode": "standard", "total_max_attempts": 1}
        ),
    )


@cache
def judge_keys() -> JudgeKeys:
    """The providers' keys."""
    return JudgeKeys(aws("secretsmanager"), settings().judge_secret_prefix)


@cache
def judges() -> ProviderJudges:
    """All providers."""
    access = ModelAccess(
        http=lambda: http_client(),  # noqa: PLW0108 - looked up anew, so that tests may replace it
        bedrock=lambda seconds: bedrock(seconds),  # noqa: PLW0108 - as above
        jobs=JobAccess(
            client=lambda: aws("bedrock"),
            content=content,
            bucket=settings().bucket_name,
            role_arn=settings().bedrock_batch_role_arn,
        ),
        keys=judge_keys(),
        capabilities=DynamoDBCapabilities(table()),
        endpoint_url=settings().judge_endpoint_url,
    )
    return ProviderJudges(access)


def judge_check() -> RequestedJudgeCheck:
    """What can be known of a judge before it is asked."""
    return RequestedJudgeCheck(JinjaPrompts(), judge_keys())


def batching_mode() -> BatchingMode:
    """How the stack puts comparisons into calls, unless a batch says otherwise."""
    return BatchingMode(settings().llm_batching_mode)


def request_ports() -> dict[str, Any]:
    """What accepting a request needs, by the names of its use case."""
    return {
        "batches": batches(),
        "assignments": assignments(),
        "content": content(),
        "workflow": workflow(),
        "judge_check": judge_check(),
        "mode": batching_mode(),
    }


def judge_ports() -> JudgePorts:
    """All that calling judges needs."""
    return JudgePorts(
        judges=judges(),
        prompts=JinjaPrompts(),
        gate=DynamoDBJudgeGate(table()),
        comparisons=comparisons(),
        content=content(),
        judge_queue=judge_queue(),
        callback_queue=callback_queue(),
        batches=batches(),
        provider_batches=DynamoDBProviderBatchStore(table()),
        webhook_url=f"{settings().api_url}/v1/callbacks",
    )


def forget() -> None:
    """Drop all cached adapters and settings: tests run several stacks in one process."""
    for cached in (
        aws, table, assignments, batches, comparisons, content,
        judge_queue, callback_queue, workflow, events, api_secret, settings,
        bedrock, callback_secret, judge_keys, judges, http_client,
    ):  # fmt: skip
        clear = getattr(cached, "cache_clear", None)
        if clear is not None:
            clear()
