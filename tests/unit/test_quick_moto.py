"""moto with less work (tests/fakes/moto.py) undoes a transaction that fails, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from tests.fakes.aws import client, create_table

TABLE = "cj-table"
MISSING = {"ConditionExpression": "attribute_exists(PK)"}


@pytest.fixture
def items() -> Iterator[dict[str, Any]]:
    """Two items of one partition and one of another, by their sort keys."""
    written: dict[str, Any] = {
        "a": {"PK": {"S": "one"}, "SK": {"S": "a"}, "n": {"N": "1"}, "m": {"M": {"x": {"N": "1"}}}},
        "b": {"PK": {"S": "one"}, "SK": {"S": "b"}, "l": {"L": [{"S": "first"}]}},
        "c": {"PK": {"S": "other"}, "SK": {"S": "c"}, "s": {"SS": ["x", "y"]}},
    }
    with mock_aws():
        create_table(TABLE)
        for item in written.values():
            client("dynamodb").put_item(TableName=TABLE, Item=item)
        yield written


def read_items() -> dict[str, Any]:
    found = client("dynamodb").scan(TableName=TABLE)["Items"]
    return {item["SK"]["S"]: item for item in found}


def key(partition: str, name: str) -> dict[str, Any]:
    return {"TableName": TABLE, "Key": {"PK": {"S": partition}, "SK": {"S": name}}}


WRITES = [
    {"Update": {
        **key("one", "a"), "UpdateExpression": "SET m.x = :v ADD n :v",
        "ExpressionAttributeValues": {":v": {"N": "5"}},
    }},
    {"Update": {
        **key("one", "b"), "UpdateExpression": "SET l[0] = :v",
        "ExpressionAttributeValues": {":v": {"S": "changed"}},
    }},
    {"Delete": key("other", "c")},
    {"Put": {"TableName": TABLE, "Item": {"PK": {"S": "new"}, "SK": {"S": "d"}}}},
]  # fmt: skip


def test_a_transaction_that_fails_changes_nothing(items):
    refused = {"ConditionCheck": {**key("nowhere", "e"), **MISSING}}
    with pytest.raises(client("dynamodb").exceptions.TransactionCanceledException) as caught:
        client("dynamodb").transact_write_items(TransactItems=[*WRITES, refused])
    reasons = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert reasons == ["None"] * len(WRITES) + ["ConditionalCheckFailed"]
    assert read_items() == items


def test_a_transaction_that_succeeds_changes_what_it_names(items):
    client("dynamodb").transact_write_items(TransactItems=WRITES)
    after = read_items()
    assert after.keys() == {"a", "b", "d"}
    assert (after["a"]["n"], after["a"]["m"]) == ({"N": "6"}, {"M": {"x": {"N": "5"}}})
    assert after["b"]["l"] == {"L": [{"S": "changed"}]}


def test_an_expression_works_with_the_values_of_each_call(items):
    for value in ("2", "3"):
        client("dynamodb").update_item(
            **key("one", "a"), UpdateExpression="SET n = :v",
            ExpressionAttributeValues={":v": {"N": value}},
        )  # fmt: skip
        assert read_items()["a"]["n"] == {"N": value}
