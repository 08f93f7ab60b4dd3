"""One batch from its request to its end, through the deployed handlers, with one fault at most.

Steps are repeated as the state machine repeats them, messages return as SQS returns them, and the
caller of the API repeats what was not answered. A process that dies takes everything with it that
was not stored. Where nothing is left that could move the batch, the watchdog's time has come.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import sys
import warnings
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import httpx

from assessment import bootstrap
from assessment.domain.errors import STEP_REFUSALS
from assessment.statistics.engine import ScoringStatistics
from tests.faults.account import (
    RESOURCES,
    ClockDatetime,
    InlineExecutor,
    call_inline,
    compute_once,
    forget_process,
    parse_template,
)
from tests.faults.calls import HTTP, Fault, Outside, WorkerDiedError
from tests.faults.outcome import Outcome
from tests.faults.providers import PROVIDERS, SPOILT
from tests.faults.routes import AFTER_WAVE, AT_ONCE, START, Interruption, Oddity, Route
from tests.faults.services import Bucket, Bus, Client, Clock, Machine, Queues, Secrets
from tests.faults.table import MemoryTable
from tests.workflow.declared import QUEUES
from tests.workflow.judge import JudgeEndpoint, essay_text, read_ability
from tests.workflow.stack import lambda_context, sqs_record

TRIES = 4
"""Of a step and of a caller: the first, and the three repeats of `States.ALL`."""
SIDE_BY_SIDE = 2
"""Messages that a worker receives at once."""
WATCH_SECONDS = 300
MOST_ROUNDS = 30
ANCHORS = {"C": -1.8, "A": 1.9}


class StepFailedError(Exception):
    """An invocation ended without an answer."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.final = type(error).__name__ in STEP_REFUSALS


BATCH_ID = "5f0c1c5e-8d0b-4c55-9a39-0d6f3f7b2a10"


class ExecutionEndedError(Exception):
    """The execution is gone while it waits."""


@dataclass
class Journey:
    """The services of one run."""

    route: Route = AT_ONCE
    fault: Fault | None = None
    clock: Clock = field(default_factory=lambda: Clock(START))
    table: Any = field(default_factory=MemoryTable)

    def __post_init__(self) -> None:
        self.outside = Outside(self.fault)
        self.bucket, self.queues = Bucket(), Queues(self.clock)
        self.machine, self.bus = Machine(), Bus()
        self.judge = JudgeEndpoint(send=self._call_back, answer_at_once=self.route.answers_at_once)
        self._judge_answers = self.judge.transport().handler
        self.providers = {
            name: make(self.clock, takes=self.route.provider_takes)
            for name, make in PROVIDERS.items()
        }
        self.providers["bedrock"].bucket = self.bucket  # type: ignore[attr-defined]
        for provider in self.providers.values():
            provider.oddity = self.route.oddity
        self.interrupted = False
        self.n_rounds = 0

    def _call_back(self, url: str, body: str) -> None:
        bodies = [body]
        if self.route.oddity is Oddity.BROKEN:
            bodies = ["this is no JSON", *[_break_callback(body)] * 2]
        for each in bodies:
            self.queues.send_message(QueueUrl=url, MessageBody=each)

    # --- what the process is given ---------------------------------------------------------------

    def client(self, service: str, **_: Any) -> Client:
        behind = {
            "s3": self.bucket, "sqs": self.queues, "stepfunctions": self.machine,
            "events": self.bus, "secretsmanager": Secrets(), "dynamodb": self.table,
            "bedrock": self.providers["bedrock"], "bedrock-runtime": self.providers["bedrock"],
        }[service]  # fmt: skip
        return Client(service, behind, self.outside)

    def http_client(self) -> httpx.AsyncClient:
        providers: dict[str, Any] = {
            "api.openai.com": self.providers["openai"],
            "api.anthropic.com": self.providers["anthropic"],
        }

        def respond(request: httpx.Request) -> httpx.Response:
            provider = providers.get(request.url.host)
            found: Any = provider.respond(request) if provider else self._judge_answers(request)
            assert isinstance(found, httpx.Response)
            return found

        def answer(request: httpx.Request) -> httpx.Response:
            found: httpx.Response = self.outside.perform(
                HTTP, f"{request.method} {_shape(request.url.path)}", lambda: respond(request)
            )
            return found

        return httpx.AsyncClient(transport=httpx.MockTransport(answer))

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """The handler's answer.

        Raises
        ------
        StepFailedError
            If it raised, or the process died.
        """
        module = importlib.import_module(f"functions.{function}.app")
        with self.outside.attribute(function):
            try:
                return json.loads(json.dumps(module.handler(event, lambda_context(function))))
            except WorkerDiedError as death:
                self._replace_process()
                raise StepFailedError(death) from death
            except Exception as error:
                raise StepFailedError(error) from error

    def _replace_process(self) -> None:
        """What ran beside the dead call dies too; the next process begins cold."""
        loop = bootstrap.event_loop()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        forget_process()
        self.outside.died = False

    # --- who calls -------------------------------------------------------------------------------

    def api(self, method: str, path: str, body: Any = None, *, key: str = "") -> dict[str, Any]:
        """A caller that repeats under the same idempotency key until there is an answer."""
        event = {
            "httpMethod": method, "path": path, "resource": path,
            "headers": {"Content-Type": "application/json", "Idempotency-Key": key},
            "multiValueHeaders": {}, "queryStringParameters": None, "pathParameters": None,
            "body": None if body is None else json.dumps(body), "isBase64Encoded": False,
            "requestContext": {
                "requestId": "r", "stage": "live",
                "authorizer": {
                    "principalId": "teacher",
                    "organisation": "default",
                    "roles": "admin",
                },
            },
        }  # fmt: skip
        seen = []
        for _ in range(TRIES):
            try:
                answer = self.invoke("handle_api", event)
            except StepFailedError as error:
                seen.append(str(error))
                continue
            if answer["statusCode"] < 500:
                # A repeat may find that the first one did it.
                assert answer["statusCode"] < 300 or seen, answer["body"]
                found: dict[str, Any] = json.loads(answer["body"])
                return found
            seen.append(answer["body"])
        raise AssertionError(seen)

    def step(self, function: str, event: dict[str, Any]) -> Any:
        """A state of the machine, with its retries."""
        for left in reversed(range(TRIES)):
            try:
                return self.invoke(function, event)
            except StepFailedError as error:
                if error.final or not left:
                    raise
                self.clock.forward(5)
        raise AssertionError

    # --- the state machine -----------------------------------------------------------------------

    def execute(self, batch_id: str) -> None:
        """The execution from its start to its end, and those that follow an interruption."""
        name = batch_id
        while True:
            try:
                self._execute_once(batch_id)
            except StepFailedError as error:
                told = {"Error": "Lambda.Unknown", "Cause": str(error)}
                self.step("fail_batch", {"batch_id": batch_id, "decision": None, "error": told})
                self.machine.executions[name] = "FAILED"
            except ExecutionEndedError:
                pass
            else:
                self.machine.executions[name] = "SUCCEEDED"
                return
            if not (following := self._resume(batch_id)):
                return
            name = following

    def _execute_once(self, batch_id: str) -> None:
        head = {"batch_id": batch_id}
        self.step("prepare_batch", head)
        decision = "REQUEST_MORE_COMPARISONS"
        while decision == "REQUEST_MORE_COMPARISONS":
            planned = self.step("plan_wave", head)
            wave = {**head, "wave": planned["wave"]}
            if planned["planned"]:
                self._submit_and_wait(wave)
            self._interrupt(batch_id)
            decision = self.step("score_batch", wave)["decision"]
        if decision == "NO_OP":
            return
        assert decision == "FINALIZE_SCORING", decision
        self.step("finalise_batch", head)

    def _interrupt(self, batch_id: str) -> None:
        """What befalls this route's execution, once, after its first wave.

        Raises
        ------
        StepFailedError, ExecutionEndedError
        """
        happening = self.route.interruption
        if self.interrupted or happening not in AFTER_WAVE:
            return
        self.interrupted = True
        if happening is Interruption.CANCELLED:
            self.api("POST", f"/v1/batches/{batch_id}/cancel")
        elif happening is Interruption.FAILED:
            raise StepFailedError(RuntimeError("its memory ran out four times"))
        else:
            self.machine.executions[batch_id] = "ABORTED"
            raise ExecutionEndedError

    def _resume(self, batch_id: str) -> str | None:
        """The name of the next execution, if there is to be one."""
        before = set(self.machine.executions)
        if self.route.interruption is Interruption.FAILED:
            self.api("POST", f"/v1/batches/{batch_id}/resume")
        elif self.route.interruption is Interruption.ABORTED:
            # A round that could not read the batch is followed by another one.
            for _ in range(TRIES):
                self.clock.forward(WATCH_SECONDS)
                self.step("watch_batches", {})
        started = set(self.machine.executions) - before
        return started.pop() if started else None

    def _submit_and_wait(self, wave: dict[str, Any]) -> None:
        for left in reversed(range(TRIES)):
            token = f"token-{len(self.machine.tokens)}"
            self.machine.tokens[token] = None
            try:
                self.invoke("submit_wave", {**wave, "task_token": token})
            except StepFailedError as error:
                if error.final or not left:
                    raise
                self.clock.forward(5)
                continue
            self._wait(wave["batch_id"], token)
            return

    def _wait(self, batch_id: str, token: str) -> None:
        self.machine.is_deaf = self.route.interruption is Interruption.UNHEARD
        while self.machine.tokens[token] is None:
            if self.machine.executions[batch_id] == "ABORTED" and not self.interrupted:
                raise ExecutionEndedError
            if self._is_time_to_cancel():
                self.interrupted = True
                self.api("POST", f"/v1/batches/{batch_id}/cancel")
                raise ExecutionEndedError
            if not self._act_as_person(batch_id):
                self.deliver_next()
        assert "output" in (self.machine.tokens[token] or {})

    def _is_time_to_cancel(self) -> bool:
        waits = self.route.interruption is Interruption.CANCELLED_WAITING
        return waits and not self.interrupted and any(p.batches for p in self.providers.values())

    def _act_as_person(self, batch_id: str) -> bool:
        """Whether a person judged something: the better text always wins."""
        if not self.route.has_people or self._visible_queue() is not None:
            return False
        offered = self.api("GET", f"/v1/batches/{batch_id}/next-comparison").get("comparison")
        if not offered:
            return False
        better = read_ability(offered["essay_a"]) > read_ability(offered["essay_b"])
        verdict = {"comparison_id": offered["comparison_id"], "winner": "A" if better else "B"}
        self.api("POST", f"/v1/batches/{batch_id}/verdicts", verdict)
        return True

    # --- the queues ------------------------------------------------------------------------------

    def deliver_next(self) -> None:
        """Hand a few visible messages to their worker, or wait until there are some.

        Where there are none the watchdog comes by, and finds what nobody else would.
        """
        found = self._visible_queue()
        if found is not None:
            queue, visible = found
            self._deliver(queue, QUEUES[queue], visible[:SIDE_BY_SIDE])
            return
        ahead = [each.visible_at for queue in self.queues.messages.values() for each in queue]
        watch_at = self.clock.now + timedelta(seconds=WATCH_SECONDS)
        self.clock.now = min([watch_at, *ahead])
        if self.clock.now == watch_at:
            self.machine.is_deaf = False
            self.n_rounds += 1
            assert self.n_rounds < MOST_ROUNDS, "nothing is left that could move the batch"
            self.step("watch_batches", {})

    def drain(self) -> None:
        """Deliver what is left after the execution has ended, but for messages about deadlines."""
        while waiting := [
            each
            for queue in self.queues.messages.values()
            for each in queue
            if "WaveDeadlineV1" not in each.body
        ]:
            found = self._visible_queue()
            if found is not None:
                self._deliver(found[0], QUEUES[found[0]], found[1][:SIDE_BY_SIDE])
            else:
                self.clock.now = min(each.visible_at for each in waiting)

    def _visible_queue(self) -> tuple[str, list[Any]] | None:
        for queue in QUEUES:
            waiting = self.queues.messages.get(RESOURCES[queue], [])
            visible = [each for each in waiting if each.visible_at <= self.clock.now]
            if visible:
                return queue, visible
        return None

    def _deliver(self, queue: str, worker: str, messages: list[Any]) -> None:
        properties = parse_template()["Resources"][queue]["Properties"]
        hidden = timedelta(seconds=properties["VisibilityTimeout"])
        records = []
        for message in messages:
            message.receives += 1
            message.visible_at = self.clock.now + hidden
            shape = {
                "MessageId": message.message_id, "ReceiptHandle": message.message_id,
                "Body": message.body, "MD5OfBody": "",
                "Attributes": {"ApproximateReceiveCount": str(message.receives)},
            }  # fmt: skip
            records.append(sqs_record(queue, shape))
        try:
            answer = self.invoke(worker, {"Records": records})
        except StepFailedError:
            return
        failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        most = properties["RedrivePolicy"]["maxReceiveCount"]
        for message in messages:
            lost = message.receives >= most
            if message.message_id not in failed or lost:
                self.queues.messages[RESOURCES[queue]].remove(message)

    # --- all of it -------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """From the anchors to the result."""
        request: dict[str, Any] = {"essays": self._essays(), "config": self.route.config}
        if self.route.has_anchors:
            self._register_anchors()
            request["assignment_id"] = "t"
        if self.route.judge:
            request["judge"] = self.route.judge
        batch_id = self.api("POST", "/v1/batches", request, key="instrument")["batch_id"]
        assert self.machine.executions == {batch_id: "RUNNING"}
        self.execute(batch_id)
        self.drain()
        self.clock.forward(600)
        self.step("watch_batches", {})
        status = self.api("GET", f"/v1/batches/{batch_id}")["status"]
        if status == "COMPLETED":
            self.api("GET", f"/v1/batches/{batch_id}/results")
        return self._tell(batch_id, status)

    def _register_anchors(self) -> None:
        anchors = [
            {"anchor_ref": grade, "grade": grade, "text": essay_text(ability, 100 + number)}
            for number, (grade, ability) in enumerate(ANCHORS.items())
        ]
        registration = {"assignment_id": "t", "grade_scale": list(ANCHORS), "anchors": anchors}
        self.api("POST", "/v1/anchors/register", registration)

    def _essays(self) -> list[dict[str, str]]:
        return [
            {"essay_id": f"e{number}", "text": essay_text(ability, number)}
            for number, ability in enumerate(self.route.abilities)
        ]

    def _tell(self, batch_id: str, status: str) -> Outcome:
        stored = self.bucket.objects.get(f"batches/default/{batch_id}/result.json")
        counters = [self.judge.asked, *(each.asked for each in self.providers.values())]
        return Outcome(
            status=status,
            result=json.loads(stored) if stored else None,
            lines=self.bucket.objects.get(
                f"batches/default/{batch_id}/comparisons.jsonl", b""
            ).decode(),
            events=Counter(
                kind
                for kind, _ in {
                    (str(entry["DetailType"]), json.loads(entry["Detail"])["event_id"])
                    for entry in self.bus.entries
                }
            ),
            paid_again=sum(sum(asked.values()) - len(asked) for asked in counters),
            calls=tuple(self.outside.calls),
            hit=self.outside.hit,
            left_out=("cost_usd",) if self.route.may_cost_more else (),
        )


def _break_callback(body: str) -> str:
    """A callback whose optional values are broken; some have no winner that anybody can read."""
    result = json.loads(body)
    result |= {"confidence": "very", "degree": 7, "justification": "half \ud83d of a pair"}
    result |= {"cost_usd": "free", "input_tokens": -3, "served_model": "\udc00"}
    if SPOILT in result["request_metadata"]["comparison_id"]:
        result["winner"] = "neither of the two"
    return json.dumps(result)


def _shape(path: str) -> str:
    """A path without the ids in it."""
    return re.sub(r"(batch|file)\d+(-out)?|file-in", "*", path)


def travel(fault: Fault | None = None, route: Route = AT_ONCE, *, table: Any = None) -> Outcome:
    """One journey in a fresh account; `table` replaces the table in memory."""
    journey = Journey(route, fault)
    if table is not None:
        journey.table = table
    stand_in = mock.Mock()
    stand_in.client = journey.client
    with ExitStack() as patches:
        # Powertools warns of an invocation that counted nothing; not every one does.
        patches.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        ClockDatetime.clock = journey.clock
        for name, module in list(sys.modules.items()):
            timed = getattr(module, "datetime", None) is datetime
            if timed and name.startswith(("functions.", "assessment.api.")):
                patches.enter_context(mock.patch.object(module, "datetime", ClockDatetime))
            if name.startswith("assessment.") and hasattr(module, "ThreadPoolExecutor"):
                patches.enter_context(
                    mock.patch.object(module, "ThreadPoolExecutor", InlineExecutor)
                )
        patches.enter_context(mock.patch("asyncio.to_thread", call_inline))
        patches.enter_context(mock.patch.object(bootstrap.clients, "boto3", stand_in))
        # The id of a batch decides its seed, and two runs are compared byte by byte.
        batch_ids = mock.Mock(uuid4=lambda: BATCH_ID)
        patches.enter_context(mock.patch("assessment.api.batches.uuid", batch_ids))
        patches.enter_context(
            mock.patch.object(bootstrap.clients, "http_client", journey.http_client)
        )
        patches.enter_context(mock.patch("sys.stdout", open(os.devnull, "w")))  # noqa: SIM115, PTH123
        for name in ("score", "plan", "conclude"):
            method = compute_once(getattr(ScoringStatistics, name))
            patches.enter_context(mock.patch.object(ScoringStatistics, name, method))
        forget_process()
        try:
            return journey.run()
        finally:
            forget_process()
