"""Real adapters from the settings, made once in a process and only when they are needed."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
import httpx
from botocore.config import Config

from assessment.adapters.assignment_store import DynamoDBAssignmentStore
from assessment.adapters.batch_store import DynamoDBBatchStore
from assessment.adapters.comparison_store import DynamoDBComparisonStore
from assessment.adapters.dynamodb import Table
from assessment.adapters.eventbridge import EventBridgePublisher
from assessment.adapters.judges.callback_endpoint import CallbackEndpointJudge
from assessment.adapters.s3 import S3ContentStore
from assessment.adapters.sqs import SQSCallbackQueue, SQSJudgeQueue
from assessment.adapters.stepfunctions import StepFunctionsWorkflow
from assessment.settings import settings

# Standard retries with jitter; the pool covers our parallel writers.
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=25)


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
    secret: str = aws("secretsmanager").get_secret_value(SecretId=settings().api_secret_arn)[
        "SecretString"
    ]
    return secret


def judge(client: httpx.AsyncClient) -> CallbackEndpointJudge:
    """The judge endpoint of the stack, over a client that lives as long as one invocation.

    An AsyncClient belongs to one event loop, and every invocation has a loop of its own.
    """
    return CallbackEndpointJudge(client, settings().judge_endpoint_url)


def judge_description() -> dict[str, str]:
    """What of the judge belongs to a batch's specification."""
    return {"provider": "callback_endpoint"}


def http_client() -> httpx.AsyncClient:
    """A client with the judge's time limit."""
    return httpx.AsyncClient(timeout=settings().judge_timeout_seconds)


def forget() -> None:
    """Drop all cached adapters and settings: tests run several stacks in one process."""
    for cached in (
        aws, table, assignments, batches, comparisons, content,
        judge_queue, callback_queue, workflow, events, api_secret, settings,
    ):  # fmt: skip
        cached.cache_clear()
