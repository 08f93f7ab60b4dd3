"""Pages of the laptop cloud's partitions, read from where they begin.

AWS reads a partition from where a page begins. MiniStack sorts all items of the partition and tests
each of them for every page, and takes the text of a projection apart for each item: a page of fifty
out of 3,000 items costs it 11 ms, and one of a thousand 21 ms, in which it answers nobody.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from ministack.services import dynamodb

type Request = Mapping[str, Any]
type Item = dict[str, Any]

_WHOLE_PARTITION = "PK = :pk"
_NAMES = re.compile(r"#\w+(, #\w+)*")
_PARTS = frozenset(
    {
        "TableName", "KeyConditionExpression", "ExpressionAttributeValues",
        "ExpressionAttributeNames", "ProjectionExpression", "ConsistentRead", "Limit",
        "ScanIndexForward", "ExclusiveStartKey",
    }
)  # fmt: skip


class Partitions:
    """Answers queries of whole partitions; MiniStack answers all others, and the first of a kind.

    So it is MiniStack that checks a request: what differs from one that it has answered are values
    only.
    """

    def __init__(self) -> None:
        self._query: Callable[[Request], tuple[int, Any, bytes]] = dynamodb._query  # noqa: SLF001 - the only way in
        self._answered: set[tuple[object, ...]] = set()

    def install(self) -> None:
        """Put it in place of MiniStack's own."""
        dynamodb._query = self.query  # noqa: SLF001

    def query(self, request: Request) -> tuple[int, Any, bytes]:
        """The answer to a query."""
        kind = find_kind(request)
        table = dynamodb._tables.get(request.get("TableName"))  # noqa: SLF001
        if kind in self._answered and table:
            answer: tuple[int, Any, bytes] = dynamodb.json_response(read_page(table, request))
            return answer
        answer = self._query(request)
        if kind is not None and answer[0] == HTTPStatus.OK:
            self._answered.add(kind)
        return answer


def find_kind(request: Request) -> tuple[object, ...] | None:
    """What two queries of a whole partition have in common but values; None of any other query."""
    values = request.get("ExpressionAttributeValues", {})
    is_whole = (
        request.keys() <= _PARTS
        and request.get("KeyConditionExpression") == _WHOLE_PARTITION
        and values.keys() == {":pk"}
        and "S" in values[":pk"]
        and _NAMES.fullmatch(request.get("ProjectionExpression", "#none"))
        and request.get("Limit", 1) > 0
        and "S" in request.get("ExclusiveStartKey", {}).get("SK", {"S": ""})
    )
    if not is_whole:
        return None
    names = tuple(sorted(request.get("ExpressionAttributeNames", {}).items()))
    texts = request.get("TableName"), request.get("ProjectionExpression")
    return (*texts, names, "ExclusiveStartKey" in request)


def read_page(table: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """The answer to a query of a whole partition."""
    partition = table["items"].get(request["ExpressionAttributeValues"][":pk"]["S"], {})
    places = _list_places(partition, request)
    page, there_is_more = dynamodb._paginate_evaluated_items(  # noqa: SLF001
        (partition[place] for place in places), request.get("Limit"), table
    )
    answer = {"Items": _project(page, request), "Count": len(page), "ScannedCount": len(page)}
    if there_is_more:
        answer["LastEvaluatedKey"] = {"PK": page[-1]["PK"], "SK": page[-1]["SK"]}
    return answer


def _list_places(partition: Mapping[str, Item], request: Request) -> list[str]:
    """The sort keys from where the page begins."""
    places = sorted(partition)
    start = request.get("ExclusiveStartKey", {}).get("SK", {}).get("S")
    if request.get("ScanIndexForward", True):
        return places if start is None else places[bisect_right(places, start) :]
    return (places if start is None else places[: bisect_left(places, start)])[::-1]


def _project(items: list[Item], request: Request) -> list[Item]:
    expression = request.get("ProjectionExpression")
    if expression is None:
        return items
    wanted = [request["ExpressionAttributeNames"][name] for name in expression.split(", ")]
    return [{name: item[name] for name in wanted if name in item} for item in items]
