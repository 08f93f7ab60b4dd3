"""The adapters of the API's routes."""

from __future__ import annotations

from assessment import bootstrap
from assessment.settings import HandleApiSettings


def adapters() -> bootstrap.Adapters[HandleApiSettings]:
    """The adapters, made with the first request of a process."""
    return bootstrap.adapters(HandleApiSettings)
