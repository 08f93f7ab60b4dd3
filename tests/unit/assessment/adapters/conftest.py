"""The stores that a contract is tested on: in memory, and on DynamoDB under moto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from assessment.adapters.aws.assignment_store import DynamoDBAssignmentStore
from assessment.adapters.aws.batch_store import DynamoDBBatchStore
from assessment.adapters.aws.comparison_store import DynamoDBComparisonStore
from assessment.adapters.aws.dynamodb import Table
from assessment.adapters.aws.provider_batch_store import DynamoDBProviderBatchStore
from assessment.ports.stores import AssignmentStore, BatchStore, ComparisonStore, ProviderBatchStore
from tests.fakes.aws import create_table
from tests.fakes.stores import (
    InMemoryAssignmentStore,
    InMemoryBatchStore,
    InMemoryComparisonStore,
    InMemoryProviderBatchStore,
)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A fresh simulated account."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def table(aws: None) -> Table:
    """The one table."""
    return create_table()


@pytest.fixture(params=["memory", "dynamodb"])
def stores(
    request: pytest.FixtureRequest,
) -> tuple[AssignmentStore, BatchStore, ComparisonStore]:
    """The three stores: what holds for the real ones must hold for the fakes."""
    if request.param == "memory":
        return InMemoryAssignmentStore(), InMemoryBatchStore(), InMemoryComparisonStore()
    table = request.getfixturevalue("table")
    return (
        DynamoDBAssignmentStore(table),
        DynamoDBBatchStore(table),
        DynamoDBComparisonStore(table),
    )


@pytest.fixture(params=["memory", "dynamodb"])
def provider_batches(request: pytest.FixtureRequest) -> ProviderBatchStore:
    """As `stores`, for submissions to providers' batches."""
    if request.param == "memory":
        return InMemoryProviderBatchStore()
    return DynamoDBProviderBatchStore(request.getfixturevalue("table"))
