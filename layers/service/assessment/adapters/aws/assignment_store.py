"""Assignments in the table: one item for the instructions, one for each anchor."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from assessment.adapters.aws import keys
from assessment.adapters.aws.attributes import Item
from assessment.adapters.aws.dynamodb import ConditionFailedError
from assessment.adapters.aws.table_requests import PageQuery
from assessment.adapters.item_table import ItemTable
from assessment.domain.assignment import Assignment
from assessment.domain.essay import Anchor
from assessment.domain.grade_scale import GradeScale
from assessment.domain.grading_history import AnchorHistory, BatchMeasurement
from assessment.domain.grading_prior import PopulationPrior
from assessment.domain.prompt import JudgeInstructions
from assessment.ports.stores import AssignmentPage

_LAST = "\U0010ffff"
"""Not before any sort key: ids may have letters of every script."""


class DynamoDBAssignmentStore:
    """The registry of assignments and their anchors."""

    def __init__(self, table: ItemTable) -> None:
        self._table = table

    def put_assignment(self, assignment: Assignment) -> None:
        """Write the anchors first: an assignment that can be found has them all."""
        self._table.put_many(
            [
                keys.listed_assignment(assignment.assignment_id),
                *(
                    {
                        **keys.anchor(assignment.assignment_id, anchor.anchor_ref),
                        **anchor.model_dump(mode="json", exclude_defaults=True),
                    }
                    for anchor in assignment.anchors
                ),
            ]
        )
        self._table.put(
            {
                **keys.assignment(assignment.assignment_id),
                "instructions": assignment.instructions,
                "grade_scale": assignment.grade_scale,
                "population": assignment.population,
                "config": assignment.config,
            }
        )

    def get_assignment(self, assignment_id: str) -> Assignment | None:
        """The assignment with its anchors in the order of their references."""
        items = self._table.query(keys.assignment(assignment_id)["PK"])
        head: dict[str, Any] | None = next(
            (item for item in items if item["SK"] == "INSTRUCTIONS"), None
        )
        if head is None:
            return None
        anchors = [_read_anchor(item) for item in items if _is_anchor(item)]
        return _read_assignment(assignment_id, head, anchors)

    def list_assignments(self, *, limit: int, after: str | None) -> AssignmentPage:
        """Entries of the list, then their instructions; an entry without any is passed over."""
        items, cursor = self._table.query_page(
            PageQuery(keys.ASSIGNMENTS, limit=limit, until=_LAST, after=after, last_first=False)
        )
        ids = [item["SK"] for item in items]
        heads = self._table.get_many([keys.assignment(assignment_id) for assignment_id in ids])
        assignments = [
            _read_assignment(assignment_id, head, [])
            for assignment_id, head in zip(ids, heads, strict=True)
            if head is not None
        ]
        return AssignmentPage(assignments, cursor)

    def delete_assignment(self, assignment_id: str) -> bool:
        """Remove the instructions first: from then on it is not found, however far this comes."""
        partition = keys.assignment_partition(assignment_id)
        items = self._table.query(partition, projection=("PK", "SK"))
        self._table.delete(keys.assignment(assignment_id))
        anchors = [{"PK": partition, "SK": item["SK"]} for item in items if _is_anchor(item)]
        self._table.delete_many([*anchors, keys.listed_assignment(assignment_id)])
        return bool(items)

    def delete_anchor(self, assignment_id: str, anchor_ref: str) -> bool:
        """Look first, as removing nothing is no error."""
        key = keys.anchor(assignment_id, anchor_ref)
        if self._table.get(key) is None:
            return False
        self._table.delete(key)
        return True

    def put_measurement(
        self, assignment_id: str, judge_spec_hash: str, measurement: BatchMeasurement
    ) -> None:
        """Keep the measurement unless one of the same specification is there."""
        key = keys.anchor_measurement(assignment_id, judge_spec_hash, measurement.spec_hash)
        with suppress(ConditionFailedError):
            self._table.put_new({**key, "measurement": measurement})

    def get_history(self, assignment_id: str, judge_spec_hash: str) -> AnchorHistory:
        """All measurements in the order of their dates."""
        items = self._table.query(keys.anchor_history(assignment_id, judge_spec_hash))
        measurements = [BatchMeasurement.model_validate_json(item["measurement"]) for item in items]
        return AnchorHistory(
            batches=sorted(measurements, key=lambda m: (m.measured_at, m.spec_hash))
        )


def _read_anchor(item: Item) -> Anchor:
    return Anchor.model_validate({**item, "n_masked": json.loads(item.get("n_masked", "{}"))})


def _is_anchor(item: Item) -> bool:
    return str(item["SK"]).startswith("ANCHOR#")


def _read_assignment(assignment_id: str, head: Item, anchors: list[Anchor]) -> Assignment:
    return Assignment(
        assignment_id=assignment_id,
        instructions=JudgeInstructions.model_validate_json(head["instructions"]),
        grade_scale=GradeScale.model_validate(json.loads(head["grade_scale"])),
        population=_population(head),
        config=json.loads(head.get("config", "{}")),
        anchors=anchors,
    )


def _population(head: dict[str, Any]) -> PopulationPrior | None:
    population = head.get("population")
    return None if population is None else PopulationPrior.model_validate_json(population)
