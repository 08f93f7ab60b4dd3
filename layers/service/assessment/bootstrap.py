"""The composition root: adapters made from a function's settings, each when it is first needed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from functools import cache, cached_property
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
from assessment.adapters.aws.secrets import JudgeKeys, Secrets
from assessment.adapters.aws.signatures import DynamoDBSeenSignatures
from assessment.adapters.aws.sqs import SQSCallbackQueue, SQSJudgeQueue
from assessment.adapters.aws.stepfunctions import StepFunctionsWorkflow
from assessment.adapters.judges.bedrock_jobs import JobAccess
from assessment.adapters.judges.gate import DynamoDBJudgeGate
from assessment.adapters.judges.registry import ModelAccess, ProviderJudges, RequestedJudgeCheck
from assessment.adapters.prompts import JinjaPrompts
from assessment.domain.errors import CJError, MissingSettingError
from assessment.ports.groups import (
    AnchorPorts,
    CallbackPorts,
    CancelPorts,
    FailPorts,
    FinalisePorts,
    JudgePorts,
    PersonPorts,
    PlanPorts,
    PreparePorts,
    ProgressPorts,
    ReadPorts,
    RequestPorts,
    ResumePorts,
    ScorePorts,
    SignedCallbackPorts,
    SubmitPorts,
    WatchPorts,
)
from assessment.ports.statistics import Statistics
from assessment.settings import Settings, settings_from

# A call that hangs at every try ends after 4 x 5 seconds and the pauses between the tries, 7 at
# most: before the 29 seconds of an API request are over. The pool covers our parallel writers.
_AWS_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=25,
)


def http_client() -> httpx.AsyncClient:
    """An HTTP client; every call brings its own time limit."""
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=60)
    transport = httpx.AsyncHTTPTransport(retries=1, limits=limits)
    return httpx.AsyncClient(transport=transport, follow_redirects=False)


class Clients:
    """Clients of AWS services and of HTTP, each made once."""

    def __init__(self, endpoint_url: str | None = None) -> None:
        self._endpoint_url = endpoint_url
        self._made: dict[str, Any] = {}
        self._bedrock: dict[float, Any] = {}

    def aws(self, service: str) -> Any:
        """A client of an AWS service."""
        if service not in self._made:
            self._made[service] = self._make(service, _AWS_CONFIG)
        return self._made[service]

    def bedrock(self, timeout_seconds: float) -> Any:
        """Bedrock's runtime with a time limit, and without retries: the queue does those."""
        if timeout_seconds not in self._bedrock:
            config = Config(
                connect_timeout=2,
                read_timeout=timeout_seconds,
                retries={"mode": "standard", "total_max_attempts": 1},
            )
            self._bedrock[timeout_seconds] = self._make("bedrock-runtime", config)
        return self._bedrock[timeout_seconds]

    @cached_property
    def http(self) -> httpx.AsyncClient:
        """The HTTP client: its connections outlive an invocation."""
        return http_client()

    def _make(self, service: str, config: Config) -> Any:
        # The name is a plain string here, so the typed overloads of boto3 do not apply.
        make: Any = boto3.client
        return make(service, config=config, endpoint_url=self._endpoint_url)


class Adapters[S: Settings]:
    """The adapters of one function, and the ports of its use cases made of them."""

    def __init__(self, settings: S, clients: Clients) -> None:
        self.settings = settings
        self._clients = clients
        self._correlation_ids: dict[str, str] = {}

    def _setting(self, name: str) -> str:
        value: str = getattr(self.settings, name)
        if not value:
            raise MissingSettingError(
                f"{type(self.settings).__name__} does not declare {name}, which this function uses"
            )
        return value

    # --- adapters --------------------------------------------------------------------------------

    @cached_property
    def table(self) -> Table:
        """The one table."""
        return Table(self._clients.aws("dynamodb"), self._setting("table_name"))

    @cached_property
    def assignments(self) -> DynamoDBAssignmentStore:
        """Assignments and their anchors."""
        return DynamoDBAssignmentStore(self.table)

    @cached_property
    def batches(self) -> DynamoDBBatchStore:
        """Batches and waves."""
        return DynamoDBBatchStore(self.table)

    @cached_property
    def comparisons(self) -> DynamoDBComparisonStore:
        """Comparisons and pending marks."""
        return DynamoDBComparisonStore(self.table)

    @cached_property
    def content(self) -> S3ContentStore:
        """Essay texts and documents."""
        return S3ContentStore(self._clients.aws("s3"), self._setting("bucket_name"))

    @cached_property
    def judge_queue(self) -> SQSJudgeQueue:
        """The queue of call_judge."""
        return SQSJudgeQueue(self._clients.aws("sqs"), self._setting("judge_queue_url"))

    @cached_property
    def callback_queue(self) -> SQSCallbackQueue:
        """The queue of record_callback."""
        return SQSCallbackQueue(self._clients.aws("sqs"), self._setting("callback_queue_url"))

    @cached_property
    def workflow(self) -> StepFunctionsWorkflow:
        """The state machine."""
        return StepFunctionsWorkflow(
            self._clients.aws("stepfunctions"), self._setting("state_machine_arn")
        )

    @cached_property
    def events(self) -> EventBridgePublisher:
        """The event bus."""
        return EventBridgePublisher(self._clients.aws("events"), self._setting("event_bus_name"))

    @cached_property
    def secrets(self) -> Secrets:
        """Secrets Manager, with the one cache of secrets."""
        return Secrets(self._clients.aws("secretsmanager"))

    @cached_property
    def judge_keys(self) -> JudgeKeys:
        """The providers' keys."""
        prefix = self._setting("judge_secret_prefix")
        return JudgeKeys(self.secrets, prefix)

    @cached_property
    def judges(self) -> ProviderJudges:
        """All providers."""
        return ProviderJudges(
            ModelAccess(
                http=lambda: self._clients.http,
                bedrock=self._clients.bedrock,
                jobs=JobAccess(
                    client=lambda: self._clients.aws("bedrock"),
                    content=lambda: self.content,
                    bucket=self._setting("bucket_name"),
                    role_arn=self._setting("bedrock_batch_role_arn"),
                ),
                keys=self.judge_keys,
                capabilities=DynamoDBCapabilities(self.table),
                endpoint_url=self._setting("judge_endpoint_url"),
            )
        )

    # --- secrets that sign -----------------------------------------------------------------------

    def api_secret(self) -> str:
        """The key that signs the API's tokens; read again in time, as it may be rotated."""
        return self.secrets.read(self._setting("api_secret_arn"))

    def callback_secret(self) -> str:
        """The key that signs callbacks over the web; read again in time, as it may be rotated."""
        return self.secrets.read(self._setting("callback_secret_arn"))

    # --- logging ---------------------------------------------------------------------------------

    def log_keys(self, batch_id: str) -> dict[str, str]:
        """The ids that every log line of a batch carries.

        A batch keeps its correlation id, so each process reads it once. A batch that cannot be
        read has none: the use case that needs it reports the error.
        """
        if batch_id not in self._correlation_ids:
            try:
                self._correlation_ids[batch_id] = self.batches.get_batch(batch_id).correlation_id
            except CJError:
                return {"batch_id": batch_id}
        return {"batch_id": batch_id, "correlation_id": self._correlation_ids[batch_id]}

    # --- ports of the use cases ------------------------------------------------------------------

    @cached_property
    def anchor_ports(self) -> AnchorPorts:
        """For registering anchors."""
        return AnchorPorts(assignments=self.assignments, content=self.content)

    @cached_property
    def request_ports(self) -> RequestPorts:
        """For accepting a request."""
        return RequestPorts(
            batches=self.batches,
            assignments=self.assignments,
            content=self.content,
            workflow=self.workflow,
            judge_check=RequestedJudgeCheck(JinjaPrompts(), self.judge_keys),
        )

    @cached_property
    def cancel_ports(self) -> CancelPorts:
        """For cancelling a batch."""
        return CancelPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            content=self.content,
            workflow=self.workflow,
        )

    @cached_property
    def resume_ports(self) -> ResumePorts:
        """For resuming a batch."""
        return ResumePorts(batches=self.batches, workflow=self.workflow)

    @cached_property
    def read_ports(self) -> ReadPorts:
        """For reading a batch."""
        return ReadPorts(batches=self.batches, comparisons=self.comparisons, content=self.content)

    @cached_property
    def progress_ports(self) -> ProgressPorts:
        """The ports of reading a batch's progress."""
        return ProgressPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            content=self.content,
            gate=DynamoDBJudgeGate(self.table),
        )

    @cached_property
    def person_ports(self) -> PersonPorts:
        """For people's judging."""
        return PersonPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            content=self.content,
            leases=DynamoDBPersonLeases(self.table),
            callback_queue=self.callback_queue,
        )

    @cached_property
    def signed_callback_ports(self) -> SignedCallbackPorts:
        """For accepting a signed callback."""
        return SignedCallbackPorts(
            signatures=DynamoDBSeenSignatures(self.table), callback_queue=self.callback_queue
        )

    @cached_property
    def prepare_ports(self) -> PreparePorts:
        """For preparing a batch."""
        return PreparePorts(
            batches=self.batches, assignments=self.assignments, content=self.content
        )

    def plan_ports(self, statistics: Statistics) -> PlanPorts:
        """For planning a wave; the statistics come from functions with the scoring layer."""
        return PlanPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            content=self.content,
            statistics=statistics,
        )

    @cached_property
    def submit_ports(self) -> SubmitPorts:
        """For submitting a wave."""
        return SubmitPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            workflow=self.workflow,
            callback_queue=self.callback_queue,
            judge_queue=self.judge_queue,
        )

    @cached_property
    def judge_ports(self) -> JudgePorts:
        """For asking judges."""
        return JudgePorts(
            judges=self.judges,
            prompts=JinjaPrompts(),
            gate=DynamoDBJudgeGate(self.table),
            comparisons=self.comparisons,
            content=self.content,
            judge_queue=self.judge_queue,
            callback_queue=self.callback_queue,
            batches=self.batches,
            provider_batches=DynamoDBProviderBatchStore(self.table),
            webhook_url=f"{self._setting('api_url')}/v1/callbacks",
        )

    @cached_property
    def callback_ports(self) -> CallbackPorts:
        """For recording a callback."""
        return CallbackPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            workflow=self.workflow,
            callback_queue=self.callback_queue,
            content=self.content,
        )

    def score_ports(self, statistics: Statistics) -> ScorePorts:
        """For scoring a wave; statistics as above."""
        return ScorePorts(
            batches=self.batches,
            comparisons=self.comparisons,
            content=self.content,
            statistics=statistics,
            events=self.events,
        )

    def finalise_ports(self, statistics: Statistics) -> FinalisePorts:
        """For publishing the result; statistics as above."""
        return FinalisePorts(
            batches=self.batches,
            assignments=self.assignments,
            comparisons=self.comparisons,
            content=self.content,
            statistics=statistics,
            events=self.events,
        )

    @cached_property
    def fail_ports(self) -> FailPorts:
        """For ending a batch that failed."""
        return FailPorts(batches=self.batches, events=self.events)

    @cached_property
    def watch_ports(self) -> WatchPorts:
        """For repairing batches."""
        return WatchPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            workflow=self.workflow,
            events=self.events,
        )


class Process:
    """What lives as long as the process: clients, and the adapters of its function."""

    def __init__(self) -> None:
        self._clients = Clients(os.environ.get("LAPTOP_CLOUD_URL") or None)
        self._adapters: dict[type[Settings], Adapters[Any]] = {}

    def adapters[S: Settings](self, model: type[S]) -> Adapters[S]:
        """A function's adapters; its settings are checked the first time."""
        if model not in self._adapters:
            self._adapters[model] = Adapters(settings_from(model, os.environ), self._clients)
        return self._adapters[model]


@cache
def process() -> Process:
    """The one process; a test that plays several clears this cache."""
    return Process()


def adapters[S: Settings](model: type[S]) -> Adapters[S]:
    """The adapters of the function whose settings have this model.

    Raises
    ------
    MissingSettingError
        At the first call, if the environment lacks a variable that the function needs.
    """
    return process().adapters(model)


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """The one event loop of the process: connections belong to a loop and outlive invocations."""
    return asyncio.new_event_loop()


def run[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the process's loop."""
    return event_loop().run_until_complete(work)
