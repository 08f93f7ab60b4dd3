"""Short pauses for the tests of the command line: waiting is most of what its commands do."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands look again soon at what they wait for."""
    monkeypatch.setattr("runner.waiting.SOONEST_SECONDS", 0.01)
    monkeypatch.setattr("runner.offline.engine._POLL_SECONDS", 0.01)
