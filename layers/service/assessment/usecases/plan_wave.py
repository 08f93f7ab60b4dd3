"""Plan the next wave: new pairs from the statistics, and another chance for failed comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from assessment.domain.batch import Batch, BatchStatus, compute_wave_size, find_cap_per_essay
from assessment.domain.comparison import Comparison, PlannedList, PlannedPair, retry_pool
from assessment.domain.config import BatchConfig
from assessment.domain.failed_lists import drop_failed_lists, replace_failed_lists
from assessment.domain.identifiers import comparison_id
from assessment.domain.judge import BatchingMode
from assessment.domain.judges_in_lists import JudgesInLists
from assessment.domain.list_judging import outline_wave, seat_comparisons
from assessment.domain.not_assessed import AssessedPart, split_assessed
from assessment.domain.planning import (
    choose_repeats,
    count_affordable_readings,
    count_room,
    select_retries,
)
from assessment.domain.readings import PAIR
from assessment.domain.spec import BatchSpec
from assessment.domain.wave import Wave
from assessment.ports.groups import PlanPorts
from assessment.ports.stores import ComparisonStore
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.settlement import correct_counts
from assessment.usecases.wave_documents import WavePlan, load_plan, store_plan


def plan_wave(
    batch_id: str,
    *,
    ports: PlanPorts,
    mode: BatchingMode = BatchingMode.SERIAL_BUNDLE,
    now: datetime,
) -> Wave:
    """The next wave, stored with its comparisons; a second run returns the stored plan.

    `mode` is how the stack puts comparisons into calls: pairs of one call may share essays.

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
    wave = ports.batches.get_wave(batch_id, wave_number) or _plan(batch, wave_number, ports, mode)
    plan = load_plan(wave, content=ports.content)
    _store_comparisons(batch_id, wave_number, plan, ports.comparisons)
    _resubmit_retries(batch_id, wave_number, plan, ports)
    if is_new:
        target = BatchStatus.WAITING_CALLBACKS if wave.n_planned else BatchStatus.SCORING
        ports.batches.transition(batch_id, target, now=now, wave=wave_number)
    return wave


@dataclass(frozen=True, kw_only=True)
class _Evidence:
    """All that came before a wave, as far as its plan depends on it.

    `met` are the comparisons in which essays met. `pool` are the failed ones that may be tried
    again. `replacements` are asked instead of lists that failed for good. `n_readings` readings of
    an essay are left.
    """

    wave_number: int
    spec: BatchSpec
    judges_in_lists: JudgesInLists
    met: list[Comparison]
    pool: list[Comparison]
    replacements: list[PlannedPair]
    n_readings: int


def _plan(batch: Batch, wave_number: int, ports: PlanPorts, mode: BatchingMode) -> Wave:
    """Plan a wave from all that came before it, and store the plan."""
    evidence = _gather_evidence(batch, wave_number, ports)
    planned = seat_comparisons(
        _choose_comparisons(batch, evidence, ports, mode),
        evidence.spec.judges,
        wave_number=wave_number,
    )
    retries = select_retries(
        evidence.pool, threshold=batch.config.retry_pool_threshold, n_new_pairs=len(planned)
    )
    plan = WavePlan(tuple(planned), tuple(comparison.comparison_id for comparison in retries))
    return ports.batches.put_wave(
        batch.batch_id,
        Wave(
            wave=wave_number,
            plan_key=store_plan(batch.batch_id, wave_number, plan, content=ports.content),
            new_pairs=len(plan.planned),
            n_retried=len(plan.retried),
            n_readings=_count_if_lists(plan),
        ),
    )


def _gather_evidence(batch: Batch, wave_number: int, ports: PlanPorts) -> _Evidence:
    comparisons = ports.comparisons.list_comparisons(batch.batch_id, wave_number - 1)
    part = split_assessed(comparisons, max_failures=batch.config.max_essay_failures)
    spec = load_spec(batch.batch_id, content=ports.content).drop_essays(part.set_aside_ids)
    judges_in_lists = _recall_judges(batch, wave_number, ports)
    abandoned = judges_in_lists.find_abandoned(part.comparisons, spec.judges)
    max_attempts = batch.config.max_attempts
    pool = retry_pool(part.comparisons, max_attempts=max_attempts, abandoned=abandoned)
    has_verdicts = any(comparison.verdict for comparison in part.comparisons)
    # A second try, with more room or after a pause, may bring what the first did not: nothing new
    # is paid for before one of them has.
    only_retries = bool(pool) and not has_verdicts
    n_readings = 0 if only_retries else _count_readings_left(batch.config, spec, part)
    return _Evidence(
        wave_number=wave_number,
        spec=spec,
        judges_in_lists=judges_in_lists,
        met=drop_failed_lists(part.comparisons, max_attempts=max_attempts, abandoned=abandoned),
        pool=pool,
        replacements=replace_failed_lists(
            part.comparisons, max_attempts=max_attempts, n_readings=n_readings, abandoned=abandoned
        ),
        n_readings=n_readings,
    )


def _choose_comparisons(
    batch: Batch, evidence: _Evidence, ports: PlanPorts, mode: BatchingMode
) -> list[PlannedPair | PlannedList]:
    """New comparisons and replacements; the pairs once more where there is nothing else to ask."""
    # Replacements stand last: which judge is drawn, and so whether for a list, depends on the
    # place.
    planned = [*_choose_new(batch, evidence, ports, mode), *evidence.replacements]
    if planned or evidence.pool:
        return planned
    wave_size = compute_wave_size(batch.config, len(evidence.spec.essays))
    return choose_repeats(
        evidence.met,
        passes=batch.config.small_net_resampling_cap,
        n_readings=min(evidence.n_readings, PAIR * wave_size),
        most_per_essay=find_cap_per_essay(batch.config),
    )


def _count_if_lists(plan: WavePlan) -> int | None:
    """How many essays the plan reads; None for pairs, which read two each."""
    sizes = [len(each.essay_ids) for each in plan.planned]
    return sum(sizes) if any(size > PAIR for size in sizes) else None


def _choose_new(
    batch: Batch, evidence: _Evidence, ports: PlanPorts, mode: BatchingMode
) -> list[PlannedPair | PlannedList]:
    """New pairs and lists of the essays that are assessed."""
    spec = evidence.spec
    outline = outline_wave(
        spec.judges,
        wave_number=evidence.wave_number,
        n_essays=len(spec.essays),
        config=batch.config,
        n_readings=evidence.n_readings - PAIR * len(evidence.replacements),
        judges_in_lists=evidence.judges_in_lists,
        mode=mode,
    )
    if not outline.sizes:
        return []
    return ports.statistics.plan(
        spec, evidence.met, config=batch.config, seed=batch.seed, outline=outline
    )


def _recall_judges(batch: Batch, wave_number: int, ports: PlanPorts) -> JudgesInLists:
    """What was known of the judges at the decision after the wave before."""
    previous = ports.batches.get_wave(batch.batch_id, wave_number - 1) if wave_number > 1 else None
    return JudgesInLists.from_context(previous.context if previous else None, batch.judges)


def _count_readings_left(config: BatchConfig, spec: BatchSpec, part: AssessedPart) -> int:
    """How many readings of an essay caps and money leave."""
    n_left = count_room(
        part.comparisons,
        config=config,
        n_essays=len(spec.essays),
        n_readings_aside=part.n_readings_aside,
    )
    n_affordable = count_affordable_readings(
        [*part.comparisons, *part.set_aside], max_cost_usd=config.max_cost_usd
    )
    return n_left if n_affordable is None else min(n_left, n_affordable)


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
            for position, pair in enumerate(plan.planned)
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
