"""Values as DynamoDB keeps them, and back.

Nested documents are stored as JSON strings: floats keep every bit and no expression looks inside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from pydantic import BaseModel

serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize

Item = dict[str, Any]
_AS_THEY_ARE = frozenset({str, bool, int, type(None)})


def to_attribute(value: Any) -> Any:
    """A value as DynamoDB stores it: models and floats become JSON or decimals."""
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict | list | tuple):
        return _json(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value) if hasattr(value, "value") else value


def to_plain(value: Any) -> Any:
    """A value as it is read back: that of `to_attribute`, with plain numbers."""
    return _number(to_attribute(value))


def _json(value: Any) -> str:
    """JSON with its letters as they are: escaped, a text would be up to three times as long."""
    text = json.dumps(value, default=_model_as_dict, sort_keys=True, ensure_ascii=False)
    # Half of a surrogate pair, which cannot be stored as it is.
    return text if _is_storable(text) else json.dumps(json.loads(text), sort_keys=True)


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _model_as_dict(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(type(value).__name__)


def serialize_item(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as a call sends them; None is left out."""
    return {
        name: serialize(to_attribute(value))
        for name, value in attributes.items()
        if value is not None
    }


def deserialize_item(item: Mapping[str, Any]) -> Item:
    """An item that was read, in plain values."""
    return {name: _number(_deserialize(value)) for name, value in item.items()}


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
