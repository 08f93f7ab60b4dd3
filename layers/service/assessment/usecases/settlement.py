"""Settle a comparison: by its verdict or its failure, with the counts that readers see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from assessment.domain.comparison import (
    Comparison,
    JudgeFailure,
    Settlement,
    count_comparisons,
)
from assessment.domain.verdict import ListVerdict, Verdict
from assessment.ports.groups import SettlePorts
from assessment.ports.stores import BatchStore


def settle_by_verdict(
    batch_id: str,
    wave_number: int,
    comparison_id: str,
    verdict: Verdict | ListVerdict,
    *,
    ports: SettlePorts,
    now: datetime,
) -> Settlement:
    """Record a first verdict, and count it. Raises UnknownComparisonError.

    A worker that dies between the two leaves the count one too low until the wave is scored.
    """
    settlement = ports.comparisons.record_verdict(
        batch_id, wave_number, comparison_id, verdict, now=now
    )
    if settlement.settled:
        n_failed = -1 if settlement.had_failed else 0
        ports.batches.count_settled(
            batch_id, settlement.wave_number, n_recorded=1, n_failed=n_failed
        )
    return settlement


def settle_by_failure(
    batch_id: str,
    wave_number: int,
    comparison_id: str,
    failure: JudgeFailure,
    *,
    attempt: int,
    ports: SettlePorts,
    now: datetime,
) -> Settlement:
    """Record that this attempt failed, and count it."""
    settlement = ports.comparisons.record_failure(
        batch_id, wave_number, comparison_id, failure, attempt=attempt, now=now
    )
    if settlement.settled:
        ports.batches.count_settled(batch_id, settlement.wave_number, n_recorded=0, n_failed=1)
    return settlement


def correct_counts(
    batch_id: str, comparisons: Sequence[Comparison], *, batches: BatchStore
) -> None:
    """Set the counts of all waves to what the comparisons say, where they say something else."""
    by_wave: dict[int, list[Comparison]] = {}
    for comparison in comparisons:
        by_wave.setdefault(comparison.submitted_wave, []).append(comparison)
    for wave in batches.list_waves(batch_id):
        tally = count_comparisons(by_wave.get(wave.wave, []))
        if tally != wave.tally:
            batches.update_wave(
                batch_id,
                wave.wave,
                n_submitted=tally.planned,
                n_recorded=tally.recorded,
                n_failed=tally.failed,
            )
