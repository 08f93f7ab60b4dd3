"""What can be counted of a text without reading it: the baseline that judges are held against.

Thirteen figures, all of the surface: words, sentences, marks. They know nothing of what a text
says, no word of it can be read back from them, and none is kept. The weights of their score are
learnt from people's judgements of short arguments on other questions (`surface_weights.json` says
which, under which licence, and how well that works).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from math import log, sqrt
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from assessment.domain.essay_flags import detect_language

DECIMALS = 6

MOST_DEVIATIONS = 3.0
"""A share or rate further from the usual counts as this far: no odd text runs away with it."""


# Scripts without spaces between words: every character counts as a word.
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# What parts words: space, digits, punctuation and symbols. Everything else, combining marks too,
# belongs to one.
_PARTING = (
    r"\s\d_!-&(-/:-@\[-`{-¿×÷\u2000-\u2018\u201a-\u2bff\u3000-\u303f\uff00-\uff20"
    r"\ufe00-\ufe0f\U0001f000-\U0001faff"
)
_LETTERS = rf"[^{_PARTING}{_IDEOGRAPHS}'’]+"
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|{_LETTERS}(?:['’]{_LETTERS})*")
_SENTENCE_END = re.compile(r"[.!?…。！？।۔؟]+")
_COMMA = re.compile(r"[,;:،、，；：]")
_NO_SPACE = re.compile(r"[.,;:!?][^\W\d_]")
_REPEATED = re.compile(r"(\w)\1\1|[!?,;]{2,}")
_LONG_WORD = 7

# Words that join clauses and arguments, of the languages that are distinguished.
_CONNECTIVES = {
    "en": "because however therefore although though moreover furthermore if since but while "
    "whereas unless thus hence instead otherwise besides example according",
    "sv": "eftersom men därför dock fast dessutom om medan trots däremot således istället annars "
    "exempel enligt alltså",
    "de": "weil aber deshalb jedoch obwohl außerdem wenn während trotzdem dagegen daher "
    "stattdessen sonst beispiel laut denn",
    "fr": "parce mais donc cependant bien outre si tandis pourtant ainsi plutôt sinon exemple "
    "selon car puisque",
    "es": "porque pero embargo aunque además si mientras sino así contrario ejemplo según pues "
    "entonces",
    "it": "perché ma quindi tuttavia sebbene inoltre se mentre invece così altrimenti esempio "
    "secondo poiché",
    "nl": "omdat maar daarom echter hoewel bovendien als terwijl toch dus anders voorbeeld volgens "
    "want tenzij",
    "da": "fordi men derfor dog selvom desuden hvis mens alligevel altså ellers eksempel ifølge "
    "imidlertid",
    "nb": "fordi men derfor likevel selv dessuten hvis mens altså ellers eksempel ifølge "
    "imidlertid dersom",
    "fi": "koska mutta siksi kuitenkin vaikka lisäksi jos kun taas siis muuten esimerkiksi mukaan "
    "sillä",
    "pt": "porque mas portanto porém embora além se enquanto assim senão exemplo segundo pois "
    "entretanto",
}
_CONNECTIVE_SETS = {name: frozenset(words.split()) for name, words in _CONNECTIVES.items()}


class SurfaceFeatures(NamedTuple):
    """Thirteen figures of a text; logarithms are natural, shares are of the words or sentences."""

    log_words: float
    log_distinct_words: float
    log_sentences: float
    log_words_per_sentence: float
    log_letters_per_word: float
    long_words: float
    connectives: float
    commas: float
    upper_case: float
    lower_case_starts: float
    missing_spaces: float
    repeated_marks: float
    one_letter_words: float


def measure_surface(text: str) -> SurfaceFeatures:
    """Count the surface of a text, in any script; the same text gives the same figures."""
    counts = Counter(_WORD.findall(text))
    n_words = max(counts.total(), 1)
    starts = [match[0] for part in _SENTENCE_END.split(text) if (match := _WORD.search(part))]
    n_sentences = max(len(starts), 1)
    n_letters = max(_count_words(counts, len), 1)
    folded = {word.casefold() for word in counts}
    connectives = _CONNECTIVE_SETS[detect_language(text) or "en"]
    n_connectives = _count_words(counts, lambda word: word.casefold() in connectives)
    features = SurfaceFeatures(
        log_words=log(n_words),
        log_distinct_words=log(max(len(folded), 1)),
        log_sentences=log(n_sentences),
        log_words_per_sentence=log(n_words / n_sentences),
        log_letters_per_word=log(n_letters / n_words),
        long_words=_count_words(counts, _is_long) / n_words,
        connectives=n_connectives / sqrt(n_words),
        commas=len(_COMMA.findall(text)) / n_words,
        upper_case=sum(map(str.isupper, text)) / n_letters,
        lower_case_starts=sum(word[0].islower() for word in starts) / n_sentences,
        missing_spaces=len(_NO_SPACE.findall(text)) / n_sentences,
        repeated_marks=len(_REPEATED.findall(text)) / n_sentences,
        one_letter_words=_count_words(counts, _is_single) / n_words,
    )
    return SurfaceFeatures(*(round(value, DECIMALS) for value in features))


def _count_words(counts: Counter[str], measure: Callable[[str], int]) -> int:
    """The sum of a measure over all words, each as often as it occurs."""
    return sum(measure(word) * times for word, times in counts.items())


def _is_long(word: str) -> bool:
    return len(word) >= _LONG_WORD


def _is_single(word: str) -> bool:
    return len(word) == 1 and word.islower()


UNLIMITED = ("log_words", "log_distinct_words", "log_sentences")
"""Features that grow with the text: limited, all long essays would be equally long."""


class FeatureWeight(BaseModel):
    """What a deviation of a feature from `centre`, in units of `scale`, counts, logits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    centre: float
    scale: float
    weight: float

    def contribution(self, value: float) -> float:
        """What the feature adds to the score, logits."""
        deviation = (value - self.centre) / self.scale
        if self.name not in UNLIMITED:
            deviation = min(max(deviation, -MOST_DEVIATIONS), MOST_DEVIATIONS)
        return self.weight * deviation


class SurfaceWeights(BaseModel):
    """The weights, where they come from, and what they reach on topics they were not learnt on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    source: str
    licence: str
    topics: tuple[str, ...]
    ridge: float
    pair_accuracy: float
    pair_accuracy_of_length: float
    features: tuple[FeatureWeight, ...]


@cache
def read_surface_weights() -> SurfaceWeights:
    """The weights that the package brings, in the order of `SurfaceFeatures`."""
    text = files("assessment.domain").joinpath("surface_weights.json").read_text(encoding="utf-8")
    return SurfaceWeights.model_validate_json(text)


def surface_score(features: Sequence[float], weights: SurfaceWeights | None = None) -> float:
    """What the surface alone says of a text, logits; differences of scores are margins."""
    chosen = weights or read_surface_weights()
    return sum(
        each.contribution(value) for each, value in zip(chosen.features, features, strict=True)
    )
