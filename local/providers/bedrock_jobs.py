"""Bedrock's model invocation jobs around the sample judge, for Converse.

Wire format: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html
and the pages of Get, List and StopModelInvocationJob; the files as in
https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response
from starlette.routing import Route

from local.providers.batch_api import BatchApi, Refusal, RefusedError, Services, look_up, take_page
from local.providers.json_lines import Problem, UnfitBatchError, json_lines, write_json_lines
from local.providers.provider_batches import Ending, Line, Phase, ProviderBatch, Result, rfc3339
from local.providers.provider_formats import to_response
from local.providers.replies import BAD_REQUEST, NOT_FOUND, Reply
from local.providers.wire_formats import CONVERSE, aws_error
from local.stack.addresses import REGION

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.providers.s3_objects import Objects

_JOB_ID_LENGTH = 12
_LONGEST_MESSAGE = 2048
_ERRORS = {
    Refusal.INVALID: ("ValidationException", BAD_REQUEST),
    Refusal.NOT_FOUND: ("ResourceNotFoundException", NOT_FOUND),
    Refusal.CONFLICT: ("ConflictException", BAD_REQUEST),
}


class _Shape(BaseModel):
    """A structure with fields in camel case; the API returns unread fields too."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")


class S3Location(_Shape):
    """Where an object, or a folder of them, is."""

    s3_uri: str = Field(pattern=r"^s3://[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](/.*)?$")

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return urlsplit(self.s3_uri).netloc

    @property
    def key(self) -> str:
        """What follows it."""
        return urlsplit(self.s3_uri).path.strip("/")


class InputData(_Shape):
    """Where the records are."""

    s3_input_data_config: S3Location


class OutputData(_Shape):
    """Where the results shall go."""

    s3_output_data_config: S3Location


class JobOrder(_Shape):
    """The body of POST /model-invocation-job."""

    job_name: str = Field(pattern=r"^[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9\+\-\.]){0,63}$", max_length=63)
    role_arn: str = Field(pattern=r"^arn:aws(-[^:]+)?:iam::([0-9]{12})?:role/.+$")
    model_id: str = Field(min_length=1)
    client_request_token: str | None = None
    input_data_config: InputData
    output_data_config: OutputData
    timeout_duration_in_hours: int = Field(24, ge=24, le=168)
    model_invocation_type: Literal["Converse"]


class Listing(_Shape):
    """The parameters of GET /model-invocation-jobs."""

    submit_time_after: AwareDatetime | None = None
    submit_time_before: AwareDatetime | None = None
    status_equals: str | None = None
    name_contains: str = ""
    max_results: int = Field(1000, ge=1, le=1000)
    next_token: str | None = None
    sort_by: Literal["CreationTime"] = "CreationTime"
    sort_order: Literal["Ascending", "Descending"] = "Descending"


type InvocationJob = ProviderBatch[JobOrder]


class BedrockJobs(BatchApi[InvocationJob]):
    """Model invocation jobs, whose records and results are objects of S3."""

    form = CONVERSE
    statuses: ClassVar = {
        Phase.SUBMITTED: "Submitted",
        Phase.VALIDATING: "Validating",
        Phase.RUNNING: "InProgress",
        Phase.CANCELLING: "Stopping",
        Phase.PUBLISHING: "InProgress",
        Phase.COMPLETED: "Completed",
        Phase.EXPIRED: "PartiallyCompleted",
        Phase.CANCELLED: "Stopped",
        Phase.FAILED: "Failed",
    }

    def __init__(self, services: Services, objects: Objects) -> None:
        super().__init__(services)
        self._objects = objects

    def routes(self) -> list[Route]:
        """The operations of the control plane; a job's ARN has a slash in it."""
        return [
            self.route("POST", "/model-invocation-job", self._create),
            self.route("GET", "/model-invocation-jobs", self._list),
            self.route("GET", "/model-invocation-job/{batch_id:path}", self._get),
            self.route("POST", "/model-invocation-job/{batch_id:path}/stop", self._stop),
        ]

    def make_refusal(self, error: RefusedError) -> Response:
        """An error, whose name is a header."""
        name, status = _ERRORS[error.refusal]
        return to_response(aws_error(name, str(error), status))

    def find_batch(self, http: Request) -> InvocationJob:
        """The job that the path names by ARN or by id."""
        return look_up(self.batches, http.path_params["batch_id"].rpartition("/")[2], "job")

    async def read(self, batch: InvocationJob) -> Sequence[Line]:
        """The records of the input object."""
        place = batch.order.input_data_config.s3_input_data_config
        content = await asyncio.to_thread(self._objects.read, place.bucket, place.key)
        records = [_read_record(number, line) for number, line in json_lines(content)]
        if problems := [record for record in records if isinstance(record, Problem)]:
            raise UnfitBatchError(*problems)
        least = self.services.judge.options.bedrock_minimum_records
        if len(records) < least:
            message = f"the job has {len(records)} records; at least {least} are needed"
            raise UnfitBatchError(Problem("records", message))
        return [record for record in records if isinstance(record, Line)]

    def refuse_body(self, body: Mapping[str, Any]) -> Reply | None:
        """Refuse tools: jobs in the format of Converse do not take them."""
        if "toolConfig" not in body:
            return None
        message = "toolConfig is not supported for batch inference in the Converse format."
        return Reply({"message": message}, BAD_REQUEST)

    async def publish(self, batch: InvocationJob) -> None:
        """Write the results of what ran, and a manifest that counts them."""
        name = batch.order.input_data_config.s3_input_data_config.key.rpartition("/")[2]
        ran = [_make_row(result) for result in batch.results if result.reply]
        usages = [row["modelOutput"]["usage"] for row in ran if "modelOutput" in row]
        manifest = _counts(batch) | {
            "inputTokenCount": sum(usage["inputTokens"] for usage in usages),
            "outputTokenCount": sum(usage["outputTokens"] for usage in usages),
        }
        if ran:
            await self._write(batch, f"{name}.out", write_json_lines(ran))
        await self._write(batch, "manifest.json.out", json.dumps(manifest).encode())

    async def _write(self, batch: InvocationJob, name: str, content: bytes) -> None:
        place = batch.order.output_data_config.s3_output_data_config
        key = "/".join(part for part in (place.key, batch.id, name) if part)
        await asyncio.to_thread(self._objects.write, place.bucket, key, content)

    async def _create(self, http: Request) -> dict[str, Any]:
        order = JobOrder.model_validate_json(await http.body())
        token, name = order.client_request_token, order.job_name
        for job in self.batches.values():
            if token and job.order.client_request_token == token:
                return {"jobArn": _arn(job)}
        if any(job.order.job_name == name for job in self.batches.values()):
            raise RefusedError(Refusal.CONFLICT, f"there is a job named {name} already")
        job = ProviderBatch(id=self.services.new_id()[:_JOB_ID_LENGTH], order=order)
        self.submit(job)
        return {"jobArn": _arn(job)}

    async def _get(self, http: Request) -> dict[str, Any]:
        return self._document(self.find_batch(http))

    async def _stop(self, http: Request) -> dict[str, Any]:
        self.cancel(self.find_batch(http))
        return {}

    async def _list(self, http: Request) -> dict[str, Any]:
        listing = Listing.model_validate(dict(http.query_params))
        jobs = self.list_newest_first()
        if listing.sort_order == "Ascending":
            jobs.reverse()
        # Find the position before filtering: a job may have changed its status since the last page.
        rest, _ = take_page(jobs, len(jobs), after=listing.next_token)
        matching = [job for job in rest if self._matches(job, listing)]
        page = matching[: listing.max_results]
        summaries = {"invocationJobSummaries": [self._document(job) for job in page]}
        return summaries | ({"nextToken": page[-1].id} if len(page) < len(matching) else {})

    def _matches(self, job: InvocationJob, listing: Listing) -> bool:
        moment = job.submitted_at
        return (
            listing.name_contains in job.order.job_name
            and listing.status_equals in {None, self.status(job)}
            and (listing.submit_time_after is None or moment > listing.submit_time_after)
            and (listing.submit_time_before is None or moment < listing.submit_time_before)
        )

    def _document(self, job: InvocationJob) -> dict[str, Any]:
        """The job for Get and List; fields without a value are left out."""
        window = timedelta(hours=job.order.timeout_duration_in_hours)
        document = {
            "jobArn": _arn(job),
            **job.order.model_dump(by_alias=True),
            "status": self.status(job),
            "message": "; ".join(problem.message for problem in job.problems)[:_LONGEST_MESSAGE]
            or None,
            "submitTime": rfc3339(job.submitted_at),
            "lastModifiedTime": rfc3339(job.moments[job.phase]),
            "endTime": rfc3339(job.ended_at) if job.ended_at else None,
            "jobExpirationTime": rfc3339(job.submitted_at + window),
            **_counts(job),
        }
        return {name: value for name, value in document.items() if value is not None}


def _arn(job: InvocationJob) -> str:
    """The ARN of the job, in the account of its role."""
    account = job.order.role_arn.split(":")[4]
    return f"arn:aws:bedrock:{REGION}:{account}:model-invocation-job/{job.id}"


def _read_record(number: int, line: dict[str, Any] | Problem) -> Line | Problem:
    """A line of the input file; a record without an id gets one."""
    if isinstance(line, Problem):
        return line
    body = line.get("modelInput")
    if not isinstance(body, dict):
        return Problem("record", f"line {number} has no modelInput that is an object", number)
    return Line(str(line.get("recordId") or f"CALL{number:07d}"), body)


def _make_row(result: Result) -> dict[str, Any]:
    """A line of the output file."""
    row: dict[str, Any] = {"recordId": result.line.key, "modelInput": result.line.body}
    if result.reply and result.reply.is_success:
        return row | {"modelOutput": result.reply.body}
    if result.reply:
        row["error"] = {"errorCode": result.reply.status, "errorMessage": result.reply.problem}
    return row


def _counts(job: InvocationJob) -> dict[str, int]:
    succeeded, failed = job.count(Ending.SUCCEEDED), job.count(Ending.ERRORED)
    return {
        "totalRecordCount": len(job.lines),
        "processedRecordCount": succeeded + failed,
        "successRecordCount": succeeded,
        "errorRecordCount": failed,
    }
