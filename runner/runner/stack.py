"""Where the stack is: its outputs by CloudFormation, its API's address and a token for it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from assessment.contracts.tokens import sign_token
from assessment.domain.access import DEFAULT_ORGANISATION, Caller, Role
from runner.errors import NotAuthorisedError, StackNotReachableError

DEFAULT_STACK = "cj-local"
DEFAULT_PORT = "4566"
LOCAL_REGION = "us-east-1"
TOKEN_LIFETIME = timedelta(hours=12)
_JUDGE_PARAMETER = "JudgeEndpointUrl"
_QUICK = Config(connect_timeout=3, read_timeout=20, retries={"mode": "standard"})
# On one machine a connection is refused because nothing runs there: seconds of retries do not help.
_ONE_TRY = Config(connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 1})
_DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "ExpiredToken", "InvalidClientTokenId"}
)


@dataclass(frozen=True)
class Aws:
    """How to reach AWS; with an endpoint it is an emulator's."""

    endpoint_url: str | None = None
    region: str | None = None
    dummy_credentials: bool = False

    @classmethod
    def local(cls, environment: Mapping[str, str] = os.environ) -> "Aws":
        """The laptop cloud on the port that CJ_PORT names."""
        port = environment.get("CJ_PORT", DEFAULT_PORT)
        return cls(f"http://127.0.0.1:{port}", LOCAL_REGION, dummy_credentials=True)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Aws":
        """Whatever the AWS environment variables and files say; AWS_ENDPOINT_URL included."""
        return cls(environment.get("AWS_ENDPOINT_URL") or None)

    @property
    def config(self) -> Config:
        """How long a client waits, and how often it asks."""
        return _ONE_TRY if self.dummy_credentials else _QUICK

    def session(self) -> boto3.Session:
        """A session that never looks for credentials where the dummy ones do."""
        if self.dummy_credentials:
            return boto3.Session("test", "test", region_name=self.region)
        return boto3.Session(region_name=self.region)


@dataclass(frozen=True)
class Stack:
    """What a caller needs of a deployed stack; `judge_url` is its own judge's endpoint."""

    name: str
    api_url: str
    api_secret_arn: str
    judge_url: str | None = None


def find_stack(name: str, aws: Aws) -> Stack:
    """The stack of this name.

    Raises
    ------
    StackNotReachableError
        If AWS does not answer, or there is no such stack or it lacks the outputs.
    NotAuthorisedError
        If the AWS credentials do not allow looking.
    """
    try:
        outputs, judge_url = _describe(name, aws)
    except (BotoCoreError, ClientError) as error:
        raise aws_failure(error, aws, missing=f"there is no stack {name}") from error
    if absent := {"ApiUrl", "ApiSecretArn"} - outputs.keys():
        raise StackNotReachableError(
            f"the stack {name} has no output {' or '.join(sorted(absent))}; "
            "deploy the whole template, or name another with --stack"
        )
    return Stack(name, reachable_url(outputs["ApiUrl"], aws), outputs["ApiSecretArn"], judge_url)


def _describe(name: str, aws: Aws) -> tuple[dict[str, str], str | None]:
    """The outputs of a stack, and its parameter JudgeEndpointUrl."""
    cloudformation = aws.session().client(
        "cloudformation", endpoint_url=aws.endpoint_url, config=aws.config
    )
    stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
    outputs = stacks[0].get("Outputs", []) if stacks else []
    parameters = stacks[0].get("Parameters", []) if stacks else []
    judge_url = next(
        (p.get("ParameterValue") for p in parameters if p.get("ParameterKey") == _JUDGE_PARAMETER),
        None,
    )
    return {
        output.get("OutputKey", ""): output.get("OutputValue", "") for output in outputs
    }, judge_url


def reachable_url(api_url: str, aws: Aws) -> str:
    """The API's address; an emulator serves AWS's host names on its own endpoint."""
    address = urlsplit(api_url)
    host = address.hostname or ""
    if aws.endpoint_url is None or ".execute-api." not in host:
        return api_url.rstrip("/")
    api_id = host.split(".")[0]
    query = f"?{address.query}" if address.query else ""
    path = f"/_aws/execute-api/{api_id}{address.path.rstrip('/')}{query}"
    return aws.endpoint_url.rstrip("/") + path


def read_secret(secret_arn: str, aws: Aws) -> str:
    """The value that signs the stack's tokens.

    Raises
    ------
    StackNotReachableError, NotAuthorisedError
    """
    try:
        secrets = aws.session().client(
            "secretsmanager", endpoint_url=aws.endpoint_url, config=aws.config
        )
        return secrets.get_secret_value(SecretId=secret_arn)["SecretString"]
    except (BotoCoreError, ClientError) as error:
        raise aws_failure(error, aws, missing=f"there is no secret {secret_arn}") from error


def mint_token(
    secret: str,
    *,
    now: datetime,
    subject: str = "cj",
    role: Role = Role.ASSESSOR,
    organisation: str = DEFAULT_ORGANISATION,
    batch_id: str | None = None,
    lifetime: timedelta = TOKEN_LIFETIME,
) -> str:
    """A bearer token that the stack's authorizer accepts."""
    caller = Caller(
        subject=subject, organisation=organisation, roles=frozenset({role}), batch_id=batch_id
    )
    return sign_token(caller, secret=secret, now=now, lifetime=lifetime)


def aws_failure(
    error: BotoCoreError | ClientError, aws: Aws, *, missing: str
) -> StackNotReachableError | NotAuthorisedError:
    """The named error for what botocore raised; `missing` says what a refusal means here."""
    place = aws.endpoint_url or "AWS"
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return NotAuthorisedError(
            "no AWS credentials were found; sign in (aws configure, AWS_PROFILE), use --local for "
            "the laptop cloud, or give --api-url and CJ_TOKEN"
        )
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        if code in _DENIED:
            return NotAuthorisedError(f"{place} refuses the AWS credentials ({code})")
        return StackNotReachableError(
            f"{missing} at {place} ({code}); deploy it, or name another with --stack"
        )
    return StackNotReachableError(
        f"{place} does not answer ({type(error).__name__}); for the laptop cloud start it with "
        "`make local-up`, for AWS check region and network"
    )
