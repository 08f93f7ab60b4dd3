"""E-mail addresses, phone numbers and national numbers in a text, found by their form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from importlib import import_module
from typing import Any

_MAX_LOCAL = 64
_MAX_ADDRESS = 256
_LOCAL_CHARACTERS = re.compile(r"[\w.%+'-]")
_HOST = re.compile(r"(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}")
_LEADING = ".%+'-"
# A number that somebody can be reached by, or is known by, has at least this many digits.
_MANY_DIGITS = re.compile(r"\d(?:[^\w\n]{0,3}\d){5}")
_BEFORE = r"(?<![\w])(?<!\d[-.,/])"
_AFTER = r"(?![\w])(?![-.,/]\d)"
_SWEDISH = re.compile(
    rf"{_BEFORE}(\d{{2}})?(\d{{2}})(\d{{2}})(\d{{2}}) ?([-+\u2010-\u2013])? ?\d{{4}}{_AFTER}"
)
_COORDINATION_DAYS = 60

_NATIONAL_FORMS = {
    "be.nn": r"\d{2}\.?\d{2}\.?\d{2}-?\d{3}\.?\d{2}",
    "ch.ssn": r"756\.?\d{4}\.?\d{4}\.?\d{2}",
    "cz.rc": r"\d{6}/\d{3,4}",
    "de.idnr": r"\d{2} ?\d{3} ?\d{3} ?\d{3}",
    "dk.cpr": r"\d{6}[- ]\d{4}",
    "ee.ik": r"\d{11}",
    "es.dni": r"\d{8}-?[A-Za-z]",
    "es.nie": r"[XYZxyz]-?\d{7}-?[A-Za-z]",
    "fi.hetu": r"\d{6}[-+A-FU-Ya-fu-y]\d{3}[0-9A-Ya-y]",
    "fr.nir": r"[12] ?\d{2} ?\d{2} ?\d[\dABab] ?\d{3} ?\d{3} ?\d{2}",
    "hr.oib": r"\d{11}",
    "is_.kennitala": r"\d{6}-?\d{4}",
    "it.codicefiscale": r"[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z]",
    "lt.asmens": r"\d{11}",
    "lv.pvn": r"\d{6}-?\d{5}",
    "nl.bsn": r"\d{9}",
    "no.fodselsnummer": r"\d{6} ?\d{5}",
    "pl.pesel": r"\d{11}",
    "ro.cnp": r"\d{13}",
    "tr.tckimlik": r"\d{11}",
    "us.ssn": r"\d{3}-\d{2}-\d{4}",
}
"""How national numbers are written, by the module of python-stdnum that checks them."""


def find_emails(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses are; every @ is looked at with its surroundings alone."""
    earlier = 0
    for match in re.finditer("[@\uff20]", text):
        start = match.start()
        limit = max(earlier, start - _MAX_LOCAL)
        while start > limit and _LOCAL_CHARACTERS.match(text[start - 1]):
            start -= 1
        while start < match.start() and text[start] in _LEADING:
            start += 1
        host = _HOST.match(text, match.end(), match.end() + _MAX_ADDRESS)
        if host is not None and start < match.start():
            earlier = host.end()
            yield start, earlier


def find_phones(text: str, region: str) -> Iterator[tuple[int, int, str]]:
    """Where valid phone numbers are, and each in international form.

    Years, dates and page numbers are no valid numbers: one within the country has its area code.
    """
    if not _MANY_DIGITS.search(text):
        return
    import phonenumbers

    for match in phonenumbers.PhoneNumberMatcher(text, region):
        number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        yield match.start, match.end, number


def find_national_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where national numbers of people are: Swedish ones, and others with right check digits.

    A Swedish one with a hyphen and a date that exists is one even if its check digit is wrong: who
    mistypes a digit is known by the others.
    """
    if not _MANY_DIGITS.search(text):
        return
    for match in _SWEDISH.finditer(text):
        if _is_swedish(match):
            yield match.span()
    for name, form in _NATIONAL_FORMS.items():
        for match in _compile(form).finditer(text):
            if _load(name).is_valid(match[0]):
                yield match.span()


@lru_cache
def _compile(form: str) -> re.Pattern[str]:
    return re.compile(_BEFORE + form + _AFTER)


@lru_cache
def _load(name: str) -> Any:
    """A module of python-stdnum; loaded only for texts that have such a number."""
    return import_module(f"stdnum.{name}")


def _is_swedish(match: re.Match[str]) -> bool:
    from personnummer import personnummer

    digits = "".join(each for each in match[0] if each.isdigit())
    sign = "+" if match[5] == "+" else "-"
    if personnummer.valid(f"{digits[:-4]}{sign}{digits[-4:]}"):
        return True
    return match[5] is not None and _is_date(*(match[n] for n in range(1, 5)))


def _is_date(century: str | None, year: str, month: str, day: str) -> bool:
    """Whether there is such a day; a coordination number's day is raised by 60."""
    number = int(day)
    if number > _COORDINATION_DAYS:
        number -= _COORDINATION_DAYS
    try:
        date(int((century or "20") + year), int(month), number)
    except ValueError:
        return False
    return True
