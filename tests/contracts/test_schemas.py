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


@pytest.mark.parametrize("path", sorted(WRITTEN))
def test_every_schema_refuses_an_empty_document(path, schema):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, schema(path))
