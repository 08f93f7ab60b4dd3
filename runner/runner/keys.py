"""Providers' keys in the stack's Secrets Manager: where judges read them, under <stack>/judge/."""

import os
from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from assessment.domain.judge import JudgeSpec, Provider
from runner.stack import Aws, aws_failure

KEY_VARIABLES: Mapping[str, str] = {
    Provider.OPENAI: "OPENAI_API_KEY",
    Provider.ANTHROPIC: "ANTHROPIC_API_KEY",
}
"""Environment variables in which people keep their keys, by the name of the secret."""


def secret_id(stack: str, name: str) -> str:
    """The id of a key's secret."""
    return f"{stack}/judge/{name}"


def key_of_environment(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The key that the provider's usual variable holds, if it is set."""
    return environment.get(KEY_VARIABLES.get(name, ""), "").strip() or None


def store_key(name: str, key: str, *, stack: str, aws: Aws) -> None:
    """Store a key, in place of one that is there.

    Raises
    ------
    StackNotReachableError, NotAuthorisedError
    """
    secrets = aws.session().client(
        "secretsmanager", endpoint_url=aws.endpoint_url, config=aws.config
    )
    identifier = secret_id(stack, name)
    try:
        try:
            secrets.create_secret(Name=identifier, SecretString=key)
        except secrets.exceptions.ResourceExistsException:
            secrets.put_secret_value(SecretId=identifier, SecretString=key)
    except (BotoCoreError, ClientError) as error:
        raise aws_failure(
            error, aws, missing=f"the secret {identifier} cannot be stored"
        ) from error


def store_keys_of_environment(judges: Sequence[JudgeSpec], *, stack: str, aws: Aws) -> list[str]:
    """Give a laptop cloud the keys that its judges need and the environment has; the variables.

    Raises
    ------
    StackNotReachableError, NotAuthorisedError
    """
    stored = []
    for name in sorted({judge.secret_name for judge in judges if judge.secret_name}):
        if key := key_of_environment(name):
            store_key(name, key, stack=stack, aws=aws)
            stored.append(KEY_VARIABLES[name])
    return stored
