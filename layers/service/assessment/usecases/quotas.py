"""What an organisation may request in 24 hours: so many batches, and so much money."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import fsum

from assessment.domain.batch import Batch
from assessment.domain.errors import InvalidRequestError, QuotaExceededError
from assessment.domain.quota import compute_commitment, may_cost
from assessment.ports.stores import BatchFilter, BatchStore

_DAY = timedelta(days=1)
_PAGE = 100


def check_quotas(
    batch: Batch,
    *,
    max_batches_per_day: int,
    max_usd_per_day: float,
    batches: BatchStore,
    now: datetime,
) -> None:
    """Whether the organisation may have this new batch; 0 sets no limit.

    Requests at the same time may pass a limit by as many as they are.

    Raises
    ------
    InvalidRequestError
        If money is limited and the batch does not say what it may cost.
    QuotaExceededError
    """
    if max_batches_per_day:
        _check_number(max_batches_per_day, batches, now)
    if max_usd_per_day and may_cost(batch):
        _check_money(batch, max_usd_per_day, batches, now)


def _check_number(most: int, batches: BatchStore, now: datetime) -> None:
    if batches.count_batches(since=now - _DAY, limit=most) >= most:
        raise QuotaExceededError(
            f"the organisation has requested {most} batches in 24 hours, which is all that the "
            "stack lets it; ask again later, with the same key"
        )


def _check_money(batch: Batch, most: float, batches: BatchStore, now: datetime) -> None:
    usd_left = max(0.0, most - _sum_commitments(batches, now))
    wanted = batch.config.max_cost_usd
    if wanted is None:
        raise InvalidRequestError(
            "the stack limits what the batches that an organisation requests in 24 hours may cost "
            f"together; say what this one may cost: {usd_left:.2f} US dollars are left",
            field="config.max_cost_usd",
        )
    if round(wanted - usd_left, 6) > 0:
        raise QuotaExceededError(
            f"the batches that the organisation requests in 24 hours may cost {most:.2f} US "
            f"dollars together, of which {usd_left:.2f} are left; lower config.max_cost_usd "
            f"({wanted:.2f}), or ask again later"
        )


def _sum_commitments(batches: BatchStore, now: datetime) -> float:
    """Of all batches of the last 24 hours, page by page."""
    commitments: list[float] = []
    cursor = None
    while True:
        page = batches.list_batches(
            BatchFilter(created_since=now - _DAY), limit=_PAGE, cursor=cursor
        )
        commitments += map(compute_commitment, page.batches)
        cursor = page.cursor
        if cursor is None:
            return fsum(commitments)
