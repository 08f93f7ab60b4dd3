"""The expressions of requests to the one table, in DynamoDB's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assessment.adapters.aws.attributes import serialize_item

# The prefix keeps the names of what is set apart from those that a condition uses.
_SET = "set_"


@dataclass(frozen=True)
class ItemUpdate:
    """What changes in one item, and what must hold of it before.

    Attributes
    ----------
    changes
        Attributes and their new values; one that is None is removed.
    condition
        What must hold, in DynamoDB's language; None where nothing must.
    names, values
        What the condition's `#names` and `:values` stand for.
    add
        Attributes and what is added to their numbers.
    """

    changes: Mapping[str, Any]
    condition: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)


_FIRST_KEY, _LAST_KEY = " ", "~"
"""Keys of printable ASCII lie between them."""


@dataclass(frozen=True)
class PageQuery:
    """The next items of a partition.

    Attributes
    ----------
    partition
        Whose items, without the organisation.
    limit
        How many items are looked at.
    since, until
        The bounds of the sort keys, which lie within.
    after
        The sort key that a page ended with, of this list or of another one.
    last_first
        Whether the highest sort key comes first.
    equal
        Attributes with the values that items must have; None stands for any value.
    projection
        The attributes that are wanted; all of them if none is named.
    """

    partition: str
    limit: int
    since: str = _FIRST_KEY
    until: str = _LAST_KEY
    after: str | None = None
    last_first: bool = True
    equal: Mapping[str, Any] = field(default_factory=dict)
    projection: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no item can be in the page: its bounds cross, or it is beyond the last one."""
        if self.since > self.until or self.after is None:
            return self.since > self.until
        return self.after < self.since if self.last_first else self.after > self.until

    @property
    def start(self) -> str | None:
        """The key to go on from: DynamoDB takes none that is not between the bounds."""
        is_within = self.after is not None and self.since <= self.after <= self.until
        return self.after if is_within else None


def make_page_query(query: PageQuery, place: str) -> dict[str, Any]:
    """A query of a page, without the key it begins after; `place` is the whole partition key."""
    condition, values = "PK = :pk", {":pk": place}
    # What all keys lie between is not asked: an emulator tests it with each item anew.
    if (query.since, query.until) != (_FIRST_KEY, _LAST_KEY):
        condition += " AND SK BETWEEN :since AND :until"
        values |= {":since": query.since, ":until": query.until}
    request: dict[str, Any] = {
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": serialize_item(values),
        "ScanIndexForward": not query.last_first,
        "Limit": query.limit,
        "ConsistentRead": True,
    }
    _add_filter(request, query.equal)
    add_projection(request, query.projection)
    return request


def make_update(update: ItemUpdate) -> dict[str, Any]:
    """The expressions of an update, without the key of its item."""
    changes, add = update.changes, update.add
    kept = _drop_absent(changes)
    clauses = (
        _clause("SET", [f"#{_SET}{name} = :{_SET}{name}" for name in kept]),
        _clause("REMOVE", [f"#{_SET}{name}" for name in changes if name not in kept]),
        _clause("ADD", [f"#{name} :{name}" for name in add]),
    )
    request: dict[str, Any] = {
        "UpdateExpression": " ".join(filter(None, clauses)),
        "ExpressionAttributeNames": {**_names(changes, _SET), **_names(add), **update.names},
    }
    all_values = serialize_item({**_values(kept, _SET), **_values(add), **update.values})
    if all_values:
        request["ExpressionAttributeValues"] = all_values
    if update.condition:
        request["ConditionExpression"] = update.condition
    return request


def _add_filter(request: dict[str, Any], equal: Mapping[str, Any]) -> None:
    """Let a query leave out items that lack one of the values; None stands for any value."""
    tests = _drop_absent(equal)
    if tests:
        request["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in tests)
        request["ExpressionAttributeNames"] = _names(tests)
        request["ExpressionAttributeValues"] |= serialize_item(_values(tests))


def add_projection(request: dict[str, Any], projection: Sequence[str]) -> None:
    """Let a query answer with these attributes alone; with all of them if none is named."""
    if projection:
        request["ProjectionExpression"] = ", ".join(f"#{name}" for name in projection)
        attribute_names = request.get("ExpressionAttributeNames", {})
        request["ExpressionAttributeNames"] = attribute_names | _names(projection)


def _drop_absent(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _names(attributes: Iterable[str], prefix: str = "") -> dict[str, str]:
    return {f"#{prefix}{name}": name for name in attributes}


def _values(attributes: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    return {f":{prefix}{name}": value for name, value in attributes.items()}


def _clause(verb: str, parts: Sequence[str]) -> str:
    return f"{verb} {', '.join(parts)}" if parts else ""
