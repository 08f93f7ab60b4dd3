"""The messages of the judge queue about a wave, always the same ones for the same records."""

from __future__ import annotations

from collections.abc import Sequence

from assessment.contracts.queue_messages import (
    JudgeMessage,
    JudgeRequestV1,
    ProviderBatchV1,
    SubmittedComparison,
)
from assessment.domain.batch import Batch
from assessment.domain.comparison import Comparison
from assessment.domain.judge import BatchingMode, JudgeSpec, Provider
from assessment.domain.jury import draw_judge
from assessment.domain.provider_batch import (
    LEAST_COMPARISONS,
    choose_call_size,
    deal_calls,
    submission_name,
)
from assessment.domain.shared_calls import divide_into_calls
from assessment.domain.wave import Wave
from assessment.ports.stores import ComparisonStore


def list_submitted(batch_id: str, wave: Wave, comparisons: ComparisonStore) -> list[Comparison]:
    """The comparisons that the wave submits, whatever became of them."""
    all_comparisons = comparisons.list_comparisons(batch_id, wave.wave)
    return [c for c in all_comparisons if c.submitted_wave == wave.wave]


def build_messages(
    batch: Batch,
    wave_number: int,
    submitted: list[Comparison],
    pending: set[str],
    mode: BatchingMode,
) -> list[JudgeMessage]:
    """One message a call: a comparison, several that share essays, or a provider's batch."""
    by_judge: dict[str | None, tuple[JudgeSpec, list[Comparison]]] = {}
    for comparison in submitted:
        judge = draw_judge(comparison.comparison_id, batch.judges)
        if judge.provider is Provider.PERSON:
            # People ask for theirs.
            continue
        by_judge.setdefault(judge.label, (judge, []))[1].append(comparison)
    messages: list[JudgeMessage] = []
    for judge, comparisons in by_judge.values():
        if (
            judge.uses_provider_batches(mode)
            and len(comparisons) >= LEAST_COMPARISONS[judge.provider]
        ):
            messages += _make_provider_batches(batch.batch_id, wave_number, judge, comparisons)
        else:
            messages += _make_requests(batch.batch_id, judge, comparisons, pending, mode)
    return messages


def _make_requests(
    batch_id: str,
    judge: JudgeSpec,
    comparisons: list[Comparison],
    pending: set[str],
    mode: BatchingMode,
) -> list[JudgeRequestV1]:
    """A message for each call about what is pending; those that failed before are asked alone.

    Calls are made of all comparisons, pending or not: submitted twice, a wave has the same calls.
    """
    if not pending:
        return []
    calls = divide_into_calls(
        comparisons,
        most=judge.bundle_size if judge.mode(mode) is BatchingMode.SERIAL_BUNDLE else 1,
        most_beside_lists=judge.pairs_per_call_beside_lists(mode),
    )
    unsettled = [[each for each in call if each.comparison_id in pending] for call in calls]
    return [_make_message(batch_id, call) for call in unsettled if call]


def _make_message(batch_id: str, call: list[Comparison]) -> JudgeRequestV1:
    return JudgeRequestV1.join(
        [
            JudgeRequestV1(
                batch_id=batch_id,
                wave=each.wave,
                comparison_id=each.comparison_id,
                attempt=each.attempt,
            )
            for each in call
        ]
    )


def _make_provider_batches(
    batch_id: str, wave_number: int, judge: JudgeSpec, comparisons: list[Comparison]
) -> list[ProviderBatchV1]:
    """Made of all comparisons, pending or not: submitted twice, a wave has the same batches."""
    label = judge.label or judge.provider.value
    most, least = judge.provider_batch_size, LEAST_COMPARISONS[judge.provider]
    size = choose_call_size(len(comparisons), most, bundle=judge.bundle_size, least=least)
    calls = divide_into_calls(comparisons, most=size, most_beside_lists=size)
    return [
        ProviderBatchV1(
            batch_id=batch_id,
            wave=wave_number,
            judge=label,
            name=submission_name(batch_id, wave_number, label, part),
            comparisons=_list_comparisons(together),
            calls=tuple(map(len, together)),
        )
        for part, together in enumerate(deal_calls(calls, most, least=least))
    ]


def _list_comparisons(calls: Sequence[Sequence[Comparison]]) -> tuple[SubmittedComparison, ...]:
    """The comparisons of these calls, one after another."""
    return tuple(
        SubmittedComparison(wave=each.wave, comparison_id=each.comparison_id, attempt=each.attempt)
        for call in calls
        for each in call
    )
