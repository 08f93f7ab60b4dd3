"""The committed OpenAPI document is what the routes and models say, and is one."""

from __future__ import annotations

import json
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from assessment.api.access import ROUTES
from assessment.api.openapi import document_text, make_document
from assessment.api.operations import OPERATIONS
from functions.handle_api.app import api

COMMITTED = Path(__file__).parents[2] / "schemas" / "openapi.json"


def test_the_committed_document_is_what_the_code_says() -> None:
    assert COMMITTED.read_text() == document_text(), "run python -m assessment.api.openapi"


def test_it_is_an_openapi_document() -> None:
    OpenAPIV31SpecValidator(json.loads(COMMITTED.read_text())).validate()


def test_it_has_every_route_and_no_other() -> None:
    registered = {
        (str(route.method), route.path) for route in [*api._static_routes, *api._dynamic_routes]
    }
    assert OPERATIONS.keys() == registered


def test_guarded_routes_ask_for_a_token_and_say_for_which_roles() -> None:
    for path, methods in make_document()["paths"].items():
        for method, described in methods.items():
            route = (method.upper(), path.replace("{", "<").replace("}", ">"))
            assert ("security" in described) is (route in ROUTES)
            assert described.get("description", "").startswith("Roles: ") is (route in ROUTES)
