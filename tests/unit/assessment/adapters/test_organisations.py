"""Keys by organisation: what one stores another cannot find, in the table and in the bucket."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any

import pytest

from assessment.adapters.aws import keys
from assessment.adapters.aws.batch_store import DynamoDBBatchStore
from assessment.adapters.aws.directory import DynamoDBDirectory
from assessment.adapters.aws.dynamodb import Table
from assessment.adapters.aws.s3 import S3ContentStore
from assessment.adapters.aws.table_requests import ItemUpdate
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.config import BatchConfig
from assessment.domain.errors import MissingDocumentError, UnknownBatchError
from tests.fakes.aws import client, create_bucket, create_table

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SHARED_KEYS = {
    "active",
    "directory",
    "claim",
    "capabilities",
    "circuit",
    "judge_minute",
    "signature",
    "expiry",
    "unfinished_erasure",
}
ARGUMENTS: dict[str, Any] = {
    "minute": NOW,
    "moment": NOW,
    "created_at": NOW,
    "expires_at": NOW,
    "number": 1,
    "wave_number": 1,
}


def batch(batch_id: str, organisation: str) -> Batch:
    return Batch(
        batch_id=batch_id,
        organisation=organisation,
        status=BatchStatus.INITIALIZING,
        correlation_id=f"c-{organisation}",
        config=BatchConfig(),
        config_sources={},
        seed=1,
        request_sha256="0",
        created_at=NOW,
        updated_at=NOW,
    )


def key_functions() -> dict[str, Any]:
    """Every function that makes a key of the table."""
    return {
        name: function
        for name, function in inspect.getmembers(keys, inspect.isfunction)
        if function.__module__ == keys.__name__ and name not in ("place_partition", "sortable")
    }


@pytest.mark.parametrize("name", sorted(key_functions()))
def test_a_key_is_of_one_organisation_or_listed_as_shared(name: str) -> None:
    function = key_functions()[name]
    given = {p: ARGUMENTS.get(p, "x") for p in inspect.signature(function).parameters}
    made = function(**given)
    partition = made if isinstance(made, str) else made["PK"]
    placed = {keys.place_partition(partition, o) for o in ("north", "south")}
    assert len(placed) == (1 if name in SHARED_KEYS else 2)


@pytest.fixture
def tables(aws: None) -> tuple[Table, Table]:
    create_table()
    north, south = (
        Table(client("dynamodb"), "cj-table", organisation=name) for name in ("north", "south")
    )
    return north, south


def test_the_same_key_is_another_item_for_another_organisation(
    tables: tuple[Table, Table],
) -> None:
    north, south = tables
    key = {"PK": "BATCH#b", "SK": "BATCH"}
    north.put_new({**key, "n": 1})
    assert south.get(key) is None
    assert south.query("BATCH#b") == []
    south.put_new({**key, "n": 2})
    south.update(key, ItemUpdate({"n": 3}))
    south.delete(key)
    assert (north.get(key) or {})["n"] == 1


def test_a_batch_is_found_by_its_organisation_only(tables: tuple[Table, Table]) -> None:
    north, south = (DynamoDBBatchStore(table) for table in tables)
    assert north.create_batch(batch("b", "north"))
    assert north.get_batch("b").organisation == "north"
    with pytest.raises(UnknownBatchError):
        south.get_batch("b")
    with pytest.raises(UnknownBatchError):
        south.transition("b", BatchStatus.CANCELLED, now=NOW)
    assert south.list_active_batches() == ["b"], "the watchdog looks at all"


def test_the_machinery_finds_whose_a_batch_is(tables: tuple[Table, Table]) -> None:
    north, south = tables
    DynamoDBBatchStore(north).create_batch(batch("b", "north"))
    assert DynamoDBDirectory(south).get_organisation("b") == "north"
    with pytest.raises(UnknownBatchError):
        DynamoDBDirectory(south).get_organisation("nobody's")


def test_keys_of_requests_do_not_meet(tables: tuple[Table, Table]) -> None:
    north, south = (DynamoDBBatchStore(table) for table in tables)
    assert north.claim_key("k", batch_id="1", request_sha256="a").batch_id == "1"
    assert south.claim_key("k", batch_id="2", request_sha256="b").batch_id == "2"
    assert north.claim_key("k", batch_id="3", request_sha256="c").batch_id == "1"


def test_content_is_found_by_its_organisation_only(aws: None) -> None:
    create_bucket()
    north, south = (
        S3ContentStore(client("s3"), "cj-bucket", organisation=name) for name in ("north", "south")
    )
    sha256 = north.put_text("batches/b/texts", "an essay of the north")
    north.put_document("batches/b/spec.json", "{}")
    with pytest.raises(MissingDocumentError):
        south.get_text("batches/b/texts", sha256)
    assert south.get_document("batches/b/spec.json") is None
    listed = client("s3").list_objects_v2(Bucket="cj-bucket")["Contents"]
    assert {entry["Key"] for entry in listed} == {
        f"batches/north/b/texts/{sha256}.txt", "batches/north/b/spec.json",
    }  # fmt: skip
