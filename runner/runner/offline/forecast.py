"""What a batch will come to, before anything is paid: simulated with its own settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil

from assessment.domain.config import BatchConfig, Source, resolve_config
from assessment.domain.judge import JudgeSpec
from assessment.domain.jury import read_judges
from assessment.domain.prompt import JudgeInstructions
from runner.inputs import Assessment
from runner.offline.prices import CallCost, estimate_cost, find_free_judge
from runner.offline.study import Design, Outlook, Range, compute_spread, simulate

AGREEMENTS = (0.68, 0.78, 0.9)
"""A poor judge, a usual one, and one that never contradicts itself, as models at temperature 0."""
_MOST_SIMULATED = 100
_LEAST_SIMULATED = 40
"""Essays in all simulated batches together: one small class says little."""
_FREE = Range(0.0, 0.0, 0.0)
_SECONDS_BETWEEN_WAVES = 2.0


@dataclass(frozen=True)
class Forecast:
    """Ranges from a poor judge to a good one, or of the one with this `agreement`.

    `cost_usd` is None where no price is known; `most_comparisons` is the cap of the settings.
    """

    n_essays: int
    n_anchors: int
    agreement: float | None
    most_comparisons: int
    comparisons: Range
    readings: Range
    waves: Range
    mean_se: Range
    reliability: Range
    input_tokens: Range
    output_tokens: Range
    cost_usd: Range | None
    seconds: Range
    judges: list[str]


def forecast(
    assessment: Assessment,
    *,
    agreement: float | None,
    n_calls: int,
    seconds_per_call: float,
    n_batches: int,
) -> Forecast:
    """Simulate batches of as many essays with the batch's settings, and price their comparisons.

    `agreement` of the judge with the truth on random pairs, where it is known.
    """
    request = assessment.request
    config = resolve_config([(Source.REQUEST, request.config)], is_admin=True).config
    judges = read_judges(request.judge, is_admin=True)
    n_students = len(request.essays)
    n_anchors = len(assessment.texts) - n_students
    # Of a jury, the size of the lists that most of its readings are in.
    list_size = max(judges, key=lambda judge: judge.share * judge.list_size).list_size
    outlooks = _simulate(config, n_students + n_anchors, agreement, n_batches, list_size)
    costs = _estimate_costs(judges, assessment)
    n_together = _count_together(judges, costs)
    comparisons = _merge(outlooks, lambda outlook: outlook.comparisons)
    readings = _merge(outlooks, lambda outlook: outlook.readings)
    waves = _merge(outlooks, lambda outlook: outlook.waves)
    return Forecast(
        n_essays=n_students,
        n_anchors=n_anchors,
        agreement=agreement,
        most_comparisons=config.max_pairwise_comparisons,
        comparisons=comparisons,
        readings=readings,
        waves=waves,
        mean_se=_merge(outlooks, lambda outlook: outlook.mean_se),
        reliability=_merge(outlooks, lambda outlook: outlook.reliability),
        input_tokens=_multiply(
            readings, judges, [cost.input_tokens if cost else None for cost in costs]
        ),
        output_tokens=_multiply(
            readings, judges, [cost.output_tokens if cost else None for cost in costs]
        ),
        cost_usd=_sum_costs(judges, readings, costs),
        seconds=_add(
            comparisons.scale(seconds_per_call / n_calls / n_together),
            waves.scale(_SECONDS_BETWEEN_WAVES),
        ),
        judges=[judge.label or str(judge.provider) for judge in judges],
    )


def _simulate(
    config: BatchConfig,
    n_essays: int,
    agreement: float | None,
    n_batches: int,
    list_size: int,
) -> list[Outlook]:
    """Outlooks for each quality of judge; a class that is very large is scaled from a large one."""
    n_simulated = min(n_essays, _MOST_SIMULATED)
    scale = n_essays / n_simulated
    cap = max(1, int(config.max_pairwise_comparisons / scale))
    outlooks = []
    for quality in [agreement] if agreement else AGREEMENTS:
        # The spread is taken for known: that halves the time and changes the outlook little.
        assumed_settings = {"max_pairwise_comparisons": cap, "prior_sd": compute_spread(quality)}
        outlook = simulate(
            Design(n_simulated, quality, list_size=list_size),
            config=config.model_copy(update=assumed_settings),
            n_batches=max(n_batches, ceil(_LEAST_SIMULATED / n_simulated)),
            seed=1,
        )
        outlooks.append(
            replace(
                outlook,
                comparisons=outlook.comparisons.scale(scale),
                readings=outlook.readings.scale(scale),
            )
        )
    return outlooks


def _read_instructions(assessment: Assessment) -> JudgeInstructions:
    if assessment.registration is None:
        return JudgeInstructions()
    fields = {"instructions", "student_prompt", "judge_rubric"}
    texts = assessment.registration.request.model_dump(include=fields, exclude_none=True)
    return JudgeInstructions.model_validate(texts)


def _estimate_costs(judges: Sequence[JudgeSpec], assessment: Assessment) -> list[CallCost | None]:
    instructions = _read_instructions(assessment)
    return [estimate_cost(judge, assessment.texts, instructions) for judge in judges]


def _read(
    costs: Sequence[CallCost | None], read: Callable[[CallCost], Range]
) -> list[Range | None]:
    return [read(cost) if cost else None for cost in costs]


def _count_together(judges: Sequence[JudgeSpec], costs: Sequence[CallCost | None]) -> float:
    """Comparisons of a call, on average over the judges of a jury."""
    shares = sum(judge.share for judge in judges)
    calls = sum(
        judge.share / (cost.n_together if cost else 1.0)
        for judge, cost in zip(judges, costs, strict=True)
    )
    return shares / calls


def _merge(outlooks: Sequence[Outlook], read: Callable[[Outlook], Range]) -> Range:
    """From the least to the most, with the middle one's mean between."""
    ranges = [read(outlook) for outlook in outlooks]
    middle = ranges[len(ranges) // 2]
    return Range(
        min(each.low for each in ranges), middle.expected, max(each.high for each in ranges)
    )


def _add(one: Range, other: Range) -> Range:
    return Range(one.low + other.low, one.expected + other.expected, one.high + other.high)


def _multiply(
    readings: Range, judges: Sequence[JudgeSpec], per_comparison: Sequence[Range | None]
) -> Range:
    """The product, readings shared evenly between judges; one without tokens has none.

    What a comparison costs is spread over the essays that it reads: a judge of lists reads as many
    in the pairs beside them for about the same.
    """
    n_judges = len(judges)
    total = _FREE
    for judge, each in zip(judges, per_comparison, strict=True):
        if each is not None:
            share = 1.0 / (n_judges * judge.list_size)
            total = _add(total, _times(readings.scale(share), each))
    return total


def _times(one: Range, other: Range) -> Range:
    return Range(one.low * other.low, one.expected * other.expected, one.high * other.high)


def _sum_costs(
    judges: Sequence[JudgeSpec], readings: Range, costs: Sequence[CallCost | None]
) -> Range | None:
    """What all comparisons cost; None if the price of a judge is not known."""
    prices = [
        _FREE if find_free_judge(judge) else cost.cost_usd if cost else None
        for judge, cost in zip(judges, costs, strict=True)
    ]
    return None if None in prices else _multiply(readings, judges, prices)
