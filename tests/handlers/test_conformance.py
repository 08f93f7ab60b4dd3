"""Every answer of the API is one that its OpenAPI document describes, whatever it is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assessment.domain.access import Role
from runner.stack import mint_token
from tests.conformance import try_api
from tests.fakes.gateway import serving
from tests.handlers.conftest import SECRET, Stack, invoke


@pytest.fixture
def address(stack: Stack) -> Stack:
    """The API with an assignment and a finished batch."""
    stack.completed()
    return stack


def ask(place: Path, *options: str) -> int:
    """Serve the API and ask it."""
    token = mint_token(SECRET, now=datetime.now(UTC), role=Role.ADMIN)
    with serving(invoke) as url:
        return try_api(url, token, *options, place=place)


def test_a_sample_of_requests_is_answered_as_the_document_says(
    address: Stack, tmp_path: Path
) -> None:
    # Of the small operations: what is sent to the others takes seconds to make up.
    sample = ["--phases", "fuzzing", "--max-examples", "2", "--no-shrink"]
    sample += ["--include-path-regex", "webhooks|policy|content|audit"]
    assert ask(tmp_path, *sample) >= 20


@pytest.mark.conformance
@pytest.mark.timeout(3600)
def test_thousands_of_requests_are_answered_as_the_document_says(
    address: Stack, tmp_path: Path
) -> None:
    assert ask(tmp_path, "--max-examples", "25", "--continue-on-failure", "--no-shrink") >= 2000
