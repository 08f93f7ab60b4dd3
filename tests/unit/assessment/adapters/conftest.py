"""The stores that a contract is tested on: in memory, on DynamoDB under moto, and on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from assessment.adapters.aws.assignment_store import DynamoDBAssignmentStore
from assessment.adapters.aws.batch_store import DynamoDBBatchStore
from assessment.adapters.aws.comparison_store import DynamoDBComparisonStore
from assessment.adapters.aws.dynamodb import Table
from assessment.adapters.aws.provider_batch_store import DynamoDBProviderBatchStore
from assessment.adapters.item_table import ItemTable
from assessment.adapters.sqlite.database import Database
from assessment.adapters.sqlite.item_table import SQLiteItemTable
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


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A fresh database in a file."""
    database = Database(tmp_path / "cj.sqlite3")
    yield database
    database.close()


@pytest.fixture
def sqlite_table(database: Database) -> ItemTable:
    """The one table, in SQLite."""
    return SQLiteItemTable(database)


TABLES = {"dynamodb": "table", "aws": "table", "sqlite": "sqlite_table"}
"""The fixtures of tables by the kinds of stores."""


def get_table(kind: str, request: pytest.FixtureRequest) -> ItemTable:
    """The table of a kind of stores."""
    table: ItemTable = request.getfixturevalue(TABLES[kind])
    return table


@pytest.fixture(params=["memory", "dynamodb", "sqlite"])
def stores(
    request: pytest.FixtureRequest,
) -> tuple[AssignmentStore, BatchStore, ComparisonStore]:
    """The three stores: what holds for the real ones must hold for the fakes."""
    if request.param == "memory":
        return InMemoryAssignmentStore(), InMemoryBatchStore(), InMemoryComparisonStore()
    table = get_table(request.param, request)
    return (
        DynamoDBAssignmentStore(table),
        DynamoDBBatchStore(table),
        DynamoDBComparisonStore(table),
    )


@pytest.fixture(params=["memory", "dynamodb", "sqlite"])
def provider_batches(request: pytest.FixtureRequest) -> ProviderBatchStore:
    """As `stores`, for submissions to providers' batches."""
    if request.param == "memory":
        return InMemoryProviderBatchStore()
    return DynamoDBProviderBatchStore(get_table(request.param, request))
