"""Functions and methods of the product are named by what they do or return.

A preposition or a participle alone says neither, and nobody can search for it: `of`, `by`, `found`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = (
    "layers/service/assessment",
    "layers/scoring/scoring",
    "runner/runner",
    "functions",
    "local",
)
# A property is a figure or a state, which may be a participle: `decision.spent`.
FUNCTION = re.compile(r"^[ \t]*(?:(@\w*property)\n[ \t]*)?(?:async )?def (\w+)", re.MULTILINE)
PREPOSITION = re.compile(
    "about|after|among|as|at|before|below|beside|between|by|during|for|from|in|into|like|of|on|per"
    "|since|than|through|to|towards?|under|until|upon|via|with|within|without"
)
PARTICIPLE = re.compile(
    r"(?!(?:emb|exce|fe|ne|proce|se|she|spe)ed)\w+ed"
    "|begun|bought|broken|brought|built|chosen|done|drawn|found|given|gone|got|held|kept|known|left"
    "|lost|made|met|paid|said|seen|sent|shown|sold|spoken|taken|thought|told|understood|written"
)

CONVERSIONS = frozenset({"as", "from", "to", "with"})
"""First words of constructors from something, and of copies as or with something: Python's own
habit (`dict.fromkeys`, `int.to_bytes`, `Path.with_suffix`). Another word says what."""

PHRASES = frozenset({"check_finish_by", "find_sign_in", "sign_in"})
"""Names that end in a preposition because what they are about does: the field `finish_by`, and the
verb and noun "sign in"."""


def is_allowed(name: str) -> bool:
    """Whether it is no preposition or participle alone, nor begins or ends in a preposition."""
    plain = name.strip("_")
    if plain in PHRASES:
        return True
    first, *further = plain.split("_")
    if not further:
        return not (PREPOSITION.fullmatch(first) or PARTICIPLE.fullmatch(first))
    begins_well = first in CONVERSIONS or not PREPOSITION.fullmatch(first)
    return begins_well and not PREPOSITION.fullmatch(further[-1])


def find_functions(source: str) -> Iterator[str]:
    for match in FUNCTION.finditer(source):
        decorator, name = match.groups()
        if decorator is None:
            yield name


def test_names_say_what_functions_do_or_return():
    functions = [
        (path.relative_to(ROOT).as_posix(), name)
        for folder in PRODUCT
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in find_functions(path.read_text())
    ]
    assert len(functions) > len(PRODUCT)
    assert [(path, name) for path, name in functions if not is_allowed(name)] == []


@pytest.mark.parametrize("name", ["of", "_by", "found", "guarded", "by_judge", "_start_of"])
def test_what_hides_what_it_does_is_refused(name):
    assert list(find_functions(f"    def {name}(self) -> None:")) == [name]
    assert not is_allowed(name)


@pytest.mark.parametrize("name", ["fit", "from_batch", "feed", "expected_information", "put"])
def test_verbs_and_nouns_are_names(name):
    assert is_allowed(name)
