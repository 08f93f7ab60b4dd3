"""Removes the records of a batch from the table, partition by partition."""

from __future__ import annotations

from collections.abc import Sequence

from assessment.adapters.aws import keys
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.provider_batch_store import read_provider_batch
from assessment.adapters.aws.table_requests import ItemUpdate
from assessment.adapters.item_table import ItemTable
from assessment.domain.provider_batch import ProviderBatch


class DynamoDBRecordEraser:
    """Of one organisation; the audit trail, which has no personal data of pupils, stays."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def list_people(self, batch_id: str) -> list[str]:
        """By their own items."""
        items = self._table.query(keys.people_partition(batch_id), projection=("SK",))
        return sorted(str(item["SK"]).removeprefix(keys.PERSON_PREFIX) for item in items)

    def list_submissions(self, batch_id: str) -> list[ProviderBatch]:
        """All that are on record."""
        items = self._table.query(keys.submissions_partition(batch_id))
        return [read_provider_batch(item) for item in items if "name" in item]

    def erase_people(self, batch_id: str, people: Sequence[str]) -> None:
        """One partition a person, and that of their own items, with their invitations."""
        for person in people:
            self._erase(keys.person_partition(batch_id, person))
        self._erase(keys.people_partition(batch_id))

    def erase_waves(self, batch_id: str, n_waves: int) -> None:
        """The waves last: their records tell how many there are."""
        for wave_number in range(1, n_waves + 1):
            self._erase(keys.waiting_partition(batch_id, wave_number))
            self._erase(keys.pending_partition(batch_id, wave_number))
            self._erase(keys.comparison_partition(batch_id, wave_number))
        self._erase(keys.batch(batch_id)["PK"], prefix="WAVE#")

    def erase_rest(self, batch_id: str) -> None:
        """What has a partition of its own."""
        self._erase(keys.decisions_partition(batch_id))
        self._erase(keys.submissions_partition(batch_id))
        self._erase(keys.served_models_partition(batch_id))

    def erase_comparisons(
        self, batch_id: str, comparisons: Sequence[tuple[int, str]], people: Sequence[str]
    ) -> None:
        """Their marks first: the comparison tells whose they are."""
        for person in people:
            self._forget_held(batch_id, person)
        self._table.delete_many(
            [
                keys.person_verdict(batch_id, person, comparison_id)
                for person in people
                for _, comparison_id in comparisons
            ]
        )
        self._table.delete_many(
            [keys.comparison(batch_id, wave_number, each) for wave_number, each in comparisons]
        )

    def _forget_held(self, batch_id: str, person: str) -> None:
        """What the person holds names its essays; of a batch that has ended nobody holds any."""
        try:
            self._table.update(
                keys.person(batch_id, person),
                ItemUpdate({"held": None, "held_until": None}, condition="attribute_exists(PK)"),
            )
        except ConditionFailedError:
            return

    def erase_waiting(self, batch_id: str, n_waves: int) -> None:
        """What waits for people, of all waves."""
        for wave_number in range(1, n_waves + 1):
            self._erase(keys.waiting_partition(batch_id, wave_number))

    def erase_content(self, content_ids: Sequence[str]) -> None:
        """One item a text."""
        self._table.delete_many([keys.content(content_id) for content_id in content_ids])

    def erase_decisions(self, batch_id: str, essay_id: str) -> None:
        """All decisions about the essay, by all assessors."""
        self._erase(keys.decisions_partition(batch_id), prefix=keys.essay_decisions(essay_id))

    def update_batch(self, batch_id: str, **changes: object) -> None:
        """Nothing else than a batch that is there."""
        try:
            self._table.update(
                keys.batch(batch_id), ItemUpdate(changes, condition="attribute_exists(created_at)")
            )
        except ConditionFailedError:
            return

    def _erase(self, partition: str, *, prefix: str = "") -> None:
        items = self._table.query(partition, prefix=prefix, projection=("PK", "SK"))
        self._table.delete_many([{"PK": partition, "SK": str(item["SK"])} for item in items])
