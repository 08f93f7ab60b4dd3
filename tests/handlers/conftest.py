"""A whole stack under moto, as template.yaml would make it, with the functions' environment."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from assessment import bootstrap
from assessment.contracts.decisions import DecisionRequest, ReleaseRequest
from assessment.contracts.parsing import parse
from assessment.contracts.request import AnchorRegistration, BatchRequest
from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.comparison import Comparison, ComparisonTally, count_comparisons
from assessment.domain.invitation import Invitation
from assessment.domain.judge import BatchingMode
from assessment.domain.release import ReleasePolicy
from assessment.domain.verdict import Verdict, Winner
from assessment.settings import Settings
from assessment.statistics.engine import ScoringStatistics
from assessment.usecases.cancel_batch import cancel_batch
from assessment.usecases.decide_grade import decide_grade
from assessment.usecases.finalise_batch import finalise_batch
from assessment.usecases.plan_wave import plan_wave
from assessment.usecases.prepare_batch import prepare_batch
from assessment.usecases.register_anchors import register_anchors
from assessment.usecases.release_batch import release_batch
from assessment.usecases.request_batch import RequestCommand, request_batch
from assessment.usecases.score_batch import score_batch
from assessment.usecases.settlement import settle_by_verdict
from assessment.usecases.submit_wave import submit_wave
from tests.conftest import JudgeServer
from tests.fakes.aws import REGION, client, create_bucket, create_table
from tests.fakes.judges import CALLBACK_KEY

EVENTS = Path(__file__).parents[2] / "events"
STUDENTS = ("anna", "ben", "carl", "dora")
BATCH_ID = "5f0c1c5e-8d0b-4c55-9a39-0d6f3f7b2a10"
SECRET = "a test's own signing key, long enough for HS256 and used nowhere else"
INVITATION_SECRET = "the signing key of a test's invitations, long enough for HS256"
# A machine that waits for ever: moto does not run it, so only starting and stopping is seen.
MACHINE = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A request that only reads has no metric to publish, and Powertools warns of that."""
    quiet = pytest.mark.filterwarnings("ignore:No application metrics to publish:UserWarning")
    folder = f"{Path(__file__).parent}/"
    for item in items:
        if str(item.path).startswith(folder):
            item.add_marker(quiet)


class Context:
    """What Lambda tells a handler about its invocation."""

    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = f"arn:aws:lambda:{REGION}:123456789012:function:function"
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 30_000


def event(path: str) -> dict[str, Any]:
    """An event file by its path below events/."""
    loaded: dict[str, Any] = json.loads((EVENTS / path).read_text())
    return loaded


def invoke(function: str, given: dict[str, Any]) -> Any:
    """What the function's handler returns for an event."""
    return importlib.import_module(f"functions.{function}.app").handler(given, Context())


class SeedSettings(Settings):
    """Everything that a test needs to bring a batch into a state."""


def adapters() -> bootstrap.Composition[SeedSettings]:
    """Adapters of the simulated account, past the functions."""
    return bootstrap.adapters(SeedSettings)


@dataclass
class Stack:
    """The simulated AWS account and batches in any state."""

    judge: JudgeServer
    machine_arn: str
    queues: dict[str, str]
    variables: dict[str, str]

    def client(self, service: str) -> Any:
        return client(service)

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """The bodies of all visible messages of a queue."""
        found: list[dict[str, Any]] = []
        while True:
            received = self.client("sqs").receive_message(
                QueueUrl=self.queues[queue], MaxNumberOfMessages=10
            )
            if "Messages" not in received:
                return found
            found += [json.loads(message["Body"]) for message in received["Messages"]]

    def published(self) -> dict[str, dict[str, Any]]:
        """The published events by type, from a queue that subscribes to the bus."""
        return {message["detail-type"]: message["detail"] for message in self.messages("events")}

    def executions(self, status: str) -> list[str]:
        """The names of the executions in a status."""
        listed = self.client("stepfunctions").list_executions(
            stateMachineArn=self.machine_arn, statusFilter=status
        )
        return [execution["name"] for execution in listed["executions"]]

    # --- batches in the state an event needs -----------------------------------------------------

    def registered(self) -> None:
        """The sample assignment."""
        body = json.loads(event("handle_api/register_anchors.json")["body"])
        register_anchors(
            parse(AnchorRegistration, body),
            is_admin=False,
            stack_config={},
            ports=adapters().anchor_ports,
        )

    def requested(
        self, *, anchors: bool = True, judge: dict[str, Any] | None = None, **config: Any
    ) -> Batch:
        """A batch that is waiting to be prepared."""
        body = json.loads(event("handle_api/create_batch.json")["body"])
        if judge is not None:
            body["judge"] = judge
        if anchors:
            self.registered()
        else:
            del body["assignment_id"]
        command = RequestCommand(
            request=parse(BatchRequest, {**body, "config": {**body["config"], **config}}),
            idempotency_key=None,
            is_admin=True,
            stack_config={},
            batching_mode=BatchingMode.SERIAL_BUNDLE,
            batch_id=BATCH_ID,
            callback_key=CALLBACK_KEY,
        )
        return request_batch(command, ports=adapters().request_ports, now=datetime.now(UTC))

    def prepared(self, **config: Any) -> Batch:
        """A batch that may plan."""
        self.requested(**config)
        return prepare_batch(
            BATCH_ID,
            ports=adapters().prepare_ports,
            now=datetime.now(UTC),
        )

    def planned(self, **config: Any) -> None:
        """A batch with a planned wave."""
        self.prepared(**config)
        plan_wave(
            BATCH_ID,
            ports=adapters().plan_ports(ScoringStatistics()),
            now=datetime.now(UTC),
        )

    def submitted(self, **config: Any) -> None:
        """A batch whose wave awaits its verdicts."""
        self.planned(**config)
        submit_wave(
            BATCH_ID,
            1,
            token="seeded-token",
            ports=adapters().submit_ports,
            mode=BatchingMode.SERIAL_BUNDLE,
            now=datetime.now(UTC),
        )

    def inviting(self) -> None:
        """A batch that people judge, with one invitation."""
        self.submitted(judge={"provider": "person"})
        now = datetime.now(UTC)
        adapters().people.put_invitation(
            Invitation(
                invitation_id="0123456789abcdef",
                batch_id=BATCH_ID,
                name="Ann",
                created_at=now,
                created_by="teacher",
                expires_at=now + timedelta(days=1),
            )
        )

    def answered(self, **config: Any) -> None:
        """A batch whose wave has all its verdicts."""
        self.submitted(**config)
        for position, comparison in enumerate(self.list_comparisons()):
            winner = Winner.FIRST if position % 2 else Winner.SECOND
            settle_by_verdict(
                BATCH_ID,
                1,
                comparison.comparison_id,
                Verdict(winner=winner, judge="seed/1"),
                ports=adapters().callback_ports,
                now=datetime.now(UTC),
            )

    def scored(self, **config: Any) -> None:
        """A batch whose only wave was scored."""
        self.answered(**{"max_waves": 1, "min_comparisons_per_essay": 1, **config})
        score_batch(
            BATCH_ID,
            1,
            ports=adapters().score_ports(ScoringStatistics()),
            now=datetime.now(UTC),
        )

    def completed(self) -> None:
        """A batch with a result."""
        self.scored()
        finalise_batch(
            BATCH_ID,
            ports=adapters().finalise_ports(ScoringStatistics()),
            versions={},
            now=datetime.now(UTC),
        )

    def decided(self) -> None:
        """A batch with a result and a decision about every essay."""
        self.completed()
        for essay_id in STUDENTS:
            decide_grade(
                BATCH_ID,
                essay_id,
                DecisionRequest(grade="C"),
                assessor="teacher",
                ports=adapters().decision_ports,
                now=datetime.now(UTC),
            )

    def released(self) -> None:
        """A batch whose grades are released."""
        self.decided()
        release_batch(
            BATCH_ID,
            ReleaseRequest(),
            assessor="teacher",
            ports=adapters().release_ports,
            now=datetime.now(UTC),
        )

    def cautious(self) -> None:
        """A batch with a result in an organisation that demands decisions."""
        self.completed()
        adapters().release_policies.put_policy(ReleasePolicy(decisions_required=True))

    def cancelled(self) -> None:
        """A batch that was cancelled while it waited."""
        self.submitted()
        cancel_batch(
            BATCH_ID,
            ports=adapters().cancel_ports,
            now=datetime.now(UTC),
        )

    def failed(self) -> None:
        """A batch that failed."""
        self.requested()
        invoke("fail_batch", event("fail_batch/decision.json"))

    def erased(self) -> None:
        """A batch that was erased."""
        self.completed()
        invoke("handle_api", event("handle_api/erase_batch.json"))
        self.erase()

    def erase(self) -> None:
        """Work on all messages about erasures that are to be seen now."""
        for message in self.messages("erasures"):
            given = event("erase_data/batch.json")
            given["Records"][0]["body"] = json.dumps(message)
            assert invoke("erase_data", given) == {"batchItemFailures": []}

    # --- looking ---------------------------------------------------------------------------------

    def batch(self) -> Batch:
        return adapters().batches.get_batch(BATCH_ID)

    def status(self) -> BatchStatus:
        return self.batch().status

    def list_comparisons(self) -> list[Comparison]:
        return adapters().comparisons.list_comparisons(BATCH_ID, 20)

    def tally(self) -> ComparisonTally:
        return count_comparisons(self.list_comparisons())


@pytest.fixture
def stack(judge_server: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A fresh account; the functions see its names in their environment."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield make_stack(judge_server, monkeypatch.setenv)
    bootstrap.process.cache_clear()


def make_stack(judge_server: JudgeServer, set_variable: Callable[[str, str], None]) -> Stack:
    """Make a fresh account, and tell this process its names."""
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "POWERTOOLS_SERVICE_NAME": "cj-assessment",
        "POWERTOOLS_METRICS_NAMESPACE": "CJAssessment",
        "JUDGE_ENDPOINT_URL": judge_server.url,
        "JUDGE_MAX_RECEIVES": "4",
        "JUDGE_SECRET_PREFIX": "cj/judge/",
        "LLM_BATCHING_MODE": "serial_bundle",
        "API_URL": "https://api.test/live",
        "BEDROCK_BATCH_ROLE_ARN": "arn:aws:iam::123456789012:role/bedrock",
    }
    names = _resources()
    for name, value in (variables | names).items():
        set_variable(name, value)
    bootstrap.process.cache_clear()
    queues = {
        "judge": names["JUDGE_QUEUE_URL"],
        "callbacks": names["CALLBACK_QUEUE_URL"],
        "events": names["EVENTS_QUEUE_URL"],
        "erasures": names["ERASURE_QUEUE_URL"],
        "dead": names["DEAD_LETTER_QUEUE_URLS"],
        "webhooks": names["WEBHOOK_QUEUE_URL"],
        "webhooks_dead": names["WEBHOOK_DEAD_LETTER_QUEUE_URL"],
    }
    return Stack(judge_server, names["STATE_MACHINE_ARN"], queues, variables | names)


def _resources() -> dict[str, str]:
    """Create what template.yaml declares; environment variables by name."""
    sqs, sfn, bus, secrets, iam = (
        client(service) for service in ("sqs", "stepfunctions", "events", "secretsmanager", "iam")
    )
    create_table("cj-table")
    create_bucket("cj-bucket")
    client("s3").put_bucket_versioning(
        Bucket="cj-bucket", VersioningConfiguration={"Status": "Enabled"}
    )
    urls = {
        name: sqs.create_queue(QueueName=name)["QueueUrl"]
        for name in (
            "judge",
            "callbacks",
            "events",
            "erasures",
            "dead",
            "webhooks",
            "webhooks_dead",
        )
    }
    bus.create_event_bus(Name="cj-events")
    bus.put_rule(Name="all", EventBusName="cj-events", EventPattern='{"source": ["cj.assessment"]}')
    queue_arn = sqs.get_queue_attributes(QueueUrl=urls["events"], AttributeNames=["QueueArn"])
    bus.put_targets(
        Rule="all",
        EventBusName="cj-events",
        Targets=[{"Id": "queue", "Arn": queue_arn["Attributes"]["QueueArn"]}],
    )
    role = iam.create_role(RoleName="machine", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    machine = sfn.create_state_machine(
        name="cj-assessment", definition=json.dumps(MACHINE), roleArn=role
    )
    secret = secrets.create_secret(Name="cj-api", SecretString=SECRET)
    invitations = secrets.create_secret(Name="cj-invitations", SecretString=INVITATION_SECRET)
    return {
        "TABLE_NAME": "cj-table",
        "BUCKET_NAME": "cj-bucket",
        "EVENT_BUS_NAME": "cj-events",
        "STATE_MACHINE_ARN": machine["stateMachineArn"],
        "JUDGE_QUEUE_URL": urls["judge"],
        "CALLBACK_QUEUE_URL": urls["callbacks"],
        "EVENTS_QUEUE_URL": urls["events"],
        "ERASURE_QUEUE_URL": urls["erasures"],
        "DEAD_LETTER_QUEUE_URLS": f"{urls['dead']} {urls['webhooks_dead']}",
        "WEBHOOK_QUEUE_URL": urls["webhooks"],
        "WEBHOOK_DEAD_LETTER_QUEUE_URL": urls["webhooks_dead"],
        "WEBHOOK_SECRET_PREFIX": "cj/webhook/",
        "WEBHOOK_LOOPBACK": "true",
        "API_SECRET_ARN": secret["ARN"],
        "CALLBACK_SECRET_ARN": secret["ARN"],
        "INVITATION_SECRET_ARN": invitations["ARN"],
    }
