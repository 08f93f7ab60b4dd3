"""The ports that each use case needs, as frozen dataclasses: a use case takes one of them.

A group that another use case calls on is a base class of the caller's group, so the caller hands
its own ports on as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from assessment.contracts.llm_protocol import CallbackAddress
from assessment.domain.judge import JudgeSpec
from assessment.ports.content import ContentRegistry, ContentStore, Links, References
from assessment.ports.decisions import DecisionStore, ReleasePolicies
from assessment.ports.erasure import RetentionPolicies
from assessment.ports.judging import JudgeCheck, JudgeGate, Judges, Prompts
from assessment.ports.messaging import CallbackQueue, EventPublisher, JudgeQueue, Workflow
from assessment.ports.people import People
from assessment.ports.statistics import Statistics
from assessment.ports.stores import (
    AssignmentStore,
    AuditTrail,
    BatchStore,
    ComparisonStore,
    ProviderBatchStore,
    SeenSignatures,
)
from assessment.ports.webhooks import WebhookStore


@dataclass(frozen=True, kw_only=True)
class AnchorPorts:
    """Registering anchors."""

    assignments: AssignmentStore
    content: ContentStore


@dataclass(frozen=True, kw_only=True)
class PreparePorts(AnchorPorts):
    """Preparing a batch."""

    batches: BatchStore


@dataclass(frozen=True, kw_only=True)
class RequestPorts(PreparePorts):
    """Accepting a request."""

    workflow: Workflow
    judge_check: JudgeCheck
    references: References | None = None
    """None where requests bring their texts themselves."""


@dataclass(frozen=True, kw_only=True)
class ContentPorts:
    """Storing texts before a request names them."""

    content: ContentStore
    registry: ContentRegistry
    links: Links


@dataclass(frozen=True, kw_only=True)
class FilePorts:
    """Linking to a batch's files."""

    batches: BatchStore
    links: Links


@dataclass(frozen=True, kw_only=True)
class ResumePorts:
    """Resuming a batch."""

    batches: BatchStore
    workflow: Workflow


@dataclass(frozen=True, kw_only=True)
class CancelPorts(ResumePorts):
    """Cancelling a batch, whose comparisons are kept."""

    comparisons: ComparisonStore
    content: ContentStore


@dataclass(frozen=True, kw_only=True)
class AuditPorts:
    """Keeping the audit trail, with the things whose hashes it has."""

    trail: AuditTrail
    batches: BatchStore
    assignments: AssignmentStore
    webhooks: WebhookStore
    release_policies: ReleasePolicies
    retention_policies: RetentionPolicies


@dataclass(frozen=True, kw_only=True)
class SettlePorts:
    """Settling comparisons."""

    batches: BatchStore
    comparisons: ComparisonStore


@dataclass(frozen=True, kw_only=True)
class ReadPorts(SettlePorts):
    """Reading a batch's progress and result."""

    content: ContentStore


@dataclass(frozen=True, kw_only=True)
class PromptPorts(ReadPorts):
    """Reading what a judge was told."""

    prompts: Prompts


@dataclass(frozen=True, kw_only=True)
class ProgressPorts(ReadPorts):
    """Reading a batch's progress, with the trouble that its judges have now."""

    gate: JudgeGate


@dataclass(frozen=True, kw_only=True)
class PersonPorts(ReadPorts):
    """Handing comparisons to people and taking their verdicts."""

    people: People
    callback_queue: CallbackQueue


@dataclass(frozen=True, kw_only=True)
class InvitationPorts:
    """Inviting people to judge a batch."""

    batches: BatchStore
    people: People


@dataclass(frozen=True, kw_only=True)
class DeadlinePorts(InvitationPorts):
    """Moving the deadline until which people may judge."""

    callback_queue: CallbackQueue


@dataclass(frozen=True, kw_only=True)
class SignedCallbackPorts:
    """Accepting a signed callback."""

    signatures: SeenSignatures
    callback_queue: CallbackQueue


@dataclass(frozen=True, kw_only=True)
class PlanPorts(ReadPorts):
    """Planning a wave."""

    statistics: Statistics


@dataclass(frozen=True, kw_only=True)
class ScorePorts(PlanPorts):
    """Scoring a wave and deciding what comes next."""

    events: EventPublisher


@dataclass(frozen=True, kw_only=True)
class FinalisePorts(ScorePorts):
    """Publishing the result."""

    assignments: AssignmentStore
    people: People


@dataclass(frozen=True, kw_only=True)
class ClosePorts(ResumePorts, SettlePorts):
    """Closing a wave."""


@dataclass(frozen=True, kw_only=True)
class CallbackPorts(ClosePorts):
    """Recording a callback."""

    callback_queue: CallbackQueue
    content: ContentStore


@dataclass(frozen=True, kw_only=True)
class SubmitPorts(ClosePorts):
    """Submitting a wave."""

    callback_queue: CallbackQueue
    judge_queue: JudgeQueue


@dataclass(frozen=True, kw_only=True)
class FailPorts:
    """Ending a batch that failed."""

    batches: BatchStore
    events: EventPublisher


@dataclass(frozen=True, kw_only=True)
class WatchPorts(ClosePorts, FailPorts):
    """Finding and repairing batches that do not move, and reminding people who judge."""

    judge_queue: JudgeQueue
    provider_batches: ProviderBatchStore
    people: People
    content: ContentStore
    decisions: DecisionStore


@dataclass(frozen=True, kw_only=True)
class JudgePorts:
    """Asking judges."""

    judges: Judges
    prompts: Prompts
    gate: JudgeGate
    comparisons: ComparisonStore
    content: ContentStore
    judge_queue: JudgeQueue
    callback_queue: CallbackQueue
    batches: BatchStore
    provider_batches: ProviderBatchStore
    webhook_url: str = ""

    def callback_address(self, judge: JudgeSpec) -> CallbackAddress:
        """Where the judge's endpoint is to send its verdicts."""
        if judge.callback == "webhook":
            return CallbackAddress(kind="webhook", url=self.webhook_url)
        return CallbackAddress(queue_url=self.callback_queue.address)
