"""What the API's routes work with: the adapters, and the batch that a path names."""

from __future__ import annotations

from assessment import bootstrap
from assessment.api.responses import check_batch_id
from assessment.observability import logger
from assessment.settings import HandleApiSettings


def adapters() -> bootstrap.Composition[HandleApiSettings]:
    """The adapters, made with the first request of a process."""
    return bootstrap.adapters(HandleApiSettings)


def open_batch(batch_id: str) -> str:
    """The path's batch id, checked; from here on every log line carries the batch's ids.

    Raises
    ------
    InvalidRequestError
        If it does not have the form of one.
    """
    valid_id = check_batch_id(batch_id)
    logger.append_keys(**adapters().log_keys(valid_id))
    return valid_id
