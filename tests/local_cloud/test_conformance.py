"""The deployed API, asked thousands of things: every answer is as its document says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assessment.domain.access import Role
from local.judge.options import JudgeOptions
from runner.stack import mint_token, read_secret
from tests.conformance import try_api
from tests.local_cloud.disturbances import run_sample

pytestmark = [pytest.mark.local_cloud, pytest.mark.conformance]


@pytest.mark.timeout(3600)
def test_the_deployed_api_answers_as_its_document_says(stage, small_sample, tmp_path: Path) -> None:
    with stage(JudgeOptions()) as (on, _):
        run_sample(on, small_sample)
        secret = read_secret(on.outputs["ApiSecretArn"], on.cloud.aws)
        token = mint_token(secret, now=datetime.now(UTC), role=Role.ADMIN)
        options = ["--max-examples", "5", "--continue-on-failure", "--no-shrink"]
        assert try_api(on.outputs["ApiUrl"], token, *options, place=tmp_path) >= 2000
