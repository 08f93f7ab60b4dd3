"""One contract for the stores in memory and on DynamoDB: tests on fakes are to mean something."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assessment.domain.assignment import Assignment
from assessment.domain.batch import BatchStatus, ClosedBy, Failure, Outcome
from assessment.domain.config import Source
from assessment.domain.errors import (
    IllegalTransitionError,
    UnknownBatchError,
    UnknownComparisonError,
)
from assessment.domain.essay import Anchor
from assessment.domain.grade_scale import find_scale
from assessment.domain.prompt import JudgeInstructions
from assessment.domain.spending import Spending
from assessment.domain.verdict import ListVerdict, Winner
from assessment.domain.wave import Wave
from tests.unit.assessment.adapters.store_records import (
    FAILURE,
    NOW,
    VERDICT,
    S,
    Stores,
    batch,
    comparison,
)


def test_assignments(stores: Stores) -> None:
    store = stores[0]
    assert store.get_assignment("x") is None
    given = Assignment(
        assignment_id="x",
        instructions=JudgeInstructions(judge_rubric="R"),
        grade_scale=find_scale(["bad", "good"]),
        anchors=[Anchor(anchor_ref=r, grade="good", text_sha256=r) for r in ("a", "b")],
        config={"audit_share": 0.1 + 0.2},
    )
    store.put_assignment(given)
    store.put_assignment(given)
    assert store.get_assignment("x") == given


def test_assignments_are_listed_and_removed_in_every_script(stores: Stores) -> None:
    store = stores[0]
    anchors = [Anchor(anchor_ref=r, grade="A", text_sha256=r) for r in ("a", "b")]
    ids = ["Abc", "zebra", "åk9", "作文", "𠀀"]
    for name in reversed(ids):
        store.put_assignment(
            Assignment(
                assignment_id=name,
                instructions=JudgeInstructions(),
                grade_scale=find_scale(None),
                anchors=anchors,
            )
        )
    first = store.list_assignments(limit=2, after=None)
    rest = store.list_assignments(limit=100, after=first.cursor)
    listed = [one.assignment_id for one in (*first.assignments, *rest.assignments)]
    assert (listed, first.cursor, rest.cursor) == (ids, "zebra", None)
    assert store.delete_anchor("åk9", "a")
    assert not store.delete_anchor("åk9", "a")
    kept = store.get_assignment("åk9")
    assert kept is not None
    assert [anchor.anchor_ref for anchor in kept.anchors] == ["b"]
    assert store.delete_assignment("åk9")
    assert not store.delete_assignment("åk9")
    assert store.get_assignment("åk9") is None
    assert len(store.list_assignments(limit=9, after=None).assignments) == len(ids) - 1


def test_batches_are_created_once_and_read_back_exactly(stores: Stores) -> None:
    store = stores[1]
    assert store.create_batch(batch())
    assert not store.create_batch(batch().model_copy(update={"correlation_id": "other"}))
    assert store.get_batch("b") == batch()
    assert store.list_active_batches() == ["b"]
    with pytest.raises(UnknownBatchError):
        store.get_batch("nobody")


@pytest.mark.parametrize("current", list(BatchStatus))
@pytest.mark.parametrize("target", list(BatchStatus))
def test_transitions_follow_the_table(
    stores: Stores, current: BatchStatus, target: BatchStatus
) -> None:
    from assessment.domain.batch import FINAL_STATUSES, LEGAL_TRANSITIONS

    store = stores[1]
    store.create_batch(batch(status=current))
    later = NOW + timedelta(seconds=1)
    legal = target in LEGAL_TRANSITIONS[current]
    if not legal and target is not current:
        with pytest.raises(IllegalTransitionError):
            store.transition("b", target, now=later, wave=7)
        assert store.get_batch("b") == batch(status=current)
        return
    moved = store.transition("b", target, now=later, wave=7)
    repeated_end = target is current and target in FINAL_STATUSES
    assert (moved.status, moved.wave) == (target, 0 if repeated_end else 7)
    assert store.get_batch("b") == moved
    assert store.list_active_batches() == ([] if target in FINAL_STATUSES else ["b"])


def test_documents_of_a_batch_survive(stores: Stores) -> None:
    store = stores[1]
    store.create_batch(batch())
    failure = Failure(code="x", message="é", remedy="z")
    store.transition(
        "b", BatchStatus.FAILED, now=NOW, failure=failure, outcome=Outcome.FAILED_CRITICALLY
    )
    stored = store.get_batch("b")
    assert (stored.failure, stored.outcome) == (failure, Outcome.FAILED_CRITICALLY)
    with pytest.raises(UnknownBatchError):
        store.transition("nobody", BatchStatus.FAILED, now=NOW)


def test_the_first_plan_of_a_wave_stays(stores: Stores) -> None:
    store = stores[1]
    first = Wave(wave=1, plan_key="one", new_pairs=3, n_retried=1)
    assert store.put_wave("b", first) == first
    assert store.put_wave("b", Wave(wave=1, plan_key="two", new_pairs=9)) == first
    assert store.get_wave("b", 1) == first
    assert store.get_wave("b", 2) is None
    store.update_wave("b", 1, task_token="t", markers_written=True, closed_by=ClosedBy.DEADLINE)
    stored = store.get_wave("b", 1)
    assert stored is not None
    assert (stored.task_token, stored.markers_written) == ("t", True)
    assert (stored.closed_by, stored.n_planned) == (ClosedBy.DEADLINE, 4)
    for number in (10, 2):
        store.put_wave("b", Wave(wave=number))
    assert [wave.wave for wave in store.list_waves("b")] == [1, 2, 10]


def test_comparisons_are_stored_once_and_listed_in_order(stores: Stores) -> None:
    store = stores[2]
    made = [comparison(at, wave) for wave in (2, 1) for at in (1, 0)]
    store.put_comparisons("b", made)
    assert store.list_comparisons("b", 1) == [comparison(0), comparison(1)]
    assert len(store.list_comparisons("b", 2)) == 4
    store.record_verdict("b", 1, "w001-00000", VERDICT, now=NOW)
    store.put_comparisons("b", made)
    kept = store.get_comparison("b", 1, "w001-00000")
    assert (kept.verdict, kept.predicted) == (VERDICT, comparison().predicted)
    for wave, name in ((2, "w001-00000"), (1, "w001-00009")):
        with pytest.raises(UnknownComparisonError):
            store.get_comparison("b", wave, name)


def test_first_verdict_stays_and_clears_the_mark(stores: Stores) -> None:
    store, made = stores[2], [comparison(0), comparison(1)]
    store.put_comparisons("b", made)
    store.put_pending("b", 1, made)
    assert store.list_pending("b", 1) == ["w001-00000", "w001-00001"]
    assert store.record_verdict("b", 1, "w001-00000", VERDICT, now=NOW)[:2] == (True, 1)
    other = VERDICT.model_copy(update={"winner": Winner.SECOND})
    assert store.record_verdict("b", 1, "w001-00000", other, now=NOW)[:2] == (False, 1)
    assert store.record_failure("b", 1, "w001-00000", FAILURE, attempt=1, now=NOW)[:2] == (False, 1)
    assert store.get_comparison("b", 1, "w001-00000").verdict == VERDICT
    assert store.list_pending("b", 1) == ["w001-00001"]
    assert store.has_pending("b", 1)
    timed_out = store.record_failure(
        "b", 1, "w001-00001", FAILURE, attempt=1, timed_out=True, now=NOW
    )
    assert timed_out[:2] == (True, 1)
    assert store.get_comparison("b", 1, "w001-00001").status is S.TIMED_OUT
    assert not store.has_pending("b", 1)
    with pytest.raises(UnknownComparisonError):
        store.record_verdict("b", 1, "w001-00009", VERDICT, now=NOW)


def test_a_list_is_stored_as_one_record(stores: Stores) -> None:
    store = stores[2]
    listed = comparison(1, further_ids=("d", "c"))
    store.put_comparisons("b", [comparison(), listed])
    assert store.list_comparisons("b", 1) == [comparison(), listed]
    ranked = ListVerdict(ranking=("c", "a", "d", "b"), scores=(0.1 + 0.2, 0.3, 0.1, 0.1), judge="j")
    store.record_verdict("b", 1, listed.comparison_id, ranked, now=NOW)
    assert store.get_comparison("b", 1, listed.comparison_id).verdict == ranked


def test_resubmitting_counts_one_attempt_and_moves_the_mark(stores: Stores) -> None:
    store, made = stores[2], comparison()
    store.put_comparisons("b", [made])
    store.put_pending("b", 1, [made])
    store.record_failure("b", 1, made.comparison_id, FAILURE, attempt=1, now=NOW)
    failed = store.get_comparison("b", 1, made.comparison_id)
    for _ in range(2):
        store.resubmit("b", failed, wave_number=3)
    again = store.get_comparison("b", 1, made.comparison_id)
    assert (again.status, again.attempt, again.submitted_wave) == (S.PENDING, 2, 3)
    assert again.failure is None
    store.put_pending("b", 3, [again])
    name = made.comparison_id
    assert store.record_failure("b", 1, name, FAILURE, attempt=1, now=NOW)[:2] == (False, 3)
    assert store.record_verdict("b", 1, name, VERDICT, now=NOW)[:2] == (True, 3)
    assert not store.has_pending("b", 3)
    store.resubmit("b", again, wave_number=4)
    assert store.get_comparison("b", 1, made.comparison_id).status is S.RECORDED


def test_a_later_attempt_fails_in_the_wave_that_waits_for_it(stores: Stores) -> None:
    store, made = stores[2], comparison()
    store.put_comparisons("b", [made])
    store.record_failure("b", 1, made.comparison_id, FAILURE, attempt=1, now=NOW)
    store.resubmit("b", store.get_comparison("b", 1, made.comparison_id), wave_number=3)
    store.put_pending("b", 3, [made])
    again = store.record_failure("b", 1, made.comparison_id, FAILURE, attempt=2, now=NOW)
    assert again[:2] == (True, 3)
    assert not store.has_pending("b", 3)


def test_what_answers_without_a_verdict_cost_is_never_lost(stores: Stores) -> None:
    store, made = stores[2], comparison()
    name, spent = made.comparison_id, Spending(input_tokens=7, output_tokens=2, cost_usd=0.25)
    malformed = FAILURE.model_copy(update={"spent": spent})
    store.put_comparisons("b", [made])
    store.record_failure("b", 1, name, malformed, attempt=1, now=NOW)
    store.resubmit("b", store.get_comparison("b", 1, name), wave_number=2)
    store.record_failure("b", 1, name, malformed, attempt=2, now=NOW)
    failed_twice = store.get_comparison("b", 1, name)
    assert failed_twice.spent.cost_usd == 0.5
    # A late verdict of the first attempt: it was paid for as well.
    verdict = VERDICT.model_copy(update={"input_tokens": 100, "cost_usd": 1.0})
    assert store.record_verdict("b", 1, name, verdict, now=NOW)[:2] == (True, 2)
    recorded = store.get_comparison("b", 1, name)
    assert recorded.failure is None
    assert recorded.spent == Spending(input_tokens=114, output_tokens=4, cost_usd=1.5)


def test_a_failed_batch_is_resumed_once(stores: Stores) -> None:
    store = stores[1]
    store.create_batch(batch())
    with pytest.raises(IllegalTransitionError, match="INITIALIZING cannot be resumed"):
        store.resume("b", now=NOW)
    store.transition(
        "b", BatchStatus.FAILED, now=NOW, outcome=Outcome.FAILED_CRITICALLY,
        failed_from=BatchStatus.INITIALIZING,
        failure=Failure(code="Lambda.Unknown", message="m", remedy="r"),
    )  # fmt: skip
    assert store.list_active_batches() == []
    later = NOW + timedelta(hours=5)
    resumed = store.resume("b", now=later)
    assert resumed == store.get_batch("b")
    assert resumed == batch().model_copy(update={"n_executions": 2, "updated_at": later})
    assert store.list_active_batches() == ["b"]
    with pytest.raises(IllegalTransitionError):
        store.resume("b", now=later)


def test_executions_are_counted_once_for_each_that_was_read(stores: Stores) -> None:
    store = stores[1]
    store.create_batch(batch())
    read = store.get_batch("b")
    assert store.renew_execution(read).n_executions == 2
    assert store.renew_execution(read).n_executions == 2
    assert store.renew_execution(store.get_batch("b")).n_executions == 3
    moved = store.get_batch("b")
    store.transition("b", BatchStatus.CANCELLED, now=NOW)
    assert store.renew_execution(moved).n_executions == 3
    assert store.get_batch("b").updated_at == NOW


def test_batches_are_listed_by_their_last_look(stores: Stores) -> None:
    store = stores[1]
    for name in "abc":
        store.create_batch(batch(name))
    store.note_look("a", now=NOW + timedelta(minutes=5))
    store.note_look("c", now=NOW)
    assert store.list_active_batches() == ["b", "c", "a"]
    store.transition("b", BatchStatus.CANCELLED, now=NOW)
    store.note_look("b", now=NOW)
    assert store.list_active_batches() == ["c", "a"]


def test_reminders_are_never_counted_back(stores: Stores) -> None:
    store = stores[1]
    store.create_batch(batch("b"))
    for n_reminders in (2, 1):
        store.note_reminders("b", n_reminders)
        assert store.get_batch("b").n_reminders == 2


def test_a_deadline_moves_while_the_batch_runs(stores: Stores) -> None:
    store = stores[1]
    store.create_batch(batch("b"))
    store.note_reminders("b", 2)
    known = store.get_batch("b")
    until = NOW + timedelta(days=3)
    config = known.config.model_copy(update={"judging_deadline": until})
    sources = {**known.config_sources, "judging_deadline": Source.REQUEST}
    moved = store.move_deadline("b", config, sources, now=NOW)
    assert moved == store.get_batch("b")
    assert (moved.config.judging_deadline, moved.deadline_moved_at) == (until, NOW)
    assert (moved.n_reminders, moved.config_sources["judging_deadline"]) == (0, Source.REQUEST)
    assert moved.updated_at == known.updated_at, "the watchdog goes by the last step"
    store.transition("b", BatchStatus.CANCELLED, now=NOW)
    with pytest.raises(IllegalTransitionError):
        store.move_deadline("b", config, sources, now=NOW)
    with pytest.raises(UnknownBatchError):
        store.move_deadline("none", config, sources, now=NOW)


def test_marks_of_settled_comparisons_can_be_cleared(stores: Stores) -> None:
    store, made = stores[2], [comparison(0), comparison(1)]
    store.put_comparisons("b", made)
    store.record_verdict("b", 1, "w001-00000", VERDICT, now=NOW)
    store.put_pending("b", 1, made)
    for each in made:
        store.clear_mark_if_settled("b", 1, each)
    assert store.list_pending("b", 1) == ["w001-00001"]
