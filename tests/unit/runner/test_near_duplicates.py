"""Copies with changes are found, essays on one subject are not."""

import random

import pytest
from datasketch import MinHashLSH

from runner import near_duplicates
from runner.near_duplicates import LEAST_SIMILARITY, group_near_duplicates

WORDS = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("ale", "ine", "our", "est", "and", "it")]


def essay(seed: int, n_words: int = 300) -> list[str]:
    return random.Random(seed).choices(WORDS, k=n_words)


@pytest.mark.parametrize("n_changed", [1, 3, 6])
def test_a_copy_with_a_few_other_words_is_found(n_changed: int):
    """300 words make 297 sequences of four; a changed word breaks at most four of them."""
    words = essay(1)
    copy = list(words)
    for place in range(n_changed):
        copy[40 * place + 10] = "other"
    assert (297 - 4 * n_changed) / (297 + 4 * n_changed) > LEAST_SIMILARITY
    texts = [" ".join(essay(2)), " ".join(words), " ".join(essay(3)), " ".join(copy)]
    assert group_near_duplicates(texts) == [[1, 3]]


def test_half_a_copy_is_none():
    words = essay(1)
    texts = [" ".join(words), " ".join(words[:150] + essay(2, 150))]
    assert group_near_duplicates(texts) == []


def test_the_same_text_is_told_elsewhere_and_a_third_version_here():
    text = " ".join(essay(1))
    assert group_near_duplicates([text, f" {text}\n"]) == []
    assert group_near_duplicates([text, text, f"{text} indeed"]) == [[0, 1, 2]]


def test_texts_without_words_and_with_few():
    assert group_near_duplicates(["", "123", "Tides rise.", "Tides fall.", "tides RISE!"]) == [
        [0, 1],
        [2, 4],
    ]


def test_a_class_of_copies_is_one_group():
    words = essay(1)
    texts = [" ".join([*words, f"name{number}x"]) for number in range(400)]
    assert group_near_duplicates(texts) == [list(range(400))]


def test_the_bands_are_the_best_for_somewhat_less_than_the_similarity():
    best = MinHashLSH(threshold=0.7, num_perm=near_duplicates._N_PERMUTATIONS)
    assert (best.b, best.r) == (near_duplicates._N_BANDS, near_duplicates._N_ROWS)
