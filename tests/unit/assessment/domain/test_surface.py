"""The surface of a text, and the judge that knows nothing else."""

from math import isfinite, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain.identifiers import draw_fraction
from assessment.domain.judge import SURFACE_CAUTION, SURFACE_MODEL, JudgeSpec
from assessment.domain.surface import (
    SurfaceFeatures,
    measure_surface,
    read_surface_weights,
    surface_score,
)
from assessment.domain.surface_judge import judge_surface
from assessment.domain.verdict import DEGREE_LEVEL, Winner

POOR = "i think tv is good,its fun!!! u can watch it. its good"
RICH = (
    "Although television entertains us, books develop the imagination. Readers picture every "
    "scene themselves, because nothing is shown. Moreover, a library lends them for nothing."
)


def test_figures_of_a_text_as_counted_by_hand():
    figures = measure_surface("Books, however, teach. they teach us.No TV does!!")
    assert figures.log_words == pytest.approx(log(9), abs=1e-6)
    assert figures.log_distinct_words == pytest.approx(log(8), abs=1e-6)
    assert figures.log_sentences == pytest.approx(log(3), abs=1e-6)
    assert figures.connectives == pytest.approx(1 / 3, abs=1e-6)
    assert figures.commas == pytest.approx(2 / 9, abs=1e-6)
    assert figures.lower_case_starts == pytest.approx(1 / 3, abs=1e-6)
    assert figures.missing_spaces == pytest.approx(1 / 3, abs=1e-6)
    assert figures.repeated_marks == pytest.approx(1 / 3, abs=1e-6)
    assert figures.upper_case == pytest.approx(4 / 36, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "n_words"),
    [
        ("Don't stop the children's game", 5),
        ("Källan är över 100 år gammal.", 5),
        ("किताबें हमें सिखाती हैं।", 4),
        ("الكتاب خير جليس", 3),
        ("書籍很重要。", 5),
        ("Books 📚 matter — really", 3),
        ("", 1),
        ("123 !!!", 1),
    ],
)
def test_words_are_counted_in_any_script(text, n_words):
    assert measure_surface(text).log_words == pytest.approx(log(n_words), abs=1e-6)


def test_connectives_are_those_of_the_language():
    swedish = (
        "Jag tycker att det är bra att läsa böcker eftersom man lär sig mycket av det och för att "
        "de är roliga. Däremot tar det tid, men den tiden har man om man inte ser på teve."
    )
    assert measure_surface(swedish).connectives > 0.5


@given(st.text(max_size=400))
def test_any_text_has_finite_figures_and_a_score(text):
    figures = measure_surface(text)
    assert all(map(isfinite, figures))
    assert isfinite(surface_score(figures))


def test_repeating_a_text_gains_less_than_one_degree():
    once, often = (surface_score(measure_surface(text)) for text in (RICH, f"{RICH} " * 20))
    assert often - once < 1.0
    assert surface_score(measure_surface("because " * 5000)) < once


def test_the_weights_say_where_they_come_from():
    weights = read_surface_weights()
    assert weights.model == SURFACE_MODEL
    assert tuple(each.name for each in weights.features) == SurfaceFeatures._fields
    assert "CC BY 4.0" in weights.licence
    assert "Habernal" in weights.source
    # The shipped sample is one of the published topics: its question was left out.
    assert not [topic for topic in weights.topics if "plastic" in topic]
    assert weights.pair_accuracy > weights.pair_accuracy_of_length


@given(st.text(max_size=200), st.text(max_size=200), st.sampled_from([0.0, 0.5, 1.0]))
def test_the_order_shown_changes_nothing_and_a_repeat_neither(one, two, temperature):
    forward = judge_surface(one, two, judge="surface", temperature=temperature)
    backward = judge_surface(two, one, judge="surface", temperature=temperature)
    mirrored = {Winner.FIRST: Winner.SECOND, Winner.SECOND: Winner.FIRST, Winner.TIE: Winner.TIE}
    assert backward.winner is mirrored[forward.winner]
    assert backward.degree is forward.degree
    assert forward == judge_surface(one, two, judge="surface", temperature=temperature)


def test_without_noise_the_better_surface_wins_and_says_what_it_is():
    verdict = judge_surface(POOR, RICH, judge="surface", temperature=0)
    assert verdict.winner is Winner.SECOND
    assert verdict.degree is not None
    assert DEGREE_LEVEL[verdict.degree] == 3
    assert verdict.confidence == 5
    assert verdict.justification.startswith(SURFACE_CAUTION)


def test_equal_surfaces_tie():
    assert judge_surface(RICH, RICH, judge="surface").winner is Winner.TIE


def test_noise_is_as_frequent_as_the_margin_says():
    """Of 2,000 judges of other names the share that errs is the model's, within 4 deviations."""
    one, two = "Books teach us.", "Books teach us much."
    margin = surface_score(measure_surface(two)) - surface_score(measure_surface(one))
    expected = draw_share(margin)
    names = [f"judge {number}" for number in range(2000)]
    won = [judge_surface(one, two, judge=name).winner is Winner.SECOND for name in names]
    assert sum(won) / 2000 == pytest.approx(expected, abs=4 * (0.25 / 2000) ** 0.5)
    assert len({draw_fraction(name) for name in names}) == 2000


def draw_share(margin):
    return 1 / (1 + 2.718281828459045**-margin)


def test_the_spec_names_its_one_model_and_takes_no_key():
    judge = JudgeSpec.model_validate({"provider": "surface"})
    assert judge.model == SURFACE_MODEL
    assert judge.label == f"surface/{SURFACE_MODEL}"
    assert judge.identity()["model"] == SURFACE_MODEL
    for wrong in ({"model": "gpt"}, {"base_url": "https://a.example"}, {"api_key_secret": "k"}):
        with pytest.raises(ValueError, match="surface"):
            JudgeSpec.model_validate({"provider": "surface", **wrong})
