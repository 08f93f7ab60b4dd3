"""The two AWS calls that find a stack, answered on the wire as AWS answers them."""

import json
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from starlette.responses import JSONResponse, Response

SECRET_ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:api-AbCdEf"
API_URL = "https://abc123.execute-api.us-east-1.amazonaws.com/live"
_XML = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


def _member(key: str, value: str) -> str:
    value = escape(value)
    return f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"


def describe_stacks(name: str, known: str, judge_url: str = "") -> Response:
    """CloudFormation's answer (query protocol): the outputs, or that there is no such stack."""
    if name != known:
        body = (
            f'<ErrorResponse xmlns="{_XML}"><Error><Type>Sender</Type>'
            f"<Code>ValidationError</Code><Message>Stack with id {escape(name)} does not exist"
            "</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        )
        return Response(body, status_code=400, media_type="text/xml")
    outputs = _member("ApiUrl", API_URL) + _member("ApiSecretArn", SECRET_ARN)
    parameters = (
        "<member><ParameterKey>JudgeEndpointUrl</ParameterKey>"
        f"<ParameterValue>{escape(judge_url)}</ParameterValue></member>"
        if judge_url
        else ""
    )
    body = (
        f'<DescribeStacksResponse xmlns="{_XML}"><DescribeStacksResult><Stacks><member>'
        f"<StackName>{name}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>"
        f"<StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{outputs}</Outputs>"
        f"<Parameters>{parameters}</Parameters>"
        "</member></Stacks></DescribeStacksResult>"
        "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeStacksResponse>"
    )
    return Response(body, media_type="text/xml")


def answer(
    target: str,
    body: bytes,
    *,
    stack: str,
    secret: str,
    keys: dict[str, str] | None = None,
    judge_url: str = "",
) -> Response:
    """Secrets Manager by its target header, CloudFormation by the form's action."""
    if target in ("secretsmanager.CreateSecret", "secretsmanager.PutSecretValue"):
        return _store(target, json.loads(body), {} if keys is None else keys)
    if target == "secretsmanager.GetSecretValue":
        return JSONResponse({"ARN": SECRET_ARN, "Name": "api", "SecretString": secret})
    form = parse_qs(body.decode())
    assert form["Action"] == ["DescribeStacks"]
    return describe_stacks(form["StackName"][0], stack, judge_url)


def _store(target: str, wanted: dict[str, str], keys: dict[str, str]) -> Response:
    """Secrets are created once and then only given new values."""
    name = wanted.get("Name") or wanted["SecretId"]
    if target == "secretsmanager.CreateSecret" and name in keys:
        error = {"__type": "ResourceExistsException", "message": "exists"}
        return JSONResponse(error, status_code=400)
    keys[name] = wanted["SecretString"]
    return JSONResponse({"ARN": SECRET_ARN, "Name": name})
