"""OpenAI's Batch API around the sample judge.

Wire format: https://platform.openai.com/docs/api-reference/batch and
https://platform.openai.com/docs/guides/batch
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.judge.validation import first_error
from local.providers.batch_api import (
    BatchApi,
    Refusal,
    RefusedError,
    Services,
    make_cursors,
    take_page,
)
from local.providers.json_lines import Problem, UnfitBatchError, json_lines, write_json_lines
from local.providers.openai_files import BATCH, BATCH_OUTPUT, OpenAIFiles
from local.providers.provider_batches import DAY, Ending, Line, Phase, ProviderBatch, Result
from local.providers.wire_formats import CHAT_COMPLETIONS, openai_error

if TYPE_CHECKING:
    from starlette.requests import Request

type Endpoint = Literal["/v1/chat/completions"]

_STATUS_CODES = {Refusal.INVALID: 400, Refusal.NOT_FOUND: 404, Refusal.CONFLICT: 409}
_NOT_RUN = {
    Ending.EXPIRED: {
        "code": "batch_expired",
        "message": "the completion window ended before this request had run",
    },
    Ending.CANCELLED: {
        "code": "batch_cancelled",
        "message": "the batch was cancelled before this request had run",
    },
}
# The beginnings of these phases are stored under `<status>_at`, such as `completed_at`.
_STAMPED = (
    Phase.RUNNING,
    Phase.PUBLISHING,
    Phase.COMPLETED,
    Phase.FAILED,
    Phase.EXPIRED,
    Phase.CANCELLING,
    Phase.CANCELLED,
)


class BatchOrder(BaseModel):
    """The body of POST /v1/batches."""

    input_file_id: str
    endpoint: Endpoint
    completion_window: Literal["24h"]
    metadata: (
        Annotated[
            dict[
                Annotated[str, Field(max_length=64)],
                Annotated[str, Field(max_length=512)],
            ],
            Field(max_length=16),
        ]
        | None
    ) = None


class InputLine(BaseModel):
    """A line of the input file."""

    custom_id: str = Field(min_length=1)
    method: Literal["POST"]
    url: Endpoint
    body: dict[str, Any]


class Listing(BaseModel):
    """The parameters of GET /v1/batches."""

    limit: int = Field(20, ge=1, le=100)
    after: str | None = None


@dataclass(kw_only=True)
class OpenAIBatch(ProviderBatch[BatchOrder]):
    """A batch, its input file and its output files."""

    input: bytes
    output_file_id: str | None = None
    error_file_id: str | None = None


class OpenAIBatches(BatchApi[OpenAIBatch]):
    """Batches of chat completions, and their files."""

    form = CHAT_COMPLETIONS
    statuses: ClassVar = {
        Phase.SUBMITTED: "validating",
        Phase.VALIDATING: "validating",
        Phase.RUNNING: "in_progress",
        Phase.CANCELLING: "cancelling",
        Phase.PUBLISHING: "finalizing",
        Phase.COMPLETED: "completed",
        Phase.EXPIRED: "expired",
        Phase.CANCELLED: "cancelled",
        Phase.FAILED: "failed",
    }

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.files = OpenAIFiles(services)

    def routes(self) -> list[Route]:
        """Files and batches."""
        return [
            self.route("POST", "/v1/files", self.files.upload),
            self.route("GET", "/v1/files/{file_id}/content", self.files.content),
            self.route("DELETE", "/v1/files/{file_id}", self.files.delete),
            self.route("POST", "/v1/batches", self._create),
            self.route("GET", "/v1/batches", self._list),
            self.route("GET", "/v1/batches/{batch_id}", self._retrieve),
            self.route("POST", "/v1/batches/{batch_id}/cancel", self._cancel),
        ]

    def make_refusal(self, error: RefusedError) -> Response:
        """An error object."""
        body = openai_error(str(error), param=error.param)
        return JSONResponse(body, status_code=_STATUS_CODES[error.refusal])

    async def read(self, batch: OpenAIBatch) -> Sequence[Line]:
        """The lines of the input file; the error names every wrong line."""
        if not batch.input.strip():
            raise UnfitBatchError(Problem("empty_file", "the input file is empty"))
        lines: dict[str, Line] = {}
        problems: list[Problem] = []
        for number, row in json_lines(batch.input):
            checked = row if isinstance(row, Problem) else _read_line(number, row)
            if isinstance(checked, Line) and checked.key in lines:
                checked = Problem(
                    "duplicate_custom_id",
                    f"line {number} has the custom_id {checked.key} of a line before it",
                    number,
                    "custom_id",
                )
            if isinstance(checked, Problem):
                problems.append(checked)
            else:
                lines[checked.key] = checked
        if problems:
            raise UnfitBatchError(*problems)
        return list(lines.values())

    async def publish(self, batch: OpenAIBatch) -> None:
        """Write a file of the answers and a file of the errors; an empty file is not written."""
        rows = [
            (result.ending, _make_row(f"{batch.id}_{number}", result))
            for number, result in enumerate(batch.results)
        ]
        succeeded = [row for ending, row in rows if ending is Ending.SUCCEEDED]
        failed = [row for ending, row in rows if ending is not Ending.SUCCEEDED]
        batch.output_file_id = self._write(f"{batch.id}_output.jsonl", succeeded)
        batch.error_file_id = self._write(f"{batch.id}_error.jsonl", failed)

    def _write(self, name: str, rows: Sequence[Mapping[str, Any]]) -> str | None:
        return self.files.store(name, BATCH_OUTPUT, write_json_lines(rows)).id if rows else None

    async def _create(self, http: Request) -> dict[str, Any]:
        order = BatchOrder.model_validate_json(await http.body())
        try:
            file = self.files.find(order.input_file_id)
        except RefusedError as error:
            raise RefusedError(Refusal.INVALID, str(error), "input_file_id") from error
        if file.purpose != BATCH:
            raise RefusedError(
                Refusal.INVALID,
                f"file {file.id} is for {file.purpose}, not for {BATCH}",
                "input_file_id",
            )
        batch = OpenAIBatch(id=f"batch_{self.services.new_id()}", order=order, input=file.content)
        self.submit(batch)
        return self._document(batch)

    async def _list(self, http: Request) -> dict[str, Any]:
        listing = Listing.model_validate(dict(http.query_params))
        page, more = take_page(self.list_newest_first(), listing.limit, after=listing.after)
        return {
            "object": "list",
            "data": [self._document(batch) for batch in page],
            **make_cursors(page, more=more),
        }

    async def _retrieve(self, http: Request) -> dict[str, Any]:
        return self._document(self.find_batch(http))

    async def _cancel(self, http: Request) -> dict[str, Any]:
        batch = self.find_batch(http)
        self.cancel(batch)
        return self._document(batch)

    def _document(self, batch: OpenAIBatch) -> dict[str, Any]:
        """The batch object."""
        stamps = {f"{self.statuses[phase]}_at": batch.moments.get(phase) for phase in _STAMPED}
        problems = [vars(problem) for problem in batch.problems]
        return {
            "id": batch.id,
            "object": "batch",
            **batch.order.model_dump(),
            "errors": {"object": "list", "data": problems} if problems else None,
            "status": self.status(batch),
            "output_file_id": batch.output_file_id,
            "error_file_id": batch.error_file_id,
            "created_at": _seconds(batch.submitted_at),
            "expires_at": _seconds(batch.submitted_at + DAY),
            **{name: _seconds(moment) for name, moment in stamps.items()},
            "request_counts": {
                "total": len(batch.lines),
                "completed": batch.count(Ending.SUCCEEDED),
                "failed": batch.count(Ending.ERRORED),
            },
        }


def _read_line(number: int, row: dict[str, Any]) -> Line | Problem:
    try:
        line = InputLine.model_validate(row)
    except ValidationError as error:
        message, param = first_error(error)
        return Problem("invalid_request", f"line {number}: {message}", number, param)
    return Line(line.custom_id, line.body)


def _make_row(name: str, result: Result) -> dict[str, Any]:
    """A line of an output or error file."""
    response = result.reply and {
        "status_code": result.reply.status,
        "request_id": f"req_{name}",
        "body": result.reply.body,
    }
    return {
        "id": f"batch_req_{name}",
        "custom_id": result.line.key,
        "response": response,
        "error": _NOT_RUN.get(result.ending),
    }


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None
