"""Deciding on the grades of a whole simulated batch, and releasing them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from assessment.contracts.decisions import (
    DecisionRequest,
    DecisionsDocument,
    EssayDecisionView,
    ReleaseRequest,
)
from assessment.contracts.events import EventType
from assessment.domain.decision_errors import (
    AlreadyReleasedError,
    AssessorsDisagreeError,
    DecisionsRequiredError,
    NoGradeScaleError,
    NotReleasedError,
    OpenDecisionsError,
    ReasonMissingError,
    UnknownEssayError,
)
from assessment.domain.document_keys import result_key
from assessment.domain.errors import (
    InvalidRequestError,
    ResultNotReadyError,
    TransientError,
    UnknownBatchError,
    UnknownGradeError,
)
from assessment.domain.grade_decision import Basis, DecisionState, GradeDecision
from assessment.domain.release import Release, ReleasePolicy
from assessment.ports.decisions import ReleasePorts
from assessment.usecases.batch_spec import load_spec
from assessment.usecases.decide_grade import (
    decide_grade,
    read_attention,
    read_decision,
    read_decisions,
)
from assessment.usecases.release_batch import read_release, release_batch
from assessment.usecases.watch_batches import Repair
from tests.fakes.decisions import InMemoryDecisionStore, InMemoryReleasePolicies
from tests.fakes.faults import CrashError, Fault, faulty
from tests.fakes.judges import make_text
from tests.fakes.loop import Loop
from tests.fakes.world import World

GRADES = ["F", "E", "D", "C", "B", "A"]
N_ESSAYS = 24


def judge_class(n_essays: int = N_ESSAYS, *, two_assessors: bool = False) -> tuple[World, str]:
    """A completed batch of simulated essays whose grades are proposed."""
    return copy.deepcopy(_judge(n_essays, two_assessors=two_assessors))


@cache
def _judge(n_essays: int, *, two_assessors: bool) -> tuple[World, str]:
    config = {"two_assessors": two_assessors}
    world = World(seed=3)
    anchors = [
        {"anchor_ref": f"a{k}", "grade": grade, "text": make_text(quality, f"anchor-{k}")}
        for k, (grade, quality) in enumerate(zip(GRADES, (-3, -2, -1, 1, 2, 3), strict=True))
    ]
    world.register(assignment_id="unit", anchors=anchors)
    batch_id = world.request(n_essays, assignment_id="unit", config=config).batch_id
    run = Loop(world).run(batch_id)
    assert run.batch.status == "COMPLETED", run.decisions
    return world, batch_id


class Office:
    """A batch, and the people who decide on its grades."""

    def __init__(self, **config: Any) -> None:
        self.world, self.batch_id = judge_class(**config)
        self.decisions = InMemoryDecisionStore(self.world.batches)
        self.policies = InMemoryReleasePolicies()
        self.ports = ReleasePorts(
            batches=self.world.batches,
            content=self.world.content,
            decisions=self.decisions,
            policies=self.policies,
            events=self.world.events,
        )
        view = read_decisions(self.batch_id, ports=self.ports)
        self.proposed = {essay.essay_id: essay.proposed_grade for essay in view.essays}

    @property
    def first(self) -> str:
        return next(iter(self.proposed))

    def decide(
        self, essay_id: str, grade: str | None, *, by: str = "ann", reason: str | None = None
    ) -> EssayDecisionView:
        return decide_grade(
            self.batch_id,
            essay_id,
            DecisionRequest(grade=grade, reason=reason),
            assessor=by,
            ports=self.ports,
            now=self.world.now,
        )

    def confirm_all(self, *, by: str = "ann") -> None:
        for essay_id, grade in self.proposed.items():
            self.decide(essay_id, grade, by=by)

    def release(self, *, ports: ReleasePorts | None = None, without: bool = False) -> Release:
        return release_batch(
            self.batch_id,
            ReleaseRequest(without_decisions=without),
            assessor="head",
            ports=ports or self.ports,
            now=self.world.now,
        )

    def document(self) -> DecisionsDocument:
        text = read_release(self.batch_id, ports=self.ports)
        return DecisionsDocument.model_validate_json(text)

    @property
    def released(self) -> list[Any]:
        return self.world.events.by_type.get(EventType.RELEASED, [])


@pytest.fixture
def office() -> Office:
    return Office()


def other_than(grade: str | None) -> str:
    return "A" if grade != "A" else "B"


def test_every_student_needs_a_decision_and_no_anchor(office: Office) -> None:
    assert len(office.proposed) == N_ESSAYS
    assert not any(name.startswith("ANCHOR_") for name in office.proposed)
    scale = read_decisions(office.batch_id, ports=office.ports).grade_scale
    assert set(office.proposed.values()) <= set(scale)


def test_a_confirmation_needs_no_reason_and_a_change_does(office: Office) -> None:
    essay_id, proposed = office.first, office.proposed[office.first]
    assert office.decide(essay_id, proposed).state is DecisionState.DECIDED
    with pytest.raises(ReasonMissingError):
        office.decide(essay_id, other_than(proposed))
    changed = office.decide(essay_id, other_than(proposed), reason="Off topic")
    assert changed.grade == other_than(proposed)
    assert [each.number for each in changed.decisions] == [1, 2]


@pytest.mark.parametrize(
    ("essay_id", "grade", "error"),
    [
        ("nobody", "C", UnknownEssayError),
        (None, "G", UnknownGradeError),
        (None, None, ReasonMissingError),
    ],
)
def test_what_cannot_be_decided_leaves_nothing(
    office: Office, essay_id: str | None, grade: str | None, error: type[Exception]
) -> None:
    with pytest.raises(error):
        office.decide(essay_id or office.first, grade)
    assert office.decisions.list_of_batch(office.batch_id) == []


def test_an_anchor_is_no_essay_of_the_class(office: Office) -> None:
    [anchor, *_] = load_spec(office.batch_id, content=office.world.content).anchors
    with pytest.raises(UnknownEssayError):
        office.decide(anchor.essay_id, "C")


def test_a_batch_that_is_not_finished_proposes_nothing(office: Office) -> None:
    batch_id = office.world.request(6).batch_id
    ports = office.ports
    request = DecisionRequest(grade="C")
    with pytest.raises(ResultNotReadyError):
        decide_grade(batch_id, "e", request, assessor="ann", ports=ports, now=office.world.now)
    with pytest.raises(ResultNotReadyError):
        release_batch(batch_id, ReleaseRequest(), assessor="ann", ports=ports, now=office.world.now)
    with pytest.raises(UnknownBatchError):
        read_attention("none", limit=5, ports=ports)


def test_a_batch_without_a_scale_has_no_grades_to_decide_on() -> None:
    world = World(seed=4)
    batch_id = world.request(6).batch_id
    assert Loop(world).run(batch_id).batch.status == "COMPLETED"
    ports = ReleasePorts(
        batches=world.batches,
        content=world.content,
        decisions=InMemoryDecisionStore(world.batches),
        policies=InMemoryReleasePolicies(),
        events=world.events,
    )
    essay_id = read_decisions(batch_id, ports=ports).essays[0].essay_id
    request = DecisionRequest(grade="C")
    with pytest.raises(NoGradeScaleError):
        decide_grade(batch_id, essay_id, request, assessor="ann", ports=ports, now=world.now)
    with pytest.raises(NoGradeScaleError):
        release_batch(batch_id, ReleaseRequest(), assessor="ann", ports=ports, now=world.now)


def test_a_result_whose_bytes_are_others_is_not_decided_on(office: Office) -> None:
    office.world.content.documents[result_key(office.batch_id)] += " "
    with pytest.raises(ResultNotReadyError, match="SHA-256"):
        office.decide(office.first, "C")


def test_a_release_waits_for_every_decision(office: Office) -> None:
    with pytest.raises(OpenDecisionsError) as error:
        office.release()
    assert len(error.value.problems) == N_ESSAYS
    with pytest.raises(NotReleasedError):
        office.document()
    assert office.released == []
    office.confirm_all()
    assert office.release().is_published
    assert {essay.basis for essay in office.document().essays} == {Basis.CONFIRMED}


def test_what_is_released_changes_no_more(office: Office) -> None:
    office.confirm_all()
    office.decide(office.first, None, reason="Blank page")
    result = office.world.content.documents[result_key(office.batch_id)]
    release = office.release()
    with pytest.raises(AlreadyReleasedError, match="head"):
        office.release()
    with pytest.raises(AlreadyReleasedError):
        office.decide(office.first, office.proposed[office.first])
    assert len(office.released) == 1
    assert office.world.content.documents[result_key(office.batch_id)] == result
    document = office.document()
    assert (document.released_by, document.result_sha256) == (
        "head",
        office.world.batches.get_batch(office.batch_id).result_sha256,
    )
    first = document.essays[0]
    assert (first.grade, first.basis, len(first.decisions)) == (None, Basis.CHANGED, 2)
    assert office.released[0].data["decisions_sha256"] == release.decisions_sha256
    assert office.released[0].data["n_changed"] == 1


def test_two_assessors_decide_blind_and_have_to_agree() -> None:
    office = Office(two_assessors=True)
    first = office.first
    office.confirm_all(by="ann")
    seen = read_decision(office.batch_id, first, viewer="bo", ports=office.ports)
    assert (seen.state, seen.grade, seen.decisions) == (DecisionState.AWAITING_SECOND, None, [])
    summary = read_decisions(office.batch_id, ports=office.ports)
    assert {essay.grade for essay in summary.essays} == {None}
    with pytest.raises(OpenDecisionsError, match="wait"):
        office.release()
    office.confirm_all(by="bo")
    apart = other_than(office.proposed[first])
    disagreed = office.decide(first, apart, by="bo", reason="Too kind")
    assert disagreed.state is DecisionState.DISAGREED
    with pytest.raises(AssessorsDisagreeError) as error:
        office.release()
    assert [field for field, _ in error.value.problems] == [f"essays[{first}]"]
    with pytest.raises(DecisionsRequiredError, match="two_assessors"):
        office.release(without=True)
    office.decide(first, apart, by="cy", reason="Bo is right")
    office.release()
    assert office.document().essays[0].grade == apart


def test_a_release_without_decisions_says_so_and_may_be_forbidden(office: Office) -> None:
    office.decide(office.first, office.proposed[office.first])
    office.policies.put_policy(ReleasePolicy(decisions_required=True))
    with pytest.raises(DecisionsRequiredError, match="organisation"):
        office.release(without=True)
    assert office.world.batches.get_batch(office.batch_id).release is None
    office.policies.put_policy(ReleasePolicy())
    office.release(without=True)
    document = office.document()
    assert document.without_decisions
    assert [essay.basis for essay in document.essays[:2]] == [Basis.CONFIRMED, Basis.PROPOSED]
    assert {essay.essay_id: essay.grade for essay in document.essays} == office.proposed


class Interrupted:
    """A store that lets others act in the moment before a write."""

    def __init__(self, store: InMemoryDecisionStore, act: Callable[[], object], times: int) -> None:
        self._store, self._act, self._times = store, act, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _interrupt(self) -> None:
        if self._times:
            self._times -= 1
            self._act()

    def append(self, batch_id: str, decision: GradeDecision) -> bool:
        self._interrupt()
        return self._store.append(batch_id, decision)

    def release(self, batch: Any, release: Release) -> bool:
        self._interrupt()
        return self._store.release(batch, release)


def test_two_who_decide_at_once_are_both_kept(office: Office) -> None:
    proposed = office.proposed[office.first]
    ports = replace(
        office.ports,
        decisions=Interrupted(
            office.decisions, lambda: office.decide(office.first, proposed, by="bo"), 1
        ),
    )
    request = DecisionRequest(grade=proposed)
    view = decide_grade(
        office.batch_id, office.first, request, assessor="ann", ports=ports, now=office.world.now
    )
    assert [(each.number, each.assessor) for each in view.decisions] == [(1, "bo"), (2, "ann")]


def test_one_who_never_gets_through_is_told_to_come_again(office: Office) -> None:
    names = iter("abcdefgh")
    proposed = office.proposed[office.first]
    ports = replace(
        office.ports,
        decisions=Interrupted(
            office.decisions,
            lambda: office.decide(office.first, proposed, by=next(names)),
            99,
        ),
    )
    with pytest.raises(TransientError):
        decide_grade(
            office.batch_id,
            office.first,
            DecisionRequest(grade=proposed),
            assessor="ann",
            ports=ports,
            now=office.world.now,
        )
    assert "ann" not in {e.assessor for e in office.decisions.list_of_batch(office.batch_id)}


def test_a_decision_in_the_moment_of_a_release_is_in_it(office: Office) -> None:
    office.confirm_all()
    changed = other_than(office.proposed[office.first])
    ports = replace(
        office.ports,
        decisions=Interrupted(
            office.decisions,
            lambda: office.decide(office.first, changed, reason="Late"),
            1,
        ),
    )
    office.release(ports=ports)
    assert office.document().essays[0].grade == changed


@pytest.mark.parametrize("after", [False, True])
def test_a_release_that_breaks_off_anywhere_is_finished_by_the_next(*, after: bool) -> None:
    n_finished_by_watch = 0
    office = Office()
    office.confirm_all()
    at = 0
    while True:
        at += 1
        fault = Fault(at=at, after=after)
        world, store = office.world, InMemoryDecisionStore(office.world.batches)
        store._decisions = office.decisions._decisions
        batch = world.batches.get_batch(office.batch_id)
        world.batches.batches[office.batch_id] = batch.model_copy(update={"release": None})
        world.events.published.clear()
        ports = replace(
            office.ports,
            **{
                name: faulty(getattr(office.ports, name), fault)
                for name in ("batches", "content", "decisions", "policies", "events")
            },
        )
        try:
            office.release(ports=ports)
        except CrashError:
            pass
        else:
            break
        world.clock.forward(timedelta(minutes=1).total_seconds())
        stored = world.batches.get_batch(office.batch_id).release
        if stored is None:
            assert office.release().is_published
        elif not stored.is_published:
            # Nobody asks again: the watchdog leaves it two minutes, then publishes it.
            assert world.watch().repairs == {}
            world.clock.forward(timedelta(minutes=2).total_seconds())
            assert world.watch().repairs == {office.batch_id: Repair.PUBLISHED}
            n_finished_by_watch += 1
            assert world.watch().repairs == {}
        assert len(office.released) == 1
        assert office.document().released_by == "head"
        world.batches.active.clear()
    assert at > 6
    assert n_finished_by_watch > 1


def test_decisions_come_in_pages(office: Office) -> None:
    told: list[str] = []
    cursor = None
    while True:
        view = read_decisions(office.batch_id, limit=5, cursor=cursor, ports=office.ports)
        assert (view.n_essays, len(view.essays) <= 5) == (N_ESSAYS, True)
        told += [essay.essay_id for essay in view.essays]
        if (cursor := view.cursor) is None:
            break
    assert told == list(office.proposed)
    with pytest.raises(InvalidRequestError, match="cursor"):
        read_decisions(office.batch_id, cursor="nobody", ports=office.ports)


@pytest.mark.parametrize("n_essays", [24, 60])
def test_a_decision_reads_the_same_at_any_size(n_essays: int) -> None:
    office = Office(n_essays=n_essays)
    fault = Fault()
    ports = replace(
        office.ports,
        batches=faulty(office.ports.batches, fault),
        content=faulty(office.ports.content, fault),
        decisions=faulty(office.ports.decisions, fault),
    )
    request = DecisionRequest(grade=office.proposed[office.first])
    decide_grade(
        office.batch_id, office.first, request, assessor="ann", ports=ports, now=office.world.now
    )
    assert fault.calls == 5  # the batch, result, specification, the essay's decisions; one write


def test_attention_says_how_far_each_essay_is(office: Office) -> None:
    view = read_attention(office.batch_id, limit=1000, ports=office.ports)
    assert view.n_essays == len(view.essays)
    for essay in view.essays:
        office.decide(essay.essay_id, essay.proposed_grade)
    later = read_attention(office.batch_id, limit=1000, ports=office.ports)
    assert {essay.state for essay in later.essays} <= {DecisionState.DECIDED}
    limited = read_attention(office.batch_id, limit=1, ports=office.ports)
    assert limited.n_essays == view.n_essays
    assert limited.essays == later.essays[:1]
