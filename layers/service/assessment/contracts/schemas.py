"""JSON Schemas of documents and events: `python -m assessment.contracts.schemas`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, create_model

from assessment.contracts.decisions import DECISIONS_SCHEMA_VERSION, DecisionsDocument
from assessment.contracts.events import DATA, Envelope, EventType
from assessment.contracts.request import BatchRequest
from assessment.contracts.result import RESULT_SCHEMA_VERSION, ResultDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Every schema by its path below the folder of schemas."""
    models = {
        f"result.v{RESULT_SCHEMA_VERSION}.json": _make_schema(ResultDocument, "serialization"),
        f"decisions.v{DECISIONS_SCHEMA_VERSION}.json": _make_schema(
            DecisionsDocument, "serialization"
        ),
        f"events/{EventType.REQUESTED}.json": _make_schema(
            _detail(EventType.REQUESTED, BatchRequest), "validation"
        ),
    }
    for event_type, data in DATA.items():
        models[f"events/{event_type}.json"] = _make_schema(
            _detail(event_type, data), "serialization"
        )
    return models


def _detail(event_type: EventType, data: type[BaseModel]) -> type[BaseModel]:
    """The envelope as it looks around this event's data."""
    if event_type is EventType.REQUESTED:
        # What a caller has to send: we add no version or time to it.
        return create_model(
            f"{data.__name__}Detail",
            event_id=(str, ...),
            correlation_id=(str | None, None),
            data=(data, ...),
        )
    return create_model(
        f"{data.__name__}Detail",
        __base__=Envelope,
        event_type=(Literal[event_type], ...),
        data=(data, ...),
    )


def _make_schema(
    model: type[BaseModel], mode: Literal["validation", "serialization"]
) -> dict[str, Any]:
    schema = {"$schema": DIALECT, **model.model_json_schema(mode=mode)}
    return schema if mode == "validation" else _allow_additions(schema)


def _allow_additions(schema: Any) -> Any:
    """The schema without refusals of fields that it does not name: later ones may be added."""
    if isinstance(schema, list):
        return [_allow_additions(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _allow_additions(part)
        for name, part in schema.items()
        if not (name == "additionalProperties" and part is False)
    }


def documents() -> Iterator[tuple[str, str]]:
    """Path and text of every schema file."""
    for path, schema in sorted(schemas().items()):
        yield path, json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(folder: Path) -> None:
    """Write all schemas below the folder."""
    for path, text in documents():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "schemas"))
