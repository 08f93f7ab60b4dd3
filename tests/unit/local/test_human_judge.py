"""The replayed people: whose answer a comparison gets, and that it is an answer somebody gave."""

from collections import Counter
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.demo import SAMPLE
from local.judge.human_judge import (
    HumanJudge,
    UnknownPairError,
    UnknownTextError,
    draw,
    group_by_pair,
    load,
)
from runner.sample_judge import fingerprint

TEXTS = {"one": "Tap water is safe.", "two": "Bottles leak.", "three": "Nobody asked."}
ROWS = [("one", "two", "a"), ("two", "one", "a"), ("one", "two", "tie"), ("one", "two", "a")]


@pytest.fixture(scope="module")
def people():
    return load(SAMPLE)


def small_judge() -> HumanJudge:
    return HumanJudge({fingerprint(t): i for i, t in TEXTS.items()}, group_by_pair(ROWS))


def test_rows_of_a_pair_in_either_order_are_one_pair():
    assert group_by_pair(ROWS) == {("one", "two"): ("one", "two", None, "one")}


@given(seed=st.integers(0, 2**32), comparison=st.text(max_size=20))
def test_the_same_request_again_gets_the_same_answer(seed, comparison):
    judge = small_judge()
    asked = (TEXTS["one"], TEXTS["two"])
    answers = {judge.verdict(*asked, seed=seed, comparison_id=comparison) for _ in range(3)}
    assert len(answers) == 1


@given(seed=st.integers(0, 2**32), comparison=st.text(max_size=20))
def test_the_shown_order_turns_the_answer_and_not_the_person(seed, comparison):
    judge = small_judge()
    there = judge.verdict(TEXTS["one"], TEXTS["two"], seed=seed, comparison_id=comparison)
    back = judge.verdict(TEXTS["two"], TEXTS["one"], seed=seed, comparison_id=comparison)
    assert back == {"A": "B", "B": "A", "tie": "tie"}[there]


def test_each_person_answers_equally_often():
    judge = small_judge()
    counts = Counter(
        judge.verdict(TEXTS["one"], TEXTS["two"], seed=7, comparison_id=str(i)) for i in range(4000)
    )
    # Two of the four said "one", one said "two", one saw a tie; five binomial standard deviations.
    assert counts["A"] / 4000 == pytest.approx(0.50, abs=0.04)
    assert counts["B"] / 4000 == pytest.approx(0.25, abs=0.035)
    assert counts["tie"] / 4000 == pytest.approx(0.25, abs=0.035)


def test_texts_are_known_by_content_whatever_space_is_around_them():
    judge = small_judge()
    asked: dict[str, Any] = {"seed": 1, "comparison_id": "w001-00001"}
    plain = judge.verdict(TEXTS["one"], TEXTS["two"], **asked)
    assert judge.verdict(f"  {TEXTS['one']}\n", TEXTS["two"], **asked) == plain


def test_a_text_from_elsewhere_is_named_by_its_place():
    with pytest.raises(UnknownTextError, match="essay B"):
        small_judge().verdict(TEXTS["one"], "Something else", seed=1, comparison_id="x")


def test_a_pair_that_nobody_compared_is_refused():
    with pytest.raises(UnknownPairError, match="one with three"):
        small_judge().verdict(TEXTS["one"], TEXTS["three"], seed=1, comparison_id="x")


def test_the_sample_answers_every_pair_with_something_somebody_said(people):
    texts = {
        file.stem: file.read_text()
        for folder in ("essays", "anchors")
        for file in (SAMPLE / folder).glob("*.txt")
    }
    assert len(texts) == 32
    for first, second in permutations(texts, 2):
        answer = people.verdict(texts[first], texts[second], seed=3, comparison_id="w001-00000")
        said = people.winners[min(first, second), max(first, second)]
        assert {"A": first, "B": second, "tie": None}[answer] in said


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_draws_are_shares(parts):
    assert 0 <= draw(*parts) < 1
