"""People as judges: one pair to one person at a time, quotas, and a jury of people and a model."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from assessment.api.responses import name_person
from assessment.contracts.request import PersonVerdict
from assessment.domain.access import Caller
from assessment.domain.errors import ConflictError, InvalidRequestError, NotYourComparisonError
from assessment.domain.identifiers import find_queue_place
from assessment.ports.groups import PersonPorts
from assessment.usecases.judge_in_person import (
    next_comparison,
    offer_after_verdict,
    record_person_verdict,
)
from tests.fakes.judges import Habits, read_quality
from tests.fakes.world import World
from tests.present import present

PERSON = {"provider": "person", "lease_seconds": 600}
MODEL = {"provider": "openai", "model": "gpt-4.1-mini"}


class People:
    """A batch that people judge, and what they do."""

    def __init__(self, judge, essays=6, **config):
        self.world = World(habits=Habits(at_once=1.0))
        self.people = self.world.people
        self.batch_id = self.world.request(
            essays, judge=judge, config={"seed": 1, **config}
        ).batch_id
        self.world.prepare(self.batch_id)
        wave = self.world.plan(self.batch_id)
        self.world.submit(self.batch_id, wave.wave, self.world.workflow.issue("token"))

    def _ports(self):
        names = ("batches", "comparisons", "content", "callback_queue")
        ports = {name: getattr(self.world, name) for name in names}
        return PersonPorts(**ports, people=self.people)

    def offer(self, person, *kept):
        return next_comparison(
            self.batch_id, person, kept_ids=kept, ports=self._ports(), now=self.world.now
        )

    def next(self, person, *kept):
        return self.offer(person, *kept).comparison

    def say(self, person, comparison_id, winner="A", **details):
        verdict = PersonVerdict(comparison_id=comparison_id, winner=winner, **details)
        return record_person_verdict(
            self.batch_id, person, verdict, ports=self._ports(), now=self.world.now
        )

    def record(self):
        messages, self.world.callback_queue.messages = self.world.callback_queue.messages, []
        for message in messages:
            self.world.record(message.body)

    def judge_all(self, *people):
        """The people take turns until nothing waits for them."""
        while offers := [(p, offer) for p in people if (offer := self.next(p))]:
            for person, offer in offers:
                better = read_quality(offer.essay_a) > read_quality(offer.essay_b)
                self.say(person, offer.comparison_id, "A" if better else "B")
            self.record()


def test_the_judge_queue_leaves_people_alone():
    people = People(PERSON)
    people.world.answer_all()
    assert people.world.judge.asked == []
    assert people.world.tally(people.batch_id).pending > 0


def test_two_people_never_hold_the_same_pair():
    people = People(PERSON)
    waiting = people.world.tally(people.batch_id).pending
    held = [people.next(f"p{n}") for n in range(waiting + 2)]
    ids = [offer.comparison_id for offer in held if offer]
    assert len(ids) == len(set(ids)) == waiting
    assert held[-2:] == [None, None]


def test_asking_again_gives_the_same_pair_and_a_lapsed_lease_frees_it():
    people = People(PERSON)
    first = people.next("ann")
    assert people.next("ann").comparison_id == first.comparison_id
    people.world.clock.forward(601)
    with pytest.raises(NotYourComparisonError):
        people.say("ann", first.comparison_id)
    waiting = people.world.tally(people.batch_id).pending
    others = {people.next(f"p{n}").comparison_id for n in range(waiting)}
    assert first.comparison_id in others


def test_a_verdict_needs_the_lease():
    people = People(PERSON)
    offer = people.next("ann")
    for person, name in (("bob", offer.comparison_id), ("ann", "w001-99999")):
        with pytest.raises(NotYourComparisonError):
            people.say(person, name)
    assert not [m for m in people.world.callback_queue.messages if "person/" in m.body]


def test_a_verdict_counts_once_however_often_it_is_sent():
    people = People({**PERSON, "quota": 5})
    offer = people.next("ann")
    people.say("ann", offer.comparison_id)
    people.say("ann", offer.comparison_id)
    people.record()
    assert people.world.tally(people.batch_id).recorded == 1
    assert people.people.get_person(people.batch_id, "ann").n_judged == 1
    queued = list(people.world.callback_queue.messages)
    people.say("ann", offer.comparison_id)
    assert people.world.callback_queue.messages == queued
    with pytest.raises(ConflictError, match="settled"):
        people.say("ann", offer.comparison_id, "B")


def test_a_judged_pair_is_not_asked_again_before_it_is_recorded():
    people = People(PERSON)
    waiting = people.world.tally(people.batch_id).pending
    asked = []
    while offer := people.next("ann"):
        asked.append(offer.comparison_id)
        people.say("ann", offer.comparison_id)
    assert len(asked) == len(set(asked)) == waiting
    assert people.next("bob") is None
    # A verdict that never arrives frees the pair again, for the same person too.
    people.world.clock.forward(15 * 60 + 1)
    assert people.next("ann").comparison_id in asked


def test_nothing_is_asked_before_the_batch_is_prepared():
    people = People(PERSON)
    people.batch_id = people.world.request(4, judge=PERSON, config={"seed": 2}).batch_id
    assert people.next("ann") is None
    with pytest.raises(NotYourComparisonError):
        people.say("ann", "w001-00000")


def test_a_quota_bounds_each_person():
    people = People({**PERSON, "quota": 2})
    for _ in range(2):
        people.say("ann", people.next("ann").comparison_id)
        people.record()
    with pytest.raises(ConflictError, match="quota"):
        people.next("ann")
    assert people.next("bob") is not None


def test_people_and_a_model_are_separate_judges_of_one_fit():
    people = People([PERSON, MODEL], essays=10)
    people.world.answer_all()
    people.record()
    people.judge_all("ann", "bob")
    known = people.world.list_comparisons(people.batch_id)
    assert all(comparison.verdict for comparison in known), "the wave is complete"
    judges = {present(comparison.pair_verdict).judge for comparison in known}
    assert judges == {"person/ann", "person/bob", "openai/gpt-4.1-mini"}
    people.world.score(people.batch_id, 1)
    document = people.world.content.documents[f"batches/{people.batch_id}/scores/wave-0001.json"]
    assert all(judge in document for judge in judges), "each has an order effect of its own"


def test_batches_that_no_person_judges_or_that_ended_say_so():
    with pytest.raises(InvalidRequestError, match="no person"):
        People(MODEL).next("ann")
    people = People(PERSON)
    people.world.cancel(people.batch_id)
    with pytest.raises(ConflictError, match="CANCELLED"):
        people.next("ann")


@pytest.mark.parametrize("name", ["", "a b", "a" * 81, "x/y", "a\n"])
def test_a_judge_needs_a_name_that_can_be_one(name):
    with pytest.raises(InvalidRequestError, match="subject"):
        name_person(Caller(subject=name))


class Counted:
    """A port that counts the calls of each of its methods."""

    def __init__(self, port):
        self._port = port
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name):
        method = getattr(self._port, name)

        def call(*arguments, **keywords):
            self.calls[name] += 1
            return method(*arguments, **keywords)

        return call


@pytest.mark.parametrize("essays", [6, 60])
def test_whoever_asks_costs_the_same_calls_whatever_the_size(essays):
    people = People(PERSON, essays=essays)
    counted: Any = Counted(people.world.comparisons)
    people.world.comparisons = counted
    first = people.next("ann")
    assert counted.calls == {"list_waiting": 1, "count_waiting": 1, "take": 1}
    assert people.next("ann").comparison_id == first.comparison_id
    assert counted.calls == {"list_waiting": 2, "count_waiting": 2, "take": 2}


def test_a_verdict_that_was_taken_stands_whatever_becomes_of_the_next_offer():
    people = People({**PERSON, "quota": 1})
    offer = people.next("ann")
    people.say("ann", offer.comparison_id)
    following = offer_after_verdict(
        people.batch_id, "ann", kept_ids=(), ports=people._ports(), now=people.world.now
    )
    assert following is None, "the quota is used up"
    with pytest.raises(ConflictError, match="quota"):
        people.next("ann")


def test_what_was_just_judged_is_not_asked_for_again():
    people = People(PERSON, essays=60)
    counted: Any = Counted(people.world.comparisons)
    people.world.comparisons = counted
    for _ in range(4):
        people.say("ann", people.next("ann").comparison_id)
    assert counted.calls["take"] == 8, "one for each offer, one for each verdict"


def test_everything_is_found_from_wherever_a_person_begins(monkeypatch):
    monkeypatch.setattr("assessment.usecases.judge_in_person._PAGE", 2)
    people = People(PERSON)
    waiting = people.world.tally(people.batch_id).pending
    held = [people.next(f"p{n}") for n in range(waiting)]
    assert len({offer.comparison_id for offer in held}) == waiting
    assert people.next("ann") is None
    people.say("p0", held[0].comparison_id)
    assert people.offer("ann").n_waiting == waiting - 1
    for _ in range(3):
        assert people.next("p1").comparison_id == held[1].comparison_id


def test_one_who_judges_on_meets_pairs_from_all_of_the_wave():
    people = People(PERSON, essays=60)
    met = []
    for _ in range(40):
        offer = people.next("ann")
        met.append(int(offer.comparison_id.rpartition("-")[2]))
        people.say("ann", offer.comparison_id)
        people.record()
    assert met != sorted(met)
    n_waves = people.world.tally(people.batch_id).pending + len(met)
    assert max(met) - min(met) > n_waves / 2


def test_what_is_held_beyond_the_listed_page_is_remembered(monkeypatch):
    monkeypatch.setattr("assessment.usecases.judge_in_person._PAGE", 2)
    people = People(PERSON)
    waiting = people.world.comparisons.list_waiting(people.batch_id, 1, limit=99)
    place = find_queue_place("ann/0")
    n_before = sum(find_queue_place(each.comparison_id) < place for each in waiting)
    last = waiting[n_before - 1]
    now = people.world.now
    until = now + timedelta(minutes=5)
    assert people.world.comparisons.take(people.batch_id, last, "ann", until=until, now=now)
    people.people.note_held(people.batch_id, "ann", [last], until=until)
    assert people.next("ann").comparison_id == last.comparison_id
    people.say("ann", last.comparison_id)
    assert people.next("ann").comparison_id != last.comparison_id


def test_a_deadline_takes_back_what_nobody_judged():
    people = People(PERSON)
    offer = people.next("ann")
    people.world.clock.forward(4000)
    people.world.score(people.batch_id, 1)
    with pytest.raises((NotYourComparisonError, ConflictError)):
        people.say("ann", offer.comparison_id)
    assert people.world.comparisons.list_waiting(people.batch_id, 1, limit=9) == []


def test_the_next_pair_is_offered_ahead_and_the_kept_lease_prolonged():
    people = People(PERSON)
    first = people.next("ann")
    people.world.clock.forward(500)
    second = people.next("ann", first.comparison_id)
    assert second.comparison_id != first.comparison_id
    people.world.clock.forward(500)  # beyond the first lease, within the prolonged one
    people.say("ann", first.comparison_id)
    people.record()


def test_nobody_keeps_what_another_holds():
    people = People(PERSON)
    anns = people.next("ann")
    bos = people.next("bo", anns.comparison_id)
    assert bos.comparison_id != anns.comparison_id
    holders = {
        one.comparison_id: one.find_holder(now=people.world.now)
        for one in people.world.comparisons.list_waiting(people.batch_id, 1, limit=99)
    }
    assert holders[anns.comparison_id] == "ann"


def test_an_offer_says_how_much_is_left():
    people = People(PERSON | {"quota": 3})
    waiting = people.world.tally(people.batch_id).pending
    offer = people.offer("ann")
    assert (offer.n_judged, offer.n_waiting, offer.quota) == (0, waiting, 3)
    people.say("ann", offer.comparison.comparison_id)
    before = people.offer("ann")
    assert (before.n_judged, before.n_waiting) == (1, waiting - 1), "it is not recorded yet"
    people.record()
    after = people.offer("ann")
    assert (after.n_judged, after.n_waiting) == (1, waiting - 1)


def test_a_verdict_that_is_sent_again_counts_once():
    people = People(PERSON)
    pair = people.next("ann").comparison_id
    sent = people.say("ann", pair, decision_seconds=12.5)
    assert people.say("ann", pair, decision_seconds=12.5) == sent, "before it is recorded"
    people.record()
    queued = list(people.world.callback_queue.messages)
    assert people.say("ann", pair, decision_seconds=12.5) == sent, "after it is recorded"
    assert people.world.callback_queue.messages == queued
    people.world.clock.forward(3600)
    assert people.say("ann", pair, decision_seconds=12.5) == sent, "after its lease has ended"
    assert people.world.tally(people.batch_id).recorded == 1
    listed = people.world.comparisons.list_comparisons(people.batch_id, 1)
    (judged,) = [c.pair_verdict for c in listed if c.pair_verdict]
    assert (judged.winner, judged.decision_seconds) == ("first", 12.5)
