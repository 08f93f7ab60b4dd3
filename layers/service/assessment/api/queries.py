"""What callers ask for in the query: pages and filters."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Annotated, Self
from urllib.parse import unquote

from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from assessment.contracts.parsing import parse
from assessment.contracts.request import MAX_ESSAYS
from assessment.domain.batch import BatchStatus
from assessment.domain.errors import InvalidRequestError
from assessment.domain.field_problems import WrongFieldError
from assessment.domain.identifiers import AssignmentId
from assessment.domain.plain_text import normalise
from assessment.ports.stores import BatchFilter

_SORT_KEY = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z#[0-9a-f-]{36}(#[a-z]+)?"
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)


class Page(BaseModel):
    """Which part of a list is wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[str, Field(max_length=200)] | None = None


def _check_moment(moment: datetime) -> datetime:
    if not _EARLIEST <= moment <= _LATEST:
        message = "give a moment of this millennium"
        raise ValueError(message)
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_check_moment)]


class ComparisonQuery(Page):
    """Which comparisons of a batch are wanted; the cursor is the id of the last one seen."""

    cursor: Annotated[str, Field(pattern=r"^w\d{3,7}-\d{5,9}$")] | None = None


class BatchQuery(Page):
    """Which batches are wanted."""

    status: BatchStatus | None = None
    assignment_id: AssignmentId | None = None
    created_since: Moment | None = None
    created_before: Moment | None = None

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        since, before = self.created_since, self.created_before
        if since is not None and before is not None and since > before:
            raise WrongFieldError("created_since", "it is after created_before; swap the two")
        return self

    @property
    def filter(self) -> BatchFilter:
        """What the batches have to fit."""
        return BatchFilter(
            status=self.status,
            assignment_id=self.assignment_id,
            created_since=self.created_since,
            created_before=self.created_before,
        )


class AssignmentQuery(Page):
    """Which assignments are wanted; the cursor is the id of the last one seen."""

    cursor: AssignmentId | None = None


class DecisionQuery(BaseModel):
    """Which part of a batch's essays is wanted; without a limit all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_ESSAYS)] = MAX_ESSAYS
    cursor: Annotated[str, Field(min_length=1, max_length=128)] | None = None


class AttentionQuery(BaseModel):
    """How many essays are wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_ESSAYS)] = 100


class OfferQuery(BaseModel):
    """Comparisons that a person has before them already: their ids with commas between."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kept: Annotated[str, Field(pattern=r"^(w\d{3,7}-\d{5,9}(,|$)){0,5}$")] = ""

    @property
    def comparison_ids(self) -> frozenset[str]:
        """The ids."""
        return frozenset(filter(None, self.kept.split(",")))


class VerdictQuery(OfferQuery):
    """Whether the answer is to have the next comparison too, beside those of `kept`."""

    offer: bool = False


class ReportQuery(BaseModel):
    """How a report is wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hide_names: bool = False


def read_query[Q: Page](model: type[Q], event: BaseProxyEvent) -> Q:
    """The query of a request, its cursor as the store knows it.

    Raises
    ------
    InvalidRequestError, ManyInvalidFieldsError
        Naming each wrong parameter.
    """
    query = parse(model, dict(event.query_string_parameters or {}))
    if query.cursor is None or isinstance(query, ComparisonQuery | AssignmentQuery):
        return query
    return query.model_copy(update={"cursor": _decode_cursor(query.cursor)})


def read_page(event: BaseProxyEvent) -> Page:
    """The page that a request asks for; errors as `read_query`."""
    return read_query(Page, event)


def read_path[M: BaseModel](model: type[M], **parts: str) -> M:
    """The ids that parts of a path stand for: no id holds a % itself.

    Raises
    ------
    ManyInvalidFieldsError
        Naming each part that cannot be an id.
    """
    return parse(model, {name: normalise(unquote(part)) for name, part in parts.items()})


def encode_cursor(sort_key: str | None) -> str | None:
    """A place in a list as callers get it: a text without meaning."""
    return None if sort_key is None else base64.urlsafe_b64encode(sort_key.encode()).decode()


def _decode_cursor(cursor: str) -> str:
    try:
        sort_key = base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, ValueError):
        sort_key = ""
    if not re.fullmatch(_SORT_KEY, sort_key):
        raise InvalidRequestError("send the cursor of the page before, as it was", field="cursor")
    return sort_key
