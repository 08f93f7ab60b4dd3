"""One contract for the store of decisions in memory, on DynamoDB and on SQLite."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from assessment.adapters.aws.batch_store import DynamoDBBatchStore
from assessment.adapters.aws.decision_store import (
    DynamoDBDecisionStore,
    DynamoDBReleasePolicies,
)
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.config import BatchConfig
from assessment.domain.grade_decision import GradeDecision
from assessment.domain.release import Release, ReleasePolicy
from assessment.ports.decisions import DecisionStore, ReleasePolicies
from assessment.ports.stores import BatchStore
from tests.fakes.decisions import InMemoryDecisionStore, InMemoryReleasePolicies
from tests.fakes.stores import InMemoryBatchStore
from tests.unit.assessment.adapters.conftest import get_table

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ID = "5f0c1c5e-8d0b-4c55-9a39-0d6f3f7b2a10"
RELEASE = Release(released_at=NOW, released_by="teacher", decisions_sha256="d")


@dataclass
class Kept:
    """The stores, with one completed batch in them."""

    batches: BatchStore
    decisions: DecisionStore
    policies: ReleasePolicies

    @property
    def batch(self) -> Batch:
        return self.batches.get_batch(ID)


@pytest.fixture(params=["memory", "dynamodb", "sqlite"])
def kept(request: pytest.FixtureRequest) -> Kept:
    stores: tuple[BatchStore, DecisionStore, ReleasePolicies]
    if request.param == "memory":
        memory = InMemoryBatchStore()
        stores = memory, InMemoryDecisionStore(memory), InMemoryReleasePolicies()
    else:
        table = get_table(request.param, request)
        stores = (
            DynamoDBBatchStore(table),
            DynamoDBDecisionStore(table),
            DynamoDBReleasePolicies(table),
        )
    stores[0].create_batch(
        Batch(
            batch_id=ID,
            status=BatchStatus.COMPLETED,
            correlation_id="c",
            config=BatchConfig(),
            config_sources={},
            seed=1,
            request_sha256="0",
            result_sha256="r",
            created_at=NOW,
            updated_at=NOW,
        )
    )
    return Kept(*stores)


def decision(essay_id: str = "a", number: int = 1, **changes: Any) -> GradeDecision:
    return GradeDecision.model_validate(
        {
            "essay_id": essay_id,
            "number": number,
            "assessor": "teacher",
            "grade": "C",
            "proposed_grade": "C",
            "result_sha256": "r",
            "decided_at": NOW,
            **changes,
        }
    )


def test_what_is_added_is_read_in_order_and_counted(kept: Kept) -> None:
    added = [decision("a", 1), decision("b", 1, reason="Å\n"), decision("a", 2, grade=None)]
    assert all(kept.decisions.append(ID, each) for each in added)
    assert kept.decisions.list_of_essay(ID, "a") == [added[0], added[2]]
    assert kept.decisions.list_of_batch(ID) == [added[0], added[2], added[1]]
    assert kept.batch.n_decisions == 3


def test_an_essay_whose_name_begins_as_anothers_has_its_own(kept: Kept) -> None:
    for essay_id in ("a", "a b", "a-b", "ab"):
        assert kept.decisions.append(ID, decision(essay_id))
    assert [each.essay_id for each in kept.decisions.list_of_essay(ID, "a")] == ["a"]


def test_a_number_is_given_once(kept: Kept) -> None:
    assert kept.decisions.append(ID, decision(grade="A"))
    assert not kept.decisions.append(ID, decision(grade="B"))
    assert [each.grade for each in kept.decisions.list_of_essay(ID, "a")] == ["A"]
    assert kept.batch.n_decisions == 1


def test_a_decision_on_another_result_is_not_added(kept: Kept) -> None:
    assert not kept.decisions.append(ID, decision(result_sha256="older"))
    assert kept.decisions.list_of_batch(ID) == []
    assert kept.batch.n_decisions == 0


def test_nothing_is_added_after_the_release(kept: Kept) -> None:
    kept.decisions.append(ID, decision())
    assert kept.decisions.release(kept.batch, RELEASE)
    assert not kept.decisions.append(ID, decision(number=2))
    assert kept.batch.release == RELEASE
    assert kept.batch.n_decisions == 1


def test_a_decision_that_came_meanwhile_stops_the_release(kept: Kept) -> None:
    read = kept.batch
    kept.decisions.append(ID, decision())
    assert not kept.decisions.release(read, RELEASE)
    assert kept.batch.release is None
    assert kept.decisions.release(kept.batch, RELEASE)
    assert not kept.decisions.release(kept.batch, RELEASE)


def test_a_release_is_marked_when_it_is_published(kept: Kept) -> None:
    kept.decisions.release(kept.batch, RELEASE)
    published = kept.decisions.note_published(ID, RELEASE)
    assert published.is_published
    assert kept.batch.release == published


def test_a_policy_is_what_was_set_last(kept: Kept) -> None:
    assert kept.policies.get_policy() == ReleasePolicy(decisions_required=False)
    kept.policies.put_policy(ReleasePolicy(decisions_required=True))
    assert kept.policies.get_policy().decisions_required
