"""No words of a prompt come back by way of a provider's error."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.quotation import remove_quotations

ESSAY = (
    "Winter came early that year. My grandmother, who had never owned a car, walked nine miles "
    "through the snow to fetch the doctor for our neighbour's youngest son, and nobody thanked her."
)


def test_what_is_quoted_is_cut_and_the_rest_is_kept():
    told = f"Invalid prompt: '{ESSAY[40:160]}' was flagged; see our usage policy"
    kept = remove_quotations(told, [ESSAY])
    assert kept.startswith("Invalid prompt: '[...]")
    assert kept.endswith("was flagged; see our usage policy")
    assert "grandmother" not in kept


def test_escapes_case_spacing_and_punctuation_hide_nothing():
    for quoted in (
        json.dumps(ESSAY.replace(". ", ".\n")), ESSAY.upper(), ESSAY.replace(" ", "  \n"),
        ESSAY.replace(",", ""), json.dumps(ESSAY, ensure_ascii=True).replace("y", "\\u0079"),
    ):  # fmt: skip
        assert "doctor" not in remove_quotations(f"bad: {quoted}", [ESSAY]).lower()


def test_words_that_quote_nothing_are_kept_whole():
    told = "This model's maximum context length is 8192 tokens. (request id: abc-123)"
    assert remove_quotations(told, [ESSAY]) == told
    assert remove_quotations(told, []) == told


@given(st.data())
def test_no_run_of_twenty_characters_or_five_words_survives(data):
    start = data.draw(st.integers(0, len(ESSAY) - 30))
    quoted = ESSAY[start : start + data.draw(st.integers(25, 120))]
    before, after = data.draw(st.text(max_size=40)), data.draw(st.text(max_size=40))
    kept = remove_quotations(f"{before} {quoted} {after}", [ESSAY])
    for place in range(len(ESSAY) - 24):
        assert ESSAY[place : place + 25] not in kept
    words = kept.split()
    for place in range(len(words) - 4):
        assert " ".join(words[place : place + 5]) not in ESSAY
