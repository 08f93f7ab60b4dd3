"""The laptop cloud's gateway answers as the template declares."""

from __future__ import annotations

import json

import boto3
from moto import mock_aws

from local.stack.gateway import put_gateway_responses, read_declared_responses


def test_every_declared_answer_is_put():
    with mock_aws():
        session = boto3.Session(region_name="eu-north-1")
        gateway = session.client("apigateway")
        api_id = gateway.create_rest_api(name="cj-local-api")["id"]
        gateway.create_rest_api(name="another")
        root = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
        gateway.put_method(
            restApiId=api_id, resourceId=root, httpMethod="GET", authorizationType="NONE"
        )
        gateway.put_integration(restApiId=api_id, resourceId=root, httpMethod="GET", type="MOCK")
        put_gateway_responses(session, "cj-local-api")
        listed = gateway.get_gateway_responses(restApiId=api_id)["items"]
        put = {response["responseType"]: response for response in listed}
        assert put.keys() >= read_declared_responses().keys()
        refusal = put["ACCESS_DENIED"]
        assert refusal["statusCode"] == "401"
        assert json.loads(refusal["responseTemplates"]["application/json"])["status"] == 401
        stages = gateway.get_stages(restApiId=api_id)["item"]
        assert [stage["stageName"] for stage in stages] == ["live"]
