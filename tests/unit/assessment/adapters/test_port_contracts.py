"""One contract for every port in memory, on AWS and on one machine: fakes are to mean something.

The stores of the table have theirs in test_store_contracts.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.stub import Stubber
from moto.core.utils import unix_time_millis

from assessment.adapters.aws.comparison_store import DynamoDBComparisonStore
from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.adapters.aws.person_leases import DynamoDBPeople
from assessment.adapters.aws.s3 import S3ContentStore
from assessment.adapters.aws.signatures import DynamoDBSeenSignatures
from assessment.adapters.aws.sqs import SQSCallbackQueue, SQSJudgeQueue
from assessment.adapters.aws.stepfunctions import StepFunctionsWorkflow
from assessment.adapters.folder_content import FolderContentStore
from assessment.adapters.judges.gate import DynamoDBJudgeGate
from assessment.adapters.sqlite.database import Database
from assessment.adapters.sqlite.events import SQLiteEvents
from assessment.adapters.sqlite.queues import (
    CALLBACK,
    JUDGE,
    SQLiteCallbackQueue,
    SQLiteJudgeQueue,
    SQLiteMailbox,
)
from assessment.adapters.sqlite.workflow import SQLiteWorkflow
from assessment.contracts.events import SOURCE, Envelope, EventType, envelope
from assessment.contracts.llm_protocol import CompareMetadata, ErrorDetail, LLMComparisonResultV1
from assessment.contracts.queue_messages import JudgeMessage, JudgeRequestV1, WaveDeadlineV1
from assessment.domain.circuit import FAILURES_TO_OPEN
from assessment.domain.comparison import Comparison, ComparisonLease, WaitingComparison
from assessment.domain.control_pair import ControlPair
from assessment.domain.document_keys import batch_texts
from assessment.domain.errors import MissingDocumentError
from assessment.domain.identifiers import content_sha256, find_queue_place
from assessment.domain.invitation import Invitation, InvitationState, Person
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.verdict import Winner
from assessment.ports.judging import JudgeGate
from assessment.ports.messaging import CallbackQueue, EventPublisher, JudgeQueue, Workflow
from assessment.ports.people import People, PeopleQueue
from assessment.ports.stores import ContentStore, SeenSignatures
from tests.fakes.aws import client, create_bucket
from tests.fakes.content import InMemoryContentStore
from tests.fakes.judges import OpenGate
from tests.fakes.messaging import (
    Clock,
    InMemoryCallbackQueue,
    InMemoryEvents,
    InMemoryJudgeQueue,
    InMemoryWorkflow,
    Message,
)
from tests.fakes.people import InMemoryPeople, InMemorySeenSignatures
from tests.fakes.stores import InMemoryComparisonStore
from tests.unit.assessment.adapters.conftest import get_table

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("kind", ["memory", "aws", "sqlite"])


# --- content -------------------------------------------------------------------------------------


@pytest.fixture
def content(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> ContentStore:
    if kind == "memory":
        return InMemoryContentStore()
    if kind == "sqlite":
        return FolderContentStore(tmp_path / "content")
    request.getfixturevalue("aws")
    return S3ContentStore(client("s3"), create_bucket())


def test_a_text_is_kept_under_its_hash(content: ContentStore) -> None:
    text = "Ein Aufsatz über Öl\r\n\u2028mit allem\n"
    folder = batch_texts("b")
    sha256 = content.put_text(folder, text)
    assert sha256 == content_sha256(text) == content.put_text(folder, text)
    assert content.get_text(folder, sha256) == text


def test_a_text_of_one_batch_is_not_in_another(content: ContentStore) -> None:
    sha256 = content.put_text(batch_texts("b"), "the same text in two batches")
    with pytest.raises(MissingDocumentError, match=f"batches/c/texts/{sha256}"):
        content.get_text(batch_texts("c"), sha256)


def test_a_document_is_replaced_and_a_frozen_one_is_read(content: ContentStore) -> None:
    content.put_document("batches/b/spec.json", "{}")
    assert content.get_frozen_document("batches/b/spec.json") == "{}"
    content.put_document("batches/b/result.json", "1")
    content.put_document("batches/b/result.json", "2", content_type="text/csv")
    assert content.get_document("batches/b/result.json") == "2"


def test_what_is_missing_is_said_with_its_key(content: ContentStore) -> None:
    assert content.get_document("batches/b/none.json") is None
    with pytest.raises(MissingDocumentError, match=r"batches/b/none\.json"):
        content.get_frozen_document("batches/b/none.json")
    with pytest.raises(MissingDocumentError, match="0" * 64):
        content.get_text(batch_texts("b"), "0" * 64)


# --- queues --------------------------------------------------------------------------------------


@dataclass
class Queues:
    """The two queues, the messages that are visible on either, and a clock for both."""

    judge: JudgeQueue
    callbacks: CallbackQueue
    receive: Callable[[str], list[tuple[str, str]]]
    forward: Callable[[float], None]

    def bodies(self, queue: str) -> list[str]:
        """What a consumer sees now."""
        return [body for body, _ in self.receive(queue)]


def memory_queues() -> Queues:
    clock = Clock(NOW)
    judge, callbacks = InMemoryJudgeQueue(clock), InMemoryCallbackQueue(clock)

    def receive(queue: str) -> list[tuple[str, str]]:
        messages: list[Message] = (judge if queue == "judge" else callbacks).messages
        seen = [(m.body, str(at)) for at, m in enumerate(messages) if m.visible_at <= clock.now]
        for _, at in seen:
            messages[int(at)].visible_at = clock.now + timedelta(seconds=30)
        return seen

    return Queues(judge, callbacks, receive, clock.forward)


def aws_queues(monkeypatch: pytest.MonkeyPatch) -> Queues:
    sqs = client("sqs")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("judge", "callbacks")}
    passed = 0.0
    monkeypatch.setattr(
        "moto.sqs.models.unix_time_millis", lambda: unix_time_millis() + 1000 * passed
    )

    def forward(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    def receive(queue: str) -> list[tuple[str, str]]:
        received: list[tuple[str, str]] = []
        while page := sqs.receive_message(
            QueueUrl=urls[queue], MaxNumberOfMessages=10, VisibilityTimeout=30
        ).get("Messages"):
            received += [(message["Body"], message["ReceiptHandle"]) for message in page]
        return received

    return Queues(
        SQSJudgeQueue(sqs, urls["judge"]),
        SQSCallbackQueue(sqs, urls["callbacks"]),
        receive,
        forward,
    )


def sqlite_queues(database: Database) -> Queues:
    clock = Clock(NOW)
    mailboxes = {
        "judge": SQLiteMailbox(database, JUDGE, "b", lambda: clock.now),
        "callbacks": SQLiteMailbox(database, CALLBACK, "b", lambda: clock.now),
    }

    def receive(queue: str) -> list[tuple[str, str]]:
        received = mailboxes[queue].receive(limit=100)
        for message in received:
            mailboxes[queue].postpone(message.receipt, seconds=30)
        return [(message.body, message.receipt) for message in received]

    return Queues(
        SQLiteJudgeQueue(database, lambda: clock.now),
        SQLiteCallbackQueue(database, lambda: clock.now),
        receive,
        clock.forward,
    )


@pytest.fixture
def queues(kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Queues:
    if kind == "memory":
        return memory_queues()
    if kind == "sqlite":
        return sqlite_queues(request.getfixturevalue("database"))
    request.getfixturevalue("aws")
    return aws_queues(monkeypatch)


def judge_requests(n: int) -> list[JudgeMessage]:
    return [JudgeRequestV1(batch_id="b", wave=1, comparison_id=f"w001-{at:05d}") for at in range(n)]


def failure(at: int) -> LLMComparisonResultV1:
    return LLMComparisonResultV1(
        correlation_id=f"c{at:02d}",
        request_metadata=CompareMetadata(
            batch_id="b",
            wave=1,
            comparison_id=f"w001-{at:05d}",
            essay_a_id="a",
            essay_b_id="b",
            prompt_sha256="0" * 64,
        ),
        error_detail=ErrorDetail(code="x", message="text with \u2028 and ü"),
    )


def test_all_judge_messages_are_queued_and_read_back_as_they_were(queues: Queues) -> None:
    queues.judge.send(judge_requests(23))
    bodies = queues.bodies("judge")
    read = [JudgeRequestV1.model_validate_json(body) for body in bodies]
    assert sorted(read, key=lambda r: r.comparison_id) == judge_requests(23)
    queues.judge.send([])
    assert queues.bodies("judge") == []


@pytest.mark.parametrize(("seconds", "delay"), [(-5, 1), (30, 30), (5000, 900)])
def test_a_message_that_is_sent_later_is_hidden_for_as_long_as_sqs_allows(
    queues: Queues, seconds: int, delay: int
) -> None:
    queues.judge.send_later(judge_requests(1)[0], seconds=seconds)
    assert queues.bodies("judge") == []
    queues.forward(delay - 0.5)
    assert queues.bodies("judge") == []
    queues.forward(1)
    assert len(queues.bodies("judge")) == 1


def test_a_received_message_is_postponed_or_comes_back_at_once(queues: Queues) -> None:
    queues.judge.send(judge_requests(1))
    ((_, receipt),) = queues.receive("judge")
    queues.judge.postpone(receipt, seconds=0)
    ((_, receipt),) = queues.receive("judge")
    queues.judge.postpone(receipt, seconds=120)
    queues.forward(119)
    assert queues.bodies("judge") == []
    queues.forward(2)
    assert len(queues.bodies("judge")) == 1


def test_results_are_queued_one_by_one_and_together(queues: Queues) -> None:
    queues.callbacks.send_result(failure(0))
    queues.callbacks.send_results([failure(at) for at in range(1, 13)])
    bodies = queues.bodies("callbacks")
    read = [LLMComparisonResultV1.model_validate_json(body) for body in bodies]
    assert sorted(read, key=lambda r: r.correlation_id) == [failure(at) for at in range(13)]
    assert queues.callbacks.address


@pytest.mark.parametrize(("asked", "delay"), [(-5, 0), (30, 30), (3600, 900)])
def test_a_deadline_comes_at_its_time_or_after_the_longest_delay(
    queues: Queues, asked: int, delay: int
) -> None:
    deadline = WaveDeadlineV1(batch_id="b", wave=1, deadline=NOW)
    queues.callbacks.send_deadline(deadline, delay_seconds=asked)
    if delay:
        queues.forward(delay - 1)
        assert queues.bodies("callbacks") == []
    queues.forward(2)
    (body,) = queues.bodies("callbacks")
    assert WaveDeadlineV1.model_validate_json(body) == deadline


# --- events --------------------------------------------------------------------------------------


@dataclass
class Bus:
    publisher: EventPublisher
    delivered: Callable[[], list[Envelope]]


def aws_bus() -> Bus:
    events, sqs = client("events"), client("sqs")
    events.create_event_bus(Name="cj-events")
    url = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(
        Name="all", EventBusName="cj-events", EventPattern=json.dumps({"source": [SOURCE]})
    )
    events.put_targets(
        Rule="all", EventBusName="cj-events", Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}]
    )

    def delivered() -> list[Envelope]:
        found: list[Envelope] = []
        while page := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [Envelope.model_validate(json.loads(m["Body"])["detail"]) for m in page]
        return found

    return Bus(EventBridgePublisher(events, "cj-events"), delivered)


@pytest.fixture
def bus(kind: str, request: pytest.FixtureRequest) -> Bus:
    if kind == "memory":
        events = InMemoryEvents()
        return Bus(events, lambda: list(events.published))
    if kind == "sqlite":
        kept = SQLiteEvents(request.getfixturevalue("database"))
        return Bus(kept, kept.list_events)
    request.getfixturevalue("aws")
    return aws_bus()


def make_failure(batch_id: str) -> Envelope:
    error = {"code": "x", "what": "w", "why": "y", "what_to_do": "z"}
    data = {"assignment_id": None, "status": "FAILED", "error_info": error}
    return envelope(
        EventType.FAILED,
        batch_id=batch_id,
        correlation_id="c",
        organisation="default",
        data=data,
        now=NOW,
    )


def test_every_event_is_delivered_as_it_was_published(bus: Bus) -> None:
    events = [make_failure(f"b{at:02d}") for at in range(12)]
    bus.publisher.publish(events)
    bus.publisher.publish([])
    delivered = sorted(bus.delivered(), key=lambda event: str(event.data))
    assert delivered == sorted(events, key=lambda event: str(event.data))


def test_an_event_that_is_published_again_has_the_same_id(bus: Bus) -> None:
    for _ in range(2):
        bus.publisher.publish([make_failure("b")])
    assert len({event.event_id for event in bus.delivered()}) == 1


# --- the state machine ---------------------------------------------------------------------------


@pytest.fixture
def workflow(kind: str, request: pytest.FixtureRequest) -> Workflow:
    if kind == "memory":
        return InMemoryWorkflow()
    if kind == "sqlite":
        return SQLiteWorkflow(request.getfixturevalue("database"))
    request.getfixturevalue("aws")
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    states = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 99, "End": True}}}
    machine = client("stepfunctions").create_state_machine(
        name="cj", definition=json.dumps(states), roleArn=role
    )
    return StepFunctionsWorkflow(client("stepfunctions"), machine["stateMachineArn"])


def test_an_execution_starts_once_and_stops(workflow: Workflow) -> None:
    assert not workflow.is_running("b")
    workflow.stop("b", cause="nothing runs yet")
    workflow.start("b", name="b")
    workflow.start("b", name="b")
    assert workflow.is_running("b")
    assert not workflow.is_running("other")
    workflow.stop("b", cause="test")
    workflow.stop("b", cause="test")
    assert not workflow.is_running("b")


@pytest.fixture
def waiting(kind: str, request: pytest.FixtureRequest) -> Iterator[tuple[Workflow, str]]:
    """A workflow and the token of a waiting state; moto takes any token, so AWS is recorded."""
    if kind == "memory":
        memory = InMemoryWorkflow()
        yield memory, memory.issue("token")
        return
    if kind == "sqlite":
        workflow = SQLiteWorkflow(request.getfixturevalue("database"))
        workflow.issue("token")
        yield workflow, "token"
        return
    states = client("stepfunctions")
    with Stubber(states) as stub:
        stub.add_response("send_task_success", {})
        stub.add_client_error("send_task_success", "TaskTimedOut")
        stub.add_client_error("send_task_failure", "TaskTimedOut")
        stub.add_client_error("send_task_failure", "TaskDoesNotExist")
        yield StepFunctionsWorkflow(states, "arn:aws:states:eu-north-1:1:stateMachine:cj"), "token"
        stub.assert_no_pending_responses()


def test_a_token_settles_once_and_a_settled_or_unknown_one_is_no_error(
    waiting: tuple[Workflow, str],
) -> None:
    workflow, token = waiting
    assert workflow.report_closed(token, {"wave": 1})
    assert not workflow.report_closed(token, {"wave": 1})
    assert not workflow.report_failed(token, error="E", cause="c" * 5000)
    assert not workflow.report_failed("unknown", error="E", cause="c")


# --- people and signatures -----------------------------------------------------------------------


@pytest.fixture
def people(kind: str, request: pytest.FixtureRequest) -> People:
    return InMemoryPeople() if kind == "memory" else DynamoDBPeople(get_table(kind, request))


@pytest.fixture
def queue(kind: str, request: pytest.FixtureRequest) -> PeopleQueue:
    if kind == "memory":
        return InMemoryComparisonStore()
    return DynamoDBComparisonStore(get_table(kind, request))


def offer_pairs(queue: PeopleQueue, n: int = 3) -> list[ComparisonLease]:
    """Comparisons of the second wave that wait; the first of them was planned in the first."""
    comparisons = [
        Comparison(
            comparison_id=f"w00{2 if at else 1}-{at:05d}",
            wave=2 if at else 1,
            submitted_wave=2,
            attempt=1 if at else 2,
            first="a",
            second="b",
        )
        for at in range(n)
    ]
    queue.offer("b", 2, comparisons)
    queue.offer("b", 2, comparisons)
    return queue.list_waiting("b", 2, limit=100)


@dataclass
class Leasing:
    """Short words for the leases of one batch."""

    queue: PeopleQueue
    waiting: list[ComparisonLease]
    lasting: timedelta = field(default=timedelta(minutes=10))

    def take(
        self, person: str, at: int = 0, *, after: int = 0, is_judged: bool = False
    ) -> WaitingComparison | None:
        now = NOW + timedelta(seconds=after)
        return self.queue.take(
            "b", self.waiting[at], person, until=now + self.lasting, now=now, is_judged=is_judged
        )

    def holder(self, at: int = 0, *, after: int = 0) -> str | None:
        return self.queue.list_waiting("b", 2, limit=9)[at].find_holder(
            now=NOW + timedelta(seconds=after)
        )


def test_a_lease_is_of_one_person_until_it_lapses(queue: PeopleQueue) -> None:
    leasing = Leasing(queue, offer_pairs(queue))
    assert leasing.holder() is None
    taken = leasing.take("ann")
    assert taken is not None
    lease = taken.model_dump(include=set(ComparisonLease.model_fields))
    assert queue.list_waiting("b", 2, limit=1) == [ComparisonLease(**lease)]
    assert (taken.first, taken.second, taken.person) == ("a", "b", "ann")
    assert not leasing.take("bob")
    assert leasing.take("bob", 1)
    assert (leasing.holder(), leasing.holder(1)) == ("ann", "bob")
    assert leasing.take("ann", after=60), "her own lease is prolonged"
    assert leasing.holder(after=650) == "ann"
    assert not leasing.take("bob", after=650)
    # The last moment belongs to the holder.
    assert leasing.holder(after=660) == "ann"
    assert not leasing.take("bob", after=660)
    assert leasing.holder(after=661) is None
    assert leasing.take("bob", after=661)
    assert leasing.holder(after=661) == "bob"


def test_what_waits_is_listed_found_and_withdrawn(queue: PeopleQueue) -> None:
    leasing = Leasing(queue, offer_pairs(queue, 5))
    ids = [one.comparison_id for one in leasing.waiting]
    held = [leasing.take("eve", ids.index(each)) for each in ("w001-00000", "w002-00001")]
    assert [(one.home_wave, one.attempt) for one in held if one] == [(1, 2), (2, 1)]
    leasing = Leasing(queue, queue.list_waiting("b", 2, limit=9))
    assert queue.list_waiting("b", 2, limit=2) == leasing.waiting[:2]
    places = [find_queue_place(one.comparison_id) for one in leasing.waiting]
    assert places == sorted(places)
    fourth = queue.list_waiting("b", 2, limit=9, start=places[3])
    assert fourth == leasing.waiting[3:], "a place begins with what stands there"
    assert not leasing.take("ann", is_judged=True), "only who holds it can have judged it"
    assert leasing.take("ann")
    assert not leasing.take("bob", is_judged=True)
    assert leasing.take("ann", is_judged=True)
    assert queue.count_waiting("b", 2) == 5
    queue.note_judged("b", 2)
    queue.offer("b", 2, [])
    assert (queue.count_waiting("b", 2), queue.count_waiting("b", 1)) == (4, 0)
    queue.offer("b", 2, [])
    (first, *_) = queue.list_waiting("b", 2, limit=1)
    assert (first.person, first.is_judged) == ("ann", True)
    assert first.lease_until == NOW + leasing.lasting
    assert not leasing.take("ann"), "it is judged"
    assert leasing.take("ann", is_judged=True), "the same verdict again"
    assert leasing.take("bob", after=601), "the verdict did not arrive"
    queue.withdraw("b", 2, first.comparison_id)
    assert first.comparison_id not in {
        one.comparison_id for one in queue.list_waiting("b", 2, limit=9)
    }
    assert not leasing.take("ann"), "what is gone cannot be leased"
    assert queue.list_waiting("b", 1, limit=9) == []
    queue.withdraw_all("b", 2)
    queue.note_judged("b", 2)
    assert queue.list_waiting("b", 2, limit=9) == []
    assert queue.count_waiting("b", 2) == 0


def test_verdicts_count_once_for_each_person_and_batch(people: People, queue: PeopleQueue) -> None:
    waiting = offer_pairs(queue)[0]
    assert people.get_person("b", "ann") == Person(name="ann")
    until = NOW + timedelta(minutes=1)
    people.note_held("b", "ann", [waiting], until=until)
    held = people.get_person("b", "ann")
    assert (held.held, held.held_until) == ((waiting,), until)
    counted = [
        people.count_verdict("b", "ann", comparison_id, now=NOW)
        for comparison_id in ("w001-00001", "w001-00002", "w001-00001")
    ]
    assert counted == [True, True, False]
    people.count_verdict("b", "bob", "w001-00003", now=NOW)
    assert people.list_judged("b", "bob", limit=9) == ["w001-00003"]
    assert len(people.list_judged("b", "ann", limit=1)) == 1
    control = ControlPair(comparison_id="w001-00003", is_own=False, winner=Winner.TIE, agrees=True)
    people.note_controls("b", "bob", [control])
    bob = people.get_person("b", "bob")
    assert (bob.controls, bob.n_judged, bob.n_controls) == ((control,), 1, 1)
    ann = people.get_person("b", "ann")
    assert (ann.n_judged, ann.last_verdict_at, ann.last_judged) == (2, NOW, "w001-00002")
    assert people.get_person("b", "bob").n_judged == 1
    assert people.get_person("other", "ann").n_judged == 0


def test_an_invitation_is_stored_once_and_taken_back_once(people: People) -> None:
    made = Invitation(
        invitation_id="0" * 16,
        batch_id="b",
        name="Ann Åberg",
        quota=3,
        created_at=NOW,
        created_by="teacher",
        expires_at=NOW + timedelta(days=1),
    )
    assert people.put_invitation(made) == made
    assert people.put_invitation(made.model_copy(update={"name": "Bo"})) == made
    people.count_verdict("b", made.subject, "w001-00001", now=NOW)
    (person,) = people.list_people("b")
    assert (person.invitation, person.n_judged) == (made, 1)
    later = NOW + timedelta(hours=1)
    revoked = people.revoke("b", made.invitation_id, now=NOW)
    assert revoked is not None
    assert people.revoke("b", made.invitation_id, now=later) == revoked
    assert revoked.invitation is not None
    assert revoked.invitation.find_state(now=NOW) is InvitationState.REVOKED
    assert people.revoke("b", "1" * 16, now=NOW) is None
    assert people.revoke("other", made.invitation_id, now=NOW) is None


@pytest.fixture
def signatures(kind: str, request: pytest.FixtureRequest) -> SeenSignatures:
    if kind == "memory":
        return InMemorySeenSignatures()
    return DynamoDBSeenSignatures(get_table(kind, request))


def test_a_signature_is_seen_once_it_is_remembered(signatures: SeenSignatures) -> None:
    assert not signatures.was_seen("sha256=a")
    for _ in range(2):
        signatures.remember("sha256=a", until=NOW + timedelta(minutes=5))
    assert signatures.was_seen("sha256=a")
    assert not signatures.was_seen("sha256=b")


# --- the gate ------------------------------------------------------------------------------------


@pytest.fixture
def gate(kind: str, request: pytest.FixtureRequest) -> JudgeGate:
    """In memory it never closes, so only what holds of an open one is its contract."""
    if kind == "memory":
        return OpenGate()
    return DynamoDBJudgeGate(get_table(kind, request))


def test_a_judge_without_limits_is_admitted_until_failures_open_its_circuit(
    gate: JudgeGate,
) -> None:
    judge = JudgeSpec(provider=Provider.OPENAI, model="model-1")
    gate.record_success(judge)
    for _ in range(FAILURES_TO_OPEN - 1):
        gate.admit(judge, tokens=100_000, now=NOW)
        gate.record_failure(judge, retry_after=None, now=NOW)
    gate.admit(judge, tokens=100_000, now=NOW)
    gate.record_success(judge)
    gate.admit(judge, tokens=0, now=NOW)
