"""Every five minutes: find batches and erasures that no longer move, and batches to erase."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from assessment import bootstrap
from assessment.observability import count, logger, metrics
from assessment.settings import WatchBatchesSettings
from assessment.usecases.expire_batches import ExpiryReport, expire_batches
from assessment.usecases.watch_batches import WatchReport, watch_batches
from assessment.usecases.watch_erasures import watch_erasures

_RESERVED_MILLISECONDS = 20_000
"""Enough for the look that is under way, and for the report."""


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Repairs and batch states, as metrics and as the answer."""
    adapters = bootstrap.adapters(WatchBatchesSettings)

    def has_time() -> bool:
        return context.get_remaining_time_in_millis() > _RESERVED_MILLISECONDS

    report = watch_batches(
        listing=adapters.batches,
        ports_of=adapters.select_watch_ports,
        mode=adapters.settings.llm_batching_mode,
        now=datetime.now(UTC),
        has_time=has_time,
    )
    _log_report(report, adapters)
    expiries = expire_batches(
        listing=adapters.erasures,
        ports_of=lambda batch_id: adapters.select_batch(batch_id).erasure_request_ports,
        make_id=lambda: str(uuid.uuid4()),
        now=datetime.now(UTC),
        has_time=has_time,
    )
    _log_expiries(expiries, adapters)
    lost = watch_erasures(
        listing=adapters.erasures, erasure_queue=adapters.erasure_queue, now=datetime.now(UTC)
    )
    for message in lost:
        logger.warning("erasure goes on", extra=message.model_dump(exclude={"schema_name"}))
        count("erasures_revived")
    return {
        "batches": dict(report.statuses),
        "repairs": {batch_id: str(repair) for batch_id, repair in report.repairs.items()},
    }


def _log_expiries(
    report: ExpiryReport, adapters: bootstrap.Composition[WatchBatchesSettings]
) -> None:
    for batch_id in report.expired:
        logger.info("batch expired", extra=adapters.log_keys(batch_id))
        count("batches_expired")
    for batch_id, error in report.errors.items():
        logger.error("batch not erased", extra={**adapters.log_keys(batch_id), "error": error})
        count("batches_not_expired")


def _log_report(report: WatchReport, adapters: bootstrap.Composition[WatchBatchesSettings]) -> None:
    """Count the batches by status, and log every repair and every failure with its ids."""
    for status, n_batches in report.statuses.items():
        count(f"batches_{status.lower()}", n_batches)
    for batch_id, repair in report.repairs.items():
        logger.warning("batch repaired", extra={**adapters.log_keys(batch_id), "repair": repair})
        count("batches_repaired")
    for batch_id in report.reminded:
        logger.info("judges reminded", extra=adapters.log_keys(batch_id))
        count("judges_reminded")
    if report.n_left:
        logger.warning("no time for all batches", extra={"left": report.n_left})
        count("batches_left_unwatched", report.n_left)
    for batch_id, problem in report.errors.items():
        logger.error(
            "batch not repaired", extra={**adapters.log_keys(batch_id), "problem": problem}
        )
