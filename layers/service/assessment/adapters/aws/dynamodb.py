"""A thin, typed way to the one table: requests in, plain dictionaries out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from assessment.adapters.aws.attributes import (
    Item,
    deserialize_item,
    serialize,
    serialize_item,
)
from assessment.adapters.aws.errors import TRANSIENT_CODES, error_code, wrap_client
from assessment.adapters.aws.keys import Key, place_partition
from assessment.adapters.aws.pauses import TRIES, Pauses
from assessment.adapters.aws.table_requests import (
    ItemUpdate,
    PageQuery,
    add_projection,
    make_page_query,
    make_update,
)
from assessment.domain.access import DEFAULT_ORGANISATION
from assessment.domain.errors import TransientError

_BATCH_READ_LIMIT = 100
_BATCH_WRITE_LIMIT = 25
_WRITERS = 8


class ConditionFailedError(Exception):
    """A conditional write was refused; `item` is what is there, if it was asked for."""

    def __init__(self, item: Item | None = None) -> None:
        super().__init__("the condition of a write did not hold")
        self.item = item


def _chunks[T](values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))


class Table:
    """The calls we make of DynamoDB for one organisation, with the errors of each as named classes.

    No call can name a partition of another organisation: its own name is put before every key.
    """

    def __init__(
        self,
        client: Any,
        name: str,
        *,
        organisation: str = DEFAULT_ORGANISATION,
        pauses: Pauses | None = None,
    ) -> None:
        self._client = wrap_client(client)
        self.name = name
        self._organisation = organisation
        self._pauses = pauses or Pauses()

    def _place(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """A key or an item as it is sent: in the partitions of the organisation."""
        return serialize_item({**item, "PK": place_partition(item["PK"], self._organisation)})

    def _read(self, item: Mapping[str, Any]) -> Item:
        return self._restore(deserialize_item(item))

    def _restore(self, item: Item) -> Item:
        """The item with its key as it was given."""
        if "PK" in item:
            item["PK"] = item["PK"].removeprefix(place_partition("", self._organisation))
        return item

    def get(self, key: Key) -> Item | None:
        """The item, strongly consistent."""
        response = self._call("get_item", Key=self._place(key), ConsistentRead=True)
        return self._read(response["Item"]) if "Item" in response else None

    def put(self, item: Mapping[str, Any]) -> None:
        """Create or replace an item."""
        self._call("put_item", Item=self._place(item))

    def put_new(self, item: Mapping[str, Any]) -> None:
        """Create an item; raises ConditionFailedError with the one that is there."""
        self._call(
            "put_item",
            Item=self._place(item),
            ConditionExpression="attribute_not_exists(PK)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def put_new_many(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Create those items that do not exist; leave the others alone."""

        def create(item: Mapping[str, Any]) -> None:
            try:
                self.put_new(item)
            except ConditionFailedError:
                return

        self._run_in_parallel(create, items)

    def update(self, key: Key, update: ItemUpdate) -> Item:
        """Set or remove attributes, add to numbers; the new item. Raises ConditionFailedError."""
        return self._read(
            self._call(
                "update_item",
                **self._update_request(key, update),
                ReturnValues="ALL_NEW",
            )["Attributes"]
        )

    def _update_request(self, key: Key, update: ItemUpdate) -> dict[str, Any]:
        """What updates an item, and asks for the item that fails the condition."""
        return {
            "Key": self._place(key),
            **make_update(update),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def delete(self, key: Key) -> None:
        """Remove an item; removing nothing is not an error."""
        self._call("delete_item", Key=self._place(key))

    def delete_many(self, places: Sequence[Key]) -> None:
        """Remove many items."""
        self._write_many([{"DeleteRequest": {"Key": self._place(place)}} for place in places])

    def update_and_delete(self, key: Key, update: ItemUpdate, *, delete: Key) -> None:
        """Update one item and delete another, both or neither. Raises ConditionFailedError."""
        self._transact(
            [
                {"Update": {"TableName": self.name, **self._update_request(key, update)}},
                {"Delete": {"TableName": self.name, "Key": self._place(delete)}},
            ]
        )

    def update_and_put(
        self,
        key: Key,
        update: ItemUpdate,
        *,
        put: Mapping[str, Any],
        only_new: bool = False,
    ) -> None:
        """Update one item and put another, both or neither; `only_new` replaces no other item.

        Raises ConditionFailedError.
        """
        only = {"ConditionExpression": "attribute_not_exists(PK)"} if only_new else {}
        self._transact(
            [
                {"Update": {"TableName": self.name, **self._update_request(key, update)}},
                {"Put": {"TableName": self.name, "Item": self._place(put), **only}},
            ]
        )

    def put_new_and_put(self, new: Mapping[str, Any], *others: Mapping[str, Any]) -> None:
        """Create one item and put others, all or none. Raises ConditionFailedError."""
        self._transact(
            [
                {
                    "Put": {
                        "TableName": self.name,
                        "Item": self._place(new),
                        "ConditionExpression": "attribute_not_exists(PK)",
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    }
                },
                *(
                    {"Put": {"TableName": self.name, "Item": self._place(other)}}
                    for other in others
                ),
            ]
        )

    def query(
        self,
        partition: str,
        *,
        prefix: str = "",
        limit: int | None = None,
        projection: Sequence[str] = (),
    ) -> list[Item]:
        """All items of a partition whose sort key has the prefix, strongly consistent."""
        place = place_partition(partition, self._organisation)
        request: dict[str, Any] = {
            "KeyConditionExpression": "PK = :pk",
            "ExpressionAttributeValues": {":pk": serialize(place)},
            "ConsistentRead": True,
        }
        if prefix:
            request["KeyConditionExpression"] += " AND begins_with(SK, :sk)"
            request["ExpressionAttributeValues"][":sk"] = serialize(prefix)
        if limit is not None:
            request["Limit"] = limit
        add_projection(request, projection)
        items: list[Item] = []
        while True:
            response = self._call("query", **request)
            items.extend(self._read(item) for item in response["Items"])
            following = response.get("LastEvaluatedKey")
            if following is None or limit is not None:
                return items
            request["ExclusiveStartKey"] = following

    def query_page(self, query: PageQuery) -> tuple[list[Item], str | None]:
        """Items out of the next `limit`, and the sort key that they end with; None at the end."""
        if query.is_empty:
            return [], None
        request = make_page_query(query, place_partition(query.partition, self._organisation))
        if query.start is not None:
            request["ExclusiveStartKey"] = self._place({"PK": query.partition, "SK": query.start})
        response = self._call("query", **request)
        last = response.get("LastEvaluatedKey")
        items = [self._read(item) for item in response["Items"]]
        return items, None if last is None else str(deserialize_item(last)["SK"])

    def get_many(self, wanted: Sequence[Key]) -> list[Item | None]:
        """The items in the order of their keys, strongly consistent, a hundred with each call."""
        item_by_key: dict[tuple[str, str], Item] = {}
        for chunk in _chunks(list({(key["PK"], key["SK"]) for key in wanted}), _BATCH_READ_LIMIT):
            for item in self._read_chunk([{"PK": pk, "SK": sk} for pk, sk in chunk]):
                item_by_key[item["PK"], item["SK"]] = item
        return [item_by_key.get((key["PK"], key["SK"])) for key in wanted]

    def _read_chunk(self, chunk: Sequence[Key]) -> Iterator[Item]:
        unprocessed = [self._place(key) for key in chunk]
        for repeat in range(TRIES):
            if repeat:
                self._pauses.await_repeat(repeat)
            request = {self.name: {"Keys": unprocessed, "ConsistentRead": True}}
            response = self._call("batch_get_item", table=False, RequestItems=request)
            for item in response["Responses"].get(self.name, []):
                yield self._read(item)
            unprocessed = response.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if not unprocessed:
                return
        raise TransientError(f"DynamoDB left {len(unprocessed)} keys unread {TRIES} times")

    def query_many(self, partitions: Sequence[str], *, prefix: str = "") -> list[Item]:
        """The items of several partitions, read in parallel."""
        if not partitions:
            return []
        with ThreadPoolExecutor(min(_WRITERS, len(partitions))) as pool:
            results = pool.map(lambda partition: self.query(partition, prefix=prefix), partitions)
            return [item for items in results for item in items]

    def put_many(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Create or replace many items."""
        self._write_many([{"PutRequest": {"Item": self._place(item)}} for item in items])

    def _write_many(self, requests: Sequence[dict[str, Any]]) -> None:
        self._run_in_parallel(self._write_chunk, list(_chunks(requests, _BATCH_WRITE_LIMIT)))

    def _write_chunk(self, chunk: Sequence[dict[str, Any]]) -> None:
        unprocessed = list(chunk)
        for repeat in range(TRIES):
            if repeat:
                self._pauses.await_repeat(repeat)
            response = self._call(
                "batch_write_item", table=False, RequestItems={self.name: unprocessed}
            )
            unprocessed = response.get("UnprocessedItems", {}).get(self.name, [])
            if not unprocessed:
                return
        raise TransientError(f"DynamoDB left {len(unprocessed)} items unprocessed {TRIES} times")

    def _run_in_parallel[T](self, write: Any, values: Sequence[T]) -> None:
        if len(values) <= 1:
            for value in values:
                write(value)
            return
        with ThreadPoolExecutor(min(_WRITERS, len(values))) as pool:
            _drain(pool.map(write, values))

    def _transact(self, actions: list[dict[str, Any]]) -> None:
        self._call("transact_write_items", table=False, TransactItems=actions)

    def _call(self, operation: str, *, table: bool = True, **request: Any) -> Any:
        if table:
            request["TableName"] = self.name
        try:
            return getattr(self._client, operation)(**request)
        except ClientError as error:
            translated = _translate(error)
            if isinstance(translated, ConditionFailedError) and translated.item:
                translated.item = self._restore(translated.item)
            raise translated from error


def _drain(results: Iterable[object]) -> None:
    for _ in results:
        pass


def _translate(error: ClientError) -> Exception:
    """The error that says which condition did not hold, or that a transaction met another."""
    response: dict[str, Any] = {**error.response}
    code = error_code(error)
    if code == "ConditionalCheckFailedException":
        return _read_condition_failure(response)
    if code == "TransactionCanceledException":
        return _translate_reasons(response.get("CancellationReasons", [])) or error
    return error


def _translate_reasons(reasons: Sequence[Mapping[str, Any]]) -> Exception | None:
    """Why a transaction was cancelled; None if that is neither a condition nor transient."""
    for reason in reasons:
        if reason.get("Code") == "ConditionalCheckFailed":
            return _read_condition_failure(reason)
    codes = {str(reason.get("Code")) for reason in reasons} - {"None"}
    if codes <= TRANSIENT_CODES:
        return TransientError(f"DynamoDB cancelled a transaction: {', '.join(sorted(codes))}")
    return None


def _read_condition_failure(refusal: Mapping[str, Any]) -> ConditionFailedError:
    item = refusal.get("Item")
    return ConditionFailedError(deserialize_item(item) if item else None)
