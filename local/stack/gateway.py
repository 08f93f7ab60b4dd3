"""The answers of the laptop cloud's gateway: MiniStack does not read them from a definition.

API Gateway takes them from the definition that SAM makes of the template; here each is put by a
call of its own, as template.yaml declares it.
"""

from __future__ import annotations

from typing import Any

import boto3
import yaml

from local.stack.processes import ROOT

API = "AssessmentApi"
STAGE = "live"


class _Template(yaml.SafeLoader):
    """A loader that leaves CloudFormation's functions as they are."""


_Template.add_multi_constructor("!", lambda _loader, _suffix, node: node.value)


def read_declared_responses() -> dict[str, dict[str, Any]]:
    """The gateway's answers by their type, as the template declares them."""
    text = (ROOT / "template.yaml").read_text()
    template = yaml.load(text, Loader=_Template)  # noqa: S506 - a safe loader
    responses: dict[str, dict[str, Any]] = template["Resources"][API]["Properties"][
        "GatewayResponses"
    ]
    for response in responses.values():
        parameters = response["ResponseParameters"]
        # What depends on a parameter of the stack is left out.
        parameters["Headers"] = {
            name: value for name, value in parameters["Headers"].items() if isinstance(value, str)
        }
    return responses


def put_gateway_responses(
    session: boto3.Session, api_name: str, *, endpoint_url: str | None = None
) -> None:
    """Give the API of this name its answers, and deploy it with them."""
    # Typed by names of response types, which come from the template here.
    gateway: Any = session.client("apigateway", endpoint_url=endpoint_url)
    (api_id,) = [api["id"] for api in gateway.get_rest_apis()["items"] if api["name"] == api_name]
    for kind, response in read_declared_responses().items():
        headers = response["ResponseParameters"]["Headers"]
        gateway.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            statusCode=str(response["StatusCode"]),
            responseParameters={
                f"gatewayresponse.header.{name}": value for name, value in headers.items()
            },
            responseTemplates=response["ResponseTemplates"],
        )
    gateway.create_deployment(restApiId=api_id, stageName=STAGE)
