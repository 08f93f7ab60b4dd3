"""The deployed API, asked thousands of things: every answer is as its document says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assessment.domain.access import Role
from local.judge.options import JudgeOptions
from runner.stack import mint_token, read_secret
from tests.conformance import try_api
from tests.local_cloud.disturbances import SETTINGS
from tests.local_cloud.running import run_batch

pytestmark = [pytest.mark.local_cloud, pytest.mark.conformance]

EACH = ("--phases", "coverage,fuzzing", "--max-examples", "5")


@dataclass(frozen=True)
class Part:
    """Some of the operations, and how many cases they are asked at least."""

    options: tuple[str, ...]
    n_cases: int


REQUESTS = "^/v1/(batches|callbacks)$"
BATCHES = "^/v1/batches/"
# Together every operation with every check: in parts, as one run takes long on two cores.
PARTS = {
    "requests": Part((*EACH, "--include-path-regex", REQUESTS), 1500),
    "batches": Part((*EACH, "--include-path-regex", BATCHES), 600),
    "others": Part((*EACH, "--exclude-path-regex", f"{REQUESTS}|{BATCHES}"), 600),
    "stateful": Part(("--phases", "stateful", "--max-examples", "60"), 100),
}


@pytest.fixture(scope="module")
def asked(stage, small_sample):
    """The stack with a finished batch, and an administrator's token."""
    with stage(JudgeOptions()) as (on, _):
        with on.client() as client:
            run_batch(on, client, small_sample, config=SETTINGS)
        secret = read_secret(on.outputs["ApiSecretArn"], on.cloud.aws)
        yield on.outputs["ApiUrl"], mint_token(secret, now=datetime.now(UTC), role=Role.ADMIN)


@pytest.mark.parametrize("name", PARTS)
def test_the_deployed_api_answers_as_its_document_says(asked, name: str, tmp_path: Path) -> None:
    url, token = asked
    part = PARTS[name]
    n_cases = try_api(
        url, token, *part.options, "--continue-on-failure", "--no-shrink", place=tmp_path
    )
    print(f"{name}: {n_cases} cases")  # noqa: T201 - for who runs it
    assert n_cases >= part.n_cases
