"""OpenAI, Anthropic and Bedrock, small: single calls and batches that end after a minute.

Wire formats are those of `local.providers`; verdicts are simulated from the abilities in the texts.
A request counts as paid when the provider answers it. A batch that is cancelled has answered every
second of its requests.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import httpx

from local.providers.scripted_server import FORMATS, MODEL, VERDICT_TOOL
from local.providers.wire_formats import Answer
from tests.faults.services import Bucket, Clock, refused
from tests.workflow.judge import ability_of

TAKES = timedelta(seconds=60)
_COMPARISON = re.compile(r"^# Comparison (\S+)$", re.MULTILINE)


def judge_prompt(prompt: str, measure: Callable[[str], float] = ability_of) -> dict[str, Any]:
    """The verdicts on every comparison of a prompt: the better essay wins nine times of ten."""
    parts = _COMPARISON.split(prompt)[1:]
    verdicts = []
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        first, second = re.findall(r"[Qq]uality [+-]\d+\.\d+", text)
        better = measure(first) > measure(second)
        chance = random.Random(name).random()
        winner = "A" if better == (chance < 0.9) else "B"
        verdicts.append({
            "comparison_id": name, "winner": winner, "degree": None, "confidence": 3,
            "justification": "simulated",
        })  # fmt: skip
    return {"verdicts": verdicts}


@dataclass
class Ordered:
    """A batch at a provider: its requests by their names, and what became of them."""

    id: str
    name: str
    requests: dict[str, Any]
    created: datetime
    cancelled_at: datetime | None = None
    answers: dict[str, Any] | None = None


@dataclass
class Provider:
    """What the three have in common; `name` is that of the wire format."""

    clock: Clock
    name: str
    takes: timedelta = TAKES
    ability: Callable[[str], float] = ability_of
    asked: Counter[str] = field(default_factory=Counter)
    batches: list[Ordered] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: count(1))

    def answer(self, body: Any) -> dict[str, Any]:
        """The provider's answer to one request, which is paid for."""
        document = judge_prompt(_prompt_of(body), self.ability)
        for verdict in document["verdicts"]:
            self.asked[verdict["comparison_id"]] += 1
        # As many tokens for each comparison, however many are asked about in a call.
        n = len(document["verdicts"])
        tool = None if self.name == "openai" else VERDICT_TOOL
        answer = Answer(MODEL, document, tool, (100 * n, 10 * n), None, None)
        return FORMATS[self.name].answer(answer)

    def order(self, name: str, requests: dict[str, Any]) -> Ordered:
        batch = Ordered(f"batch{next(self._ids)}", name, requests, self.clock.now)
        self.batches.append(batch)
        return batch

    def find(self, batch_id: str) -> Ordered:
        batch = next(each for each in self.batches if each.id == batch_id)
        ended = batch.cancelled_at or batch.created + self.takes
        if batch.answers is None and self.clock.now >= ended:
            answered = list(batch.requests.items())
            if batch.cancelled_at is not None:
                answered = answered[::2]
            batch.answers = {name: self.answer(body) for name, body in answered}
        return batch

    def cancel(self, batch_id: str) -> Ordered:
        batch = self.find(batch_id)
        if batch.answers is None and batch.cancelled_at is None:
            batch.cancelled_at = self.clock.now + timedelta(seconds=5)
        return batch


def _prompt_of(body: Any) -> str:
    """The texts of a request of any of the three."""
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for name, value in node.items():
                if name in ("content", "text") and isinstance(value, str):
                    found.append(value)
                else:
                    walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(body.get("messages"))
    return "\n".join(found)


def _lines(rows: list[dict[str, Any]]) -> httpx.Response:
    return httpx.Response(200, text="".join(json.dumps(row) + "\n" for row in rows))


@dataclass
class OpenAI(Provider):
    """Chat completions, files and batches."""

    name: str = "openai"
    files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def respond(self, http: httpx.Request) -> httpx.Response:
        parts = http.url.path.removeprefix("/v1/").split("/")
        if parts == ["chat", "completions"]:
            return httpx.Response(200, json=self.answer(json.loads(http.content)))
        if parts[0] == "files":
            return self._file(http, parts)
        if parts == ["batches"] and http.method == "GET":
            newest_first = [self._document(each.id) for each in reversed(self.batches)]
            return httpx.Response(200, json={"data": newest_first, "has_more": False})
        if parts == ["batches"]:
            order = json.loads(http.content)
            rows = self.files[order["input_file_id"]]
            requests = {row["custom_id"]: row["body"] for row in rows}
            batch = self.order(order["metadata"]["submission"], requests)
            return httpx.Response(200, json=self._document(batch.id))
        if parts[-1] == "cancel":
            self.cancel(parts[1])
        return httpx.Response(200, json=self._document(parts[1]))

    def _file(self, http: httpx.Request, parts: list[str]) -> httpx.Response:
        if http.method == "POST":
            name = f"file{next(self._ids)}"
            content = http.content.decode()
            lines = [line for line in content.splitlines() if line.startswith('{"custom_id"')]
            self.files[name] = [json.loads(line) for line in lines]
            return httpx.Response(200, json={"id": name})
        if http.method == "DELETE":
            self.files.pop(parts[1], None)
            return httpx.Response(200, json={"deleted": True})
        batch = self.find(parts[1].removesuffix("-out"))
        rows = [
            {"custom_id": name, "response": {"status_code": 200, "body": body}, "error": None}
            for name, body in (batch.answers or {}).items()
        ]
        return _lines(rows)

    def _document(self, batch_id: str) -> dict[str, Any]:
        batch = self.find(batch_id)
        status = "in_progress" if batch.cancelled_at is None else "cancelling"
        if batch.answers is not None:
            status = "completed" if batch.cancelled_at is None else "cancelled"
        return {
            "id": batch.id, "status": status, "created_at": batch.created.timestamp(),
            "metadata": {"submission": batch.name}, "input_file_id": "file-in",
            "output_file_id": f"{batch.id}-out" if batch.answers is not None else None,
        }  # fmt: skip


@dataclass
class Anthropic(Provider):
    """Messages and their batches."""

    name: str = "anthropic"

    def respond(self, http: httpx.Request) -> httpx.Response:
        parts = http.url.path.removeprefix("/v1/messages").strip("/").split("/")
        if parts == [""]:
            return httpx.Response(200, json=self.answer(json.loads(http.content)))
        if len(parts) == 1 and http.method == "POST":
            requests = json.loads(http.content)["requests"]
            batch = self.order("", {each["custom_id"]: each["params"] for each in requests})
            return httpx.Response(200, json=self._document(batch.id))
        if len(parts) == 1:
            newest_first = [self._document(each.id) for each in reversed(self.batches)]
            return httpx.Response(200, json={"data": newest_first, "has_more": False})
        if parts[-1] == "results":
            return self._results(parts[1])
        if http.method == "DELETE":
            return httpx.Response(200, json={"type": "message_batch_deleted"})
        if parts[-1] == "cancel":
            self.cancel(parts[1])
        return httpx.Response(200, json=self._document(parts[1]))

    def _results(self, batch_id: str) -> httpx.Response:
        batch = self.find(batch_id)
        answers = batch.answers or {}
        return _lines([
            {
                "custom_id": name,
                "result": {"type": "succeeded", "message": answers[name]}
                if name in answers else {"type": "canceled"},
            }
            for name in batch.requests
        ])  # fmt: skip

    def _document(self, batch_id: str) -> dict[str, Any]:
        batch = self.find(batch_id)
        n_answers = len(batch.answers or {})
        ended = batch.answers is not None
        n_rest = len(batch.requests) - n_answers
        return {
            "id": batch.id, "created_at": batch.created.isoformat(),
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": {
                "processing": 0 if ended else n_rest, "succeeded": n_answers,
                "canceled": n_rest if ended else 0, "errored": 0, "expired": 0,
            },
        }  # fmt: skip


@dataclass
class Bedrock(Provider):
    """Conversations, and jobs over files in the bucket."""

    name: str = "bedrock"
    bucket: Bucket = field(default_factory=Bucket)

    def converse(self, **request: Any) -> dict[str, Any]:
        return self.answer(request)

    def create_model_invocation_job(self, **request: Any) -> dict[str, Any]:
        held = [each for each in self.batches if each.name == request["jobName"]]
        if not held:
            place = request["inputDataConfig"]["s3InputDataConfig"]["s3Uri"]
            content = self.bucket.objects[_key(place)].decode()
            rows = [json.loads(line) for line in content.splitlines()]
            requests = {row["recordId"]: row["modelInput"] for row in rows}
            held = [self.order(request["jobName"], requests)]
        return {"jobArn": f"arn:aws:bedrock:::model-invocation-job/{held[0].id}"}

    def get_model_invocation_job(self, *, jobIdentifier: str) -> dict[str, Any]:  # noqa: N803
        batch = self.find(jobIdentifier.rpartition("/")[2])
        if batch.answers is None:
            status = "InProgress" if batch.cancelled_at is None else "Stopping"
            return {"jobName": batch.name, "status": status}
        rows = [{"recordId": name, "modelOutput": body} for name, body in batch.answers.items()]
        key = f"provider-batches/default/{batch.name}/output/{batch.id}/input.jsonl.out"
        content = "".join(json.dumps(row) + "\n" for row in rows)
        self.bucket.objects[key] = content.encode()
        status = "Completed" if batch.cancelled_at is None else "Stopped"
        return {"jobName": batch.name, "status": status, "processedRecordCount": len(rows)}

    def list_model_invocation_jobs(self, *, nameContains: str) -> dict[str, Any]:  # noqa: N803
        return {
            "invocationJobSummaries": [
                {"jobName": each.name, "jobArn": f"arn:aws:bedrock:::x/{each.id}"}
                for each in self.batches
                if nameContains in each.name
            ]
        }

    def stop_model_invocation_job(self, *, jobIdentifier: str) -> dict[str, Any]:  # noqa: N803
        batch = self.find(jobIdentifier.rpartition("/")[2])
        if batch.answers is not None:
            raise refused("ConflictException", "StopModelInvocationJob")
        self.cancel(batch.id)
        return {}


def _key(place: str) -> str:
    return place.removeprefix("s3://").partition("/")[2]


PROVIDERS: dict[str, Callable[..., Provider]] = {
    "openai": OpenAI, "anthropic": Anthropic, "bedrock": Bedrock,
}  # fmt: skip
