"""Helpers over the parsed template, shared by the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

ROOT = Path(__file__).parents[2]

# The managed policies that SAM attaches by itself, so that no test asks AWS for them.
MANAGED_POLICIES = {
    name: f"arn:aws:iam::aws:policy/{name}"
    for name in (
        "service-role/AWSLambdaBasicExecutionRole",
        "service-role/AWSLambdaSQSQueueExecutionRole",
        "AWSXrayWriteOnlyAccess",
    )
}


class OfflinePolicies(ManagedPolicyLoader):  # type: ignore[misc]
    """Answers from the table above."""

    def __init__(self) -> None:
        super().__init__(None)

    def load(self) -> dict[str, str]:
        return {name.split("/")[-1]: arn for name, arn in MANAGED_POLICIES.items()}


def list_resources(template: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Logical ids and resources of one type."""
    return (
        (name, resource)
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    )


def apply_transform(template: dict[str, Any]) -> dict[str, Any]:
    """What CloudFormation sees after the SAM transform."""
    packaged = yaml.safe_load(json.dumps(template))
    # The SAM CLI uploads code and definition before the transform.
    uploads = {
        "AWS::Serverless::StateMachine": "DefinitionUri",
        "AWS::Serverless::Function": "CodeUri",
        "AWS::Serverless::LayerVersion": "ContentUri",
    }
    for resource in packaged["Resources"].values():
        if resource["Type"] in uploads:
            resource["Properties"][uploads[resource["Type"]]] = "s3://bucket/key"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
        return transform(packaged, {}, OfflinePolicies())
