"""What an operator and a caller see: parameters, API routes, outputs, environments."""

from __future__ import annotations

import json
import re
import tomllib
from typing import get_args

import jwt
import pytest
from annotated_types import Ge, Gt, Le

from assessment.api.responses import HEADERS, PROBLEM_TYPE
from assessment.domain.config import BatchConfig

RESOURCES = {
    ("ANY", "/v1/{proxy+}"): True,
    ("ANY", "/admin/v1/{proxy+}"): True,
    ("OPTIONS", "/v1/{proxy+}"): False,
    ("OPTIONS", "/admin/v1/{proxy+}"): False,
    ("ANY", "/v1/callbacks"): False,
    ("ANY", "/v1/openapi.json"): False,
    ("ANY", "/v1/docs"): False,
    ("ANY", "/v1/healthz"): False,
    ("ANY", "/app"): False,
    ("ANY", "/app/{file_name}"): False,
}
"""What the gateway knows of the API, and whether it asks for a token there."""
# What Lambda allows the policy of one function to have (its quotas, "Function resource-based
# policy").
MOST_POLICY_BYTES = 20 * 1024
BATCH_PARAMETERS = {
    "MaxPairwiseComparisons": "max_pairwise_comparisons",
    "TargetMeanSe": "target_mean_se",
    "WaveTimeoutSeconds": "wave_timeout_seconds",
    "BatchTimeoutHours": "batch_timeout_hours",
}


def lower_bound(metadata):
    return isinstance(metadata, Ge | Gt)


def test_parameters_are_described_and_bounded(template):
    for name, parameter in template["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        bounded = (
            "AllowedValues" in parameter
            or "AllowedPattern" in parameter
            or {"MinValue", "MaxValue"} <= parameter.keys()
        )
        assert bounded, name
        if "AllowedPattern" in parameter:
            assert parameter["ConstraintDescription"], name


def test_parameters_are_all_shown_in_a_group(template):
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(template["Parameters"])


def list_limits(info):
    """The limits of a setting, also of one that may be left out."""
    yield from info.metadata
    for alternative in get_args(info.annotation):
        for inner in getattr(alternative, "__metadata__", ()):
            yield from inner.metadata


@pytest.mark.parametrize(("parameter", "field"), BATCH_PARAMETERS.items())
def test_a_batch_limit_of_the_stack_is_one_that_the_code_accepts(parameter, field, template):
    stack = template["Parameters"][parameter]
    info = BatchConfig.model_fields[field]
    limits = list(list_limits(info))
    lower = next(m.ge if isinstance(m, Ge) else m.gt for m in limits if isinstance(m, Ge | Gt))
    upper = next(m.le for m in limits if isinstance(m, Le))
    assert stack["Default"] == info.default
    assert lower <= stack["MinValue"] <= stack["Default"] <= stack["MaxValue"] <= upper


def test_the_state_machine_outwaits_the_longest_wave(template, machine):
    longest = template["Parameters"]["WaveTimeoutSeconds"]["MaxValue"]
    assert machine["States"]["SubmitWave"]["TimeoutSeconds"] > longest


@pytest.mark.parametrize(
    ("url", "valid"),
    [
        ("https://judge.example.org", True),
        ("http://127.0.0.1:8089", True),
        ("https://judge.example.org/base/path", True),
        ("judge.example.org", False),
        ("https://", False),
        ("https://judge.example.org/?key=secret", False),
        ("https://judge.example.org/a b", False),
    ],
)
def test_the_judge_address_is_checked_before_anything_is_deployed(url, valid, template):
    pattern = template["Parameters"]["JudgeEndpointUrl"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, url)) is valid


def declared_resources(deployed):
    body = deployed["Resources"]["AssessmentApi"]["Properties"]["Body"]
    return {
        ("ANY" if "any-method" in method else method.upper(), path): operation
        for path, methods in body["paths"].items()
        for method, operation in methods.items()
    }


def test_the_gateway_has_these_resources_and_asks_for_tokens(deployed):
    resources = declared_resources(deployed)
    closed = {key: each["security"] == [{"BearerToken": []}] for key, each in resources.items()}
    assert closed == RESOURCES


def test_a_route_is_reached_with_a_token_unless_it_is_open(root):
    document = json.loads((root / "schemas" / "openapi.json").read_text())
    for path, operations in document["paths"].items():
        prefix = "/admin/v1/" if path.startswith("/admin/") else "/v1/"
        asks_for_token = RESOURCES.get(("ANY", path), RESOURCES["ANY", prefix + "{proxy+}"])
        for method, operation in operations.items():
            assert path.startswith(prefix) or ("ANY", path) in RESOURCES
            assert ("security" in operation) is asks_for_token, (method, path)


def test_the_policy_of_the_api_stays_far_below_what_lambda_allows(deployed):
    # A statement for each permission, with names as long as they may get.
    statements = [
        resource["Properties"]
        for resource in deployed["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Permission"
        and resource["Properties"]["FunctionName"] == {"Ref": "HandleApiFunction"}
    ]
    assert statements
    assert 1000 * len(statements) < MOST_POLICY_BYTES


def test_the_token_authorizer_is_ours(deployed):
    body = deployed["Resources"]["AssessmentApi"]["Properties"]["Body"]
    scheme = body["components"]["securitySchemes"]["BearerToken"]
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert authorizer["type"] == "token"
    assert "AuthorizeRequestFunction" in str(authorizer["authorizerUri"])
    assert (scheme["in"], scheme["name"]) == ("header", "Authorization")


# Every answer that API Gateway gives by itself (its reference, "Gateway response types").
GATEWAY_RESPONSES = {
    "ACCESS_DENIED": 401, "API_CONFIGURATION_ERROR": 500, "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500, "BAD_REQUEST_BODY": 400, "BAD_REQUEST_PARAMETERS": 400,
    "DEFAULT_4XX": 400, "DEFAULT_5XX": 500, "EXPIRED_TOKEN": 403, "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504, "INVALID_API_KEY": 403, "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 404, "QUOTA_EXCEEDED": 429, "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404, "THROTTLED": 429, "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415, "WAF_FILTERED": 403,
}  # fmt: skip


def gateway_responses(deployed):
    body = deployed["Resources"]["AssessmentApi"]["Properties"]["Body"]
    return body["x-amazon-apigateway-gateway-responses"]


@pytest.mark.parametrize(
    ("origins", "valid"),
    [
        ("", True),
        ("https://school.example.org", True),
        ("https://school.example.org,http://localhost:5173", True),
        ("*", False),
        ("https://school.example.org/", False),
        ("https://School.example.org", False),
        ("http://school.example.org", False),
        ("https://a.example.org, https://b.example.org", False),
    ],
)
def test_origins_are_checked_before_anything_is_deployed(origins, valid, template):
    pattern = template["Parameters"]["CorsOrigins"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, origins)) is valid


def test_every_answer_of_the_gateway_is_a_problem_document(deployed):
    answers = {}
    for name, response in gateway_responses(deployed).items():
        document = json.loads(response["responseTemplates"]["application/json"])
        assert document.keys() == {"type", "title", "status", "detail"}, name
        assert int(response["statusCode"]) == document["status"], name
        answers[name] = document["status"]
    assert answers == GATEWAY_RESPONSES


def test_answers_of_the_gateway_have_the_headers_of_the_api(deployed):
    for name, response in gateway_responses(deployed).items():
        headers = {
            key.removeprefix("gatewayresponse.header."): str(value).strip("'")
            for key, value in response["responseParameters"].items()
        }
        assert headers["Content-Type"] == PROBLEM_TYPE, name
        # Nothing of other origins in a stack that names none.
        assert headers["Access-Control-Allow-Origin"].startswith("{'Fn::If': ['HasCorsOrigins'"), (
            name
        )
        assert headers.items() >= HEADERS.items(), name


def test_what_is_no_token_is_refused_without_an_invocation(deployed):
    body = deployed["Resources"]["AssessmentApi"]["Properties"]["Body"]
    scheme = body["components"]["securitySchemes"]["BearerToken"]
    pattern = scheme["x-amazon-apigateway-authorizer"]["identityValidationExpression"]
    assert re.fullmatch(pattern, "Bearer " + jwt.encode({"sub": "s"}, "k" * 32, "HS256"))
    for garbage in ("Bearer x", "Basic dGVhY2hlcg==", "Bearer a.b", "Bearer a.b.c d", "a.b.c"):
        assert not re.fullmatch(pattern, garbage), garbage


def test_the_access_log_tells_who_asked_for_what_and_no_more(deployed):
    stages = [
        resource["Properties"]
        for resource in deployed["Resources"].values()
        if resource["Type"] == "AWS::ApiGateway::Stage"
    ]
    (stage,) = stages
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"request_id", "subject", "method", "resource", "status"} <= line.keys()
    assert not re.search("sourceIp|body|querystring|userAgent", stage["AccessLogSetting"]["Format"])


def test_the_api_leaves_the_judging_its_share_of_the_account(template):
    properties = template["Resources"]["HandleApiFunction"]["Properties"]
    condition, limit, _ = properties["ReservedConcurrentExecutions"]["Fn::If"]
    assert (condition, limit) == ("HasApiConcurrency", {"Ref": "ApiConcurrency"})
    assert template["Parameters"]["ApiConcurrency"]["Default"] > 0


def test_the_api_is_throttled(template):
    (setting,) = template["Resources"]["AssessmentApi"]["Properties"]["MethodSettings"]
    assert 0 < setting["ThrottlingRateLimit"] <= setting["ThrottlingBurstLimit"]


def test_outputs_are_those_that_the_tools_read(template):
    assert template["Outputs"].keys() == {
        "ApiUrl", "ApiSecretArn", "CallbackSecretArn", "TableName", "BucketName", "EventBusName",
        "JudgeQueueUrl", "CallbackQueueUrl", "StateMachineArn", "SubscriberQueueUrl",
        "UserPoolId", "UserPoolClientId",
    }  # fmt: skip
    for name, output in template["Outputs"].items():
        assert output["Description"].endswith("."), name


def test_every_environment_builds_cached_and_parallel_and_lints(root):
    config = tomllib.loads((root / "samconfig.toml").read_text())
    environments = config.keys() - {"version"}
    assert environments == {"default", "local", "prod"}
    for name in environments:
        assert config[name]["build"]["parameters"] == {"cached": True, "parallel": True}, name
        assert config[name]["validate"]["parameters"] == {"lint": True}, name


def test_only_the_laptop_deploys_without_asking(root):
    config = tomllib.loads((root / "samconfig.toml").read_text())
    asks = {
        name: config[name]["deploy"]["parameters"]["confirm_changeset"]
        for name in ("default", "local", "prod")
    }
    assert asks == {"default": True, "local": False, "prod": True}
