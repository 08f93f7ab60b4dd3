"""Pages of a partition: the same from each table, and asked for so that DynamoDB answers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from assessment.adapters.aws.dynamodb import Table
from assessment.adapters.aws.table_requests import PageQuery
from assessment.adapters.item_table import ItemTable
from tests.fakes.aws import client

KEYS = ("b", "d", "f")
BOUNDS = (" ", "a", "b", "c", "e", "f", "g", "~")


@pytest.fixture
def strict_table(table: Table) -> Iterator[Table]:
    """A table that refuses what DynamoDB refuses, and moto does not."""

    def check(params: dict[str, Any], **_: Any) -> None:
        values = params["ExpressionAttributeValues"]
        since, until = (values.get(name, {"S": end})["S"] for name, end in ENDS)
        assert since <= until, "the BETWEEN operator's upper bound is below its lower bound"
        start = params.get("ExclusiveStartKey", {"SK": {"S": since}})["SK"]["S"]
        assert since <= start <= until, "the starting key is outside of the query's boundaries"

    name = "provide-client-params.dynamodb.Query"
    client("dynamodb").meta.events.register(name, check)
    yield table
    client("dynamodb").meta.events.unregister(name, check)


ENDS = ((":since", " "), (":until", "~"))


@pytest.mark.parametrize("last_first", [True, False])
def test_a_page_is_the_same_whatever_bounds_and_cursor_it_is_asked_with(
    strict_table: Table, sqlite_table: ItemTable, *, last_first: bool
) -> None:
    for key, table in product(KEYS, (strict_table, sqlite_table)):
        table.put_new({"PK": "p", "SK": key})
    for since, until, after in product(BOUNDS, BOUNDS, (None, *BOUNDS)):
        asked: dict[str, Any] = {
            "limit": 10, "since": since, "until": until, "after": after, "last_first": last_first,
        }  # fmt: skip
        wanted = [key for key in KEYS if since <= key <= until]
        if after is not None:
            wanted = [key for key in wanted if (key < after if last_first else key > after)]
        for table in (strict_table, sqlite_table):
            items, following = table.query_page(PageQuery("p", **asked))
            assert [item["SK"] for item in items] == sorted(wanted, reverse=last_first), asked
            assert following is None
