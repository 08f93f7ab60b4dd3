"""Checks of what a request asks for, each with what to ask for instead."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from assessment.domain.assignment import Assignment
from assessment.domain.batch import Batch, budget
from assessment.domain.config import STRATEGIES_WITH_ANCHORS, BatchConfig, Source
from assessment.domain.errors import InvalidRequestError, UnknownBatchError
from assessment.domain.finishing import check_finish_by
from assessment.domain.judge import BatchingMode, JudgeSpec
from assessment.domain.judging_time import check_judging_deadline
from assessment.domain.list_judging import choose_sizes
from assessment.domain.prices import find_price
from assessment.domain.provider_batch import LEAST_COMPARISONS
from assessment.domain.readings import PAIR
from assessment.ports.judging import JudgeCheck
from assessment.ports.stores import BatchStore


def check_strategy(config: BatchConfig, assignment: Assignment | None) -> None:
    """A strategy that pairs essays with anchors has some."""
    strategy = config.strategy
    if strategy in STRATEGIES_WITH_ANCHORS and not (assignment and assignment.anchors):
        raise InvalidRequestError(
            f"{strategy} needs an assignment with anchors; name one in assignment_id or choose "
            "another strategy",
            field="config.strategy",
        )


def check_judges(
    judges: tuple[JudgeSpec, ...], config: BatchConfig, judge_check: JudgeCheck
) -> None:
    """Every judge can be asked, and a cap on money knows what money is spent."""
    for judge in judges:
        judge_check.check(judge)
    unpriced = [judge.label for judge in judges if judge.is_model and find_price(judge) is None]
    if unpriced and config.max_cost_usd is not None:
        raise InvalidRequestError(
            f"the price of {unpriced[0]} is not known, so max_cost_usd cannot be kept; give "
            "judge.price {input_usd, output_usd} for a million tokens",
            field="judge.price",
        )


def check_wave(
    judge: JudgeSpec, judges: tuple[JudgeSpec, ...], config: BatchConfig, n_essays: int
) -> None:
    """A provider that takes no small batches would never be asked in one."""
    least = LEAST_COMPARISONS[judge.provider]
    share = judge.share / sum(other.share for other in judges)
    wave = choose_sizes(
        judges,
        wave_number=1,
        n_essays=n_essays,
        config=config,
        n_readings=PAIR * budget(config, n_essays),
    )
    expected = round(len(wave) * share)
    if judge.batching_mode is BatchingMode.PROVIDER_BATCH_API and expected < least:
        raise InvalidRequestError(
            f"{judge.provider} takes batches of {least} comparisons or more, and a wave of this "
            f"batch has about {expected} for it; raise config.comparisons_per_essay_per_wave, or "
            "use serial_bundle or per_request",
            field="judge.batching_mode",
        )


def check_times(batch: Batch, batches: BatchStore, now: datetime) -> None:
    """A new batch has time; a request that comes again is answered whatever the time is."""
    try:
        check_finish_by(batch.config, now=now)
        if batch.config_sources["judging_deadline"] is not Source.JUDGE:
            check_judging_deadline(batch.config, now=now)
    except InvalidRequestError:
        with suppress(UnknownBatchError):
            batches.get_batch(batch.batch_id)
            return
        raise
