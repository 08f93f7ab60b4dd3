"""Orders of more than two essays as judges write them, and what keeps one from being a verdict.

A judge names the essays of a list by their ids or by the labels under which they were shown. What
is wrong with an order is said in counts and labels of ours; its own words are never repeated.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from assessment.contracts.json_text import unwrap_string
from assessment.contracts.winner import read_winner
from assessment.domain.prompt import LABELS
from assessment.domain.verdict import Gap

UNKNOWN_ESSAY = "ranking_unknown_essay"
MISSING_ESSAY = "ranking_missing_essay"
DOUBLED_ESSAY = "ranking_doubled_essay"
CONTRADICTING = "contradicting_orders"
MALFORMED = "malformed_verdict"

_GAPS_LOST = "gaps: left out, they are not one fewer than essays"
_GAP_LOST = "gaps: left out, some are not tie, slight, clear or decisive"
_SCORES_LOST = "scores: left out, they are not one number for each essay"
_LONGEST_NAME = 200
_MOST_ENTRIES = 100
_SEPARATOR = re.compile(r"\s*(>+|=+|≻|≈|~|[,;\n])\s*")
_TIE_SIGNS = ("=", "≈", "~")
_NAME_KEYS = ("essay", "label", "essay_id", "id", "name")
_NOUNS = "essay|text|option|answer|response|aufsatz|uppsats|essä|rédaction|ensayo"
_LABEL = re.compile(rf"(?:the )?(?:(?:{_NOUNS})[ _-]*)?([a-j])")
_AROUND = " \t\r\n\"'‘’“”„«»()[]*`.:_#"
_LOOKALIKES = str.maketrans("\u0430\u0432\u0441\u0435\u03b1\u03b2", "abceab")
"""Letters of Cyrillic and Greek in the places of a, b, c and e."""


@dataclass(frozen=True)
class AnswerProblem:
    """Why an answer has no verdict for a comparison: a code, and the reason in words."""

    code: str
    message: str


@dataclass(frozen=True)
class Order:
    """All essays of a list by their ids, the best first.

    Attributes
    ----------
    gaps
        One fewer than essays; None as a whole where none was said.
    scores
        One for each essay in the order of the ranking, or None.
    notes
        What of the answer could not be read.
    """

    ranking: tuple[str, ...]
    gaps: tuple[Gap | None, ...] | None = None
    scores: tuple[float, ...] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ShownEssays:
    """The essays of a list in the order shown, and the names that mean them.

    `takes_ids` is False for a model, which has seen no ids. A label is not taken for one that is
    the id of an essay too: it could be either.
    """

    essay_ids: Sequence[str]
    takes_ids: bool = True

    def find(self, name: str) -> str | None:
        """The id of the essay that a name means."""
        plain = unicodedata.normalize("NFC", name).strip()
        if self.takes_ids and plain in self.essay_ids:
            return plain
        label = read_label(name)
        if label is None or (self.takes_ids and self._has_id_like_label):
            return None
        place = LABELS.index(label)
        return self.essay_ids[place] if place < len(self.essay_ids) else None

    @property
    def _has_id_like_label(self) -> bool:
        return any(read_label(essay_id) for essay_id in self.essay_ids)

    def describe(self, essay_ids: Sequence[str]) -> str:
        """These essays by the labels under which they were shown."""
        return ", ".join(LABELS[self.essay_ids.index(essay_id)] for essay_id in essay_ids)


def read_label(value: str) -> str | None:
    """The label of an essay in any spelling that can mean one thing only."""
    if len(value) > _LONGEST_NAME:
        return None
    text = unicodedata.normalize("NFKC", value).casefold().replace("*", "").strip(_AROUND)
    match = _LABEL.fullmatch(" ".join(text.split()).translate(_LOOKALIKES))
    return match[1].upper() if match else None


@dataclass
class _Written:
    """An order as it is written: names, and where it says that neighbours are equal."""

    names: list[str] = field(default_factory=list)
    ties: set[int] = field(default_factory=set)

    def add(self, name: str, *, is_tied: bool = False) -> None:
        """Add the next name; `is_tied` says that it is as good as the one before it."""
        if is_tied and self.names:
            self.ties.add(len(self.names) - 1)
        self.names.append(name)


def read_order(
    *, ranking: object, gaps: object = None, scores: object = None, shown: ShownEssays
) -> Order | AnswerProblem:
    """The order of all essays that were shown, or why there is none.

    Parameters
    ----------
    ranking
        Names, the best first: a list, in which a list stands for equals, or a text with `>`, `=` or
        commas between them. None where the scores alone give the order.
    gaps
        By how much each essay is better than the next one.
    scores
        A score for each essay by its name.
    shown
        What was asked about.
    """
    table = _read_scores(scores, shown)
    notes = [] if table or scores is None else [_SCORES_LOST]
    if ranking is None:
        if table is None:
            return AnswerProblem(MALFORMED, "ranking: the answer has no order of the essays")
        order = sorted(shown.essay_ids, key=lambda essay_id: -table[essay_id])
        return Order(tuple(order), scores=tuple(table[essay_id] for essay_id in order))
    written = _read_names(ranking)
    if written is None:
        return AnswerProblem(MALFORMED, "ranking: the answer has no list of essays in it")
    found = _match_essays(written.names, shown)
    if isinstance(found, AnswerProblem):
        return found
    ordered_scores = None if table is None else tuple(table[essay_id] for essay_id in found)
    if ordered_scores and any(better < worse for better, worse in pairwise(ordered_scores)):
        return AnswerProblem(CONTRADICTING, "the ranking and the scores are two different orders")
    read_gaps, note = _read_gaps(gaps, len(found))
    if read_gaps is None and written.ties:
        read_gaps = tuple(Gap.TIE if n in written.ties else None for n in range(len(found) - 1))
    notes += [note] if note else []
    return Order(found, read_gaps, None if read_gaps else ordered_scores, tuple(notes))


def unite_orders(orders: Sequence[Order]) -> Order | AnswerProblem:
    """The one order that several about the same list agree on."""
    first = orders[0]
    if any(order.ranking != first.ranking for order in orders):
        message = "the answer has two different orders of the same essays"
        return AnswerProblem(CONTRADICTING, message)
    if all((order.gaps, order.scores) == (first.gaps, first.scores) for order in orders):
        return first
    by_place = zip(*(order.gaps for order in orders if order.gaps), strict=True)
    gaps = tuple(each[0] if len(set(each)) == 1 else None for each in by_place)
    note = "gaps: left out, the answer gives several"
    return Order(first.ranking, gaps if any(gaps) else None, notes=(*first.notes, note))


def _match_essays(names: Sequence[str], shown: ShownEssays) -> tuple[str, ...] | AnswerProblem:
    """The ids that the names mean, each essay exactly once."""
    found = [shown.find(name) for name in names]
    known = [essay_id for essay_id in found if essay_id is not None]
    if len(known) < len(found):
        n_unknown = len(found) - len(known)
        message = f"the ranking names {n_unknown} that are none of the {len(shown.essay_ids)}"
        return AnswerProblem(UNKNOWN_ESSAY, f"{message} essays of the list")
    doubled = [each for each in shown.essay_ids if known.count(each) > 1]
    if doubled:
        message = f"the ranking names essay {shown.describe(doubled)} more than once"
        return AnswerProblem(DOUBLED_ESSAY, message)
    missing = [each for each in shown.essay_ids if each not in known]
    if missing:
        message = f"the ranking leaves out essay {shown.describe(missing)}"
        return AnswerProblem(MISSING_ESSAY, message)
    return tuple(known)


def _read_names(ranking: object) -> _Written | None:
    """The names of an order; None where there is none."""
    ranking = unwrap_string(ranking)
    if isinstance(ranking, str):
        return _read_line(ranking)
    if not isinstance(ranking, list) or not ranking:
        return None
    written = _Written()
    for entry in ranking[:_MOST_ENTRIES]:
        group = entry if isinstance(entry, list) else [entry]
        for n, part in enumerate(group):
            name = _read_name(part)
            if name is None:
                return None
            written.add(name, is_tied=n > 0)
    return written


def _read_line(text: str) -> _Written | None:
    """An order in a line, such as `C > A = B`."""
    parts = _SEPARATOR.split(text.strip())
    names, signs = parts[::2], parts[1::2]
    if not signs or len(names) > _MOST_ENTRIES:
        return None
    written = _Written([names[0]])
    for sign, name in zip(signs, names[1:], strict=True):
        written.add(name, is_tied=sign.startswith(_TIE_SIGNS))
    return written


def _read_name(entry: object) -> str | None:
    """The name in an entry, which may be an object that has one."""
    if isinstance(entry, Mapping):
        names = [entry[key] for key in _NAME_KEYS if key in entry]
        entry = names[0] if len(names) == 1 else None
    if isinstance(entry, int) and not isinstance(entry, bool):
        return str(entry)
    return entry if isinstance(entry, str) and entry.strip() else None


def _read_gaps(value: object, n_essays: int) -> tuple[tuple[Gap | None, ...] | None, str | None]:
    """Gaps between neighbours, and a note of what of them was left out."""
    value = unwrap_string(value)
    if value is None:
        return None, None
    if not isinstance(value, list):
        return None, _GAPS_LOST
    if len(value) == n_essays and value[-1] in (None, ""):
        # The worst essay has none below it.
        value = value[:-1]
    if len(value) != n_essays - 1:
        return None, _GAPS_LOST
    gaps = tuple(read_gap(each) for each in value)
    return (gaps if any(gaps) else None), (None if all(gaps) else _GAP_LOST)


def read_gap(value: object) -> Gap | None:
    """A gap, or None where there is none."""
    name = value.strip().lower() if isinstance(value, str) else None
    if name in set(Gap):
        return Gap(name)
    return Gap.TIE if read_winner(value) == "tie" else None


def _read_scores(value: object, shown: ShownEssays) -> dict[str, float] | None:
    """A score for every essay by its id; None unless there is exactly one of each."""
    value = unwrap_string(value)
    if not isinstance(value, Mapping) or len(value) != len(shown.essay_ids):
        return None
    table: dict[str, float] = {}
    for name, score in value.items():
        essay_id, number = shown.find(str(name)), _read_number(score)
        if essay_id is None or number is None:
            return None
        table[essay_id] = number
    return table if len(table) == len(shown.essay_ids) else None


def _read_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
