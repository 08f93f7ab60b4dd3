"""What a judge is told: the assignment's instructions, and essays fenced as untrusted data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from assessment.domain.errors import InvalidRequestError
from assessment.domain.identifiers import canonical_sha256, content_sha256

DEFAULT_TEMPLATE = "comparison@3"
MAX_INSTRUCTIONS_BYTES = 80_000
"""All three texts of an assignment as stored: they are in one item of the table."""


class JudgeInstructions(BaseModel):
    """What an assignment tells the judge."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instructions: str = ""
    student_prompt: str = ""
    judge_rubric: str = ""


def check_instructions_size(instructions: JudgeInstructions, *, changed: Mapping[str, str]) -> None:
    """Refuse texts that have more than `MAX_INSTRUCTIONS_BYTES` together.

    Parameters
    ----------
    changed
        The texts that a caller sends now; the longest of them is the one to shorten.

    Raises
    ------
    InvalidRequestError
    """
    size = len(instructions.model_dump_json().encode())
    if size > MAX_INSTRUCTIONS_BYTES:
        raise InvalidRequestError(
            f"instructions, student_prompt and judge_rubric have {size} bytes together; "
            f"{MAX_INSTRUCTIONS_BYTES} are allowed: shorten one of them",
            field=max(changed, key=lambda name: len(changed[name]), default="instructions"),
        )


@dataclass(frozen=True)
class EssayPair:
    """The texts of one comparison, essay A shown first.

    The ids tell which comparisons share an essay; no judge sees them.
    """

    comparison_id: str
    essay_a: str
    essay_b: str
    essay_a_id: str = ""
    essay_b_id: str = ""

    @property
    def keys(self) -> tuple[str, str]:
        """What tells its two essays from others of the call; without ids it shares none."""
        return (
            self.essay_a_id or f"{self.comparison_id}/A",
            self.essay_b_id or f"{self.comparison_id}/B",
        )


LABELS = "ABCDEFGHIJ"
"""Under which the essays of a comparison are shown, in this order."""


@dataclass(frozen=True)
class EssayList:
    """The texts of a list in the order shown."""

    comparison_id: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class FencedList:
    """A list as a template gets it: its essays between fences, each under its label."""

    comparison_id: str
    essays: str


@dataclass(frozen=True)
class FencedPair:
    """A pair as a template gets it: its texts are inside their fences already.

    `essays` is both of them under their letters, as a list has its own. The labels name the two
    among all essays of the call.
    """

    comparison_id: str
    essay_a: str
    essay_b: str
    label_a: str
    label_b: str

    @property
    def essays(self) -> str:
        """Both essays, each under its letter."""
        return _label_essays([self.essay_a, self.essay_b])


@dataclass(frozen=True)
class FencedEssay:
    """An essay of a call as a template gets it: its text is inside its fence already."""

    label: str
    text: str


@dataclass(frozen=True)
class FencedCall[Fenced: (FencedPair, FencedList)]:
    """What a call asks about: its comparisons, and the essays of pairs, each of them once.

    `is_shared` says that some essay is in several of its pairs.
    """

    comparisons: list[Fenced]
    essays: list[FencedEssay]
    is_shared: bool


def make_fence(*texts: str) -> str:
    """A fence that occurs in none of the texts, derived from them: an essay cannot end it."""
    return f"ESSAY-{content_sha256(chr(31).join(texts))[:24]}"


def make_mark(*texts: str) -> str:
    """Eight characters that occur in none of the texts: no essay can name another's label."""
    joined = chr(31).join(texts)
    marks = (content_sha256(f"{n}{chr(31)}{joined}")[:8] for n in count())
    return next(mark for mark in marks if mark not in joined)


def fence_call(pairs: Sequence[EssayPair]) -> FencedCall[FencedPair]:
    """The comparisons and essays of a call, every text between fences.

    No template ever sees a bare text. Essays are in an order in which as many comparisons as
    easily can be have their essay A before their essay B; ties are broken by the texts' hashes.
    """
    texts = {
        key: text
        for pair in pairs
        for key, text in zip(pair.keys, (pair.essay_a, pair.essay_b), strict=True)
    }
    every = [text for pair in pairs for text in (pair.essay_a, pair.essay_b)]
    fence, mark = make_fence(*every), make_mark(*every)
    labels = {key: f"{n}-{mark}" for n, key in enumerate(_order_essays(pairs, texts), start=1)}
    fenced = {key: f"<<<{fence}\n{text}\n{fence}>>>" for key, text in texts.items()}
    comparisons = [
        FencedPair(pair.comparison_id, fenced[a], fenced[b], labels[a], labels[b])
        for pair in pairs
        for a, b in [pair.keys]
    ]
    essays = [FencedEssay(label, fenced[key]) for key, label in labels.items()]
    return FencedCall(comparisons, essays, is_shared=len(texts) < len(every))


def _order_essays(pairs: Sequence[EssayPair], texts: Mapping[str, str]) -> list[str]:
    """The keys of a call's essays; those that are shown first more often come first."""
    lead: Counter[str] = Counter()
    for pair in pairs:
        lead.update(dict(zip(pair.keys, (1, -1), strict=True)))
    return sorted(texts, key=lambda key: (-lead[key], content_sha256(texts[key]), key))


def fence_lists(lists: Sequence[EssayList]) -> list[FencedList]:
    """The lists with every text between fences under its label; a text is printed once."""
    fence = make_fence(*(text for each in lists for text in each.texts))
    return [
        FencedList(
            each.comparison_id,
            _label_essays([f"<<<{fence}\n{text}\n{fence}>>>" for text in each.texts]),
        )
        for each in lists
    ]


def _label_essays(fenced_texts: Sequence[str]) -> str:
    """Texts that stand between fences, each under the label by which the judge names it."""
    labelled = zip(LABELS, fenced_texts, strict=False)
    return "\n\n".join(f"## Essay {label}\n{text}" for label, text in labelled)


def prompt_sha256(blocks: Sequence[PromptBlock]) -> str:
    """The hash of the exact prompt; it travels with the verdict."""
    return canonical_sha256([block.model_dump() for block in blocks])


class PromptBlock(BaseModel):
    """A part of the prompt in the order of the conversation.

    `is_fixed` says that it has nothing of the essays or comparisons of a call, so that calls of a
    batch have it in common. It is no part of what is sent or hashed.
    """

    role: Literal["system", "user"]
    content: Annotated[str, Field(repr=False)]
    is_fixed: Annotated[bool, Field(exclude=True)] = False
