"""What erasing needs: the records of erasures, and the ways to remove from every store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from assessment.contracts.erasure import EraseRequestV1, SweepAnchorsV1
from assessment.domain.batch import Batch
from assessment.domain.erasure import Erasure
from assessment.domain.provider_batch import ProviderBatch
from assessment.domain.retention import RetentionPolicy
from assessment.ports.content import ContentStore
from assessment.ports.decisions import DecisionStore
from assessment.ports.judging import Judges
from assessment.ports.messaging import Workflow
from assessment.ports.people import People
from assessment.ports.stores import AssignmentStore, BatchStore, ComparisonStore, ProviderBatchStore


class RetentionPolicies(Protocol):
    """How long the organisation keeps its batches."""

    def get_policy(self) -> RetentionPolicy:
        """The policy; the stack's days if none was set."""


class UnfinishedErasure(NamedTuple):
    """An erasure that is not closed, and when somebody worked on it last."""

    batch_id: str
    erasure_id: str
    touched_at: datetime


class UnfinishedErasures(Protocol):
    """The erasures of all organisations that are not closed."""

    def list_unfinished(self) -> list[UnfinishedErasure]:
        """All of them, those first that wait longest."""


class ExpiredBatch(NamedTuple):
    """A batch whose retention has ended, and when."""

    batch_id: str
    expires_at: datetime


class ExpiredBatches(Protocol):
    """The batches of all organisations whose retention has ended."""

    def list_expired(self, *, now: datetime, limit: int) -> list[ExpiredBatch]:
        """So many of them at most, those first that ended first."""

    def forget_expired(self, expired: ExpiredBatch) -> None:
        """Take the batch out of the list, if it is there."""


class ErasureStore(UnfinishedErasures, Protocol):
    """Records of erasures of one organisation."""

    def put(self, erasure: Erasure, *, now: datetime) -> None:
        """Create or replace the record, and list it as unfinished while it is not closed."""

    def get(self, batch_id: str, erasure_id: str) -> Erasure | None:
        """The record, strongly consistent."""

    def list_of_batch(self, batch_id: str) -> list[Erasure]:
        """All of a batch, the oldest first."""

    def mark_batch(self, batch_id: str, *, now: datetime) -> Batch | None:
        """Let the batch count as erased from now on, whatever is under way.

        The batch as it was before; None once its record is gone. Raises UnknownBatchError.
        """

    def bury_batch(self, batch_id: str, *, now: datetime) -> None:
        """Replace the record of a marked batch by one that says only that it was erased."""


class RecordEraser(Protocol):
    """Removes what the table has of a batch, piece by piece; removing nothing is no error."""

    def list_people(self, batch_id: str) -> list[str]:
        """The people who were handed a comparison, or were invited."""

    def list_submissions(self, batch_id: str) -> list[ProviderBatch]:
        """The submissions to providers' batches."""

    def erase_people(self, batch_id: str, people: Sequence[str]) -> None:
        """Their own records and the marks of their verdicts."""

    def erase_waves(self, batch_id: str, n_waves: int) -> None:
        """Comparisons, what is pending or waits for people, and waves."""

    def erase_rest(self, batch_id: str) -> None:
        """Decisions, submissions, served models, and the entry in the list of batches."""

    def erase_comparisons(
        self, batch_id: str, comparisons: Sequence[tuple[int, str]], people: Sequence[str]
    ) -> None:
        """Single comparisons, by wave and id, with people's marks of them."""

    def erase_waiting(self, batch_id: str, n_waves: int) -> None:
        """All comparisons that wait for people."""

    def erase_content(self, content_ids: Sequence[str]) -> None:
        """What says that texts are stored for requests to name."""

    def erase_decisions(self, batch_id: str, essay_id: str) -> None:
        """What was decided about one essay."""

    def update_batch(self, batch_id: str, **changes: object) -> None:
        """Set attributes of the batch's record, if it is there."""


class ContentEraser(Protocol):
    """Removes documents permanently, versions too."""

    def list_keys(self, folder: str) -> list[str]:
        """The keys of all documents in a folder."""

    def erase_folder(self, folder: str) -> None:
        """Remove all that lies in a folder, with all versions."""

    def erase_document(self, key: str) -> None:
        """Remove a document with all its versions."""

    def erase_earlier_versions(self, folder: str) -> None:
        """Remove all versions but the present ones, and what remains of removed documents."""


class SettledDocuments(Protocol):
    """Removes what nothing names any more."""

    def erase_unnamed(self, folder: str, *, named: Collection[str], before: datetime) -> int:
        """Remove the folder's documents that are not among the named keys, with all versions.

        Those that were written since `before` stay: something that names them may be on its way.
        Returns how many stay for that reason.
        """


class DeadLetters(Protocol):
    """Messages that could not be worked on."""

    def drop(self, is_about: Callable[[str], bool], *, has_time: Callable[[], bool]) -> int:
        """Remove the messages with such a body; how many there were."""


class ErasureQueue(Protocol):
    """The way to the function that erases."""

    def send(self, message: EraseRequestV1 | SweepAnchorsV1, *, delay_seconds: int = 0) -> None:
        """Go on with an erasure, now or later."""


@dataclass(frozen=True, kw_only=True)
class ErasureRequestPorts:
    """Asking for an erasure and reading of it."""

    batches: BatchStore
    content: ContentStore
    erasures: ErasureStore
    erasure_queue: ErasureQueue


@dataclass(frozen=True, kw_only=True)
class ErasurePorts(ErasureRequestPorts):
    """Erasing."""

    workflow: Workflow
    comparisons: ComparisonStore
    records: RecordEraser
    documents: ContentEraser
    dead_letters: DeadLetters
    judges: Judges
    provider_batches: ProviderBatchStore


@dataclass(frozen=True, kw_only=True)
class ExportPorts:
    """Gathering what is kept about an essay."""

    batches: BatchStore
    comparisons: ComparisonStore
    content: ContentStore
    decisions: DecisionStore
    people: People


@dataclass(frozen=True, kw_only=True)
class SweepPorts:
    """Erasing the texts of anchors that were removed."""

    assignments: AssignmentStore
    documents: SettledDocuments
    erasure_queue: ErasureQueue
