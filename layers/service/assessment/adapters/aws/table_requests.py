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


def add_filter(request: dict[str, Any], equal: Mapping[str, Any]) -> None:
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
        known = request.get("ExpressionAttributeNames", {})
        request["ExpressionAttributeNames"] = known | _names(projection)


def _drop_absent(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _names(attributes: Iterable[str], prefix: str = "") -> dict[str, str]:
    return {f"#{prefix}{name}": name for name in attributes}


def _values(attributes: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    return {f":{prefix}{name}": value for name, value in attributes.items()}


def _clause(verb: str, parts: Sequence[str]) -> str:
    return f"{verb} {', '.join(parts)}" if parts else ""
