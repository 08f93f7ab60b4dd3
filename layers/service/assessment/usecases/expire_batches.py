"""Ask for the erasure of batches whose retention has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from assessment.domain.errors import ErasedBatchError, UnknownBatchError
from assessment.ports.erasure import ErasureRequestPorts, ExpiredBatch, ExpiredBatches
from assessment.usecases.request_erasure import request_batch_erasure

MOST_AT_ONCE = 25


@dataclass
class ExpiryReport:
    """The batches whose erasure was asked for, and those where it could not be; ids only."""

    expired: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def expire_batches(
    *,
    listing: ExpiredBatches,
    ports_of: Callable[[str], ErasureRequestPorts],
    make_id: Callable[[], str],
    now: datetime,
    has_time: Callable[[], bool] = lambda: True,
) -> ExpiryReport:
    """Ask for the erasure of the batches that have expired; the next round goes on with others.

    Parameters
    ----------
    listing
        The batches of all organisations that have expired.
    ports_of
        The ports for a batch by its id: those of its organisation.
    make_id
        Makes the id of a new erasure.
    has_time
        Whether this round may ask for one more.
    """
    report = ExpiryReport()
    for expired in listing.list_expired(now=now, limit=MOST_AT_ONCE):
        if not has_time():
            break
        try:
            if _ask(expired, ports_of, make_id(), now):
                report.expired.append(expired.batch_id)
        except Exception as error:  # noqa: BLE001 - one batch that fails must not keep the others
            report.errors[expired.batch_id] = type(error).__name__
            continue
        # Only now: an entry that goes before its erasure is asked for would be lost.
        listing.forget_expired(expired)
    return report


def _ask(
    expired: ExpiredBatch,
    ports_of: Callable[[str], ErasureRequestPorts],
    erasure_id: str,
    now: datetime,
) -> bool:
    """Whether there was a batch to erase."""
    try:
        request_batch_erasure(
            expired.batch_id, erasure_id=erasure_id, ports=ports_of(expired.batch_id), now=now
        )
    except (UnknownBatchError, ErasedBatchError):
        return False
    return True
