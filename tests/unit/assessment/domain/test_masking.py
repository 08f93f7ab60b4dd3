"""What is masked in a text, and what is left as it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from assessment.domain.essay import MAX_ESSAY_CHARACTERS
from assessment.domain.masking import MAX_NAMES, Masker, Masking, MaskingRecord, MaskKind
from assessment.domain.personal_numbers import _NATIONAL_FORMS, _load

ROSTER = ["Anna Svensson", "Björn Ek", "Eva-Lena von Holm", "Will My", "Åsa O'Brien", "Иван Петров"]


def mask(text: str, **values: object) -> str:
    return Masker(Masking.model_validate({"names": ROSTER, **values})).mask(text).text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Anna sprang. ANNA föll. Svensson!", "[name 1] sprang. [name 1] föll. [name 1]!"),
        ("Anna Svensson och Björn", "[name 1] och [name 2]"),
        ("jag heter anna svensson", "jag heter [name 1]"),
        # A first name in small letters may be a word; with a capital it is taken for the name.
        ("en björn will vara anna", "en björn will vara anna"),
        ("Björns hund, Anna's hund, Anna:s", "[name 1]s hund, [name 2]'s hund, [name 2]:s"),
        ("Annabell åt bananna på Annas", "Annabell åt bananna på [name 1]s"),
        ("Eva-Lena, Eva och Lena von Holm", "[name 1], [name 1] och [name 1]"),
        ("Eva-\nLena von\nHolm", "[name 1]"),
        ("von Anna", "von [name 1]"),
        ("O'Brien och O’Brien's", "[name 1] och [name 1]'s"),
        ("Svensson-familjen", "[name 1]-familjen"),
        ("Sven\u00adsson, Sv\u200bensson", "[name 1], [name 1]"),
        ("Иван и Петров, иван", "[name 1] и [name 1], иван"),
        (unicodedata.normalize("NFD", "Åsa och Björn"), "[name 1] och [name 2]"),
        ("\uff21nna och \U0001d400nna Svensson", "[name 1] och [name 1]"),
        ("Anna Anna", "[name 1] [name 1]"),
        ("Anna", "[name 1]"),
        ("", ""),
    ],
)
def test_names_of_the_roster(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_a_name_that_several_pupils_share_has_a_placeholder_of_its_own() -> None:
    names = ["Anna Berg", "Anna Dal"]
    text = "Anna Berg, Anna Dal, Anna, Berg"
    assert mask(text, names=names) == "[name 1], [name 2], [name 3], [name 1]"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Skriv till a.b-c+d@skola.se.", "Skriv till [e-mail 1]."),
        ("anna.svensson@skola.se, ANNA.SVENSSON@skola.se", "[e-mail 1], [e-mail 1]"),
        # What does not show in a text stands in what was copied from pages and phones.
        ("an\u00adna\u200b@sko\u00adla\ufeff.se", "[e-mail 1]"),
        ("\u202a+46 70\u2060 174 06 05\u202c", "\u202a[phone 1]\u202c"),
        ("070-1\u200b74 06 05, 070-174 06 05", "[phone 1], [phone 1]"),
        ("811218\u200b-98\u00ad76 \u200bär", "[national number {}] \u200bär"),
        ("pris 3@4, a@b, @alla", "pris 3@4, a@b, @alla"),
        ("Skriv till anna(at)skola.se!", "Skriv till [e-mail 1]!"),
        ("anna [at] skola [dot] se", "[e-mail 1]"),
        ("anna@skola [dot] se", "[e-mail 1]"),
        ("Mejla ANNA (AT) SKOLA.SE eller anna@skola.se", "Mejla [e-mail 1] eller [e-mail 1]"),
        ("an\u00adna(\u200bat)skola.se", "[e-mail 1]"),
        ("anna snabel-a skola punkt se", "[e-mail 1]"),
        ("på anna punkt svensson (snabel a) mail.skola punkt se nu", "på [e-mail 1] nu"),
        ("anna{at}skola{punkt}se, anna(a)skola.se", "[e-mail 1], [e-mail 1]"),
        ("me at anna at skola dot se", "me at [e-mail 1]"),
        ("anna @ skola.se", "[e-mail 1]"),
        ("ring 070-174 06 05 eller +46 70 174 06 05", "ring [phone 1] eller [phone 1]"),
        ("08-50 50 50 00, 0455-12345", "[phone 1], [phone 2]"),
        ("1914-1918, s. 123-145, 2010 2011 2012", "1914-1918, s. 123-145, 2010 2011 2012"),
        ("2024-05-12 och 3,1415926535 och 299792458", "2024-05-12 och 3,1415926535 och 299792458"),
        ("12 345 678 invånare, 112", "12 345 678 invånare, 112"),
        # The first is the example of Skatteverket; the last has a wrong check digit.
        ("811218-9876, 198112189876", "[national number {}], [national number {}]"),
        ("811218-9875", "[national number {}]"),
        ("701063-2391", "[national number {}]"),
        ("811318-9876 är inget datum", "811318-9876 är inget datum"),
        # Examples of the documentation of python-stdnum: Finland, Denmark, Norway, USA.
        ("131052-308T", "[national number {}]"),
        ("211062-5629", "[national number {}]"),
        ("684131 20637, 15108695088", "684131 20637, [national number {}]"),
        ("536-90-4399", "[national number {}]"),
    ],
)  # fmt: skip
def test_addresses_and_numbers(text: str, masked: str) -> None:
    n_numbers = masked.count("{}")
    assert mask(text) == masked.format(*range(1, n_numbers + 1))


@pytest.mark.parametrize(
    "text",
    [
        "Look at the dot com bubble, or meet me at school.com.",
        "Then he looked at it. Dot com was next, and we stared at a dot on the wall.",
        "We found it on @CAPS2.com (at) home. It was (at) the shop.Then we left.",
        "We met @ school.Then we left.",
        "Vi satte punkt för det hela (at) skolan. Snabel-a är ett tecken. Elefanten har en snabel.",
        "point a) at x.y, x at y dot z, see (a) above. (b) below",
    ],
)
def test_prose_about_places_and_dots_is_no_address(text: str) -> None:
    assert mask(text, names=[]) == text


@pytest.mark.parametrize("name", sorted(_NATIONAL_FORMS))
def test_the_check_digits_of_every_country_are_known(name: str) -> None:
    assert not _load(name).is_valid("0")


def test_only_the_wanted_kinds_are_masked_and_counted() -> None:
    text = "Anna, anna@skola.se, 070-174 06 05, 811218-9876, Anna"
    assert Masker(Masking(names=["Anna"])).mask(text).n_masked == {
        MaskKind.NAME: 2,
        MaskKind.EMAIL: 1,
        MaskKind.PHONE: 1,
        MaskKind.NATIONAL_NUMBER: 1,
    }
    assert mask(text, names=[], kinds=["email"]) == text.replace("anna@skola.se", "[e-mail 1]")
    assert mask("020 7946 0018", region="GB") == "[phone 1]"


def test_what_is_kept_of_a_masking_has_no_name() -> None:
    masking = Masking(names=ROSTER, kinds=[MaskKind.PHONE, MaskKind.NAME])
    record = MaskingRecord.from_masking(masking)
    assert record.model_dump(mode="json") == {"kinds": ["name", "phone"], "n_names": len(ROSTER)}
    assert "Anna" not in repr(masking)


@pytest.mark.parametrize(
    "values",
    [
        {"names": ["?"]},
        {"names": ["Anna"] * (MAX_NAMES + 1)},
        {"names": ["A" * 201]},
        {"names": ["Anna"], "kinds": ["email"]},
        {"kinds": ["name"]},
        {"kinds": []},
        {"kinds": ["address"]},
        {"region": "se"},
        {"roster": []},
    ],
)
def test_a_masking_that_cannot_be_done_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Masking.model_validate(values)


@pytest.mark.parametrize(
    "piece",
    [
        "Anna ",
        "Anna-",
        "a@",
        "a.",
        "@",
        "1",
        "1 ",
        "1.",
        "A\u0301",
        " ",
        "811218-9876 ",
        "a (at) a dot ",
        "0 0-",
        "(",
    ],
)
def test_the_longest_texts_of_one_piece_are_masked_and_what_is_masked_stays(piece: str) -> None:
    text = (piece * MAX_ESSAY_CHARACTERS)[:MAX_ESSAY_CHARACTERS]
    masked = mask(text)
    assert mask(masked) == masked


_NAMES = ("Anna", "Svensson", "Björns", "björn", "O'Brien", "Eva-Lena", "von Holm")
_OTHERS = ("gick hem", "1914-1918", "[name 1]", "é", "\n", "-", "@")
_NUMBERS = ("a.b@skola.se", "070-174 06 05", "811218-9876")
_PIECES = st.sampled_from([*_NAMES, *_OTHERS, *_NUMBERS])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(_PIECES, st.text(max_size=8)), max_size=20))
def test_nothing_of_the_roster_is_left_and_the_same_text_is_masked_alike(pieces: list[str]) -> None:
    text = " ".join(pieces)
    masked = mask(text)
    assert mask(text) == masked
    words = masked.split()
    assert not {"Anna", "Svensson", "Björns", "a.b@skola.se", "811218-9876"} & set(words)
    assert text.count("gick hem") <= masked.count("gick hem")
