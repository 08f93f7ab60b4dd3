"""Bedrock's batch inference: a job over a file of conversations in the stack's bucket.

Wire format: https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html.
The submission's name is the job's name and its idempotency token, so Bedrock itself takes it once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assessment.adapters.judges.batch_calls import make_missing_answers_error, merge_answers
from assessment.adapters.judges.bedrock import (
    CONVERSE_CAPABILITIES,
    FORCED_TOOL,
    PROMPT_CACHE,
    ask_bedrock,
    converse_body,
    converse_completion,
)
from assessment.adapters.judges.capabilities import Capabilities, record_lessons
from assessment.adapters.judges.completion import Completion
from assessment.adapters.judges.model import Submission, SubmittedCall, list_call_texts
from assessment.adapters.judges.provider_error import read_provider_error
from assessment.adapters.judges.transport import read_line_problem
from assessment.contracts.json_text import split_json_lines
from assessment.contracts.valid_values import read_token_count
from assessment.domain.document_keys import provider_batch_folder, provider_batch_key
from assessment.domain.judge import JudgeSpec
from assessment.domain.judge_errors import JudgeError, JudgeRefusedError, ProviderBatchError
from assessment.domain.provider_batch import WINDOW, SubmissionAttempt
from assessment.domain.quotation import LONGEST_MESSAGE
from assessment.ports.content import ContentStore

_INPUT = "input.jsonl"
_WITH_OUTPUT = frozenset({"Completed", "PartiallyCompleted"})
_NOT_IN_JOBS = frozenset({FORCED_TOOL.name, PROMPT_CACHE.name})
"""Jobs in the format of Converse refuse `toolConfig` (docs.aws.amazon.com/bedrock/latest/userguide/
batch-inference-data.html); they take a schema (.../userguide/structured-output.html). No page says
that they take a mark for the prompt cache, and a refusal would cost every line of a job."""

_ENDED = frozenset({"Completed", "Failed", "Stopped", "PartiallyCompleted", "Expired"})


@dataclass(frozen=True)
class JobAccess:
    """What jobs need: Bedrock's control plane, the bucket, and the role that Bedrock takes."""

    client: Callable[[], Any]
    content: Callable[[], ContentStore]
    bucket: str
    role_arn: str


class BedrockBatchModel:
    """Model invocation jobs in the format of Converse."""

    def __init__(self, access: JobAccess, capabilities: Capabilities) -> None:
        self._access = access
        self._capabilities = capabilities

    async def find(
        self,
        judge: JudgeSpec,  # noqa: ARG002 - one control plane for all models
        attempt: SubmissionAttempt,
        *,
        is_claimed: Callable[[str], bool],  # noqa: ARG002 - its name is enough
    ) -> str | None:
        """The job of this name."""
        listing = await self._ask("list_model_invocation_jobs", nameContains=attempt.name)
        for job in listing.get("invocationJobSummaries", []):
            if job.get("jobName") == attempt.name:
                return str(job["jobArn"])
        return None

    async def submit(self, judge: JudgeSpec, submission: Submission) -> str:
        """Write the file, then make a job of it; the same name again gives the same job."""
        missing = await asyncio.to_thread(self._capabilities.get_missing, judge)
        missing |= _NOT_IN_JOBS
        lines = [
            {
                "recordId": record_id(name),
                "modelInput": converse_body(
                    judge, blocks, limit=submission.limits[name], missing=missing
                ),
            }
            for name, blocks in submission.prompts.items()
        ]
        await asyncio.to_thread(
            self._access.content().put_document,
            provider_batch_key(submission.name, _INPUT),
            "".join(json.dumps(line) + "\n" for line in lines),
            content_type="application/jsonl",
        )
        folder = self._access.content().place(provider_batch_folder(submission.name))
        place = f"s3://{self._access.bucket}/{folder}"
        job = await self._ask(
            "create_model_invocation_job",
            jobName=submission.name,
            clientRequestToken=submission.name,
            roleArn=self._access.role_arn,
            modelId=judge.model,
            modelInvocationType="Converse",
            inputDataConfig={
                "s3InputDataConfig": {"s3Uri": f"{place}/{_INPUT}", "s3InputFormat": "JSONL"}
            },
            outputDataConfig={"s3OutputDataConfig": {"s3Uri": f"{place}/output/"}},
            timeoutDurationInHours=int(WINDOW.total_seconds() // 3600),
        )
        return str(job["jobArn"])

    async def has_ended(self, judge: JudgeSpec, batch_id: str) -> bool:  # noqa: ARG002 - as `find`
        """Whether its status is a last one."""
        return (await self._job(batch_id)).get("status") in _ENDED

    async def read_answers(
        self, judge: JudgeSpec, batch_id: str, calls: Mapping[str, SubmittedCall]
    ) -> dict[str, Completion | JudgeError]:
        """The lines of its output file; of a job that failed before it had one, why it did."""
        job = await self._job(batch_id)
        text = await self._read_output(str(job.get("jobName")), batch_id)
        if text is None:
            if job.get("status") == "Failed":
                return dict.fromkeys(calls, _read_failure(job, calls))
            if _has_output(job):
                raise make_missing_answers_error("bedrock")
        names = {record_id(name): name for name in calls}
        answers = [
            (name, _read_record(line, calls[name].texts))
            for line in split_json_lines(text or "")
            if (name := names.get(str(line.get("recordId")))) is not None
        ]
        return merge_answers(
            await record_lessons(judge, self._capabilities, CONVERSE_CAPABILITIES, answers), calls
        )

    async def _read_output(self, name: str, batch_id: str) -> str | None:
        number = batch_id.rsplit("/", 1)[-1]
        return await asyncio.to_thread(
            self._access.content().get_document,
            provider_batch_key(name, f"output/{number}/{_INPUT}.out"),
        )

    async def cancel(self, judge: JudgeSpec, batch_id: str) -> None:  # noqa: ARG002 - as `find`
        """Stop the job; what it has answered is written."""
        await self._ask("stop_model_invocation_job", jobIdentifier=batch_id)

    async def delete(self, judge: JudgeSpec, batch_id: str) -> None:
        """Nothing to do: the files are in our own bucket, whose rule deletes them."""

    async def _job(self, batch_id: str) -> dict[str, Any]:
        return await self._ask("get_model_invocation_job", jobIdentifier=batch_id)

    async def _ask(self, operation: str, **request: Any) -> dict[str, Any]:
        return await ask_bedrock(getattr(self._access.client(), operation), **request)


def record_id(name: str) -> str:
    """A record's id by the name of its call: letters and digits only."""
    return f"CJ{name.replace('-', '')}"


def _has_output(job: Mapping[str, Any]) -> bool:
    """Whether the job has answers, whose file may not be there yet."""
    n_processed = read_token_count(job.get("processedRecordCount"))
    return job.get("status") in _WITH_OUTPUT or n_processed > 0


def _read_failure(job: Mapping[str, Any], calls: Mapping[str, SubmittedCall]) -> JudgeError:
    """Why a job failed before it had any output."""
    message = {"message": job.get("message")}
    problem = read_provider_error(400, message, texts=list_call_texts(calls))
    words = problem.words[:LONGEST_MESSAGE] or "no reason given"
    return JudgeRefusedError("bedrock failed the job", words=words)


def _read_record(line: dict[str, Any], texts: Sequence[str]) -> Completion | JudgeError:
    output = line.get("modelOutput")
    if isinstance(output, dict):
        try:
            return converse_completion(output, texts=texts)
        except JudgeError as error:
            return error
    problem = line.get("error")
    if not isinstance(problem, dict) or not isinstance(problem.get("errorCode"), int):
        return ProviderBatchError("bedrock: the record has neither output nor error")
    body = {"message": problem.get("errorMessage")}
    return read_line_problem(problem["errorCode"], body, provider="bedrock", texts=texts)
