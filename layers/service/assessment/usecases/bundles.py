"""Which comparisons are asked about in one call of a judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assessment.contracts.queue_messages import JudgeMessage, JudgeRequestV1
from assessment.domain.judge import PAIR_SIZE, BatchingMode, JudgeSpec
from assessment.domain.jury import draw_judge
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

    Those that a message brought together stay together. Pairs and lists are asked about in calls
    of their own. A comparison that failed before is asked alone: the bundle may have been what
    failed it.
    """
    bundles: list[tuple[JudgeSpec, list[LeasedQuestion]]] = []
    unfilled: dict[tuple[str | None, int, bool, int | None], list[LeasedQuestion]] = {}
    for leased in questions:
        judge = draw_judge(leased.question.comparison.comparison_id, judges)
        if _is_asked_alone(leased, judge, mode):
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
    if _is_kept_apart(addition, judge) and _shares_essay(bundle, addition):
        return False
    questions = [leased.question for leased in [*bundle, addition]]
    return fits_in_call(questions, judge=judge, prompts=prompts)


def _is_asked_alone(leased: LeasedQuestion, judge: JudgeSpec, mode: BatchingMode) -> bool:
    is_single = leased.call is None and judge.mode(mode) is not BatchingMode.SERIAL_BUNDLE
    return is_single or leased.question.comparison.attempt > 1 or leased.delivery.message.alone


def _is_kept_apart(leased: LeasedQuestion, judge: JudgeSpec) -> bool:
    """Whether its call has none of its essays in another comparison.

    An order is not told from another one's where both have a text, and pairs beside lists are to
    show how the judge compares two. What was planned as a call of pairs stays one.
    """
    is_unplanned_pair = leased.call is None and judge.list_size > PAIR_SIZE
    return leased.question.comparison.is_list or is_unplanned_pair


def _shares_essay(bundle: list[LeasedQuestion], addition: LeasedQuestion) -> bool:
    essay_ids = {e for leased in bundle for e in leased.question.comparison.essay_ids}
    return not essay_ids.isdisjoint(addition.question.comparison.essay_ids)
