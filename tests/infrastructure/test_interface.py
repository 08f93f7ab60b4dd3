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

ROUTES = {
    ("POST", "/v1/anchors/register"): True,
    ("GET", "/v1/anchors/{assignment_id}"): True,
    ("DELETE", "/v1/anchors/{assignment_id}/{anchor_ref}"): True,
    ("GET", "/admin/v1/assessment-instructions"): True,
    ("PUT", "/admin/v1/assessment-instructions/{assignment_id}"): True,
    ("GET", "/admin/v1/assessment-instructions/{assignment_id}"): True,
    ("DELETE", "/admin/v1/assessment-instructions/{assignment_id}"): True,
    ("POST", "/admin/v1/student-prompts"): True,
    ("GET", "/admin/v1/student-prompts"): True,
    ("POST", "/v1/content"): True,
    ("POST", "/v1/content/uploads"): True,
    ("POST", "/v1/manifests"): True,
    ("GET", "/v1/batches/{batch_id}/files"): True,
    ("POST", "/v1/batches"): True,
    ("GET", "/v1/batches"): True,
    ("GET", "/v1/audit"): True,
    ("GET", "/v1/batches/{batch_id}/comparisons"): True,
    ("GET", "/v1/batches/{batch_id}/comparisons/{comparison_id}/prompt"): True,
    ("GET", "/v1/openapi.json"): False,
    ("GET", "/app"): False,
    ("GET", "/app/{file_name}"): False,
    ("GET", "/v1/batches/{batch_id}/report"): True,
    ("GET", "/v1/batches/{batch_id}/essays/{essay_id}"): True,
    ("GET", "/v1/docs"): False,
    ("GET", "/v1/batches/{batch_id}/audit"): True,
    ("GET", "/v1/batches/{batch_id}"): True,
    ("GET", "/v1/batches/{batch_id}/results"): True,
    ("POST", "/v1/batches/{batch_id}/cancel"): True,
    ("POST", "/v1/batches/{batch_id}/resume"): True,
    ("DELETE", "/v1/batches/{batch_id}"): True,
    ("DELETE", "/v1/batches/{batch_id}/essays/{essay_id}"): True,
    ("GET", "/v1/batches/{batch_id}/erasures"): True,
    ("GET", "/v1/batches/{batch_id}/essays/{essay_id}/export"): True,
    ("GET", "/v1/healthz"): False,
    ("POST", "/v1/callbacks"): False,
    ("POST", "/v1/batches/{batch_id}/invitations"): True,
    ("GET", "/v1/batches/{batch_id}/invitations"): True,
    ("DELETE", "/v1/batches/{batch_id}/invitations/{invitation_id}"): True,
    ("GET", "/v1/batches/{batch_id}/next-comparison"): True,
    ("POST", "/v1/batches/{batch_id}/verdicts"): True,
    ("PUT", "/v1/batches/{batch_id}/essays/{essay_id}/decision"): True,
    ("GET", "/v1/batches/{batch_id}/essays/{essay_id}/decision"): True,
    ("GET", "/v1/batches/{batch_id}/decisions"): True,
    ("GET", "/v1/batches/{batch_id}/attention"): True,
    ("POST", "/v1/batches/{batch_id}/release"): True,
    ("GET", "/v1/batches/{batch_id}/release"): True,
    ("GET", "/v1/release-policy"): True,
    ("PUT", "/v1/release-policy"): True,
    ("GET", "/v1/retention-policy"): True,
    ("PUT", "/v1/retention-policy"): True,
    ("POST", "/admin/v1/webhooks"): True,
    ("GET", "/admin/v1/webhooks"): True,
    ("GET", "/admin/v1/webhooks/{webhook_id}"): True,
    ("DELETE", "/admin/v1/webhooks/{webhook_id}"): True,
    ("POST", "/admin/v1/webhooks/{webhook_id}/replay"): True,
}
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


def routes(deployed):
    body = deployed["Resources"]["AssessmentApi"]["Properties"]["Body"]
    return {
        (method.upper(), path): operation
        for path, methods in body["paths"].items()
        for method, operation in methods.items()
    }


def test_the_api_has_exactly_the_documented_routes(deployed):
    assert routes(deployed).keys() == ROUTES.keys()


def test_every_route_but_health_asks_for_a_token(deployed):
    for route, operation in routes(deployed).items():
        closed = operation["security"] == [{"BearerToken": []}]
        assert closed is ROUTES[route], route


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
            key.removeprefix("gatewayresponse.header."): value.strip("'")
            for key, value in response["responseParameters"].items()
        }
        assert headers["Content-Type"] == PROBLEM_TYPE, name
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
    assert {"subject", "method", "route", "status"} <= line.keys()
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
