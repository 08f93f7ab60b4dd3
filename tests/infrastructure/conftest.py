"""The template and the state machine as they stand, parsed once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse

from tests.infrastructure.parsed import ROOT, apply_transform, list_resources


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """The template with intrinsic functions in their long form."""
    return yaml_parse((ROOT / "template.yaml").read_text())


@pytest.fixture(scope="session")
def template_text() -> str:
    return (ROOT / "template.yaml").read_text()


@pytest.fixture(scope="session")
def machine() -> dict[str, Any]:
    """The state machine's definition."""
    return json.loads((ROOT / "statemachine" / "assessment.asl.json").read_text())


@pytest.fixture(scope="session")
def functions(template) -> dict[str, dict[str, Any]]:
    """Properties of every function by logical id, with the globals they inherit."""
    shared = template["Globals"]["Function"]
    return {
        name: {**shared, **resource["Properties"]}
        for name, resource in list_resources(template, "AWS::Serverless::Function")
    }


@pytest.fixture(scope="session")
def deployed(template) -> dict[str, Any]:
    """What CloudFormation sees after the SAM transform."""
    return apply_transform(template)
