"""Plan the next wave: new pairs from the statistics, and another chance for failed comparisons."""

from __future__ import annotations

from datetime import datetime

from assessment.domain.batch import Batch, BatchStatus, compute_wave_size
from assessment.domain.comparison import Comparison, PlannedPair, retry_pool
from assessment.domain.identifiers import comparison_id
from assessment.domain.not_assessed import split_assessed
from assessment.domain.planning import (
    affordable,
    due_for_retry,
    resample_reversed,
    room_for_new_pairs,
)
from assessment.domain.spec import BatchSpec
from assessment.domain.wave import Wave
from assessment.ports.groups import PlanPorts
from assessment.ports.statistics import Statistics
from assessment.ports.stores import ComparisonStore
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.wave_documents import WavePlan, load_plan, store_plan


def plan_wave(
    batch_id: str,
    *,
    ports: PlanPorts,
    now: datetime,
) -> Wave:
    """The next wave, stored with its comparisons; a second run returns the stored plan.

    The plan becomes fact by one conditional write of the wave, which names the stored pairs. What
    follows - its comparisons, the attempts of those retried - is derived from it and may be
    repeated.
    """
    batch = ports.batches.get_batch(batch_id)
    if batch.is_final:
        # Cancelled while the execution was on its way here: an empty wave is scored, and that ends.
        return Wave(wave=max(1, batch.wave))
    wave_number = batch.wave + 1 if batch.status is BatchStatus.GENERATING_PAIRS else batch.wave
    wave = ports.batches.get_wave(batch_id, wave_number)
    if wave is None:
        spec = load_spec(batch_id, content=ports.content)
        known = ports.comparisons.list_comparisons(batch_id, wave_number - 1)
        plan = _plan(batch, wave_number, spec, known, ports.statistics)
        wave = ports.batches.put_wave(
            batch_id,
            Wave(
                wave=wave_number,
                plan_key=store_plan(batch_id, wave_number, plan, content=ports.content),
                new_pairs=len(plan.pairs),
                n_retried=len(plan.retried),
            ),
        )
    plan = load_plan(wave, content=ports.content)
    _store_comparisons(batch_id, wave, plan, ports.comparisons)
    if batch.status is BatchStatus.GENERATING_PAIRS:
        target = BatchStatus.WAITING_CALLBACKS if wave.planned else BatchStatus.SCORING
        ports.batches.transition(batch_id, target, now=now, wave=wave_number)
    return wave


def _plan(
    batch: Batch,
    wave_number: int,
    spec: BatchSpec,
    all_known: list[Comparison],
    statistics: Statistics,
) -> WavePlan:
    """New pairs, and the ids of the failed comparisons to submit again.

    Essays that no judge judges are in neither.
    """
    config = batch.config
    part = split_assessed(all_known, max_failures=config.max_essay_failures)
    spec, known = spec.without(part.set_aside_ids), part.comparisons
    n_essays = len(spec.essays)
    pool = retry_pool(known, max_attempts=config.max_attempts)
    room = room_for_new_pairs(
        known, config=config, n_essays=n_essays, n_set_aside=len(part.set_aside)
    )
    size = min(compute_wave_size(config, n_essays), room)
    paid_for = affordable(all_known, max_cost_usd=config.max_cost_usd)
    if paid_for is not None:
        size = min(size, paid_for)
    pairs: list[PlannedPair] = []
    if size > 0:
        pairs = statistics.plan(
            spec, known, config=config, seed=batch.seed, wave=wave_number, size=size
        )
        if not pairs and not pool:
            pairs = resample_reversed(known, passes=config.small_net_resampling_cap, size=size)
    due = due_for_retry(pool, threshold=config.retry_pool_threshold, new_pairs=len(pairs))
    return WavePlan(tuple(pairs), tuple(comparison.comparison_id for comparison in due))


def _store_comparisons(
    batch_id: str, wave: Wave, plan: WavePlan, comparisons: ComparisonStore
) -> None:
    comparisons.put_comparisons(
        batch_id,
        [
            Comparison(
                comparison_id=comparison_id(wave.wave, position),
                wave=wave.wave,
                submitted_wave=wave.wave,
                first=pair.first,
                second=pair.second,
                audit=pair.audit,
                predicted=pair.predicted,
                resampled=pair.resampled,
            )
            for position, pair in enumerate(plan.pairs)
        ],
    )
    if plan.retried:
        due = set(plan.retried)
        for comparison in comparisons.list_comparisons(batch_id, wave.wave - 1):
            if comparison.comparison_id in due and comparison.submitted_wave < wave.wave:
                comparisons.resubmit(batch_id, comparison, wave=wave.wave)
