"""Control pairs: they look like any other, tell how consistent a person is, and are no evidence."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.contracts.result import ResultDocument
from assessment.domain.control_pair import (
    MOST_CONTROLS,
    ControlPair,
    is_control_due,
    is_control_id,
)
from assessment.domain.errors import ConflictError, NotYourComparisonError
from assessment.domain.identifiers import comparison_id
from assessment.domain.verdict import Winner
from tests.fakes.judges import read_quality
from tests.unit.assessment.judges.test_people import PERSON, People

HALF = {**PERSON, "control_share": 0.5}


def choose_better(offer):
    return "A" if read_quality(offer.essay_a) > read_quality(offer.essay_b) else "B"


def judge_some(people, n, *, person="ann", choose=choose_better):
    """Judge so many pairs; the offers."""
    offers = []
    for _ in range(n):
        offer = people.next(person)
        if offer is None:
            break
        people.say(person, offer.comparison_id, choose(offer))
        people.record()
        offers.append(offer)
    return offers


def find_controls(people, person="ann"):
    return people.people.get_person(people.batch_id, person).controls


@given(wave=st.integers(1, 999), position=st.integers(0, 99_999_999))
def test_an_id_of_a_control_is_that_of_no_comparison(wave, position):
    control = ControlPair(comparison_id=comparison_id(wave, position), is_own=True)
    assert is_control_id(control.control_id)
    assert not is_control_id(control.comparison_id)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_share_is_kept_without_a_rhythm(share):
    controls: list[ControlPair] = []
    n_judged, at = 0, []
    for turn in range(6000):
        if len(controls) < MOST_CONTROLS and is_control_due(
            "ann", controls, n_judged=n_judged, share=share
        ):
            controls.append(ControlPair(comparison_id=f"w001-{turn:05d}", is_own=True))
            at.append(turn)
        else:
            n_judged += 1
        if len(controls) == MOST_CONTROLS:
            break
    assert len(at) / at[-1] == pytest.approx(share, rel=0.1)
    gaps = Counter(after - before for before, after in pairwise(at))
    assert len(gaps) > 1, gaps


def test_a_control_is_an_own_pair_turned_round_or_another_persons():
    people = People(HALF, essays=24)
    judge_some(people, 14, person="bo")
    offers = judge_some(people, 34)
    shown = {offer.comparison_id: (offer.essay_a, offer.essay_b) for offer in offers}
    by_bo = people.people.list_judged(people.batch_id, "bo", limit=99)
    controls = find_controls(people)
    assert {control.is_own for control in controls} == {True, False}
    for control in controls:
        if control.is_own:
            assert shown[control.control_id] == shown[control.comparison_id][::-1]
        else:
            assert control.comparison_id in by_bo
    assert all(control.agrees for control in controls if control.winner is not None)


def test_who_always_takes_the_first_does_not_agree_with_themselves():
    people = People(HALF, essays=24)
    judge_some(people, 24, choose=lambda _: "A")
    own = [each for each in find_controls(people) if each.winner is not None]
    assert own
    assert not any(each.agrees for each in own)


def test_controls_are_no_evidence_and_cost_no_quota():
    people = People({**HALF, "quota": 20}, essays=24)
    with pytest.raises(ConflictError, match="quota"):
        judge_some(people, 60)
    record = people.people.get_person(people.batch_id, "ann")
    assert record.n_judged == 20
    assert record.n_controls > 0
    assert people.world.tally(people.batch_id).recorded == 20
    assert not any(
        is_control_id(one.comparison_id) for one in people.world.list_comparisons(people.batch_id)
    )


def test_what_the_person_is_told_counts_controls_too():
    people = People({**HALF, "quota": 50}, essays=12)
    for n_before in range(12):
        offer = people.offer("ann")
        assert offer.n_judged == n_before
        assert (
            offer.quota - offer.n_judged
            == 50 - people.people.get_person(people.batch_id, "ann").n_judged
        )
        people.say("ann", offer.comparison.comparison_id, choose_better(offer.comparison))
        people.record()


def offer_control(people):
    for _ in range(40):
        offer = people.next("ann")
        if is_control_id(offer.comparison_id):
            return offer
        people.say("ann", offer.comparison_id, choose_better(offer))
        people.record()
    return pytest.fail("no control came")


def test_a_control_stays_until_it_is_judged_and_is_taken_once():
    people = People(HALF, essays=12)
    control = offer_control(people)
    assert people.next("ann").comparison_id == control.comparison_id
    assert people.next("ann", control.comparison_id).comparison_id != control.comparison_id
    queued = list(people.world.callback_queue.messages)
    sent = people.say("ann", control.comparison_id, "A")
    assert people.say("ann", control.comparison_id, "A") == sent
    with pytest.raises(ConflictError, match="settled"):
        people.say("ann", control.comparison_id, "B")
    with pytest.raises(NotYourComparisonError):
        people.say("bo", control.comparison_id, "A")
    assert people.world.callback_queue.messages == queued


def test_between_waves_a_control_is_taken_and_not_counted():
    people = People(HALF, essays=12)
    control = offer_control(people)
    while (offer := people.next("ann", control.comparison_id)) is not None:
        people.say("ann", offer.comparison_id, choose_better(offer))
        people.record()
    people.world.score(people.batch_id, 1)
    people.say("ann", control.comparison_id, "A")
    assert people.people.get_person(people.batch_id, "ann").n_controls == 0


def test_no_controls_where_none_are_wanted():
    people = People({**PERSON, "control_share": 0}, essays=12)
    offers = judge_some(people, 24)
    assert not any(is_control_id(offer.comparison_id) for offer in offers)


def test_the_result_counts_agreement_by_judge():
    people = People(HALF, essays=16, max_waves=1, min_comparisons_per_essay=1)
    while judge_some(people, 1) or judge_some(people, 1, person="bo"):
        pass
    people.world.score(people.batch_id, 1)
    people.world.finalise(people.batch_id)
    document = ResultDocument.model_validate_json(
        people.world.content.documents[f"batches/{people.batch_id}/result.json"]
    )
    (ann,) = document.judge_consistency
    assert ann.judge == "person/ann"
    assert ann.n_repeated == ann.n_repeated_agreed > 0
    assert document.comparisons.recorded == people.world.tally(people.batch_id).recorded


@pytest.mark.parametrize("before", list(Winner))
@pytest.mark.parametrize("shown", list(Winner))
def test_ties_agree_with_ties_only(before, shown):
    control = ControlPair(comparison_id="w001-00001", is_own=False).settle(shown, before)
    assert control.agrees is (shown is before)
