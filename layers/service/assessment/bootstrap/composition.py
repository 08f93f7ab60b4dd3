"""The ports of all use cases, made of a function's adapters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from assessment.adapters.aws.audit_trail import DynamoDBAuditTrail
from assessment.adapters.aws.content_eraser import S3ContentEraser
from assessment.adapters.aws.content_registry import DynamoDBContentRegistry, StoredReferences
from assessment.adapters.aws.dead_letters import SQSDeadLetters
from assessment.adapters.aws.decision_store import DynamoDBDecisionStore, DynamoDBReleasePolicies
from assessment.adapters.aws.erasure_store import DynamoDBErasureStore
from assessment.adapters.aws.provider_batch_store import DynamoDBProviderBatchStore
from assessment.adapters.aws.record_eraser import DynamoDBRecordEraser
from assessment.adapters.aws.retention_policies import DynamoDBRetentionPolicies
from assessment.adapters.aws.signatures import DynamoDBSeenSignatures
from assessment.adapters.aws.sqs import SQSErasureQueue, SQSWebhookQueue
from assessment.adapters.aws.webhook_store import (
    DynamoDBWebhookStore,
    SQSWebhookDeadLetters,
    StoredWebhookSecrets,
)
from assessment.adapters.judges.gate import DynamoDBJudgeGate
from assessment.adapters.judges.registry import RequestedJudgeCheck
from assessment.adapters.prompts import JinjaPrompts
from assessment.bootstrap.loop_composition import LoopComposition
from assessment.ports.content import References
from assessment.ports.decisions import DecisionPorts, ReleasePorts
from assessment.ports.erasure import (
    ContentEraser,
    DeadLetters,
    ErasurePorts,
    ErasureQueue,
    ErasureRequestPorts,
    ExportPorts,
    SweepPorts,
)
from assessment.ports.groups import (
    AnchorPorts,
    AuditPorts,
    CancelPorts,
    ContentPorts,
    DeadlinePorts,
    FilePorts,
    InvitationPorts,
    PersonPorts,
    ProgressPorts,
    PromptPorts,
    ReadPorts,
    RequestPorts,
    ResumePorts,
    SignedCallbackPorts,
)
from assessment.ports.judging import JudgeCheck
from assessment.ports.webhooks import SendPorts, WebhookPorts
from assessment.settings import Settings


class Composition[S: Settings](LoopComposition[S]):
    """The adapters of one function, and the ports of its use cases made of them."""

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
            judge_check=self.judge_check,
            references=self.references,
        )

    @cached_property
    def judge_check(self) -> JudgeCheck:
        """What can be known of a judge before it is asked."""
        return RequestedJudgeCheck(JinjaPrompts(), self.judge_keys)

    @property
    def references(self) -> References | None:
        """What requests may refer to."""
        return StoredReferences(self.content_registry, self.content, self.links)

    @cached_property
    def content_registry(self) -> DynamoDBContentRegistry:
        """Which texts are stored."""
        return DynamoDBContentRegistry(self.table)

    @cached_property
    def content_ports(self) -> ContentPorts:
        """For storing texts."""
        return ContentPorts(content=self.content, registry=self.content_registry, links=self.links)

    @cached_property
    def file_ports(self) -> FilePorts:
        """For linking to files."""
        return FilePorts(batches=self.batches, links=self.links)

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
    def audit_ports(self) -> AuditPorts:
        """For the audit trail."""
        return AuditPorts(
            trail=DynamoDBAuditTrail(self.table),
            batches=self.batches,
            assignments=self.assignments,
            webhooks=self.webhooks,
            release_policies=self.release_policies,
            retention_policies=self.retention_policies,
        )

    @cached_property
    def read_ports(self) -> ReadPorts:
        """For reading a batch."""
        return ReadPorts(batches=self.batches, comparisons=self.comparisons, content=self.content)

    @cached_property
    def prompt_ports(self) -> PromptPorts:
        """For reading what a judge was told."""
        return PromptPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            content=self.content,
            prompts=JinjaPrompts(),
        )

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
    def decision_ports(self) -> DecisionPorts:
        """For deciding on grades."""
        return DecisionPorts(
            batches=self.batches,
            content=self.content,
            decisions=DynamoDBDecisionStore(self.table),
        )

    @cached_property
    def release_ports(self) -> ReleasePorts:
        """For releasing a batch."""
        return ReleasePorts(
            batches=self.batches,
            content=self.content,
            decisions=DynamoDBDecisionStore(self.table),
            policies=self.release_policies,
            events=self.events,
        )

    @cached_property
    def erasures(self) -> DynamoDBErasureStore:
        """The records of erasures."""
        return DynamoDBErasureStore(self.table)

    @cached_property
    def erasure_queue(self) -> ErasureQueue:
        """The queue of erase_data."""
        return SQSErasureQueue(self._clients.aws("sqs"), self._setting("erasure_queue_url"))

    @cached_property
    def erasure_request_ports(self) -> ErasureRequestPorts:
        """For asking for an erasure."""
        return ErasureRequestPorts(
            batches=self.batches,
            content=self.content,
            erasures=self.erasures,
            erasure_queue=self.erasure_queue,
        )

    @cached_property
    def content_eraser(self) -> ContentEraser:
        """What removes documents permanently."""
        return S3ContentEraser(self._clients.aws("s3"), self._setting("bucket_name"), self.content)

    @property
    def sweep_ports(self) -> SweepPorts:
        """For erasing the texts of anchors that were removed."""
        return SweepPorts(
            assignments=self.assignments,
            documents=S3ContentEraser(
                self._clients.aws("s3"), self._setting("bucket_name"), self.content
            ),
            erasure_queue=self.erasure_queue,
        )

    def erasure_ports(self, dead_letters: DeadLetters) -> ErasurePorts:
        """For erasing; the queues of dead letters are those that the function is told of."""
        return ErasurePorts(
            batches=self.batches,
            content=self.content,
            erasures=self.erasures,
            erasure_queue=self.erasure_queue,
            workflow=self.workflow,
            comparisons=self.comparisons,
            records=DynamoDBRecordEraser(self.table),
            documents=self.content_eraser,
            dead_letters=dead_letters,
            judges=self.judges,
            provider_batches=DynamoDBProviderBatchStore(self.table),
        )

    def dead_letters(self, urls: Sequence[str]) -> SQSDeadLetters:
        """The queues of messages that could not be worked on."""
        return SQSDeadLetters(self._clients.aws("sqs"), urls)

    @cached_property
    def webhooks(self) -> DynamoDBWebhookStore:
        """Where events are sent."""
        return DynamoDBWebhookStore(self.table)

    @cached_property
    def webhook_queue(self) -> SQSWebhookQueue:
        """The queue of send_webhooks."""
        return SQSWebhookQueue(self._clients.aws("sqs"), self._setting("webhook_queue_url"))

    @cached_property
    def webhook_dead_letters(self) -> SQSWebhookDeadLetters:
        """What webhooks did not take."""
        return SQSWebhookDeadLetters(
            self._clients.aws("sqs"),
            self._setting("webhook_dead_letter_queue_url"),
            self._setting("webhook_queue_url"),
        )

    @cached_property
    def webhook_ports(self) -> WebhookPorts:
        """For adding and removing webhooks."""
        # Only two functions send to webhooks or check them.
        from assessment.adapters.webhook_sender import HTTPWebhookSender

        return WebhookPorts(
            webhooks=self.webhooks,
            secrets=StoredWebhookSecrets(
                self._clients.aws("secretsmanager"),
                self._setting("webhook_secret_prefix"),
                self.organisation,
            ),
            sender=HTTPWebhookSender(loopback_allowed=self.settings.webhook_loopback),
        )

    @cached_property
    def send_ports(self) -> SendPorts:
        """For sending to webhooks."""
        return SendPorts(
            **vars(self.webhook_ports), webhook_queue=self.webhook_queue, erasures=self.erasures
        )

    @cached_property
    def export_ports(self) -> ExportPorts:
        """For exporting an essay."""
        return ExportPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            content=self.content,
            decisions=DynamoDBDecisionStore(self.table),
            people=self.people,
        )

    @cached_property
    def release_policies(self) -> DynamoDBReleasePolicies:
        """What the organisation demands of a release."""
        return DynamoDBReleasePolicies(self.table)

    @cached_property
    def retention_policies(self) -> DynamoDBRetentionPolicies:
        """How long the organisation keeps its batches."""
        return DynamoDBRetentionPolicies(self.table)

    @cached_property
    def person_ports(self) -> PersonPorts:
        """For people's judging."""
        return PersonPorts(
            batches=self.batches,
            comparisons=self.comparisons,
            content=self.content,
            people=self.people,
            callback_queue=self.callback_queue,
        )

    @cached_property
    def invitation_ports(self) -> InvitationPorts:
        """For inviting people to judge."""
        return InvitationPorts(batches=self.batches, people=self.people)

    @cached_property
    def deadline_ports(self) -> DeadlinePorts:
        """For moving the deadline of people."""
        return DeadlinePorts(
            batches=self.batches, people=self.people, callback_queue=self.callback_queue
        )

    @cached_property
    def signed_callback_ports(self) -> SignedCallbackPorts:
        """For accepting a signed callback."""
        return SignedCallbackPorts(
            signatures=DynamoDBSeenSignatures(self.table), callback_queue=self.callback_queue
        )
