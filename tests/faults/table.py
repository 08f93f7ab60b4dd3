"""The table in a dictionary: moto's language of conditions without moto's way through HTTP.

Each call costs a tenth of a millisecond, so every call of a batch can be disturbed in every way. A
test replays the calls of a clean run against moto itself and finds the same answers.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType, Item

type Wire = dict[str, Any]
type Key = tuple[str, str]

_CLAUSE = re.compile(r"(SET|REMOVE|ADD) (.*?)(?= SET | REMOVE | ADD |$)")


class ConditionFailedError(Exception):
    """A condition does not hold; `item` is what stands there, if that was asked for."""

    def __init__(self, item: Wire | None) -> None:
        super().__init__("the condition does not hold")
        self.item = item


def _key(item: Mapping[str, Any]) -> Key:
    return item["PK"]["S"], item["SK"]["S"]


@dataclass
class MemoryTable:
    """DynamoDB, as far as the product uses it."""

    items: dict[Key, Wire] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # --- the operations ---------------------------------------------------------------------------

    def get_item(self, *, Key: Wire, **_: Any) -> Wire:  # noqa: N803
        with self._lock:
            item = self.items.get(_key(Key))
        return {"Item": dict(item)} if item else {}

    def put_item(self, *, Item: Wire, **request: Any) -> Wire:  # noqa: N803
        return self._alone("PutItem", lambda: self._put({"Item": Item, **request}))

    def update_item(self, **request: Any) -> Wire:
        return self._alone("UpdateItem", lambda: {"Attributes": self._update(request)})

    def delete_item(self, **request: Any) -> Wire:
        return self._alone("DeleteItem", lambda: self._delete(request))

    def query(self, **request: Any) -> Wire:
        values = request["ExpressionAttributeValues"]
        partition, prefix = values[":pk"]["S"], values.get(":sk", {"S": ""})["S"]
        first, last = (
            values.get(":since", {"S": ""})["S"],
            values.get(":until", {"S": "\U0010ffff"})["S"],
        )
        with self._lock:
            found = sorted(
                (key[1], item)
                for key, item in self.items.items()
                if key[0] == partition and key[1].startswith(prefix) and first <= key[1] <= last
            )
        if not request.get("ScanIndexForward", True):
            found.reverse()
        after = request.get("ExclusiveStartKey", {"SK": {"S": ""}})["SK"]["S"]
        items = [item for place, item in found if place > after][: request.get("Limit")]
        names = set(request.get("ExpressionAttributeNames", {}).values())
        if "ProjectionExpression" in request:
            items = [{name: item[name] for name in item if name in names} for item in items]
        return {"Items": [dict(item) for item in items]}

    def batch_get_item(self, *, RequestItems: Wire) -> Wire:  # noqa: N803
        ((name, request),) = RequestItems.items()
        with self._lock:
            found = [self.items.get(_key(key)) for key in request["Keys"]]
        return {"Responses": {name: [dict(item) for item in found if item]}}

    def batch_write_item(self, *, RequestItems: Wire) -> Wire:  # noqa: N803
        with self._lock:
            for requests in RequestItems.values():
                for request in requests:
                    self._put(request["PutRequest"])
        return {"UnprocessedItems": {}}

    def transact_write_items(self, *, TransactItems: list[Wire]) -> Wire:  # noqa: N803
        acts: dict[str, Callable[[Wire], Any]] = {
            "Put": self._put, "Update": self._update, "Delete": self._delete,
        }  # fmt: skip
        with self._lock:
            before = dict(self.items)
            reasons: list[Wire] = []
            for action in TransactItems:
                ((kind, request),) = action.items()
                try:
                    acts[kind](request)
                    reasons.append({"Code": "None"})
                except ConditionFailedError as error:
                    reason: Wire = {"Code": "ConditionalCheckFailed"}
                    reasons.append(reason if error.item is None else {**reason, "Item": error.item})
            if any(reason["Code"] != "None" for reason in reasons):
                self.items = before
                code = "TransactionCanceledException"
                answer: Any = {
                    "Error": {"Code": code, "Message": code},
                    "CancellationReasons": reasons,
                }
                raise ClientError(answer, "TransactWriteItems")
        return {}

    # --- what they are made of --------------------------------------------------------------------

    def _alone(self, operation: str, act: Callable[[], Wire]) -> Wire:
        with self._lock:
            try:
                return act()
            except ConditionFailedError as error:
                code = "ConditionalCheckFailedException"
                answer: Any = {"Error": {"Code": code, "Message": code}}
                if error.item is not None:
                    answer["Item"] = error.item
                raise ClientError(answer, operation) from None

    def _check(self, key: Key, request: Wire) -> Wire | None:
        """The item that stands there, if the request's condition holds of it."""
        item = self.items.get(key)
        if "ConditionExpression" in request:
            condition = get_filter_expression(
                request["ConditionExpression"],
                request.get("ExpressionAttributeNames", {}),
                request.get("ExpressionAttributeValues", {}),
            )
            hash_key, range_key = (DynamoType({"S": part}) for part in key)
            if not condition.expr(Item(hash_key, range_key, item or {})):
                told = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
                raise ConditionFailedError(dict(item) if item and told else None)
        return item

    def _put(self, request: Wire) -> Wire:
        key = _key(request["Item"])
        self._check(key, request)
        self.items[key] = dict(request["Item"])
        return {}

    def _delete(self, request: Wire) -> Wire:
        self._check(_key(request["Key"]), request)
        self.items.pop(_key(request["Key"]), None)
        return {}

    def _update(self, request: Wire) -> Wire:
        key = _key(request["Key"])
        item = dict(self._check(key, request) or request["Key"])
        names = request["ExpressionAttributeNames"]
        values = request.get("ExpressionAttributeValues", {})
        for kind, clause in _CLAUSE.findall(request["UpdateExpression"]):
            for part in clause.strip().split(", "):
                if kind == "REMOVE":
                    item.pop(names[part], None)
                elif kind == "SET":
                    name, _, value = part.partition(" = ")
                    item[names[name]] = values[value]
                else:
                    name, value = part.split(" ")
                    before = int(item.get(names[name], {"N": "0"})["N"])
                    item[names[name]] = {"N": str(before + int(values[value]["N"]))}
        self.items[key] = item
        return dict(item)
