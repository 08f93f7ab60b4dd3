"""Anthropic's Message Batches around the sample judge.

Wire format: https://docs.anthropic.com/en/api/creating-message-batches and the pages beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, Field, model_validator
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.providers.batch_api import BatchApi, Refusal, RefusedError, make_cursors, take_page
from local.providers.json_lines import write_json_lines
from local.providers.provider_batches import (
    DAY,
    Ending,
    Line,
    Phase,
    ProviderBatch,
    Result,
    rfc3339,
)
from local.providers.replies import BAD_REQUEST, NOT_FOUND
from local.providers.wire_formats import MESSAGES, anthropic_error

if TYPE_CHECKING:
    from starlette.requests import Request

_PATH = "/v1/messages/batches"
# The provider's spelling.
_TYPES = {
    Ending.SUCCEEDED: "succeeded",
    Ending.ERRORED: "errored",
    Ending.EXPIRED: "expired",
    Ending.CANCELLED: "canceled",
}


class MessageRequest(BaseModel):
    """One request of a batch."""

    custom_id: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    params: dict[str, Any]


class BatchOrder(BaseModel):
    """The body of POST /v1/messages/batches."""

    requests: list[MessageRequest] = Field(min_length=1, max_length=100_000)

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        custom_ids: set[str] = set()
        for request in self.requests:
            if request.custom_id in custom_ids:
                raise ValueError(f"the custom_id {request.custom_id} is not unique")
            custom_ids.add(request.custom_id)
        return self


class Listing(BaseModel):
    """The parameters of GET /v1/messages/batches."""

    limit: int = Field(20, ge=1, le=1000)
    after_id: str | None = None
    before_id: str | None = None


type MessageBatch = ProviderBatch[BatchOrder]


class AnthropicBatches(BatchApi[MessageBatch]):
    """Message batches."""

    form = MESSAGES
    statuses: ClassVar = {
        Phase.SUBMITTED: "in_progress",
        Phase.VALIDATING: "in_progress",
        Phase.RUNNING: "in_progress",
        Phase.CANCELLING: "canceling",
        Phase.PUBLISHING: "in_progress",
        Phase.COMPLETED: "ended",
        Phase.EXPIRED: "ended",
        Phase.CANCELLED: "ended",
        Phase.FAILED: "ended",
    }

    def routes(self) -> list[Route]:
        """Batches and their results."""
        return [
            self.route("POST", _PATH, self._create),
            self.route("GET", _PATH, self._list),
            self.route("GET", _PATH + "/{batch_id}", self._retrieve),
            self.route("DELETE", _PATH + "/{batch_id}", self._delete),
            self.route("GET", _PATH + "/{batch_id}/results", self._results),
            self.route("POST", _PATH + "/{batch_id}/cancel", self._cancel),
        ]

    def make_refusal(self, error: RefusedError) -> Response:
        """An error object."""
        if error.refusal is Refusal.NOT_FOUND:
            return JSONResponse(anthropic_error(str(error), kind="not_found_error"), NOT_FOUND)
        return JSONResponse(anthropic_error(str(error)), BAD_REQUEST)

    async def read(self, batch: MessageBatch) -> Sequence[Line]:
        """The requests in their original order."""
        return [Line(request.custom_id, request.params) for request in batch.order.requests]

    async def publish(self, batch: MessageBatch) -> None:
        """Store nothing: the results are read from the batch."""

    async def _create(self, http: Request) -> dict[str, Any]:
        order = BatchOrder.model_validate_json(await http.body())
        batch = ProviderBatch(id=f"msgbatch_{self.services.new_id()}", order=order)
        self.submit(batch)
        return self._document(batch, http)

    async def _list(self, http: Request) -> dict[str, Any]:
        listing = Listing.model_validate(dict(http.query_params))
        page, more = take_page(
            self.list_newest_first(),
            listing.limit,
            after=listing.after_id,
            before=listing.before_id,
        )
        return {
            "data": [self._document(batch, http) for batch in page],
            **make_cursors(page, more=more),
        }

    async def _retrieve(self, http: Request) -> dict[str, Any]:
        return self._document(self.find_batch(http), http)

    async def _results(self, http: Request) -> Response:
        batch = self._find_ended(http)
        content = write_json_lines(
            {"custom_id": result.line.key, "result": _make_result(result)}
            for result in batch.results
        )
        return Response(content, media_type="application/x-jsonl")

    async def _cancel(self, http: Request) -> dict[str, Any]:
        batch = self.find_batch(http)
        self.cancel(batch)
        return self._document(batch, http)

    async def _delete(self, http: Request) -> dict[str, Any]:
        batch = self._find_ended(http)
        del self.batches[batch.id]
        return {"id": batch.id, "type": "message_batch_deleted"}

    def _find_ended(self, http: Request) -> MessageBatch:
        batch = self.find_batch(http)
        if not batch.phase.is_end:
            raise RefusedError(Refusal.CONFLICT, f"batch {batch.id} has not ended")
        return batch

    def _document(self, batch: MessageBatch, http: Request) -> dict[str, Any]:
        """The batch object; lines are counted by ending once the whole batch has ended."""
        ended = batch.ended_at
        counts = {name: batch.count(ending) if ended else 0 for ending, name in _TYPES.items()}
        cancelled = batch.moments.get(Phase.CANCELLING)
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": self.status(batch),
            "request_counts": {"processing": 0 if ended else len(batch.order.requests), **counts},
            "created_at": rfc3339(batch.submitted_at),
            "expires_at": rfc3339(batch.submitted_at + DAY),
            "ended_at": rfc3339(ended) if ended else None,
            "cancel_initiated_at": rfc3339(cancelled) if cancelled else None,
            "archived_at": None,
            "results_url": f"{http.base_url}{_PATH[1:]}/{batch.id}/results" if ended else None,
        }


def _make_result(result: Result) -> dict[str, Any]:
    row: dict[str, Any] = {"type": _TYPES[result.ending]}
    if result.reply:
        row["message" if result.reply.is_success else "error"] = result.reply.body
    return row
