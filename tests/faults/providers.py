"""OpenAI, Anthropic and Bedrock, small: single calls and batches that end after a minute.

Wire formats are those of `local.providers`; verdicts are simulated from the abilities in the texts.
A request counts as paid when the provider answers it. A batch that is cancelled has answered every
second of its requests.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import httpx

from assessment.domain.prompt import LABELS
from local.providers.provider_formats import read_groups
from local.providers.scripted_server import FORMATS, MODEL, VERDICT_TOOL
from local.providers.wire_formats import Answer
from tests.faults.routes import Oddity
from tests.faults.services import Bucket, Clock, make_error
from tests.workflow.judge import read_ability

TAKES = timedelta(seconds=60)
_QUALITY = re.compile(r"[Qq]uality [+-]\d+\.\d+")


SPOILT = "00001"
"""In the ids of comparisons of which no verdict ever comes, where answers or lines are odd."""
DECLINED = "uality +0.300"
"""In the essay that is declined."""
_REFUSAL = {
    "error": {
        "message": "Your request was flagged as potentially violating our usage policy.",
        "type": "invalid_request_error", "param": None, "code": "content_policy_violation",
    }
}  # fmt: skip
_ERRORED = {
    "type": "errored",
    "error": {"type": "error", "error": {"type": "api_error", "message": "Internal server error"}},
}
_NO_OUTPUT = {"error": {"errorCode": 500, "errorMessage": "internal"}}


class DeclinedError(Exception):
    """The provider does not answer this request."""


def break_answer(document: dict[str, Any]) -> str:
    """The verdicts as a model writes them that has no schema, one of them without a winner."""
    for verdict in document["verdicts"]:
        verdict |= {
            "confidence": "very",
            "degree": 7,
            "justification": "half \ud83d of a\u2028pair",
        }
        if SPOILT in verdict["comparison_id"]:
            verdict["winner"] = "neither of the two"
    text = json.dumps(document).replace("}]", "},]")
    return f'<think>{{"verdicts": []}} first A, no, B</think>\nHere it is:\n```json\n{text}\n```'


def judge_prompt(prompt: str, measure: Callable[[str], float] = read_ability) -> dict[str, Any]:
    """The verdicts on every comparison of a prompt: the better essay wins nine times of ten."""
    verdicts = []
    for name, texts in read_groups(prompt):
        first, second, *more = [_QUALITY.findall(text)[0] for text in texts]
        if more:
            verdicts.append(_rank(name, [first, second, *more], measure))
            continue
        better = measure(first) > measure(second)
        chance = random.Random(name).random()
        winner = "A" if better == (chance < 0.9) else "B"
        verdicts.append({
            "comparison_id": name, "winner": winner, "degree": None, "confidence": 3,
            "justification": "simulated",
        })  # fmt: skip
    return {"verdicts": verdicts}


def _rank(name: str, texts: list[str], measure: Callable[[str], float]) -> dict[str, Any]:
    """The order of a list by its abilities with noise, by the labels of the prompt."""
    chance = random.Random(name)
    noisy = [measure(text) - math.log(chance.expovariate(1.0)) for text in texts]
    places = sorted(range(len(texts)), key=lambda place: -noisy[place])
    return {
        "comparison_id": name, "ranking": [LABELS[place] for place in places],
        "gaps": ["clear"] * (len(texts) - 1), "justification": "simulated",
    }  # fmt: skip


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
    ability: Callable[[str], float] = read_ability
    oddity: Oddity = Oddity.NONE
    asked: Counter[str] = field(default_factory=Counter)
    batches: list[Ordered] = field(default_factory=list)
    _ids: Any = field(default_factory=lambda: count(1))

    def answer(self, body: Any) -> dict[str, Any]:
        """The provider's answer to one request, which is paid for.

        Raises
        ------
        DeclinedError
            If it is not answered, nor paid for.
        """
        prompt = _read_prompt(body)
        if self.oddity is Oddity.DECLINED and DECLINED in prompt:
            raise DeclinedError
        document: Any = judge_prompt(prompt, self.ability)
        for verdict in document["verdicts"]:
            self.asked[verdict["comparison_id"]] += 1
        # As many tokens for each comparison, however many are asked about in a call.
        n = len(document["verdicts"])
        tool = None if self.name == "openai" else VERDICT_TOOL
        if self.oddity is Oddity.BROKEN:
            document = break_answer(document)
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
            batch.answers = {name: self._answer_in_batch(name, body) for name, body in answered}
        return batch

    def _answer_in_batch(self, name: str, body: Any) -> dict[str, Any] | None:
        """The answer; None where the provider has none to give."""
        if self.oddity is Oddity.LINES and SPOILT in name:
            return None
        try:
            return self.answer(body)
        except DeclinedError:
            return None

    def cancel(self, batch_id: str) -> Ordered:
        batch = self.find(batch_id)
        if batch.answers is None and batch.cancelled_at is None:
            batch.cancelled_at = self.clock.now + timedelta(seconds=5)
        return batch


def _read_prompt(body: Any) -> str:
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


def _write_lines(rows: list[dict[str, Any]], oddity: Oddity) -> str:
    """The rows of a batch's output; odd ones are turned round, doubled, and one is cut off."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    if oddity is Oddity.LINES:
        lines = [line for line in reversed(lines) for _ in range(2)]
        lines = ["", lines[0][: len(lines[0]) // 2], *lines, "null", "[]", '"\u2028"']
    return "".join(line + "\n" for line in lines)


@dataclass
class OpenAI(Provider):
    """Chat completions, files and batches."""

    name: str = "openai"
    files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def respond(self, http: httpx.Request) -> httpx.Response:
        parts = http.url.path.removeprefix("/v1/").split("/")
        if parts == ["chat", "completions"]:
            try:
                return httpx.Response(200, json=self.answer(json.loads(http.content)))
            except DeclinedError:
                return httpx.Response(400, json=_REFUSAL)
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
            {
                "custom_id": name,
                "response": {"status_code": 200 if body else 400, "body": body or _REFUSAL},
                "error": None,
            }
            for name, body in (batch.answers or {}).items()
            # What has no line at all is no error either.
            if body or self.oddity is Oddity.DECLINED
        ]
        return httpx.Response(200, text=_write_lines(rows, self.oddity))

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
        rows = []
        for name in batch.requests:
            result: dict[str, Any] = {"type": "canceled"}
            if name in answers:
                message = answers[name]
                result = {"type": "succeeded", "message": message} if message else _ERRORED
            rows.append({"custom_id": name, "result": result})
        return httpx.Response(200, text=_write_lines(rows, self.oddity))

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
        rows = [
            {"recordId": name, **({"modelOutput": body} if body else _NO_OUTPUT)}
            for name, body in batch.answers.items()
        ]
        key = f"provider-batches/default/{batch.name}/output/{batch.id}/input.jsonl.out"
        content = _write_lines(rows, self.oddity)
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
            raise make_error("ConflictException", "StopModelInvocationJob")
        self.cancel(batch.id)
        return {}


def _key(place: str) -> str:
    return place.removeprefix("s3://").partition("/")[2]


PROVIDERS: dict[str, Callable[..., Provider]] = {
    "openai": OpenAI, "anthropic": Anthropic, "bedrock": Bedrock,
}  # fmt: skip
