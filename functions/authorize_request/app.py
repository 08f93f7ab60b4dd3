"""The API's authorizer: admits callers by a bearer token of the issuer or of the stack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import bootstrap
from assessment.api.access import authorizer_context
from assessment.api.authorizer import find_caller
from assessment.domain.errors import TokenRefusedError
from assessment.observability import logger
from assessment.settings import AuthorizeRequestSettings


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An allowing policy for a valid token, a denying one for any other.

    The gateway answers 401 where the policy denies. A raised error would do that too, but it
    would count as a failure of this function and set off its alarm.
    """
    try:
        caller = find_caller(
            event.get("authorizationToken", ""),
            adapters=bootstrap.adapters(AuthorizeRequestSettings),
            now=datetime.now(UTC),
        )
    except TokenRefusedError as error:
        logger.info("token refused", extra={"reason": str(error)})
        return _policy(event, "refused", effect="Deny", context={})
    return _policy(event, caller.subject, effect="Allow", context=authorizer_context(caller))


def _policy(
    event: dict[str, Any], principal: str, *, effect: str, context: dict[str, str]
) -> dict[str, Any]:
    """The policy is cached by token, so it covers every route of this API and stage."""
    api, stage, *_ = event["methodArn"].split("/")
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": effect,
        "Resource": f"{api}/{stage}/*",
    }
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }
