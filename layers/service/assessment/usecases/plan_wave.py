"""Plan the next wave: new pairs from the statistics, and another chance for failed comparisons."""

from __future__ import annotations

from datetime import datetime

from assessment.domain.batch import Batch, BatchStatus, compute_wave_size
from assessment.domain.comparison import Comparison, PlannedPair, retry_pool
from assessment.domain.config import BatchConfig
from assessment.domain.identifiers import comparison_id
from assessment.domain.not_assessed import AssessedPart, split_assessed
from assessment.domain.planning import (
    choose_reversed_pairs,
    count_affordable_pairs,
    count_room_for_pairs,
    select_retries,
)
from assessment.domain.spec import BatchSpec
from assessment.domain.wave import Wave
from assessment.ports.groups import PlanPorts
from assessment.ports.statistics import Statistics
from assessment.ports.stores import ComparisonStore
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.settlement import correct_counts
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
    is_new = batch.status is BatchStatus.GENERATING_PAIRS
    wave_number = batch.wave + 1 if is_new else batch.wave
    wave = ports.batches.get_wave(batch_id, wave_number) or _plan(batch, wave_number, ports)
    plan = load_plan(wave, content=ports.content)
    _store_comparisons(batch_id, wave_number, plan, ports.comparisons)
    _resubmit_retries(batch_id, wave_number, plan, ports)
    if is_new:
        target = BatchStatus.WAITING_CALLBACKS if wave.n_planned else BatchStatus.SCORING
        ports.batches.transition(batch_id, target, now=now, wave=wave_number)
    return wave


def _plan(batch: Batch, wave_number: int, ports: PlanPorts) -> Wave:
    """Plan a wave from all that came before it, and store the plan."""
    comparisons = ports.comparisons.list_comparisons(batch.batch_id, wave_number - 1)
    part = split_assessed(comparisons, max_failures=batch.config.max_essay_failures)
    pool = retry_pool(part.comparisons, max_attempts=batch.config.max_attempts)
    spec = load_spec(batch.batch_id, content=ports.content).drop_essays(part.set_aside_ids)
    has_verdicts = any(comparison.verdict for comparison in part.comparisons)
    # A second try, with more room or after a pause, may bring what the first did not: nothing new
    # is paid for before one of them has.
    only_retries = bool(pool) and not has_verdicts
    size = 0 if only_retries else _count_new_pairs(batch.config, spec, part)
    pairs = _choose_pairs(batch, wave_number, spec, part, size, ports.statistics)
    if not pairs and not pool:
        pairs = choose_reversed_pairs(
            part.comparisons, passes=batch.config.small_net_resampling_cap, size=size
        )
    retries = select_retries(
        pool, threshold=batch.config.retry_pool_threshold, n_new_pairs=len(pairs)
    )
    plan = WavePlan(tuple(pairs), tuple(comparison.comparison_id for comparison in retries))
    return ports.batches.put_wave(
        batch.batch_id,
        Wave(
            wave=wave_number,
            plan_key=store_plan(batch.batch_id, wave_number, plan, content=ports.content),
            new_pairs=len(plan.pairs),
            n_retried=len(plan.retried),
        ),
    )


def _choose_pairs(
    batch: Batch,
    wave_number: int,
    spec: BatchSpec,
    part: AssessedPart,
    size: int,
    statistics: Statistics,
) -> list[PlannedPair]:
    """At most `size` new pairs of the essays that are assessed."""
    if size == 0:
        return []
    return statistics.plan(
        spec,
        part.comparisons,
        config=batch.config,
        seed=batch.seed,
        wave_number=wave_number,
        size=size,
    )


def _count_new_pairs(config: BatchConfig, spec: BatchSpec, part: AssessedPart) -> int:
    """How many new pairs the wave may have: a whole wave, or what caps and money leave of it."""
    n_essays = len(spec.essays)
    room = count_room_for_pairs(
        part.comparisons, config=config, n_essays=n_essays, n_set_aside=len(part.set_aside)
    )
    n_affordable = count_affordable_pairs(
        [*part.comparisons, *part.set_aside], max_cost_usd=config.max_cost_usd
    )
    limits = [compute_wave_size(config, n_essays), room]
    return min(limits if n_affordable is None else [*limits, n_affordable])


def _store_comparisons(
    batch_id: str, wave_number: int, plan: WavePlan, store: ComparisonStore
) -> None:
    """Store the new comparisons, those that a first run has not stored."""
    store.put_comparisons(
        batch_id,
        [
            Comparison.from_plan(
                pair, comparison_id=comparison_id(wave_number, position), wave_number=wave_number
            )
            for position, pair in enumerate(plan.pairs)
        ],
    )


def _resubmit_retries(batch_id: str, wave_number: int, plan: WavePlan, ports: PlanPorts) -> None:
    """Move the failed comparisons of the plan into the wave, and out of the counts of theirs."""
    if not plan.retried:
        return
    retried = set(plan.retried)
    for comparison in ports.comparisons.list_comparisons(batch_id, wave_number - 1):
        if comparison.comparison_id in retried and comparison.submitted_wave < wave_number:
            ports.comparisons.resubmit(batch_id, comparison, wave_number=wave_number)
    comparisons = ports.comparisons.list_comparisons(batch_id, wave_number)
    correct_counts(batch_id, comparisons, batches=ports.batches)
