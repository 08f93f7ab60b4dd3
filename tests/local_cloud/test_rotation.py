"""The secret of the API's tokens is rotated while the stack works."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from runner.stack import mint_token, read_secret
from tests.local_cloud.asking import ask

pytestmark = pytest.mark.local_cloud

LATER = "the key that it is rotated to, which is long enough for HS256 as well"
PATIENCE_SECONDS = 240


def test_a_rotated_secret_counts_at_once_and_the_one_before_still_does(deployed):
    on, _ = deployed
    secret = read_secret(on.outputs["ApiSecretArn"], on.cloud.aws)
    before = mint_token(secret, now=datetime.now(UTC), subject="before")
    assert ask(on, f"Bearer {before}").status_code == 404
    manager = on.cloud.session().client("secretsmanager", endpoint_url=on.cloud.url)
    manager.put_secret_value(SecretId=on.outputs["ApiSecretArn"], SecretString=LATER)
    after = mint_token(LATER, now=datetime.now(UTC), subject="after")
    again = mint_token(secret, now=datetime.now(UTC), subject="again")
    # A worker that read the secret a moment ago reads it again after 15 seconds. Those of the files
    # before this one read it long ago.
    patience = time.monotonic() + PATIENCE_SECONDS
    while (status := ask(on, f"Bearer {after}").status_code) == 401:
        assert time.monotonic() < patience, "the new version is not accepted"
        time.sleep(0.2)
        after = mint_token(LATER, now=datetime.now(UTC), subject=f"after {datetime.now(UTC)}")
    assert status == 404
    assert ask(on, f"Bearer {again}").status_code == 404
    # Back to the first version, which the tests of other files read.
    manager.put_secret_value(SecretId=on.outputs["ApiSecretArn"], SecretString=secret)
