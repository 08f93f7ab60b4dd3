"""What the API's routes work with: the adapters, and the batch that a path names."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Router

from assessment import bootstrap
from assessment.api.access import read_caller
from assessment.api.responses import check_batch_id
from assessment.observability import logger
from assessment.settings import HandleApiSettings


def adapters() -> bootstrap.Composition[HandleApiSettings]:
    """The adapters, made with the first request of a process."""
    return bootstrap.adapters(HandleApiSettings)


def own_adapters(router: Router) -> bootstrap.Composition[HandleApiSettings]:
    """The adapters for the caller's organisation: nothing of another's can be found with them."""
    return adapters().select(read_caller(router.current_event.raw_event).organisation)


def open_batch(batch_id: str, own: bootstrap.Composition[HandleApiSettings]) -> str:
    """The path's batch id, checked; from here on log lines carry the batch's ids.

    The correlation id is in them as soon as the batch was read: it is not read for them.

    Raises
    ------
    InvalidRequestError
        If it does not have the form of one.
    """
    valid_id = check_batch_id(batch_id)
    logger.append_keys(**own.find_log_keys(valid_id))
    return valid_id
