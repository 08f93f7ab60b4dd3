"""The adapters of one function, each made of its settings when it is first needed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self

from assessment.adapters.aws.assignment_store import DynamoDBAssignmentStore
from assessment.adapters.aws.batch_store import DynamoDBBatchStore
from assessment.adapters.aws.capability_store import DynamoDBCapabilities
from assessment.adapters.aws.comparison_store import DynamoDBComparisonStore
from assessment.adapters.aws.directory import DynamoDBDirectory
from assessment.adapters.aws.dynamodb import Table
from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.adapters.aws.links import S3Links
from assessment.adapters.aws.s3 import S3ContentStore
from assessment.adapters.aws.secrets import JudgeKeys, Secrets, SigningSecret
from assessment.adapters.aws.sqs import SQSCallbackQueue, SQSJudgeQueue
from assessment.adapters.aws.stepfunctions import StepFunctionsWorkflow
from assessment.adapters.item_table import ItemTable
from assessment.adapters.judges.bedrock_jobs import JobAccess
from assessment.adapters.judges.registry import ModelAccess, ProviderJudges
from assessment.bootstrap.clients import Clients
from assessment.domain.access import DEFAULT_ORGANISATION
from assessment.domain.errors import CJError, MissingSettingError, TransientError
from assessment.ports.content import ContentStore
from assessment.ports.judging import Judges, ProviderKeys
from assessment.ports.messaging import CallbackQueue, EventPublisher, JudgeQueue, Workflow
from assessment.settings import HandleApiSettings, Settings

if TYPE_CHECKING:
    from assessment.adapters.issuer_keys import IssuerKeys
    from assessment.domain.sign_in import SignIn

_KEPT_ORGANISATIONS = 200


class Adapters[S: Settings]:
    """The adapters of one function for one organisation.

    A function begins with those of the default organisation, and goes on with those of the
    organisation that its caller or its batch is of.
    """

    def __init__(
        self, settings: S, clients: Clients, organisation: str = DEFAULT_ORGANISATION
    ) -> None:
        self.settings = settings
        self.organisation = organisation
        self._clients = clients
        self._others: dict[str, Self] = {}

    def select(self, organisation: str) -> Self:
        """The adapters for an organisation, kept as long as these."""
        if organisation == self.organisation:
            return self
        if organisation not in self._others:
            if len(self._others) >= _KEPT_ORGANISATIONS:
                self._others.clear()
            self._others[organisation] = type(self)(self.settings, self._clients, organisation)
        return self._others[organisation]

    def select_batch(self, batch_id: str) -> Self:
        """The adapters for the organisation that the batch is of.

        Raises
        ------
        UnknownBatchError
        """
        return self.select(self.directory.get_organisation(batch_id))

    def _setting(self, name: str) -> str:
        value: str = getattr(self.settings, name)
        if not value:
            raise MissingSettingError(
                f"{type(self.settings).__name__} does not declare {name}, which this function uses"
            )
        return value

    # --- adapters --------------------------------------------------------------------------------

    @cached_property
    def table(self) -> ItemTable:
        """The one table, in the partitions of the organisation."""
        return Table(
            self._clients.aws("dynamodb"),
            self._setting("table_name"),
            organisation=self.organisation,
        )

    @cached_property
    def directory(self) -> DynamoDBDirectory:
        """Which organisation a batch is of."""
        return DynamoDBDirectory(self.table)

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
    def content(self) -> ContentStore:
        """Essay texts and documents."""
        return S3ContentStore(
            self._clients.aws("s3"),
            self._setting("bucket_name"),
            organisation=self.organisation,
        )

    @cached_property
    def judge_queue(self) -> JudgeQueue:
        """The queue of call_judge."""
        return SQSJudgeQueue(self._clients.aws("sqs"), self._setting("judge_queue_url"))

    @cached_property
    def callback_queue(self) -> CallbackQueue:
        """The queue of record_callback."""
        return SQSCallbackQueue(self._clients.aws("sqs"), self._setting("callback_queue_url"))

    @cached_property
    def links(self) -> S3Links:
        """Links to the bucket."""
        return S3Links(self._clients.aws("s3"), self._setting("bucket_name"), self.content)

    @cached_property
    def workflow(self) -> Workflow:
        """The state machine."""
        return StepFunctionsWorkflow(
            self._clients.aws("stepfunctions"), self._setting("state_machine_arn")
        )

    @cached_property
    def events(self) -> EventPublisher:
        """The event bus."""
        return EventBridgePublisher(self._clients.aws("events"), self._setting("event_bus_name"))

    @cached_property
    def secrets(self) -> Secrets:
        """Secrets Manager, with the one cache of secrets."""
        return Secrets(self._clients.aws("secretsmanager"))

    @cached_property
    def judge_keys(self) -> ProviderKeys:
        """The providers' keys."""
        prefix = self._setting("judge_secret_prefix")
        return JudgeKeys(self.secrets, prefix)

    @cached_property
    def judges(self) -> Judges:
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

    @cached_property
    def api_secret(self) -> SigningSecret:
        """What signs the API's tokens."""
        return self._signing_secret("api_secret_arn")

    @cached_property
    def callback_secret(self) -> SigningSecret:
        """What signs callbacks over the web."""
        return self._signing_secret("callback_secret_arn")

    @cached_property
    def invitation_secret(self) -> SigningSecret:
        """What signs invitations of judges."""
        return self._signing_secret("invitation_secret_arn")

    def find_sign_in(self) -> SignIn | None:
        """Where people sign in on the pages; None where the stack has no issuer for that.

        None, too, while the issuer does not answer as one: whoever has a link comes in without it.
        """
        settings = self.settings
        if not (isinstance(settings, HandleApiSettings) and settings.lets_people_sign_in):
            return None
        try:
            return self._sign_in
        except (TransientError, MissingSettingError):
            return None

    @cached_property
    def _sign_in(self) -> SignIn:
        # Only stacks with an issuer need it.
        from assessment.adapters.issuer_discovery import find_sign_in

        return find_sign_in(
            self._setting("oidc_issuer"),
            client_id=self._setting("oidc_client_id"),
            audience=self._setting("oidc_audience"),
            scope=self._setting("oidc_scope"),
        )

    @cached_property
    def issuer_keys(self) -> IssuerKeys:
        """The public keys of the OIDC issuer."""
        # Only one function needs it, and only where there is an issuer.
        from assessment.adapters.issuer_keys import IssuerKeys

        return IssuerKeys(self._setting("oidc_issuer"))

    def _signing_secret(self, setting: str) -> SigningSecret:
        return SigningSecret(self._clients.aws("secretsmanager"), self._setting(setting))

    # --- logging ---------------------------------------------------------------------------------

    def log_keys(self, batch_id: str) -> dict[str, str]:
        """The ids that every log line of a batch carries, whatever organisation it is of.

        A batch that cannot be read has only its own: the use case that needs it reports the error.
        """
        try:
            return self.select_batch(batch_id).own_log_keys(batch_id)
        except CJError:
            return {"batch_id": batch_id}

    def own_log_keys(self, batch_id: str) -> dict[str, str]:
        """The ids that every log line of a batch of this organisation carries.

        A batch keeps its correlation id, so each process reads it once.
        """
        if self.batches.find_correlation_id(batch_id) is None:
            try:
                self.batches.get_batch(batch_id)
            except CJError:
                return {"batch_id": batch_id}
        return self.find_log_keys(batch_id)

    def find_log_keys(self, batch_id: str) -> dict[str, str]:
        """The same as far as this process knows them: it reads nothing."""
        correlation_id = self.batches.find_correlation_id(batch_id)
        return {"batch_id": batch_id} | (
            {} if correlation_id is None else {"correlation_id": correlation_id}
        )
