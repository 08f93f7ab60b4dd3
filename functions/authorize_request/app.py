"""The API's authorizer: it accepts a signed bearer token (JWT, HS256) and nothing else."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import bootstrap
from assessment.api.tokens import verify_token
from assessment.domain.errors import TokenRefusedError
from assessment.observability import logger
from assessment.settings import AuthorizeRequestSettings


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An allowing policy for a valid token; API Gateway answers 401 to everything else."""
    secret = bootstrap.adapters(AuthorizeRequestSettings).api_secret()
    try:
        claims = verify_token(event.get("authorizationToken", ""), secret=secret)
    except TokenRefusedError as error:
        logger.info("token refused", extra={"reason": str(error)})
        # API Gateway turns exactly this message into a 401.
        raise Exception("Unauthorized") from error  # noqa: TRY002
    return {
        "principalId": claims.subject,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": _widen_to_stage(event["methodArn"]),
                }
            ],
        },
        "context": {"scope": claims.scope},
    }


def _widen_to_stage(method_arn: str) -> str:
    """The policy is cached by token, so it must cover every route of this API and stage."""
    api, stage, *_ = method_arn.split("/")
    return f"{api}/{stage}/*"
