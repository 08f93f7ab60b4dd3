"""Texts by reference: content that is stored first, and manifests of essays as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from assessment.domain.errors import InvalidRequestError, ManyInvalidFieldsError
from assessment.domain.essay import Essay, EssayKind, check_text
from assessment.domain.field_problems import list_problems
from assessment.domain.identifiers import EssayId, GroupLabel, content_sha256

MAX_UPLOADS = 1000
MAX_MANIFEST_BYTES = 64_000_000
_MOST_PROBLEMS = 100
_MAX_BYTES = 240_000
_SHA256 = r"^[0-9a-f]{64}$"

ContentId = Annotated[str, Field(pattern=_SHA256, min_length=64, max_length=64)]
"""The SHA-256 of a text in UTF-8, in lower-case hexadecimal digits."""
ManifestId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", min_length=32, max_length=32)]


class ContentText(BaseModel):
    """A text to store."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Annotated[str, Field(repr=False)]

    _text = field_validator("text")(check_text)


class StoredContent(BaseModel):
    """A text that is stored: requests name it by its id until it is forgotten."""

    content_id: str
    n_characters: int
    expires_at: str


class AnnouncedText(BaseModel):
    """A text that is about to be uploaded: its hash, and its size in UTF-8."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content_id: ContentId
    n_bytes: Annotated[int, Field(ge=1, le=_MAX_BYTES)]


class UploadRequest(BaseModel):
    """Texts to upload."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    texts: Annotated[list[AnnouncedText], Field(min_length=1, max_length=MAX_UPLOADS)]


class UploadLink(BaseModel):
    """Where to PUT a text, with exactly these headers."""

    content_id: str
    link: Annotated[str, Field(repr=False)]
    headers: dict[str, str]


class UploadLinks(BaseModel):
    """Links for all texts, in their order."""

    uploads: list[UploadLink]
    expires_at: str


class ManifestLink(BaseModel):
    """Where to PUT a manifest, and the id by which a request names it."""

    manifest_id: str
    link: Annotated[str, Field(repr=False)]
    headers: dict[str, str]
    expires_at: str


class ReferencedEssay(BaseModel):
    """A student essay whose text is stored already."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    essay_id: EssayId
    content_id: ContentId
    group: GroupLabel | None = None

    @property
    def text_sha256(self) -> str:
        """The hash of its text."""
        return self.content_id


class ManifestLine(BaseModel):
    """A line of a manifest: an essay with its text, or with the id of a text that is stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    essay_id: EssayId
    text: Annotated[str | None, Field(repr=False)] = None
    content_id: ContentId | None = None
    group: GroupLabel | None = None

    @field_validator("text")
    @classmethod
    def _check_text(cls, text: str | None) -> str | None:
        return None if text is None else check_text(text)

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.text is None) == (self.content_id is None):
            message = "give text or content_id, and not both"
            raise ValueError(message)
        return self

    @property
    def text_sha256(self) -> str:
        """The hash of its text."""
        return self.content_id or content_sha256(self.text or "")


def read_manifest(text: str) -> list[ManifestLine]:
    """The essays of a manifest, one JSON object a line; empty lines are passed over.

    Raises
    ------
    ManyInvalidFieldsError
        Naming the first hundred broken lines by their numbers, counted from 1.
    """
    lines: list[ManifestLine] = []
    problems: list[tuple[str, str]] = []
    for number, line in _number_lines(text):
        try:
            lines.append(ManifestLine.model_validate(_read_object(line)))
        except ValidationError as error:
            problems += [
                (f"manifest line {number}" + ("" if path == "body" else f".{path}"), message)
                for path, message in list_problems(error)
            ]
        except InvalidRequestError as error:
            problems.append((f"manifest line {number}", error.message))
        if len(problems) >= _MOST_PROBLEMS:
            break
    if problems:
        raise ManyInvalidFieldsError(problems[:_MOST_PROBLEMS])
    return lines


def _number_lines(text: str) -> Iterator[tuple[int, str]]:
    # By line feeds alone: JSON may have other line separators within its strings.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if line.strip():
            yield number, line


def _read_object(line: str) -> dict[str, Any]:
    try:
        data = json.loads(line)
        _check_storable(data)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"this is not JSON ({type(error).__name__})") from None
    if not isinstance(data, dict):
        raise InvalidRequestError("write one JSON object a line")
    return data


def _check_storable(data: object) -> None:
    """Raise UnicodeEncodeError, a ValueError, for half of a surrogate pair."""
    json.dumps(data, ensure_ascii=False).encode()


def make_essay(source: ReferencedEssay | ManifestLine) -> Essay:
    """The batch's essay; its flags are raised when its text is read."""
    return Essay(
        essay_id=source.essay_id,
        kind=EssayKind.STUDENT,
        text_sha256=source.text_sha256,
        group=source.group,
    )
