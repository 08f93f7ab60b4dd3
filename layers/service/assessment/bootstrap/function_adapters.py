"""The adapters of one function, each made of its settings when it is first needed."""

from __future__ import annotations

from functools import cached_property

from assessment.adapters.aws.assignment_store import DynamoDBAssignmentStore
from assessment.adapters.aws.batch_store import DynamoDBBatchStore
from assessment.adapters.aws.capability_store import DynamoDBCapabilities
from assessment.adapters.aws.comparison_store import DynamoDBComparisonStore
from assessment.adapters.aws.dynamodb import Table
from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.adapters.aws.s3 import S3ContentStore
from assessment.adapters.aws.secrets import JudgeKeys, Secrets
from assessment.adapters.aws.sqs import SQSCallbackQueue, SQSJudgeQueue
from assessment.adapters.aws.stepfunctions import StepFunctionsWorkflow
from assessment.adapters.judges.bedrock_jobs import JobAccess
from assessment.adapters.judges.registry import ModelAccess, ProviderJudges
from assessment.bootstrap.clients import Clients
from assessment.domain.errors import CJError, MissingSettingError
from assessment.settings import Settings


class Adapters[S: Settings]:
    """The adapters of one function."""

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
