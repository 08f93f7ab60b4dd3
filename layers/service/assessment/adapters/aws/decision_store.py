"""People's decisions about essays, and the release of a batch, in the table."""

from __future__ import annotations

from assessment.adapters.aws import keys
from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.table_requests import ItemUpdate
from assessment.adapters.item_table import ItemTable
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.grade_decision import GradeDecision
from assessment.domain.release import Release, ReleasePolicy

_IS_OPEN = "#status = :completed AND result_sha256 = :sha256 AND attribute_not_exists(#release)"
_NAMES = {"#status": "status", "#release": "release"}


class DynamoDBDecisionStore:
    """One item a decision; the batch's record counts them and says when they are released."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def append(self, batch_id: str, decision: GradeDecision) -> bool:
        """Add the decision and count it, both or neither."""
        key = keys.decision(batch_id, decision.essay_id, decision.number)
        try:
            self._table.update_and_put(
                keys.batch(batch_id),
                ItemUpdate(
                    {},
                    add={"n_decisions": 1},
                    condition=_IS_OPEN,
                    names=_NAMES,
                    values={":completed": BatchStatus.COMPLETED, ":sha256": decision.result_sha256},
                ),
                put={**key, "decision": decision},
                only_new=True,
            )
        except ConditionFailedError:
            return False
        return True

    def list_of_essay(self, batch_id: str, essay_id: str) -> list[GradeDecision]:
        """The essay's decisions by number in order, strongly consistent, in one query."""
        items = self._table.query(
            keys.decisions_partition(batch_id), prefix=keys.essay_decisions(essay_id)
        )
        return [_decision(item) for item in items]

    def list_of_batch(self, batch_id: str) -> list[GradeDecision]:
        """All decisions, by essay and number in order, strongly consistent."""
        return [_decision(item) for item in self._table.query(keys.decisions_partition(batch_id))]

    def release(self, batch: Batch, release: Release) -> bool:
        """The condition on the number of decisions: none was added since they were read.

        The batch is listed as active again until the release is published.
        """
        try:
            self._table.update_and_put(
                keys.batch(batch.batch_id),
                ItemUpdate(
                    {"release": release},
                    condition=f"{_IS_OPEN} AND "
                    "(attribute_not_exists(n_decisions) OR n_decisions = :read)",
                    names=_NAMES,
                    values={
                        ":completed": BatchStatus.COMPLETED,
                        ":sha256": batch.result_sha256,
                        ":read": batch.n_decisions,
                    },
                ),
                put={**keys.active(batch.batch_id), "created_at": batch.created_at},
            )
        except ConditionFailedError:
            return False
        return True

    def note_published(self, batch_id: str, release: Release) -> Release:
        """Write the release again, with the mark, then end the listing."""
        published = release.model_copy(update={"is_published": True})
        self._table.update(
            keys.batch(batch_id),
            ItemUpdate(
                {"release": published},
                condition="attribute_exists(#release)",
                names={"#release": "release"},
            ),
        )
        self._table.delete(keys.active(batch_id))
        return published


class DynamoDBReleasePolicies:
    """The one item with what the organisation demands of a release."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def get_policy(self) -> ReleasePolicy:
        """The policy, strongly consistent; the default where none was set."""
        item = self._table.get(keys.release_policy())
        return (
            ReleasePolicy() if item is None else ReleasePolicy.model_validate_json(item["policy"])
        )

    def put_policy(self, policy: ReleasePolicy) -> None:
        """Set the policy."""
        self._table.put({**keys.release_policy(), "policy": policy})


def _decision(item: Item) -> GradeDecision:
    return GradeDecision.model_validate_json(item["decision"])
