"""Producer model, bus entry, consumer schema and rule pattern, each against the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import rfc8785
import yaml
from moto.events.models import EventPattern

from assessment.adapters.aws.eventbridge import EventBridgePublisher
from assessment.contracts.decisions import ReleaseRequest
from assessment.contracts.events import DATA, MAX_EVENT_BYTES, EventType
from assessment.contracts.webhooks import PublishedType, WebhookRequest
from assessment.domain.decision import Decision, DecisionKind, Reason
from assessment.domain.document_keys import decisions_key, essays_key, result_key
from assessment.domain.identifiers import content_sha256
from assessment.ports.decisions import ReleasePorts
from assessment.ports.groups import AnchorPorts, FailPorts
from assessment.usecases.fail_batch import fail_batch, read_failure
from assessment.usecases.release_batch import release_batch
from tests.fakes.aws import client
from tests.fakes.decisions import InMemoryDecisionStore, InMemoryReleasePolicies
from tests.fakes.judges import make_text
from tests.fakes.loop import Loop
from tests.fakes.world import World, make_essays, spread

ROOT = Path(__file__).parents[2]
PUBLISHED = [
    EventType.WAVE_SCORED, EventType.COMPLETED, EventType.RESULT_PUBLISHED, EventType.FAILED,
    EventType.RELEASED, EventType.JUDGING_REMINDER,
]  # fmt: skip


class Bus:
    """Records what EventBridge would be asked to carry."""

    def __init__(self):
        self.calls = []
        self.meta = client("events").meta  # what a client knows of its own operations

    def put_events(self, Entries):  # noqa: N803 - the name is the client's
        self.calls.append(Entries)
        return {"FailedEntryCount": 0}


def make_anchors(texts):
    grades = ["F", "E", "D", "C", "B", "A"]
    return [
        {"anchor_ref": f"a{k}", "grade": grade, "text": text}
        for k, (grade, text) in enumerate(zip(grades, texts, strict=True))
    ]


@pytest.fixture(scope="module")
def completed():
    """A world with one completed batch of 24 simulated essays and six anchors."""
    world = World(seed=3)
    texts = [make_text(quality, f"anchor-{k}") for k, quality in enumerate((-3, -2, -1, 1, 2, 3))]
    world.assignments.assignments.clear()
    from assessment.contracts.parsing import parse
    from assessment.contracts.request import AnchorRegistration
    from assessment.usecases.register_anchors import register_anchors

    register_anchors(
        parse(AnchorRegistration, {"assignment_id": "unit", "anchors": make_anchors(texts)}),
        is_admin=True,
        stack_config={},
        ports=AnchorPorts(assignments=world.assignments, content=world.content),
    )
    batch = world.request(24, assignment_id="unit")
    run = Loop(world).run(batch.batch_id)
    assert run.batch.status == "COMPLETED", run.decisions
    return world, run.batch


@pytest.fixture(scope="module")
def entries(completed):
    """One bus entry of every type that is published, from real use cases."""
    world, batch = completed
    release_batch(
        batch.batch_id,
        ReleaseRequest(without_decisions=True),
        assessor="teacher",
        ports=ReleasePorts(
            batches=world.batches,
            content=world.content,
            decisions=InMemoryDecisionStore(world.batches),
            policies=InMemoryReleasePolicies(),
            events=world.events,
        ),
        now=world.now,
    )
    refusal = Decision(
        decision=DecisionKind.FINALIZE_FAILURE, reason=Reason.JUDGE_AT_CHANCE, explanation="a coin"
    )
    failing = world.request(6)
    fail_batch(
        failing.batch_id,
        read_failure(refusal, None),
        by_decision=True,
        ports=FailPorts(batches=world.batches, events=world.events),
        now=world.now,
    )
    judged_by_people = world.request(6, judge={"provider": "person"})
    world.prepare(judged_by_people.batch_id)
    wave = world.plan(judged_by_people.batch_id)
    world.submit(judged_by_people.batch_id, wave.wave, world.workflow.issue("people"))
    world.clock.forward(8 * 86_400)
    assert world.watch().reminded == [judged_by_people.batch_id]
    bus = Bus()
    EventBridgePublisher(bus, "bus").publish(world.events.published)
    return {entry["DetailType"]: entry for sent in bus.calls for entry in sent}


@pytest.mark.parametrize("event_type", PUBLISHED)
def test_what_is_put_on_the_bus_is_what_the_schema_promises(event_type, entries, schema):
    detail = json.loads(entries[event_type]["Detail"])
    jsonschema.validate(
        detail,
        schema(f"events/{event_type}.json"),
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    assert detail["event_type"] == entries[event_type]["DetailType"]
    assert detail["schema_version"] == 1


@pytest.mark.parametrize("event_type", PUBLISHED)
def test_a_schema_refuses_another_types_event(event_type, entries, schema):
    for other in set(PUBLISHED) - {event_type}:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(
                json.loads(entries[other]["Detail"]), schema(f"events/{event_type}.json")
            )


def rules(template):
    """Properties of all rules of a template; short-hand tags are kept as strings."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: f"!{suffix}")
    resources = yaml.load(template.read_text(), Loader)["Resources"]  # noqa: S506 - a SafeLoader
    return [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Events::Rule"]


def rule_patterns(template):
    return [rule["EventPattern"] for rule in rules(template)]


@pytest.mark.parametrize("template", ["template.yaml", "samples/subscriber/template.yaml"])
def test_every_target_of_a_rule_has_a_dead_letter_queue(template):
    targets = [target for rule in rules(ROOT / template) for target in rule["Targets"]]
    assert targets
    assert all("Arn" in target["DeadLetterConfig"] for target in targets)


@pytest.mark.parametrize("event_type", PUBLISHED)
def test_the_subscribers_rule_takes_what_it_is_for(event_type, entries):
    (pattern,) = rule_patterns(ROOT / "samples" / "subscriber" / "template.yaml")
    entry = entries[event_type]
    event: Any = {
        "source": entry["Source"],
        "detail-type": entry["DetailType"],
        "detail": json.loads(entry["Detail"]),
    }
    wanted = event_type in (EventType.RESULT_PUBLISHED, EventType.FAILED)
    matcher = EventPattern.load(json.dumps(pattern))
    assert matcher.matches_event(event) is wanted
    event["detail"]["schema_version"] = 2
    assert not matcher.matches_event(event), "another version is not ours to read"


def test_a_webhook_may_have_every_type_that_is_published() -> None:
    assert set(get_args(PublishedType)) == set(DATA)
    assert WebhookRequest(url="https://school.example/").event_types == list(DATA)


def test_the_demonstration_subscriber_takes_everything(entries):
    patterns = rule_patterns(ROOT / "template.yaml")
    for entry in entries.values():
        event: Any = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": {}}
        assert any(EventPattern.load(json.dumps(p)).matches_event(event) for p in patterns)


def test_the_result_document_is_what_its_schema_promises(completed, schema):
    world, batch = completed
    document = json.loads(world.content.documents[result_key(batch.batch_id)])
    jsonschema.validate(document, schema("result.v3.json"))
    assert document["grade_projections"]["projections_available"]
    assert sum(not ranking["is_anchor"] for ranking in document["rankings"]) == 24


def test_the_released_decisions_are_what_their_schema_promises(completed, entries, schema):
    world, batch = completed
    data = json.loads(entries[EventType.RELEASED]["Detail"])["data"]
    text = world.content.documents[decisions_key(batch.batch_id, data["decisions_sha256"])]
    assert content_sha256(text) == data["decisions_sha256"]
    document = json.loads(text)
    jsonschema.validate(document, schema("decisions.v1.json"))
    assert document["result_sha256"] == data["result_sha256"] == batch.result_sha256
    assert (data["n_essays"], data["n_without_decision"], data["n_changed"]) == (24, 24, 0)
    assert data["grades"] == {e["essay_id"]: e["grade"] for e in document["essays"]}


def test_the_hash_in_the_events_is_that_of_the_stored_bytes(completed):
    world, batch = completed
    stored = world.content.documents[result_key(batch.batch_id)]
    for event_type in (EventType.COMPLETED, EventType.RESULT_PUBLISHED):
        (event,) = world.events.by_type[event_type]
        assert event.data["result_sha256"] == content_sha256(stored)
        assert event.correlation_id == batch.correlation_id


def test_finalising_again_writes_the_same_bytes_and_publishes_the_same_events(completed):
    world, batch = completed
    keys = [result_key(batch.batch_id), essays_key(batch.batch_id)]
    before = [world.content.documents[key] for key in keys]
    known = {event.event_id: event for event in world.events.published}
    count = len(world.events.published)
    world.clock.forward(3600)
    world.finalise(batch.batch_id)
    assert [world.content.documents[key] for key in keys] == before
    again = world.events.published[count:]
    assert {event.event_type for event in again} == {
        EventType.COMPLETED, EventType.RESULT_PUBLISHED,
    }  # fmt: skip
    assert all(event == known[event.event_id] for event in again)


def test_the_rich_event_carries_rankings_and_projections(completed):
    world, batch = completed
    (event,) = world.events.by_type[EventType.RESULT_PUBLISHED]
    document = json.loads(world.content.documents[result_key(batch.batch_id)])
    assert event.data["result_included"] is True
    assert event.data["rankings"] == document["rankings"]
    carried = dict(event.data["grade_projections"])
    stats, entropies = carried.pop("bt_stats"), carried.pop("normalised_entropies")
    assert carried == document["grade_projections"]
    students = {r["essay_id"]: r for r in document["rankings"] if not r["is_anchor"]}
    assert stats == {
        essay_id: {name: ranking[name] for name in next(iter(stats.values()))}
        for essay_id, ranking in students.items()
    }
    scores = carried["confidence_scores"]
    assert entropies == pytest.approx({essay: 1 - score for essay, score in scores.items()})


def test_the_result_says_every_figure_of_an_essay_once(completed):
    world, batch = completed
    document = json.loads(world.content.documents[result_key(batch.batch_id)])
    (essay_id, score) = next(iter(document["grade_projections"]["confidence_scores"].items()))
    (ranking,) = [r for r in document["rankings"] if r["essay_id"] == essay_id]

    def places(value, wanted):
        if isinstance(value, dict):
            return sum(places(entry, wanted) for entry in value.values())
        if isinstance(value, list):
            return sum(places(entry, wanted) for entry in value)
        return isinstance(value, float) and abs(value) == abs(wanted)

    for figure in (ranking["bradley_terry_score"], ranking["bradley_terry_se"], score):
        assert places(document, figure) == 1, figure
        assert places(document, round(1 - figure, 9)) == 0, figure


def test_the_stored_bytes_are_those_of_any_rfc_8785_program(completed):
    world, batch = completed
    stored = world.content.documents[result_key(batch.batch_id)]
    assert rfc8785.dumps(json.loads(stored)).decode() == stored


def test_a_result_above_the_limit_is_only_pointed_to():
    """Simulated: 160 essays and six anchors, with names as long as they may be."""
    world = World(seed=4)
    texts = [make_text(quality, f"anchor-{k}") for k, quality in enumerate((-3, -2, -1, 1, 2, 3))]
    world.register(assignment_id="unit", anchors=make_anchors(texts))
    essays = [
        {"essay_id": f"{essay['essay_id']:-<128}", "text": essay["text"]}
        for essay in make_essays(spread(160))
    ]
    batch = world.request(essays, assignment_id="unit", config={"max_waves": 1})
    run = Loop(world).run(batch.batch_id)
    assert run.batch.status == "COMPLETED", run.decisions
    (event,) = world.events.by_type[EventType.RESULT_PUBLISHED]
    stored = world.content.documents[result_key(batch.batch_id)]
    assert event.data["result_included"] is False
    assert event.data["rankings"] is None
    assert event.data["result_key"] == world.content.place(result_key(batch.batch_id))
    assert len(event.model_dump_json()) < 2000 < MAX_EVENT_BYTES < len(stored)
