"""Which comparisons are asked about in one call of a judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assessment.contracts.queue_messages import JudgeMessage, JudgeRequestV1
from assessment.domain.judge import PAIR_SIZE, BatchingMode, JudgeSpec
from assessment.domain.jury import draw_judge
from assessment.domain.shared_calls import is_asked_alone, needs_own_essays
from assessment.ports.judging import Prompts
from assessment.usecases.questions import Question, fits_in_call


@dataclass(frozen=True)
class Delivery[M: JudgeMessage = JudgeRequestV1]:
    """A message of the judge queue; on its last receive an outage becomes a recorded failure."""

    message: M
    last_receive: bool = False


def split_delivery(delivery: Delivery) -> list[Delivery]:
    """A delivery for each comparison of the message."""
    return [Delivery(request, delivery.last_receive) for request in delivery.message.requests]


@dataclass(frozen=True)
class LeasedQuestion:
    """A question under a lease, its delivery, and the place of the message that brought it.

    `call` names the planned call that it belongs to, if there is one.
    """

    place: int
    delivery: Delivery
    question: Question
    call: int | None = None


def make_bundles(
    questions: Sequence[LeasedQuestion],
    judges: Sequence[JudgeSpec],
    *,
    mode: BatchingMode,
    prompts: Prompts,
) -> list[tuple[JudgeSpec, list[LeasedQuestion]]]:
    """What is asked in one call: comparisons of one wave and judge, up to its limits.

    Those that a message brought together stay together. Pairs and lists do not mix;
    `is_asked_alone` and `needs_own_essays` tell what else shares no call.
    """
    bundles: list[tuple[JudgeSpec, list[LeasedQuestion]]] = []
    unfilled: dict[tuple[str | None, int, bool, int | None], list[LeasedQuestion]] = {}
    for leased in questions:
        judge = draw_judge(leased.question.comparison.comparison_id, judges)
        if _has_own_call(leased, judge, mode):
            bundles.append((judge, [leased]))
            continue
        comparison = leased.question.comparison
        key = (judge.label, comparison.submitted_wave, comparison.is_list, leased.call)
        bundle = unfilled.get(key)
        if bundle is None or not _fits(bundle, leased, judge, prompts):
            bundle = unfilled[key] = []
            bundles.append((judge, bundle))
        bundle.append(leased)
    return bundles


def _fits(
    bundle: list[LeasedQuestion], addition: LeasedQuestion, judge: JudgeSpec, prompts: Prompts
) -> bool:
    # What was planned as a call of pairs stays one.
    beside_lists = addition.call is None and judge.list_size > PAIR_SIZE
    has_own_essays = needs_own_essays(addition.question.comparison, beside_lists=beside_lists)
    if has_own_essays and _shares_essay(bundle, addition):
        return False
    questions = [leased.question for leased in [*bundle, addition]]
    return fits_in_call(questions, judge=judge, prompts=prompts)


def _has_own_call(leased: LeasedQuestion, judge: JudgeSpec, mode: BatchingMode) -> bool:
    if is_asked_alone(leased.question.comparison) or leased.delivery.message.alone:
        return True
    return leased.call is None and judge.mode(mode) is not BatchingMode.SERIAL_BUNDLE


def _shares_essay(bundle: list[LeasedQuestion], addition: LeasedQuestion) -> bool:
    essay_ids = {e for leased in bundle for e in leased.question.comparison.essay_ids}
    return not essay_ids.isdisjoint(addition.question.comparison.essay_ids)
