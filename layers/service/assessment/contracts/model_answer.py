"""What a model answers: the verdicts of one call, each read by itself and matched by id."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ConfigDict

from assessment.contracts.answer_entries import Entry, EntryFinder, fold_id
from assessment.contracts.llm_protocol import TokenUsage
from assessment.contracts.valid_values import read_confidence, read_degree, read_justification
from assessment.contracts.winner import WinnerLetter, read_winner
from assessment.domain.prompt import PromptBlock
from assessment.domain.verdict import (
    HIGHEST_CONFIDENCE,
    LOWEST_CONFIDENCE,
    MAX_JUSTIFICATION,
    Degree,
    VerdictDetails,
)

VERDICT_TOOL = "record_verdicts"
VERDICT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "verdicts": {
            "type": "array",
            "description": "Exactly one verdict for every comparison.",
            "items": {
                "type": "object",
                "properties": {
                    "comparison_id": {"type": "string"},
                    "winner": {"type": "string", "enum": list(get_args(WinnerLetter))},
                    "degree": {
                        "type": ["string", "null"],
                        "enum": [*map(str, Degree), None],
                        "description": "By how much the winner is better; null for a tie.",
                    },
                    "confidence": {
                        "type": "integer",
                        "enum": list(range(LOWEST_CONFIDENCE, HIGHEST_CONFIDENCE + 1)),
                        "description": "From 1, a guess, to 5, certain.",
                    },
                    "justification": {
                        "type": "string",
                        "description": f"At most {MAX_JUSTIFICATION} characters.",
                    },
                },
                "required": ["comparison_id", "winner", "degree", "confidence", "justification"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["verdicts"],
    "additionalProperties": False,
}
"""JSON Schema of an answer, within the subset that strict structured output takes."""


@dataclass(frozen=True)
class AnswerForm:
    """The document that a model is asked for: its JSON Schema, and what it records."""

    description: str
    json_schema: Mapping[str, Any]


PAIR_ANSWER = AnswerForm(
    "Records which essay of each comparison is the better one.", VERDICT_SCHEMA
)


CUT_OFF = "cut_off"
PROMPT_CUT = "prompt_cut"
_LEAST_CUT_TOKENS = 500
_MOST_CHARACTERS_PER_TOKEN = 7.0


class ModelVerdict(VerdictDetails):
    """One verdict of a model's answer; `notes` say what of it could not be read."""

    model_config = ConfigDict(frozen=True)

    winner: WinnerLetter
    notes: tuple[str, ...] = ()


def read_answer(
    candidates: Sequence[object], comparison_ids: Sequence[str]
) -> dict[str, ModelVerdict | str]:
    """A verdict for every comparison that was asked about, or what is wrong with it in words.

    Parameters
    ----------
    candidates
        Where the answer may stand, best first: documents, or texts with documents in them. The
        first that names any winner is the answer.
    comparison_ids
        Ids of the comparisons that the model was asked about.

    Notes
    -----
    A verdict about anything else is left out. A comparison that is
    answered twice with different winners has no answer. One without an id counts only where a
    single comparison was asked about.
    """
    problem = "the answer is not JSON"
    finder = EntryFinder(comparison_ids, ("winner",), "winner", _is_bare_winner)
    for candidate in candidates:
        documents, entries = finder.read(candidate)
        if entries:
            return {name: _choose(finder.select(entries, name)) for name in comparison_ids}
        if documents:
            problem = "the answer has no list of verdicts"
        elif (lone := _read_lone_winner(candidate, comparison_ids)) is not None:
            return {comparison_ids[0]: lone}
    return dict.fromkeys(comparison_ids, problem)


_WINNER_FIELD = re.compile(
    r'[{,]\s*["\']?winner["\']?\s*:\s*(["\'])(?P<winner>[^"\'{}]{1,60})\1\s*[,}]', re.IGNORECASE
)
_WINNER_NAME = re.compile(r"winner\W{1,3}:", re.IGNORECASE)
_ID_FIELD = re.compile(r"comparison_id\W{1,4}:\s*[\"']([^\"']*)", re.IGNORECASE)


def _read_lone_winner(text: object, comparison_ids: Sequence[str]) -> ModelVerdict | None:
    """The winner of an answer of which a later or earlier text breaks the JSON.

    Models forget to escape quotes in their justification. Where one field of the answer is a
    winner, and no other one is named, it says something clear. Only where a single comparison was
    asked about, and only of an answer that ends as one does.
    """
    if not isinstance(text, str) or len(comparison_ids) != 1:
        return None
    matches = list(_WINNER_FIELD.finditer(text))
    if len(matches) != 1 or not _is_whole(text):
        return None
    start = text.index("{") if "{" in text else 0
    is_quoted = text[start : matches[0].start()].replace(r"\"", "").count('"') % 2 == 1
    winner = read_winner(matches[0]["winner"])
    ids = {fold_id(name) for name in _ID_FIELD.findall(text)}
    if winner is None or is_quoted or not ids <= {fold_id(comparison_ids[0])}:
        return None
    return ModelVerdict(winner=winner, notes=("justification: left out, it breaks the answer",))


def _is_whole(text: str) -> bool:
    """Whether the text ends as an answer does, and names one winner."""
    return text.rstrip("`\n ").endswith(("}", "]")) and len(_WINNER_NAME.findall(text)) == 1


def _is_bare_winner(part: object) -> bool:
    return isinstance(part, str) and read_winner(part) is not None


def _choose(entries: Sequence[Entry]) -> ModelVerdict | str:
    if not entries:
        return "the answer has no verdict for this comparison"
    verdicts: list[ModelVerdict] = []
    for entry in entries:
        verdict = _read_verdict(entry.document)
        if isinstance(verdict, str):
            return verdict
        verdicts.append(verdict)
    return _unite(verdicts)


def _unite(verdicts: Sequence[ModelVerdict]) -> ModelVerdict | str:
    """The one verdict that several about the same comparison agree on."""
    if len({verdict.winner for verdict in verdicts}) > 1:
        return "the answer has contradictory verdicts for this comparison"
    first = verdicts[0]
    if len({verdict.degree for verdict in verdicts}) > 1:
        note = "degree: left out, the answer gives several"
        return first.model_copy(update={"degree": None, "notes": (*first.notes, note)})
    return first


def _read_verdict(document: Mapping[str, Any]) -> ModelVerdict | str:
    winner = read_winner(document["winner"])
    if winner is None:
        return "winner: the answer gives none of A, B and tie"
    if winner != "tie" and read_winner(document.get("loser")) == winner:
        return "winner: the answer has the same essay as winner and as loser"
    degree, degree_note = read_degree(document.get("degree"))
    confidence, confidence_note = read_confidence(document.get("confidence"))
    justification, justification_note = read_justification(document.get("justification"))
    notes = (degree_note, confidence_note, justification_note)
    return ModelVerdict(
        winner=winner,
        degree=None if winner == "tie" else degree,
        confidence=confidence,
        justification=justification,
        notes=tuple(note for note in notes if note),
    )


def is_loose_text(candidate: object) -> bool:
    """Whether it is a text that does not begin with a document: thoughts, or a preamble."""
    return isinstance(candidate, str) and not re.match(r"\s*(```(json)?\s*)?[{\[]", candidate)


def find_cut_prompt(blocks: Sequence[PromptBlock], usage: TokenUsage | None) -> str | None:
    """In words, that the endpoint read far less than it was sent; None where nothing shows it.

    Some servers cut a prompt to their context without saying so (Ollama's `num_ctx`), and the model
    then judges texts that it has not seen. Prose has 3 to 5 characters to a token, in no script
    more than 6; so a count that leaves more than 7 to a token is that of a part. Counts below the
    smallest context are not believed at all: gateways that do not count say 0 or 1.
    """
    tokens = usage.input_tokens if usage else 0
    if tokens < _LEAST_CUT_TOKENS:
        return None
    characters = sum(len(" ".join(block.content.split())) for block in blocks)
    if characters <= tokens * _MOST_CHARACTERS_PER_TOKEN:
        return None
    return (
        f"the endpoint read {tokens} tokens of a prompt of {characters} characters: it cuts "
        "prompts to its own context; raise that (num_ctx in Ollama), or set context_tokens to it"
    )


def split_evenly(total: int, parts: int) -> list[int]:
    """A total in whole parts that differ by one at most and sum to it."""
    share, rest = divmod(total, parts)
    return [share + (1 if n < rest else 0) for n in range(parts)]
