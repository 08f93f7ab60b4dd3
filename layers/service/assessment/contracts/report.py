"""The report: the result of a batch as one page that needs no network.

The page holds its script, its style and its data. Its policy lets nothing else run or load: script
and style are named by their hashes, and the data can end no element of the page.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from assessment.contracts.hidden_names import hide_names
from assessment.contracts.page_files import read_page_file
from assessment.contracts.result import ResultDocument
from assessment.contracts.views import BatchProgress
from assessment.domain.attention import EssayAttention, list_attention
from assessment.domain.comparison import Comparison
from assessment.domain.verdict import ListVerdict, Verdict, list_signs, signed_outcome

MOST_REASONS_BYTES = 1_500_000
"""Of justifications in a report; with more, all are left out, and the page stays small."""

_PLACE = re.compile(r"\{\{(\w+)\}\}")

type PackedRow = tuple[int, int, int, int, int, int, float | None, str | None]


type PackedList = tuple[list[int], list[str], int, int, int, str | None]


class PackedComparisons(BaseModel):
    """Comparisons with a verdict, in the least room: rows refer to essays and judges by place.

    A row is first essay, second essay, judge, signed outcome, wave, whether it is of the audit,
    seconds that a person took, justification.

    A list is its essays, the best first, the signs between them (`domain.verdict.describe_order`),
    judge, wave, whether it is of the audit, justification.
    """

    model_config = ConfigDict(frozen=True)

    essays: list[str]
    judges: list[str]
    rows: list[PackedRow]
    lists: Annotated[list[PackedList], Field(exclude_if=lambda lists: not lists)] = []


class ReportData(BaseModel):
    """What a report is made of: a result, or how far a batch without one is."""

    model_config = ConfigDict(frozen=True)

    title: str | None = None
    made_at: datetime | None = None
    names_hidden: bool = False
    result: ResultDocument | None = None
    progress: BatchProgress | None = None
    attention: list[EssayAttention] = []
    comparisons: PackedComparisons | None = None


def pack_comparisons(comparisons: Iterable[Comparison]) -> PackedComparisons:
    """The comparisons that have a verdict, as a report carries them."""
    judged = [one for one in comparisons if one.verdict is not None]
    verdicts = [one.verdict for one in judged if one.verdict is not None]
    essays = _number({essay_id for one in judged for essay_id in one.essay_ids})
    judges = _number({verdict.judge for verdict in verdicts})
    packing = _Packing(essays, judges, has_reasons=_has_room(verdicts))
    return PackedComparisons(
        essays=list(essays),
        judges=list(judges),
        rows=packing.pack_pairs(judged),
        lists=packing.pack_lists(judged),
    )


def _has_room(verdicts: Iterable[Verdict | ListVerdict]) -> bool:
    """Whether the reasons that were given fit into a report."""
    n_bytes = sum(len((verdict.justification or "").encode()) for verdict in verdicts)
    return n_bytes <= MOST_REASONS_BYTES


@dataclass(frozen=True)
class _Packing:
    """The places of essays and judges, and whether there is room for reasons."""

    essays: Mapping[str, int]
    judges: Mapping[str, int]
    has_reasons: bool

    def pack_pairs(self, judged: Iterable[Comparison]) -> list[PackedRow]:
        """The rows of the pairs."""
        return [self._pack_pair(one, one.pair_verdict) for one in judged if one.pair_verdict]

    def pack_lists(self, judged: Iterable[Comparison]) -> list[PackedList]:
        """The entries of the lists."""
        return [self._pack_list(one, one.list_verdict) for one in judged if one.list_verdict]

    def _pack_pair(self, one: Comparison, verdict: Verdict) -> PackedRow:
        return (
            self.essays[one.first],
            self.essays[one.second],
            self.judges[verdict.judge],
            signed_outcome(verdict, graded=True),
            one.wave,
            int(one.audit),
            verdict.decision_seconds,
            verdict.justification if self.has_reasons else None,
        )

    def _pack_list(self, one: Comparison, verdict: ListVerdict) -> PackedList:
        return (
            [self.essays[essay_id] for essay_id in verdict.ranking],
            list_signs(verdict),
            self.judges[verdict.judge],
            one.wave,
            int(one.audit),
            verdict.justification if self.has_reasons else None,
        )


def _number(names: set[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(sorted(names))}


def report_result(
    result: ResultDocument, *, comparisons: Sequence[Comparison] | None = None
) -> ReportData:
    """The data of a report about a result, with its comparisons where they are available."""
    return ReportData(
        result=result,
        attention=list_attention(
            rankings=result.rankings,
            projections=result.grade_projections,
            not_assessed=result.not_assessed,
            excluded=result.excluded_essays,
            essay_flags=result.essay_flags,
            judge_fit=result.judge_fit,
        ),
        comparisons=pack_comparisons(comparisons) if comparisons is not None else None,
    )


def write_report(data: ReportData, *, without_names: bool = False) -> str:
    """The report as an HTML document.

    Parameters
    ----------
    data
        What it tells.
    without_names
        Whether essays and people are to be numbered, and justifications left out.
    """
    document = data.model_dump(mode="json")
    if without_names:
        document = hide_names(document) | {"names_hidden": True}
    style, script = read_page_file("report.css"), read_page_file("report.js")
    parts = {
        "policy": _make_policy(style, script),
        "style": style,
        "data": _embed(document),
        "script": script,
    }
    # In one pass: what is put in may itself look like a place.
    return _PLACE.sub(lambda place: parts[place[1]], read_page_file("report.html"))


def _make_policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _embed(document: dict[str, Any]) -> str:
    """JSON that cannot end the element it is in, whatever its texts are."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
