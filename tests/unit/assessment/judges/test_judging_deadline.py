"""People have days: a batch waits for them until its deadline, reminds them, and asks once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from assessment.contracts.people import JudgingDeadline
from assessment.contracts.queue_messages import WaveDeadlineV1
from assessment.domain.batch import BatchStatus
from assessment.domain.config import Source
from assessment.domain.decision import DecisionKind, Reason
from assessment.domain.errors import ConflictError, InvalidRequestError
from assessment.domain.invitation import Invitation
from assessment.domain.judging_time import list_reminder_times
from assessment.ports.groups import DeadlinePorts
from assessment.usecases.move_deadline import move_deadline
from assessment.usecases.watch_batches import Repair
from tests.fakes.judges import read_quality
from tests.fakes.world import START, World
from tests.unit.assessment.judges.test_people import MODEL, PERSON, People

HOUR, DAY = 3600.0, 86_400.0


def add_days(days):
    return (START + timedelta(days=days)).isoformat()


def invite_people(*, essays=6, judge=PERSON, **config):
    return People(judge, essays=essays, **config)


def watch_days(people, days):
    """The watchdog looks every six hours; all that it repaired."""
    repairs = set()
    for _ in range(int(days * 4)):
        people.world.clock.forward(6 * HOUR)
        repairs |= set(people.world.watch().repairs.values())
    return repairs


def reminders(people):
    return [event.data for event in people.world.events.by_type.get("CJJudgingReminder.v1", [])]


def test_who_names_no_time_gives_people_a_fortnight():
    batch = World().request(6, judge=PERSON)
    assert batch.config.judging_deadline == START + timedelta(days=14)
    assert batch.config_sources["judging_deadline"] is Source.JUDGE


@pytest.mark.parametrize(
    ("config", "deadline"),
    [
        ({"judging_deadline": add_days(30)}, START + timedelta(days=30)),
        ({"finish_by": add_days(3)}, START + timedelta(days=3)),
        ({"max_minutes": 90}, START + timedelta(minutes=90)),
        ({"wave_timeout_seconds": 600}, None),
    ],
    ids=["its own", "the batch's end", "the batch's time", "waves of its own"],
)
def test_a_time_that_the_request_names_counts(config, deadline):
    assert World().request(6, judge=PERSON, config=config).config.judging_deadline == deadline


@pytest.mark.parametrize(
    ("judge", "config", "words"),
    [
        (MODEL, {"judging_deadline": add_days(3)}, "none judges"),
        (PERSON, {"judging_deadline": add_days(0)}, "10 minutes and 90"),
        (PERSON, {"judging_deadline": add_days(91)}, "10 minutes and 90"),
        (PERSON, {"judging_deadline": add_days(3), "finish_by": add_days(2)}, "after finish_by"),
    ],
)
def test_a_time_that_cannot_be_kept_is_refused(judge, config, words):
    with pytest.raises(InvalidRequestError, match=words) as refused:
        World().request(6, judge=judge, config=config)
    assert refused.value.field == "config.judging_deadline"


def test_a_batch_that_nobody_comes_to_waits_for_days():
    people = invite_people(judging_deadline=add_days(10))
    assert watch_days(people, 9.5) == set()
    assert people.world.batches.get_batch(people.batch_id).status is BatchStatus.WAITING_CALLBACKS
    assert people.next("ann") is not None, "whoever comes at last can judge"


def test_a_batch_whose_execution_is_lost_goes_on_waiting():
    people = invite_people(judging_deadline=add_days(10))
    people.world.clock.forward(5 * DAY)
    people.world.workflow.executions[people.batch_id] = "ABORTED"
    assert people.world.watch().repairs[people.batch_id] in (Repair.STARTED, Repair.RESTARTED)
    assert people.world.batches.get_batch(people.batch_id).status is BatchStatus.WAITING_CALLBACKS


def test_what_was_judged_by_the_deadline_is_the_result():
    people = invite_people(essays=8, judging_deadline=add_days(2))
    waiting = people.world.tally(people.batch_id).pending
    for _ in range(waiting - 4):
        offer = people.next("ann")
        better = read_quality(offer.essay_a) > read_quality(offer.essay_b)
        people.say("ann", offer.comparison_id, "A" if better else "B")
    people.record()
    people.world.clock.forward(2 * DAY + 180)
    assert people.world.watch().repairs == {people.batch_id: Repair.CLOSED_AT_DEADLINE}
    decision = people.world.score(people.batch_id, 1)
    # Three in four came, below min_success_rate_threshold: those that time cut off failed nobody.
    assert (decision.decision, decision.reason) == (
        DecisionKind.FINALIZE_SCORING,
        Reason.TIME_CAP,
    ), decision


def test_a_batch_without_any_verdict_says_at_its_end_what_helps():
    people = invite_people(judging_deadline=add_days(2))
    people.world.clock.forward(2 * DAY + 180)
    people.world.watch()
    decision = people.world.score(people.batch_id, 1)
    assert decision.decision is DecisionKind.FINALIZE_FAILURE
    assert decision.reason is Reason.ZERO_SUCCESSES


def test_reminders_go_out_halfway_and_a_day_before_each_once():
    people = invite_people(judging_deadline=add_days(10))
    people.say("ann", people.next("ann").comparison_id)
    people.record()
    waiting = people.world.tally(people.batch_id).pending
    watch_days(people, 4.5)
    assert reminders(people) == []
    watch_days(people, 2)
    assert reminders(people) == [
        {
            "batch_id": people.batch_id,
            "assignment_id": None,
            "judging_deadline": add_days(10).replace("+00:00", "Z"),
            "n_waiting": waiting,
            "judges": [{"judge": "person/ann", "n_judged": 1, "quota": None}],
        }
    ]
    watch_days(people, 3)
    assert len(reminders(people)) == 2
    assert people.world.batches.get_batch(people.batch_id).n_reminders == 2


def deadlines(people):
    """The messages of deadlines that wait in the queue, the oldest first."""
    bodies = [message.body for message in people.world.callback_queue.messages]
    return [WaveDeadlineV1.model_validate_json(body) for body in bodies if "WaveDeadlineV1" in body]


def move(people, days):
    """People may judge until so many days after the request."""
    world = people.world
    ports = DeadlinePorts(
        batches=world.batches, people=world.people, callback_queue=world.callback_queue
    )
    request = JudgingDeadline(judging_deadline=START + timedelta(days=days))
    return move_deadline(people.batch_id, request, ports=ports, now=world.now)


def test_a_deadline_that_moved_holds_for_the_wave_that_waits():
    people = invite_people(judging_deadline=add_days(2))
    people.world.clock.forward(DAY)
    moved = move(people, 5)
    assert moved.judging_deadline == people.offer("ann").judging_deadline
    assert watch_days(people, 3.75) == set()
    people.world.record(deadlines(people)[0].model_dump_json(by_alias=True))
    assert people.next("ann") is not None, "the message of the old deadline closes nothing"
    assert watch_days(people, 0.5) == {Repair.CLOSED_AT_DEADLINE}


def test_a_deadline_moves_to_an_earlier_time_too():
    people = invite_people(judging_deadline=add_days(10))
    move(people, 1)
    assert deadlines(people)[-1].deadline == START + timedelta(days=1)
    assert watch_days(people, 1.25) == {Repair.CLOSED_AT_DEADLINE}


def test_reminders_begin_anew_when_the_deadline_moves():
    people = invite_people(judging_deadline=add_days(4))
    watch_days(people, 2.25)
    assert len(reminders(people)) == 1
    move(people, 12.25)
    assert people.world.batches.get_batch(people.batch_id).n_reminders == 0
    watch_days(people, 4.75)
    assert len(reminders(people)) == 1, "halfway from the move"
    watch_days(people, 0.5)
    assert len(reminders(people)) == 2
    watch_days(people, 4)
    events = people.world.events.by_type["CJJudgingReminder.v1"]
    assert len({event.event_id for event in events}) == len(events) == 3


def test_links_that_end_before_it_are_counted():
    people = invite_people(judging_deadline=add_days(2))
    for number, days in enumerate((3, 6)):
        people.people.put_invitation(
            Invitation(
                invitation_id=f"{number}",
                batch_id=people.batch_id,
                name="Ann",
                created_by="t",
                created_at=START,
                expires_at=START + timedelta(days=days),
            )
        )
    assert move(people, 5).n_invitations_ending_before == 1


@pytest.mark.parametrize(("days", "words"), [(0.004, "10 minutes from now"), (91, "90 days after")])
def test_a_time_that_a_running_batch_cannot_keep_is_refused(days, words):
    people = invite_people(judging_deadline=add_days(2))
    with pytest.raises(InvalidRequestError, match=words) as refused:
        move(people, days)
    assert refused.value.field == "judging_deadline"


def test_the_deadline_of_models_or_of_a_batch_that_ended_cannot_move():
    with pytest.raises(InvalidRequestError, match="none judges"):
        move(invite_people(judge=MODEL), 3)
    people = invite_people()
    people.world.cancel(people.batch_id)
    with pytest.raises(ConflictError, match="CANCELLED"):
        move(people, 3)


def test_nobody_is_reminded_of_what_does_not_wait():
    people = invite_people(judging_deadline=add_days(10))
    people.judge_all("ann")
    watch_days(people, 9.5)
    assert reminders(people) == []


def test_a_short_time_has_one_reminder():
    halfway = START + timedelta(hours=6)
    end = START + timedelta(hours=12)
    assert list_reminder_times(requested_at=START, deadline=end) == (halfway,)


@pytest.mark.parametrize("asked", [None, 1])
def test_people_are_asked_the_same_pair_again_only_where_that_was_asked_for(asked):
    config = {} if asked is None else {"small_net_resampling_cap": asked}
    people = invite_people(essays=4, seed=1, **config)
    people.judge_all("ann", "bob")
    decision = people.world.score(people.batch_id, 1)
    wave_number = 1
    while decision.decision is DecisionKind.REQUEST_MORE_COMPARISONS:
        wave_number = people.world.plan(people.batch_id).wave
        people.world.submit(people.batch_id, wave_number, people.world.workflow.issue("more"))
        people.judge_all("ann", "bob")
        decision = people.world.score(people.batch_id, wave_number)
    repeated = [each for each in people.world.list_comparisons(people.batch_id) if each.resampled]
    assert bool(repeated) is (asked is not None)


def test_an_offer_says_until_when():
    people = invite_people(judging_deadline=add_days(3))
    assert people.offer("ann").judging_deadline == START + timedelta(days=3)


def test_models_beside_people_wait_for_them_too():
    people = invite_people(judge=[PERSON, MODEL], essays=10, judging_deadline=add_days(3))
    people.world.answer_all()
    people.record()
    assert watch_days(people, 2) == set()
    assert people.world.tally(people.batch_id).pending > 0
