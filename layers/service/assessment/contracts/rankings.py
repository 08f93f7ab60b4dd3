"""Orders of more than two essays as judges write them, and what keeps one from being a verdict.

A judge names the essays of a list by their ids or by the labels under which they were shown. What
is wrong with an order is said in counts and labels of ours; its own words are never repeated.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from assessment.contracts.order_sizes import SCORES_LOST, read_gaps, read_scores
from assessment.contracts.written_orders import read_names
from assessment.domain.prompt import LABELS
from assessment.domain.verdict import Gap

UNKNOWN_ESSAY = "ranking_unknown_essay"
MISSING_ESSAY = "ranking_missing_essay"
DOUBLED_ESSAY = "ranking_doubled_essay"
CONTRADICTING = "contradicting_orders"
MALFORMED = "malformed_verdict"

_LONGEST_NAME = 200
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
    table = read_scores(scores, shown.essay_ids, shown.find)
    notes = () if table or scores is None else (SCORES_LOST,)
    if ranking is None:
        return _order_by_scores(table, shown)
    written = read_names(ranking)
    if written is None:
        return AnswerProblem(MALFORMED, "ranking: the answer has no list of essays in it")
    ids = _match_essays(written.names, shown)
    if isinstance(ids, AnswerProblem):
        return ids
    return _add_sizes(ids, written.ties, gaps, table, notes)


def _order_by_scores(
    table: Mapping[str, float] | None, shown: ShownEssays
) -> Order | AnswerProblem:
    if table is None:
        return AnswerProblem(MALFORMED, "ranking: the answer has no order of the essays")
    order = sorted(shown.essay_ids, key=lambda essay_id: -table[essay_id])
    return Order(tuple(order), scores=tuple(table[essay_id] for essay_id in order))


def _add_sizes(
    ranking: tuple[str, ...],
    ties: Collection[int],
    gaps: object,
    table: Mapping[str, float] | None,
    notes: tuple[str, ...],
) -> Order | AnswerProblem:
    """The order with its gaps, or its scores, unless these order the essays otherwise."""
    scores = None if table is None else tuple(table[essay_id] for essay_id in ranking)
    if scores is not None and list(scores) != sorted(scores, reverse=True):
        return AnswerProblem(CONTRADICTING, "the ranking and the scores are two different orders")
    said, note = read_gaps(gaps, len(ranking))
    chosen = said or _mark_ties(ties, len(ranking))
    return Order(ranking, chosen, None if chosen else scores, (*notes, note) if note else notes)


def _mark_ties(ties: Collection[int], n_essays: int) -> tuple[Gap | None, ...] | None:
    """Gaps of which only the ties are known."""
    if not ties:
        return None
    return tuple(Gap.TIE if place in ties else None for place in range(n_essays - 1))


def unite_orders(orders: Sequence[Order]) -> Order | AnswerProblem:
    """The one order that several about the same list agree on."""
    first = orders[0]
    if any(order.ranking != first.ranking for order in orders):
        message = "the answer has two different orders of the same essays"
        return AnswerProblem(CONTRADICTING, message)
    sizes = {(order.gaps, order.scores) for order in orders}
    return first if len(sizes) == 1 else _unite_gaps(orders)


def _unite_gaps(orders: Sequence[Order]) -> Order:
    """The order with the gaps on which all agree that give any."""
    by_place = zip(*(order.gaps for order in orders if order.gaps), strict=True)
    gaps = tuple(each[0] if len(set(each)) == 1 else None for each in by_place)
    note = "gaps: left out, the answer gives several"
    return Order(orders[0].ranking, gaps if any(gaps) else None, notes=(*orders[0].notes, note))


def _match_essays(names: Sequence[str], shown: ShownEssays) -> tuple[str, ...] | AnswerProblem:
    """The ids that the names mean, each essay exactly once."""
    ids = [essay_id for essay_id in map(shown.find, names) if essay_id is not None]
    if len(ids) < len(names):
        n_unknown = len(names) - len(ids)
        message = f"the ranking names {n_unknown} that are none of the {len(shown.essay_ids)}"
        return AnswerProblem(UNKNOWN_ESSAY, f"{message} essays of the list")
    counts = Counter(ids)
    doubled = [essay_id for essay_id in shown.essay_ids if counts[essay_id] > 1]
    if doubled:
        message = f"the ranking names essay {shown.describe(doubled)} more than once"
        return AnswerProblem(DOUBLED_ESSAY, message)
    missing = [essay_id for essay_id in shown.essay_ids if not counts[essay_id]]
    if missing:
        message = f"the ranking leaves out essay {shown.describe(missing)}"
        return AnswerProblem(MISSING_ESSAY, message)
    return tuple(ids)
