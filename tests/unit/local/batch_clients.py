"""Callers of the providers' batch APIs, each by its own wire format and alike to a test."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
from botocore.config import Config

from assessment.adapters.prompts import JinjaPrompts
from assessment.contracts.model_answer import VERDICT_SCHEMA, VERDICT_TOOL
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.prompt import EssayPair, JudgeInstructions
from local.providers.json_lines import Problem, UnfitBatchError

PATIENCE_SECONDS = 60
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
BUCKET = "essays"
ROLE = "arn:aws:iam::000000000000:role/batches"


def until[T](read: Callable[[], T], holds: Callable[[T], bool]) -> T:
    """What is read, once the condition holds of it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds(read_last := read()):
        assert time.monotonic() < deadline, f"waited in vain; last was {read_last}"
        time.sleep(0.01)
    return read_last


class MemoryObjects:
    """S3 in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    def read(self, bucket: str, key: str) -> bytes:
        """An object's content."""
        try:
            return self.kept[bucket, key]
        except KeyError:
            raise UnfitBatchError(Problem("s3", f"there is no s3://{bucket}/{key}")) from None

    def write(self, bucket: str, key: str, content: bytes) -> None:
        """Put an object."""
        if bucket != BUCKET:
            raise UnfitBatchError(Problem("s3", f"there is no bucket {bucket}"))
        self.kept[bucket, key] = content


def prompt(*pairs: EssayPair) -> dict[str, str]:
    """The rendered blocks about some pairs, by role."""
    judge = JudgeSpec(provider=Provider.OPENAI, model=MODEL)
    blocks = JinjaPrompts().render(judge, JudgeInstructions(), pairs, bundle=True)
    return {block.role: block.content for block in blocks}


def chat_body(*pairs: EssayPair) -> dict[str, Any]:
    """A chat completion that asks for a document by schema."""
    messages = [{"role": role, "content": content} for role, content in prompt(*pairs).items()]
    return {"model": MODEL, "messages": messages, "response_format": {"type": "json_object"}}


def messages_body(*pairs: EssayPair) -> dict[str, Any]:
    """A message with a forced tool."""
    blocks = prompt(*pairs)
    return {
        "model": MODEL,
        "max_tokens": 300,
        "system": blocks["system"],
        "messages": [{"role": "user", "content": blocks["user"]}],
        "tools": [{"name": VERDICT_TOOL, "input_schema": VERDICT_SCHEMA}],
        "tool_choice": {"type": "tool", "name": VERDICT_TOOL},
    }


def converse_body(*pairs: EssayPair) -> dict[str, Any]:
    """A conversation without tools, as jobs take it."""
    blocks = prompt(*pairs)
    return {
        "system": [{"text": blocks["system"]}],
        "messages": [{"role": "user", "content": [{"text": blocks["user"]}]}],
        "inferenceConfig": {"maxTokens": 300},
    }


def bedrock_client(service: str, url: str) -> Any:
    """A real client of AWS, pointed here."""
    made: Any = boto3.client
    return made(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


@dataclass(frozen=True)
class LineResult:
    """What came back of one line."""

    key: str
    ending: str
    body: Any = None


class BatchClient(ABC):
    """One provider's batches."""

    ends: frozenset[str]
    cancelled: str
    tells_unrun_lines = True

    def __init__(self, url: str, objects: MemoryObjects) -> None:
        self.http = httpx.Client(base_url=url, timeout=30)
        self.url = url
        self.objects = objects

    @abstractmethod
    def body(self, *pairs: EssayPair) -> dict[str, Any]:
        """A request about some pairs."""

    @abstractmethod
    def submit(self, bodies: Mapping[str, dict[str, Any]]) -> str:
        """Submit a batch with these requests by key; its id."""

    @abstractmethod
    def status(self, batch_id: str) -> str:
        """Where it stands."""

    @abstractmethod
    def count_succeeded(self, batch_id: str) -> int:
        """How many lines it tells to have succeeded so far."""

    @abstractmethod
    def cancel(self, batch_id: str) -> None:
        """Cancel it."""

    @abstractmethod
    def results(self, batch_id: str) -> list[LineResult]:
        """What came back, in the order of the files."""

    @abstractmethod
    def document(self, body: Any) -> Any:
        """The verdicts in a good answer."""

    @abstractmethod
    def complaint(self, body: Any) -> tuple[Any, str]:
        """The code and the message of a bad answer."""

    def await_end(self, batch_id: str) -> str:
        """The last status of a batch."""
        return until(lambda: self.status(batch_id), self.ends.__contains__)

    def run(self, bodies: Mapping[str, dict[str, Any]]) -> list[LineResult]:
        """The results of a batch with these requests."""
        batch_id = self.submit(bodies)
        self.await_end(batch_id)
        return self.results(batch_id)

    def stats(self) -> dict[str, dict[str, int]]:
        """What the judge counted."""
        return self.http.get("/stats").json()


def json_lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


class OpenAIClient(BatchClient):
    """Files and batches of OpenAI."""

    ends = frozenset({"completed", "failed", "expired", "cancelled"})
    cancelled = "cancelled"

    def body(self, *pairs: EssayPair) -> dict[str, Any]:
        return chat_body(*pairs)

    def upload(self, content: bytes, purpose: str = "batch", name: str = "b.jsonl") -> str:
        answer = self.http.post(
            "/v1/files", data={"purpose": purpose}, files={"file": (name, content)}
        )
        return answer.raise_for_status().json()["id"]

    def order(self, file_id: str, **changes: Any) -> httpx.Response:
        order = {
            "input_file_id": file_id,
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
        }
        return self.http.post("/v1/batches", json=order | changes)

    def submit(self, bodies: Mapping[str, dict[str, Any]], **changes: Any) -> str:
        lines = [
            {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}
            for key, body in bodies.items()
        ]
        content = "\n".join(json.dumps(line) for line in lines).encode()
        return self.order(self.upload(content), **changes).raise_for_status().json()["id"]

    def batch(self, batch_id: str) -> dict[str, Any]:
        return self.http.get(f"/v1/batches/{batch_id}").raise_for_status().json()

    def status(self, batch_id: str) -> str:
        return self.batch(batch_id)["status"]

    def count_succeeded(self, batch_id: str) -> int:
        return self.batch(batch_id)["request_counts"]["completed"]

    def cancel(self, batch_id: str) -> None:
        self.http.post(f"/v1/batches/{batch_id}/cancel").raise_for_status()

    def rows(self, file_id: str | None) -> list[dict[str, Any]]:
        """The lines of a file that was written, if it was."""
        if file_id is None:
            return []
        return json_lines(self.http.get(f"/v1/files/{file_id}/content").raise_for_status().content)

    def results(self, batch_id: str) -> list[LineResult]:
        batch = self.batch(batch_id)
        good = [
            LineResult(row["custom_id"], "succeeded", row["response"]["body"])
            for row in self.rows(batch["output_file_id"])
        ]
        bad = []
        for row in self.rows(batch["error_file_id"]):
            ending = row["error"]["code"].removeprefix("batch_") if row["error"] else "errored"
            bad.append(LineResult(row["custom_id"], ending, row["response"]))
        return good + bad

    def document(self, body: Any) -> Any:
        return json.loads(body["choices"][0]["message"]["content"])

    def complaint(self, body: Any) -> tuple[Any, str]:
        return body["status_code"], body["body"]["error"]["message"]


class AnthropicClient(BatchClient):
    """Message batches of Anthropic."""

    ends = frozenset({"ended"})
    cancelled = "ended"
    path = "/v1/messages/batches"

    def body(self, *pairs: EssayPair) -> dict[str, Any]:
        return messages_body(*pairs)

    def submit(self, bodies: Mapping[str, dict[str, Any]]) -> str:
        requests = [{"custom_id": key, "params": body} for key, body in bodies.items()]
        answer = self.http.post(self.path, json={"requests": requests})
        return answer.raise_for_status().json()["id"]

    def batch(self, batch_id: str) -> dict[str, Any]:
        return self.http.get(f"{self.path}/{batch_id}").raise_for_status().json()

    def status(self, batch_id: str) -> str:
        return self.batch(batch_id)["processing_status"]

    def count_succeeded(self, batch_id: str) -> int:
        return self.stats()["totals"].get("verdicts", 0)

    def cancel(self, batch_id: str) -> None:
        self.http.post(f"{self.path}/{batch_id}/cancel").raise_for_status()

    def results(self, batch_id: str) -> list[LineResult]:
        answer = self.http.get(self.batch(batch_id)["results_url"]).raise_for_status()
        return [
            LineResult(
                row["custom_id"],
                row["result"]["type"].replace("canceled", "cancelled"),
                row["result"].get("message") or row["result"].get("error"),
            )
            for row in json_lines(answer.content)
        ]

    def document(self, body: Any) -> Any:
        return body["content"][0]["input"]

    def complaint(self, body: Any) -> tuple[Any, str]:
        codes = {"overloaded_error": 503, "invalid_request_error": 400}
        return codes[body["error"]["type"]], body["error"]["message"]


class BedrockClient(BatchClient):
    """Model invocation jobs of Bedrock, by boto3."""

    ends = frozenset({"Completed", "PartiallyCompleted", "Failed", "Stopped"})
    cancelled = "Stopped"
    tells_unrun_lines = False

    def __init__(self, url: str, objects: MemoryObjects) -> None:
        super().__init__(url, objects)
        self.api = bedrock_client("bedrock", url)
        self.submitted = 0

    def body(self, *pairs: EssayPair) -> dict[str, Any]:
        return converse_body(*pairs)

    def order(self, content: bytes, **changes: Any) -> dict[str, Any]:
        """The parameters of a job whose input is in place."""
        self.submitted += 1
        self.objects.kept[BUCKET, f"in/{self.submitted}.jsonl"] = content
        place = f"s3://{BUCKET}/in/{self.submitted}.jsonl"
        return {
            "jobName": f"job-{self.submitted}",
            "roleArn": ROLE,
            "modelId": MODEL,
            "modelInvocationType": "Converse",
            "inputDataConfig": {"s3InputDataConfig": {"s3InputFormat": "JSONL", "s3Uri": place}},
            "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": f"s3://{BUCKET}/out/"}},
        } | changes

    def submit(self, bodies: Mapping[str, dict[str, Any]], **changes: Any) -> str:
        records = [{"recordId": key, "modelInput": body} for key, body in bodies.items()]
        content = "".join(json.dumps(record) + "\n" for record in records).encode()
        return self.api.create_model_invocation_job(**self.order(content, **changes))["jobArn"]

    def job(self, arn: str) -> dict[str, Any]:
        return self.api.get_model_invocation_job(jobIdentifier=arn)

    def status(self, batch_id: str) -> str:
        return self.job(batch_id)["status"]

    def count_succeeded(self, batch_id: str) -> int:
        return self.job(batch_id)["successRecordCount"]

    def cancel(self, batch_id: str) -> None:
        self.api.stop_model_invocation_job(jobIdentifier=batch_id)

    def read_output(self, arn: str, name: str) -> bytes:
        """A file of the job's output; empty where none was written."""
        return self.objects.kept.get((BUCKET, f"out/{arn.rpartition('/')[2]}/{name}"), b"")

    def results(self, batch_id: str) -> list[LineResult]:
        source = self.job(batch_id)["inputDataConfig"]["s3InputDataConfig"]["s3Uri"]
        rows = json_lines(self.read_output(batch_id, f"{source.rpartition('/')[2]}.out"))
        return [
            LineResult(
                row["recordId"],
                "succeeded" if "modelOutput" in row else "errored",
                row.get("modelOutput") or row["error"],
            )
            for row in rows
        ]

    def document(self, body: Any) -> Any:
        return json.loads(body["output"]["message"]["content"][0]["text"])

    def complaint(self, body: Any) -> tuple[Any, str]:
        return body["errorCode"], body["errorMessage"]


CLIENTS: dict[str, type[BatchClient]] = {
    "openai": OpenAIClient,
    "anthropic": AnthropicClient,
    "bedrock": BedrockClient,
}
