"""What decisions about an essay come to, who may see them, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.decision_errors import (
    MOST_NAMED,
    AssessorsDisagreeError,
    OpenDecisionsError,
    ReasonMissingError,
    TooManyDecisionsError,
)
from assessment.domain.errors import CJError
from assessment.domain.grade_decision import (
    MAX_DECISIONS_PER_ESSAY,
    Basis,
    DecisionState,
    EssayDecision,
    GradeDecision,
    check_reason,
    check_room,
    check_settled,
    list_visible,
    settle,
    tell_basis,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def make_decisions(*votes: tuple[str, str | None]) -> list[GradeDecision]:
    """Decisions of (assessor, grade), in this order."""
    return [
        GradeDecision(
            essay_id="e",
            number=number,
            assessor=assessor,
            grade=grade,
            proposed_grade="C",
            result_sha256="r",
            decided_at=NOW,
        )
        for number, (assessor, grade) in enumerate(votes, start=1)
    ]


OPEN, AWAITING, DISAGREED, DECIDED = DecisionState


@pytest.mark.parametrize(
    ("votes", "one", "two"),
    [
        ([], (OPEN, None), (OPEN, None)),
        ([("ann", "C")], (DECIDED, "C"), (AWAITING, None)),
        ([("ann", "C"), ("ann", "B")], (DECIDED, "B"), (AWAITING, None)),
        ([("ann", "C"), ("bo", "C")], (DECIDED, "C"), (DECIDED, "C")),
        ([("ann", "C"), ("bo", "B")], (DECIDED, "B"), (DISAGREED, None)),
        ([("ann", "C"), ("bo", "B"), ("ann", "B")], (DECIDED, "B"), (DECIDED, "B")),
        ([("ann", "C"), ("bo", "B"), ("cy", "C")], (DECIDED, "C"), (DECIDED, "C")),
        ([("ann", "C"), ("bo", "B"), ("cy", "A")], (DECIDED, "A"), (DISAGREED, None)),
        (
            [("ann", "C"), ("bo", "C"), ("cy", "B"), ("di", "B")],
            (DECIDED, "B"),
            (DISAGREED, None),
        ),
        ([("ann", None), ("bo", None)], (DECIDED, None), (DECIDED, None)),
    ],
)
def test_what_decisions_come_to(votes, one, two):
    for two_assessors, expected in ((False, one), (True, two)):
        settled = settle(make_decisions(*votes), two_assessors=two_assessors)
        assert (settled.state, settled.grade) == expected


VOTES = st.lists(
    st.tuples(st.sampled_from(["ann", "bo", "cy"]), st.sampled_from(["A", "B", None])), max_size=6
)


@given(VOTES, st.booleans(), st.randoms())
def test_the_order_of_reading_does_not_matter(votes, two_assessors, rng):
    decisions = make_decisions(*votes)
    shuffled = list(decisions)
    rng.shuffle(shuffled)
    assert settle(shuffled, two_assessors=two_assessors) == settle(
        decisions, two_assessors=two_assessors
    )


@given(VOTES, st.sampled_from(["ann", "bo", "cy", "di"]))
def test_one_who_has_not_decided_learns_no_grade_before_two_agree(votes, viewer):
    decisions = make_decisions(*votes)
    seen = list_visible(decisions, viewer, two_assessors=True)
    if not any(each.assessor == viewer for each in decisions):
        decided = settle(decisions, two_assessors=True).state is DECIDED
        assert seen == (decisions if decided else [])


def test_the_first_of_two_sees_the_other_only_when_both_have_decided():
    votes = [("ann", "C"), ("ann", "B"), ("bo", "A")]
    first = list_visible(make_decisions(*votes[:2]), "ann", two_assessors=True)
    assert [each.grade for each in first] == ["C", "B"]
    assert list_visible(make_decisions(*votes[:2]), "bo", two_assessors=True) == []
    assert len(list_visible(make_decisions(*votes), "ann", two_assessors=True)) == 3


@pytest.mark.parametrize(
    ("grade", "reason", "proposed", "refused"),
    [
        ("C", None, "C", False),
        ("B", None, "C", True),
        ("B", " \u200b\n", "C", True),
        ("B", "Off topic", "C", False),
        ("B", None, None, False),
        (None, None, None, True),
        (None, "Blank page", None, False),
    ],
)
def test_a_change_needs_a_reason(grade, reason, proposed, refused):
    if refused:
        with pytest.raises(ReasonMissingError) as error:
            check_reason(grade, reason, proposed_grade=proposed)
        assert error.value.field == "reason"
    else:
        check_reason(grade, reason, proposed_grade=proposed)


def test_an_essay_has_room_for_a_hundred_decisions():
    check_room("e", make_decisions(*[("ann", "C")] * (MAX_DECISIONS_PER_ESSAY - 1)))
    with pytest.raises(TooManyDecisionsError):
        check_room("e", make_decisions(*[("ann", "C")] * MAX_DECISIONS_PER_ESSAY))


def states(**by_essay: DecisionState) -> dict[str, EssayDecision]:
    return {essay_id: EssayDecision(state, None, ()) for essay_id, state in by_essay.items()}


def test_a_release_waits_for_every_essay():
    check_settled(states(a=DECIDED))
    with pytest.raises(OpenDecisionsError) as error:
        check_settled(states(d=DISAGREED, c=AWAITING, b=OPEN, a=DECIDED))
    assert [field for field, _ in error.value.problems] == ["essays[b]", "essays[c]", "essays[d]"]
    assert "2 of 4" in str(error.value)


def test_a_disagreement_is_a_problem_of_its_own():
    with pytest.raises(AssessorsDisagreeError) as error:
        check_settled(states(a=DISAGREED, b=DECIDED))
    assert "third" in error.value.problems[0][1]


def test_a_release_of_thousands_names_the_first_hundred():
    with pytest.raises(OpenDecisionsError) as error:
        check_settled(states(**{f"e{n:04d}": OPEN for n in range(5000)}))
    assert len(error.value.problems) == MOST_NAMED
    assert "5000 of 5000" in str(error.value)


def test_an_error_with_several_problems_is_read_back_as_what_it_is():
    document = {
        "type": "urn:cj-assessment:problem:open-decisions",
        "detail": "2 of 3 essays wait",
        "errors": [{"field": f"essays[{n}]", "message": "decide on it"} for n in "ab"],
    }
    error = CJError.from_problem(document)
    assert isinstance(error, OpenDecisionsError)
    assert [field for field, _ in error.problems] == ["essays[a]", "essays[b]"]


@pytest.mark.parametrize(
    ("state", "grade", "proposed", "basis"),
    [
        (DECIDED, "C", "C", Basis.CONFIRMED),
        (DECIDED, "B", "C", Basis.CHANGED),
        (DECIDED, None, "C", Basis.CHANGED),
        (DECIDED, "B", None, Basis.DECIDED),
        (OPEN, None, "C", Basis.PROPOSED),
    ],
)
def test_a_released_grade_says_what_it_rests_on(state, grade, proposed, basis):
    assert tell_basis(EssayDecision(state, grade, ()), proposed) is basis


def test_three_who_never_agree_stay_apart_in_any_order():
    for order in permutations([("ann", "A"), ("bo", "B"), ("cy", "C")]):
        assert settle(make_decisions(*order), two_assessors=True).state is DISAGREED
