"""moto's tables and queues with less work for the same answers (tests/fakes/moto.py)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import moto.core.utils
import moto.sqs.models
import pytest
from moto import backend_index
from moto.core.base_backend import BaseBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import bytesize
from moto.sqs.models import Queue, SQSBackend

PLAIN = ("S", "BOOL", "B")
LARGEST_ITEM = 405_000
FIRST = ("s3", "lambda")


def work_less(patch: pytest.MonkeyPatch) -> None:
    """Look at a partition instead of the table, at a value instead of what it might be."""
    patch.setattr(DynamoType, "cast_value", property(cast(vars(DynamoType)["cast_value"].fget)))
    patch.setattr(DynamoType, "size", measure(DynamoType.size))
    patch.setattr(Item, "__init__", fill_item)
    look_at_one_partition(patch)
    patch.setattr(moto.sqs.models, "unix_time_millis", tell_time)
    patch.setattr(Queue, "messages", property(list_waiting))
    list_addresses_once(patch)
    patch.setattr(SQSBackend, "is_message_valid_based_on_retention_period", is_kept)


def cast(cast_any: Callable[[DynamoType], Any]) -> Callable[[DynamoType], Any]:
    """A value in Python; moto asks of each whether it is a number, a set, a list or a map."""

    def cast_value(value: DynamoType) -> Any:
        if value.type in PLAIN:
            return value.value
        return Decimal(value.value) if value.type == "N" else cast_any(value)

    return cast_value


def measure(measure_any: Callable[[DynamoType], int]) -> Callable[[DynamoType], int]:
    """How large a value is; texts are most."""

    def size(value: DynamoType) -> int:
        if value.type in {"S", "N"}:
            return len(str(value.value).encode())
        return measure_any(value)

    return size


def fill_item(
    item: Any, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]
) -> None:
    """An item of these attributes; moto measures all that is there for each that is added."""
    values = {name: DynamoType(value) for name, value in attrs.items()}
    item.hash_key, item.range_key, item.attrs = hash_key, range_key, LimitedSizeDict()
    n_bytes = sum(bytesize(name) + value.size() for name, value in values.items())
    if n_bytes > LARGEST_ITEM:
        for name, value in values.items():
            item.attrs[name] = value  # the last raises
    dict.update(item.attrs, values)


def look_at_one_partition(patch: pytest.MonkeyPatch) -> None:
    """Let a query without an index look at the items of its partition, not at the whole table."""
    query, list_all = Table.query, Table.all_items
    asked = threading.local()

    def query_partition(table: Any, hash_key: Any, *arguments: Any, **settings: Any) -> Any:
        index = settings.get("index_name")
        asked.partition = hash_key if index is None and table.range_key_attr else None
        try:
            return query(table, hash_key, *arguments, **settings)
        finally:
            asked.partition = None

    def list_items(table: Any) -> list[Item]:
        partition = getattr(asked, "partition", None)
        if partition is None:
            return list_all(table)
        # The query sorts them.
        return list(table.items.get(partition, {}).values())

    patch.setattr(Table, "query", query_partition)
    patch.setattr(Table, "all_items", list_items)


def tell_time(moment: Any = None) -> float:
    """Milliseconds since 1970; moto asks for every message of a queue, by way of dates."""
    return time.time() * 1000 if moment is None else moto.core.utils.unix_time_millis(moment)


def list_waiting(queue: Any) -> list[Any]:
    """What may be received now; moto asks the time for each message twice."""
    now = vars(moto.sqs.models)["unix_time_millis"]()
    return [
        message
        for message in queue._messages
        if now > message.visible_at and now >= message.delayed_until
    ]


def is_kept(backend: Any, queue_name: str, message: Any) -> bool:
    """Whether a message is not too old; moto counts all messages to learn how old it may be."""
    seconds = backend.get_queue(queue_name).message_retention_period
    return bool(seconds + message.sent_timestamp / 1000 > time.time())


def list_addresses_once(patch: pytest.MonkeyPatch) -> None:
    """Let a service list once which function answers which of its addresses, not per request.

    The few services that tests use through HTTP are looked for first.
    """
    list_addresses = vars(BaseBackend)["urls"].fget
    known: dict[type[Any], dict[str, Any]] = {}

    def list_once(backend: Any) -> dict[str, Any]:
        kind = type(backend)
        if kind not in known:
            known[kind] = list_addresses(backend)
        return known[kind]

    patch.setattr(BaseBackend, "urls", property(list_once))
    patterns = sorted(backend_index.backend_url_patterns, key=lambda entry: entry[0] not in FIRST)
    patch.setattr(backend_index, "backend_url_patterns", patterns)
