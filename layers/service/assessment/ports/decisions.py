"""People's decisions, the release of a batch, and what an organisation demands of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from assessment.domain.batch import Batch
from assessment.domain.grade_decision import GradeDecision
from assessment.domain.release import Release, ReleasePolicy
from assessment.ports.content import ContentStore
from assessment.ports.messaging import EventPublisher
from assessment.ports.stores import BatchStore


class DecisionStore(Protocol):
    """Decisions of people about essays: they are only added, until their batch is released."""

    def append(self, batch_id: str, decision: GradeDecision) -> bool:
        """Add a decision and count it in the batch.

        False, and nothing is stored, if its number is taken, or if the batch has another result or
        is released.
        """

    def list_of_essay(self, batch_id: str, essay_id: str) -> list[GradeDecision]:
        """The decisions about an essay by number in order, strongly consistent."""

    def list_of_batch(self, batch_id: str) -> list[GradeDecision]:
        """All decisions about the batch's essays, strongly consistent."""

    def release(self, batch: Batch, release: Release) -> bool:
        """Release the batch as it was read, and list it as active until that is published.

        False, and nothing is stored, if a decision was added since, or it is released.
        """

    def note_published(self, batch_id: str, release: Release) -> Release:
        """Remember that the release's event is on the bus; the release as it is then."""


class PublishPorts(Protocol):
    """Publishing a release."""

    @property
    def content(self) -> ContentStore:
        """Where the decisions are kept."""

    @property
    def decisions(self) -> DecisionStore:
        """Where the release is marked."""

    @property
    def events(self) -> EventPublisher:
        """The bus."""


class ReleasePolicies(Protocol):
    """What the organisation demands of a release."""

    def get_policy(self) -> ReleasePolicy:
        """The policy; the default if none was set."""

    def put_policy(self, policy: ReleasePolicy) -> None:
        """Set the policy."""


@dataclass(frozen=True, kw_only=True)
class DecisionPorts:
    """Deciding on grades, and reading decisions."""

    batches: BatchStore
    content: ContentStore
    decisions: DecisionStore


@dataclass(frozen=True, kw_only=True)
class ReleasePorts(DecisionPorts):
    """Releasing a batch."""

    policies: ReleasePolicies
    events: EventPublisher
