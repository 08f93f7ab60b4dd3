"""The schema files are those of the models, and they tell right from wrong."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from assessment.contracts.schemas import documents

ROOT = Path(__file__).parents[2]
WRITTEN = dict(documents())


@pytest.mark.parametrize("path", sorted(WRITTEN))
def test_a_schema_file_is_what_the_models_say(path):
    assert (ROOT / "schemas" / path).read_text() == WRITTEN[path], (
        "run python -m assessment.contracts.schemas"
    )


def test_no_schema_file_is_left_behind():
    files = {str(f.relative_to(ROOT / "schemas")) for f in (ROOT / "schemas").rglob("*.json")}
    # test_openapi.py has the other one.
    assert files == set(WRITTEN) | {"openapi.json"}


@pytest.mark.parametrize("path", sorted(WRITTEN))
def test_every_schema_is_valid_itself(path, schema):
    jsonschema.Draft202012Validator.check_schema(schema(path))


def test_an_event_with_a_later_field_is_valid(schema):
    error_info = dict.fromkeys(("code", "what", "why", "what_to_do", "of_a_later_release"), "x")
    data = {"batch_id": "b", "assignment_id": None, "status": "FAILED", "error_info": error_info}
    event = {"event_id": "e", "event_type": "CJAssessmentFailed.v1", "correlation_id": "c",
             "time": "2026-03-02T09:00:00Z"}  # fmt: skip
    failed = schema("events/CJAssessmentFailed.v1.json")
    jsonschema.validate({**event, "data": {**data, "of_a_later_release": 1}}, failed)
    del error_info["code"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**event, "data": data}, failed)


@pytest.mark.parametrize("path", sorted(WRITTEN))
def test_every_schema_refuses_an_empty_document(path, schema):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, schema(path))
