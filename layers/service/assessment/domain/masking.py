"""Masking: placeholders in a text for what tells who its pupil is, before any judge sees it.

Names come from the caller's roster; addresses and numbers are found by their form. The same value
has the same placeholder within an essay, and the values themselves are kept nowhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from assessment.domain.field_problems import WrongFieldError
from assessment.domain.personal_numbers import find_emails, find_national_numbers, find_phones
from assessment.domain.spelled_addresses import find_spelled_emails

MAX_NAMES = 10_000
MAX_NAME_CHARACTERS = 200
_UNSEEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
# Marks that a letter may be written with, and characters within a word that do not show.
_WORD = re.compile(rf"(?:[^\W\d_][\u0300-\u036f{_UNSEEN}]*)+")
_UNSEEN_CHARACTERS = re.compile(f"[{_UNSEEN}]")
# What may stand between two parts of one name: a space, the end of a line, a hyphen, an apostrophe.
_JOINT = re.compile("[-\u2010\u2011'\u2019]?[ \t\u00a0\u202f]{0,3}(?:\r?\n)?[ \t\u00a0\u202f]{0,3}")
_LONGEST_JOINT = 9
_GENITIVE = "s"
_PARTICLES = frozenset(
    [
        "af",
        "al",
        "av",
        "bin",
        "da",
        "das",
        "de",
        "del",
        "della",
        "den",
        "der",
        "di",
        "do",
        "dos",
        "du",
        "el",
        "ibn",
        "la",
        "le",
        "ten",
        "ter",
        "van",
        "von",
        "zu",
    ]
)


class MaskKind(StrEnum):
    """What is masked."""

    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    NATIONAL_NUMBER = "national_number"


_LABELS = {
    MaskKind.NAME: "name",
    MaskKind.EMAIL: "e-mail",
    MaskKind.PHONE: "phone",
    MaskKind.NATIONAL_NUMBER: "national number",
}


def _check_name(name: str) -> str:
    if not _WORD.search(name):
        message = "the name has no letter; leave it out of the roster"
        raise ValueError(message)
    return name


class Masking(BaseModel):
    """What a request wants masked in its essays.

    `names` is the roster, one pupil an entry; `kinds` is everything unless it is set; `region` is
    the country (ISO 3166) whose phone numbers are written without a country code.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: Annotated[
        list[
            Annotated[
                str,
                Field(min_length=1, max_length=MAX_NAME_CHARACTERS),
                AfterValidator(_check_name),
            ]
        ],
        Field(max_length=MAX_NAMES, repr=False),
    ] = []
    kinds: Annotated[list[MaskKind], Field(min_length=1, max_length=len(MaskKind))] = list(MaskKind)
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$", min_length=2, max_length=2)] = "SE"

    @model_validator(mode="after")
    def _check_kinds(self) -> Masking:
        if self.names and MaskKind.NAME not in self.kinds:
            raise WrongFieldError("masking.kinds", "there are names; add name, or leave them out")
        if self.kinds == [MaskKind.NAME] and not self.names:
            raise WrongFieldError("masking.names", "names are to be masked; give them")
        return self


class MaskingRecord(BaseModel):
    """What was to be masked in a batch, without the roster."""

    model_config = ConfigDict(frozen=True)

    kinds: list[MaskKind]
    n_names: int

    @classmethod
    def from_masking(cls, masking: Masking) -> MaskingRecord:
        """The kinds in their fixed order, and how many names the roster has."""
        kinds = [kind for kind in MaskKind if kind in masking.kinds]
        return cls(kinds=kinds, n_names=len(masking.names))


class MaskingReport(MaskingRecord):
    """The record, with the number of masked passages of each kind by essay.

    An essay with nothing to mask is not listed.
    """

    masked_passages: dict[str, dict[MaskKind, int]] = {}


class MaskedText(NamedTuple):
    """A text with placeholders, and how many passages of each kind they stand for."""

    text: str
    n_masked: dict[MaskKind, int]


class _Passage(NamedTuple):
    """A passage to mask; two of the same kind and identity have the same placeholder."""

    start: int
    end: int
    kind: MaskKind
    identity: str


class _Part(NamedTuple):
    """What a word may be in the roster: whose name, and whether the word alone tells it."""

    people: frozenset[int]
    is_telling: bool


class _Word(NamedTuple):
    """A word of a text that is part of a name."""

    start: int
    end: int
    key: str
    people: frozenset[int]
    is_telling: bool
    is_capital: bool


class Masker:
    """Masks texts by one roster; one pass over a text, whatever is in it."""

    def __init__(self, masking: Masking) -> None:
        self._kinds = frozenset(masking.kinds)
        self._region = masking.region
        self._parts = _index(masking.names)

    def mask(self, text: str) -> MaskedText:
        """The text with a placeholder for every passage that is found."""
        passages = _drop_overlaps(list(self._find(text)))
        numbers: Counter[MaskKind] = Counter()
        placeholders: dict[tuple[MaskKind, str], str] = {}
        pieces: list[str] = []
        end = 0
        for passage in passages:
            named = (passage.kind, passage.identity)
            if named not in placeholders:
                numbers[passage.kind] += 1
                placeholders[named] = f"[{_LABELS[passage.kind]} {numbers[passage.kind]}]"
            pieces += [text[end : passage.start], placeholders[named]]
            end = passage.end
        counts = Counter(passage.kind for passage in passages)
        return MaskedText(
            "".join([*pieces, text[end:]]),
            {kind: counts[kind] for kind in MaskKind if counts[kind]},
        )

    def _find(self, text: str) -> Iterator[_Passage]:
        """Passages of all kinds; of two that overlap the earlier kind here is kept."""
        yield from _place_back(list(self._find_addresses(_show(text))), text)
        if self._parts:
            yield from self._find_names(text)

    def _find_addresses(self, text: str) -> Iterator[_Passage]:
        """Addresses and numbers of a text that shows all its characters."""
        if MaskKind.EMAIL in self._kinds:
            for start, end in find_emails(text):
                identity = text[start:end].casefold()
                yield _Passage(start, end, MaskKind.EMAIL, identity)
            for start, end, address in find_spelled_emails(text):
                yield _Passage(start, end, MaskKind.EMAIL, address.casefold())
        if MaskKind.NATIONAL_NUMBER in self._kinds:
            for start, end in find_national_numbers(text):
                identity = _strip_marks(text[start:end])
                yield _Passage(start, end, MaskKind.NATIONAL_NUMBER, identity)
        if MaskKind.PHONE in self._kinds:
            for start, end, identity in find_phones(text, self._region):
                yield _Passage(start, end, MaskKind.PHONE, identity)

    def _find_names(self, text: str) -> Iterator[_Passage]:
        run: list[_Word] = []
        for word in self._find_words(text):
            if run and _continues(run, word, text):
                people = run[-1].people & word.people
                run.append(word._replace(people=people))
                continue
            yield from _close(run, text)
            run = [word]
        yield from _close(run, text)

    def _find_words(self, text: str) -> Iterator[_Word]:
        """Words of the text that are parts of names, a genitive without its -s."""
        for match in _WORD.finditer(text):
            shown = match[0]
            key = _make_key(shown)
            end = match.end()
            if key not in self._parts and key.endswith(_GENITIVE):
                key, end = key[:-1], end - 1
            part = self._parts.get(key)
            if part is not None:
                is_capital = shown[0].isupper() or not _has_case(shown)
                yield _Word(match.start(), end, key, part.people, part.is_telling, is_capital)


def _index(names: Sequence[str]) -> Mapping[str, _Part]:
    """The parts of all names, by their keys."""
    people: dict[str, set[int]] = {}
    for number, name in enumerate(names):
        for match in _WORD.finditer(name):
            people.setdefault(_make_key(match[0]), set()).add(number)
    return {
        key: _Part(frozenset(numbers), is_telling=_is_telling(key))
        for key, numbers in people.items()
    }


def _is_telling(key: str) -> bool:
    """Whether a word alone is a name: not an initial, nor a particle such as "von"."""
    return key not in _PARTICLES and (len(key) > 1 or not _has_case(key))


def _has_case(word: str) -> bool:
    return word.lower() != word.upper()


def _show(text: str) -> str:
    """The text without what does not show."""
    return _UNSEEN_CHARACTERS.sub("", text)


def _place_back(passages: list[_Passage], text: str) -> list[_Passage]:
    """The passages of what the text shows, where they are in the text itself."""
    if not passages or not _UNSEEN_CHARACTERS.search(text):
        return passages
    places = [n for n, letter in enumerate(text) if not _UNSEEN_CHARACTERS.match(letter)]
    return [
        each._replace(start=places[each.start], end=places[each.end - 1] + 1) for each in passages
    ]


def _make_key(word: str) -> str:
    """The word as it is looked up, whatever its case and the form of its letters."""
    letters = unicodedata.normalize("NFKC", _show(word)).casefold()
    return unicodedata.normalize("NFC", letters)


def _strip_marks(value: str) -> str:
    return "".join(filter(str.isalnum, value)).casefold()


def _continues(run: list[_Word], word: _Word, text: str) -> bool:
    """Whether the word is a further part of the same person's name.

    Every part occurs in a name once, so that "Bo Bo" is two mentions.
    """
    joint = text[run[-1].end : word.start]
    if len(joint) > _LONGEST_JOINT or not _JOINT.fullmatch(joint):
        return False
    return bool(run[-1].people & word.people) and all(word.key != each.key for each in run)


def _close(run: list[_Word], text: str) -> Iterator[_Passage]:
    """The passages of a run of parts: the whole run is one name, or no name."""
    run = _trim(run, text)
    telling = [word for word in run if word.is_telling]
    # A word in small letters may be a common one ("will", "bo"); two of a person's names are not.
    if len(telling) > 1 or any(word.is_capital for word in telling):
        yield _Passage(run[0].start, run[-1].end, MaskKind.NAME, _identify(run))


def _trim(run: list[_Word], text: str) -> list[_Word]:
    """The run without particles and initials that are no part of the name.

    One before a space is none; the O of O'Brien is.
    """
    while run and not run[0].is_telling and text[run[0].end : run[0].end + 1].isspace():
        run = run[1:]
    while run and not run[-1].is_telling:
        run = run[:-1]
    return run


def _identify(run: list[_Word]) -> str:
    """The person; the word itself where several people have it."""
    people = run[-1].people
    return str(min(people)) if len(people) == 1 else " ".join(word.key for word in run)


def _drop_overlaps(passages: list[_Passage]) -> list[_Passage]:
    """The passages by their places, without those that overlap one of an earlier kind."""
    ranks = {MaskKind.EMAIL: 0, MaskKind.NATIONAL_NUMBER: 1, MaskKind.PHONE: 2, MaskKind.NAME: 3}
    distinct: list[_Passage] = []
    for passage in sorted(passages, key=lambda each: (each.start, ranks[each.kind], -each.end)):
        if distinct and passage.start < distinct[-1].end:
            if ranks[passage.kind] < ranks[distinct[-1].kind]:
                distinct[-1] = _join(passage, distinct[-1])
            else:
                distinct[-1] = _join(distinct[-1], passage)
        else:
            distinct.append(passage)
    return distinct


def _join(chosen: _Passage, other: _Passage) -> _Passage:
    """The chosen passage, stretched over the other: nothing of either is left in the text."""
    return chosen._replace(start=min(chosen.start, other.start), end=max(chosen.end, other.end))
