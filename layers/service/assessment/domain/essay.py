"""Essays: what is compared. A student essay is to be graded; an anchor's grade is known."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from assessment.domain.essay_flags import EssayFlag
from assessment.domain.grade_scale import MAX_GRADE_CHARACTERS
from assessment.domain.identifiers import AnchorRef, EssayId, GroupLabel, content_sha256
from assessment.domain.masking import MaskKind
from assessment.domain.plain_text import is_blank
from assessment.domain.surface import measure_surface

MAX_ESSAY_CHARACTERS = 60_000


class EssayKind(StrEnum):
    """Whether an essay's grade is wanted or given."""

    STUDENT = "student"
    ANCHOR = "anchor"


def check_text(text: str) -> str:
    """The text, unless nothing of it can be read or it is longer than any judge can read."""
    if is_blank(text):
        unseen = " (it has only characters that do not show)" if text.strip() else ""
        message = f"the text is empty{unseen}; leave the essay out or send its text"
        raise ValueError(message)
    if len(text) > MAX_ESSAY_CHARACTERS:
        message = f"the text has {len(text)} characters; at most {MAX_ESSAY_CHARACTERS} are allowed"
        raise ValueError(message)
    if "\x00" in text:
        message = "the text contains a NUL character; send plain text"
        raise ValueError(message)
    return text


class SubmittedEssay(BaseModel):
    """A student essay as a request brings it; `group` is a label that no judge sees."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    essay_id: EssayId
    text: Annotated[str, Field(repr=False)]
    group: GroupLabel | None = None

    _text = field_validator("text")(check_text)


class MaskedEssay(SubmittedEssay):
    """A student essay whose text is masked, with the number of masked passages by kind.

    `upload_sha256` is the hash of the text as it was uploaded, if it was.
    """

    n_masked: dict[MaskKind, int] = {}
    upload_sha256: str | None = None


class SubmittedAnchor(BaseModel):
    """An anchor essay as it is registered for an assignment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anchor_ref: AnchorRef
    grade: Annotated[str, Field(min_length=1, max_length=MAX_GRADE_CHARACTERS)]
    text: Annotated[str, Field(repr=False)]

    _text = field_validator("text")(check_text)


class Anchor(BaseModel):
    """A registered anchor: its text is in the content store, by hash."""

    model_config = ConfigDict(frozen=True)

    anchor_ref: str
    grade: str
    text_sha256: str
    n_masked: dict[MaskKind, int] = {}


class Essay(BaseModel):
    """An essay of a batch; the text stays in the content store under its hash."""

    model_config = ConfigDict(frozen=True)

    essay_id: str
    kind: EssayKind
    text_sha256: str
    anchor_ref: str | None = None
    grade: str | None = None
    flags: tuple[EssayFlag, ...] = ()
    group: str | None = None
    n_masked: dict[MaskKind, int] = {}
    upload_sha256: str | None = None
    """Of a masked text, the hash under which it was uploaded: erasing the essay erases that too."""

    @property
    def text_sha256s(self) -> tuple[str, ...]:
        """The hashes of its text wherever it is stored."""
        uploaded = () if self.upload_sha256 is None else (self.upload_sha256,)
        return (self.text_sha256, *uploaded)

    @property
    def is_anchor(self) -> bool:
        """Whether the essay's grade is known."""
        return self.kind is EssayKind.ANCHOR

    def has_flag(self, kinds: Collection[EssayFlag]) -> bool:
        """Whether the essay has one of these flags."""
        return any(flag in kinds for flag in self.flags)


class MeasuredEssay(Essay):
    """An essay with the figures of its surface, which are kept apart once it is prepared."""

    surface: tuple[float, ...] = ()


def student_essay(submitted: SubmittedEssay, flags: tuple[EssayFlag, ...] = ()) -> MeasuredEssay:
    """The batch's essay for a submitted text."""
    return MeasuredEssay(
        **submitted.model_dump(exclude={"text"}),
        kind=EssayKind.STUDENT,
        text_sha256=content_sha256(submitted.text),
        flags=flags,
        surface=measure_surface(submitted.text),
    )
