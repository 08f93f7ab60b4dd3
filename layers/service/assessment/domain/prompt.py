"""What a judge is told: the assignment's instructions, and essays fence_pairs as untrusted data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from assessment.domain.errors import InvalidRequestError
from assessment.domain.identifiers import canonical_sha256, content_sha256

DEFAULT_TEMPLATE = "comparison@2"
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
    """The texts of one comparison, essay A shown first."""

    comparison_id: str
    essay_a: str
    essay_b: str


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

    `essays` is both of them under their labels, as a list has its own.
    """

    comparison_id: str
    essay_a: str
    essay_b: str

    @property
    def essays(self) -> str:
        """Both essays, each under its label."""
        return _label_essays([self.essay_a, self.essay_b])


def make_fence(*texts: str) -> str:
    """A fence that occurs in none of the texts, derived from them: an essay cannot end it."""
    return f"ESSAY-{content_sha256(chr(31).join(texts))[:24]}"


def fence_pairs(pairs: Sequence[EssayPair]) -> list[FencedPair]:
    """The pairs with every text between fences; no template ever sees a bare text."""
    fence = make_fence(*(text for pair in pairs for text in (pair.essay_a, pair.essay_b)))
    return [
        FencedPair(
            pair.comparison_id,
            f"<<<{fence}\n{pair.essay_a}\n{fence}>>>",
            f"<<<{fence}\n{pair.essay_b}\n{fence}>>>",
        )
        for pair in pairs
    ]


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
    """A part of the prompt in the order of the conversation."""

    role: Literal["system", "user"]
    content: Annotated[str, Field(repr=False)]
