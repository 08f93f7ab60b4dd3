"""The sample judge's callbacks over the web, signed as docs/judges.md says.

CJ_CALLBACK_SECRET names the stack's callback secret and never holds it: the ARN of a Secrets
Manager secret (the stack's output CallbackSecretArn), or a file.
"""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path

import boto3
import httpx
from httpx_retries import Retry, RetryTransport

from assessment.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign_body
from runner.stack import Aws, reachable_url

VARIABLE = "CJ_CALLBACK_SECRET"
_RETRY = Retry(total=4, allowed_methods=["POST"], backoff_factor=0.2)


def post(url: str, body: str) -> None:
    """Deliver a callback; 409 means that it was accepted before, so it counts as delivered.

    Raises
    ------
    httpx.HTTPError
        If it is refused, or not accepted after retries.
    """
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: sign_body(_secret(os.environ.get(VARIABLE, "")), timestamp, body),
    }
    response = _client().post(
        reachable_url(url, Aws.from_environment()), content=body.encode(), headers=headers
    )
    if response.status_code != httpx.codes.CONFLICT:
        response.raise_for_status()


def check_secret() -> None:
    """See that callbacks can be signed.

    Raises
    ------
    LookupError
        If no variable names the secret, or the file that it names cannot be read.
    """
    location = os.environ.get(VARIABLE, "")
    try:
        _secret(location)
    except OSError as error:
        raise LookupError(f"{VARIABLE} names {location}, which cannot be read") from error


@cache
def _client() -> httpx.Client:
    return httpx.Client(timeout=35, transport=RetryTransport(retry=_RETRY))


@cache
def _secret(location: str) -> str:
    if not location:
        raise LookupError(
            f"set {VARIABLE} to the callback secret's ARN, or to a file that holds it"
        )
    if location.startswith("arn:"):
        answer = boto3.client("secretsmanager").get_secret_value(SecretId=location)
        return str(answer["SecretString"])
    return Path(location).read_text(encoding="utf-8").strip()
