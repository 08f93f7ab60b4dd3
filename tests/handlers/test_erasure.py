"""Erasure and export through the real handlers: nothing of a text is left in any store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assessment.adapters.aws.content_eraser import S3ContentEraser
from assessment.adapters.aws.record_eraser import DynamoDBRecordEraser
from assessment.contracts.erasure import EraseRequestV1, SweepAnchorsV1
from assessment.domain.comparison import Comparison, ComparisonLease
from assessment.domain.control_pair import ControlPair
from assessment.domain.document_keys import CONTENT_TEXTS, batch_folder, result_key
from assessment.domain.erasure import CHECK_AFTER
from assessment.domain.identifiers import content_sha256
from assessment.domain.verdict import Verdict, Winner
from assessment.domain.wave import Wave
from assessment.usecases.erase_data import go_on_erasing
from assessment.usecases.sweep_anchors import SETTLED_AFTER, sweep_anchors
from assessment.usecases.watch_erasures import watch_erasures
from tests.fakes.event_loop import run_async
from tests.handlers.conftest import BATCH_ID, Stack, adapters, event, invoke

MARK = "a sentence that only this test looks for"


def call(name: str) -> tuple[int, dict[str, Any]]:
    response = invoke("handle_api", event(f"handle_api/{name}.json"))
    return response["statusCode"], json.loads(response["body"] or "{}")


def texts() -> dict[str, str]:
    """The essays of the sample request by id."""
    body = json.loads(event("handle_api/create_batch.json")["body"])
    return {essay["essay_id"]: essay["text"] for essay in body["essays"]}


def everything(stack: Stack) -> dict[str, str]:
    """All that is stored anywhere, by place: items, every version of objects, messages."""
    items = stack.client("dynamodb").scan(TableName="cj-table")["Items"]
    stored = {f"{item['PK']['S']}/{item['SK']['S']}": json.dumps(item) for item in items}
    s3 = stack.client("s3")
    for version in s3.list_object_versions(Bucket="cj-bucket").get("Versions", []):
        key, version_id = version["Key"], version["VersionId"]
        body = s3.get_object(Bucket="cj-bucket", Key=key, VersionId=version_id)["Body"].read()
        stored[f"{key}@{version_id}"] = body.decode()
    for name, url in stack.queues.items():
        received = stack.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        for message in received.get("Messages", []):
            stored[f"{name}/{message['MessageId']}"] = message["Body"]
    return stored


def holding(stack: Stack, *words: str) -> list[str]:
    """The places where any of the words is."""
    return [
        place
        for place, content in everything(stack).items()
        if any(word in content or word in place for word in words)
    ]


def continue_erasures(stack: Stack, moment: datetime) -> None:
    """The next round of every erasure, as the function would do it at that moment."""
    own = adapters()
    for erasure in own.erasures.list_of_batch(BATCH_ID):
        message = EraseRequestV1(batch_id=BATCH_ID, erasure_id=erasure.erasure_id)
        ports = own.erasure_ports(own.dead_letters([stack.queues["dead"]]))
        run_async(go_on_erasing(message, ports=ports, now=moment))


def leave_dead_letters(stack: Stack) -> None:
    """A verdict, a request and an event that nobody took, and a message about something else."""
    sqs = stack.client("sqs")
    verdict = {"request_metadata": {"batch_id": BATCH_ID}, "justification": f"anna: {MARK}"}
    request = {"requestPayload": {"detail": {"data": {"essays": [{"text": texts()["anna"]}]}}}}
    for body in (verdict, request, {"request_metadata": {"batch_id": "another"}}):
        sqs.send_message(QueueUrl=stack.queues["dead"], MessageBody=json.dumps(body))
    delivery = {"event": {"data": {"batch_id": BATCH_ID, "grades": {"anna": "C"}}}}
    sqs.send_message(QueueUrl=stack.queues["webhooks_dead"], MessageBody=json.dumps(delivery))


def test_a_batch_is_erased_from_every_store(stack: Stack) -> None:
    stack.released()
    leave_dead_letters(stack)
    for queue in ("events", "judge", "callbacks"):
        stack.messages(queue)
        stack.client("sqs").purge_queue(QueueUrl=stack.queues[queue])
    sample = [text[:40] for text in texts().values()]
    assert len(holding(stack, *sample)) >= len(sample)
    status, body = call("erase_batch")
    assert (status, body["state"], body["scope"]) == (202, "erasing", "batch")
    assert call("get_batch_erased")[0] == 410
    stack.erase()
    assert not holding(stack, *sample, MARK, *(f"ESSAY#{name}" for name in texts()))
    assert not [place for place in everything(stack) if place.startswith(batch_folder("default"))]
    assert call("erase_batch") == (204, {})
    # That it was erased, where it is to be found, and who did what; no more.
    left = {place.partition("/")[0] for place in holding(stack, BATCH_ID)}
    assert {place for place in left if "#AUDIT" not in place} == {
        f"ORGANISATION#default#BATCH#{BATCH_ID}",
        f"ORGANISATION#default#BATCH#{BATCH_ID}#ERASURES",
        f"DIRECTORY#{BATCH_ID}",
        "ERASING",
    }
    # The message about something else stays, hidden for a while from the next look.
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    dead = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.queues["dead"], AttributeNames=names
    )
    assert sum(int(dead["Attributes"][name]) for name in names) == 1


def test_the_second_round_takes_what_came_meanwhile_and_leaves_a_tombstone(stack: Stack) -> None:
    stack.completed()
    call("erase_batch")
    stack.erase()
    # What a step that was under way stores after all.
    adapters().content.put_document(f"{batch_folder(BATCH_ID)}/waves/late.json", MARK)
    adapters().batches.put_wave(BATCH_ID, Wave(wave=1))
    later = datetime.now(UTC) + CHECK_AFTER + timedelta(seconds=1)
    continue_erasures(stack, later)
    assert not holding(stack, MARK, "WAVE#0001")
    (erasure,) = adapters().erasures.list_of_batch(BATCH_ID)
    assert (erasure.is_closed, erasure.target) == (True, None)
    assert not adapters().erasures.list_unfinished()
    status, listed = call("get_erasures")
    assert (status, listed["erasures"][0]["state"]) == (200, "erased")
    assert call("erase_batch")[0] == 204


def test_a_batch_that_runs_is_stopped_and_its_late_verdicts_bring_nothing_back(
    stack: Stack,
) -> None:
    stack.submitted()
    waiting = stack.messages("judge")
    call("erase_batch")
    assert stack.executions("RUNNING") == [BATCH_ID]
    stack.erase()
    assert not stack.executions("RUNNING")
    before = set(everything(stack))
    callback = event("record_callback/verdicts.json")
    assert invoke("record_callback", callback) == {"batchItemFailures": []}
    asked = event("call_judge/messages.json")
    asked["Records"] = [
        {**asked["Records"][0], "messageId": str(n), "body": json.dumps(message)}
        for n, message in enumerate(waiting)
    ]
    assert invoke("call_judge", asked) == {"batchItemFailures": []}
    assert not stack.judge.posted
    assert set(everything(stack)) == before


@pytest.mark.parametrize("name", ["erase_essay", "erase_batch"])
def test_uploads_of_a_text_go_with_it_and_others_stay(stack: Stack, name: str) -> None:
    stack.completed()
    own = adapters().content
    folder = "content/manifests"
    for text in (texts()["anna"], "another text"):
        own.put_text(CONTENT_TEXTS, text)
        line = json.dumps({"essay_id": "x", "text": text})
        own.put_document(f"{folder}/{content_sha256(text)[:32]}.jsonl", f"{line}\n")
    named = {"essay_id": "y", "content_id": content_sha256(texts()["anna"])}
    own.put_document(f"{folder}/{'0' * 32}.jsonl", json.dumps(named))
    call(name)
    stack.erase()
    assert not holding(stack, texts()["anna"][:40])
    assert len(holding(stack, "another text")) == 2
    assert own.get_document(f"{folder}/{'0' * 32}.jsonl") is None


def test_the_key_of_an_erased_batch_brings_no_text_back(stack: Stack) -> None:
    stack.registered()
    batch_id = call("create_batch")[1]["batch_id"]
    given = event("handle_api/erase_batch.json")
    given["path"] = given["path"].replace(BATCH_ID, batch_id)
    assert invoke("handle_api", given)["statusCode"] == 202
    stack.erase()
    status, body = call("create_batch")
    assert (status, body["type"].rpartition(":")[2]) == (410, "erased-batch")
    assert not holding(stack, texts()["anna"][:40])


def test_one_essay_is_erased_and_the_others_stay_as_they_are(stack: Stack) -> None:
    stack.released()
    stack.client("sqs").purge_queue(QueueUrl=stack.queues["events"])
    leave_dead_letters(stack)
    before = json.loads(adapters().content.get_document(result_key(BATCH_ID)) or "")
    old_hash = adapters().batches.get_batch(BATCH_ID).result_sha256
    assert call("erase_essay")[0] == 202
    stack.erase()
    left = holding(stack, texts()["anna"][:40], '"anna"', '\\"anna\\"', "ESSAY#anna", MARK, "anna,")
    assert [place for place in left if "#ERASURES/" not in place] == []
    after = adapters().content.get_document(result_key(BATCH_ID)) or ""
    batch = adapters().batches.get_batch(BATCH_ID)
    assert batch.result_sha256 == content_sha256(after) != old_hash
    document = json.loads(after)
    kept = {ranking["essay_id"]: ranking for ranking in before["rankings"]}
    assert {r["essay_id"]: r for r in document["rankings"]} == {
        name: ranking for name, ranking in kept.items() if name != "anna"
    }
    assert document["n_students"] == before["n_students"] - 1
    assert (
        document["grade_projections"]["grade_scale"] == before["grade_projections"]["grade_scale"]
    )
    assert call("get_release")[0] == 200
    status, listed = call("get_decisions")
    assert (status, {essay["essay_id"] for essay in listed["essays"]}) == (
        200, set(texts()) - {"anna"},
    )  # fmt: skip
    assert call("erase_essay")[0] == 404
    continue_erasures(stack, datetime.now(UTC) + CHECK_AFTER + timedelta(seconds=1))
    assert not holding(stack, '"anna"', '\\"anna\\"', "anna,", "#anna")
    (erasure,) = call("get_erasures")[1]["erasures"]
    names = {each["name"]: each for each in erasure["documents"]}
    assert names["result.json"]["before_sha256"] == old_hash
    assert names["result.json"]["after_sha256"] == batch.result_sha256
    assert erasure["checked_at"]


def test_a_text_that_another_pupil_wrote_too_stays_with_that_pupil(stack: Stack) -> None:
    stack.completed()
    own = adapters()
    body = own.content.get_document(f"{batch_folder(BATCH_ID)}/spec.json") or ""
    spec = json.loads(body)
    anna = next(essay for essay in spec["essays"] if essay["essay_id"] == "anna")
    ben = next(essay for essay in spec["essays"] if essay["essay_id"] == "ben")
    ben["text_sha256"] = anna["text_sha256"]
    own.content.put_document(f"{batch_folder(BATCH_ID)}/spec.json", json.dumps(spec))
    call("erase_essay")
    stack.erase()
    places = holding(stack, texts()["anna"][:40])
    assert len(places) == 1
    assert anna["text_sha256"] in places[0]


def test_a_late_verdict_about_an_erased_essay_is_dropped(stack: Stack) -> None:
    stack.completed()
    callback = event("record_callback/verdicts.json")
    about = [json.loads(each["body"])["request_metadata"] for each in callback["Records"]]
    assert any("anna" in (each["essay_a_id"], each["essay_b_id"]) for each in about)
    call("erase_essay")
    stack.erase()
    before = everything(stack).keys()
    assert invoke("record_callback", callback) == {"batchItemFailures": []}
    assert everything(stack).keys() == before
    assert not [each for each in stack.list_comparisons() if "anna" in (each.first, each.second)]


def test_an_erasure_that_dies_anywhere_goes_on(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call of an eraser fails once, before it does anything; the message comes back."""
    stack.released()
    stack.client("sqs").purge_queue(QueueUrl=stack.queues["events"])
    call("erase_essay")
    call("erase_batch")
    own = adapters()
    died: set[str] = set()
    for kind in (S3ContentEraser, DynamoDBRecordEraser):
        for name in [n for n in vars(kind) if n.startswith(("erase", "list", "update"))]:
            monkeypatch.setattr(kind, name, _dying(getattr(kind, name), name, died))
    for _ in range(40):
        try:
            continue_erasures(stack, datetime.now(UTC))
        except ConnectionError:
            continue
        break
    assert len(died) > 6
    assert not holding(stack, *(text[:40] for text in texts().values()))
    assert own.erasures.list_of_batch(BATCH_ID)[-1].erased_at


def _dying(method: Any, name: str, died: set[str]) -> Any:
    def die_once(*arguments: Any, **keywords: Any) -> Any:
        if name not in died:
            died.add(name)
            raise ConnectionError(name)
        return method(*arguments, **keywords)

    return die_once


def test_an_erasure_whose_message_is_lost_is_found_by_the_watchdog(stack: Stack) -> None:
    stack.completed()
    call("erase_batch")
    assert stack.messages("erasures")
    own = adapters()
    for minutes, n_sent in ((5, 0), (31, 1)):
        sent = watch_erasures(
            listing=own.erasures,
            erasure_queue=own.erasure_queue,
            now=datetime.now(UTC) + timedelta(minutes=minutes),
        )
        assert len(sent) == n_sent
    stack.erase()
    assert call("erase_batch")[0] == 204


def test_what_is_kept_about_an_essay_is_exported_without_naming_others(stack: Stack) -> None:
    stack.decided()
    status, exported = call("export_essay")
    assert status == 200
    assert exported["text"] == texts()["anna"]
    assert exported["ranking"]["essay_id"] == "anna"
    assert [decision["grade"] for decision in exported["decisions"]] == ["C"]
    assert exported["comparisons"]
    assert exported["recipients"] == ["seed/1"]
    others = [name for name in texts() if name != "anna"]
    assert not any(f'"{name}"' in json.dumps(exported) for name in others)


def test_who_won_is_told_from_the_essays_side(stack: Stack) -> None:
    stack.submitted()
    for position, comparison in enumerate(stack.list_comparisons()):
        verdict = Verdict(winner=(Winner.FIRST, Winner.TIE)[position % 2], judge="seed/1")
        adapters().comparisons.record_verdict(
            BATCH_ID, 1, comparison.comparison_id, verdict, now=datetime.now(UTC)
        )
    known = {each.comparison_id: each for each in stack.list_comparisons()}
    for each in call("export_essay")[1]["comparisons"]:
        stored = known[each["comparison_id"]]
        told = stored.pair_verdict
        is_tie = told is not None and told.winner is Winner.TIE
        expected = None if is_tie else stored.first == "anna"
        assert each["is_preferred"] is expected
        assert each["position"] == ("first" if stored.first == "anna" else "second")


def list_annas(stack: Stack) -> list[Comparison]:
    """The comparisons with the essay that is exported."""
    return [each for each in stack.list_comparisons() if "anna" in each.essay_ids]


def test_a_judge_that_was_sent_the_text_and_gave_no_verdict_is_named(stack: Stack) -> None:
    stack.submitted()
    assert call("export_essay")[1]["recipients"] == []
    asked = event("call_judge/messages.json")
    asked["Records"] = [
        {**asked["Records"][0], "messageId": str(n), "body": json.dumps(message)}
        for n, message in enumerate(stack.messages("judge"))
    ]
    assert invoke("call_judge", asked) == {"batchItemFailures": []}
    assert call("export_essay")[1]["recipients"] == ["callback_endpoint"]


def test_people_who_have_the_text_before_them_are_named_and_their_controls_told(
    stack: Stack,
) -> None:
    stack.submitted(judge={"provider": "person"})
    first, second, *_ = list_annas(stack)
    people, now = adapters().people, datetime.now(UTC)
    lease = ComparisonLease(comparison_id=first.comparison_id, wave=1)
    people.note_held(BATCH_ID, "ann", [lease], until=now)
    pair = ControlPair(comparison_id=second.comparison_id, is_own=False)
    control = pair.settle(Winner.FIRST, Winner.SECOND)
    elsewhere = next(each for each in stack.list_comparisons() if "anna" not in each.essay_ids)
    other = ControlPair(comparison_id=elsewhere.comparison_id, is_own=False)
    people.note_controls(BATCH_ID, "bo", [control, other.settle(Winner.TIE, Winner.TIE)])
    people.note_controls(BATCH_ID, "cy", [other])
    exported = call("export_essay")[1]
    assert exported["recipients"] == ["person/ann", "person/bo"]
    assert exported["controls"] == [
        {
            "comparison_id": second.comparison_id,
            "judge": "person/bo",
            "is_preferred": second.first == "anna",
            "agrees": False,
        }
    ]


def sweep(stack: Stack, moment: datetime) -> int:
    """Work on the message about removed anchors as the function would at that moment."""
    message = SweepAnchorsV1(organisation="default", assignment_id="plastic-bottles")
    return sweep_anchors(message, ports=adapters().sweep_ports, now=moment)


def test_the_text_of_a_removed_anchor_is_erased_and_the_others_are_not(stack: Stack) -> None:
    stack.prepared()
    registered = json.loads(event("handle_api/register_anchors.json")["body"])["anchors"]
    removed = next(each for each in registered if each["anchor_ref"] == "middle")
    kept = next(each for each in registered if each["anchor_ref"] != "middle")

    def places(text: str) -> set[str]:
        return {place.partition("/")[0] for place in holding(stack, text)}

    assert places(removed["text"]) == {"assignments", "batches"}
    assert call("remove_anchor")[0] == 200
    # A registration may be under way that names what was written a moment ago.
    now = datetime.now(UTC)
    assert sweep(stack, now) == 1
    assert "assignments" in places(removed["text"])
    assert sweep(stack, now + SETTLED_AFTER + timedelta(seconds=5)) == 0
    # The batch keeps its own copy until it is erased itself.
    assert places(removed["text"]) == {"batches"}
    assert places(kept["text"]) == {"assignments", "batches"}


def test_a_text_that_a_registration_replaces_is_erased(stack: Stack) -> None:
    stack.registered()
    given = event("handle_api/register_anchors.json")
    body = json.loads(given["body"])
    replaced = body["anchors"][0]["text"]
    body["anchors"][0]["text"] = "Another text about bottles, which replaces the one before."
    assert holding(stack, replaced)
    assert invoke("handle_api", given | {"body": json.dumps(body)})["statusCode"] == 201
    waiting = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.queues["erasures"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )["Attributes"]
    assert waiting != {"ApproximateNumberOfMessagesDelayed": "0"}
    assert sweep(stack, datetime.now(UTC) + SETTLED_AFTER + timedelta(seconds=5)) == 0
    assert not holding(stack, replaced)
    assert holding(stack, body["anchors"][0]["text"])


def test_an_assignment_goes_with_the_texts_of_its_anchors(stack: Stack) -> None:
    stack.registered()
    assert call("delete_instructions")[0] == 200
    assert sweep(stack, datetime.now(UTC) + SETTLED_AFTER + timedelta(seconds=5)) == 0
    assert not [place for place in everything(stack) if place.startswith("assignments/")]


def test_the_function_sweeps_and_looks_again_at_what_is_new(stack: Stack) -> None:
    stack.registered()
    assert call("delete_instructions")[0] == 200
    given = event("erase_data/removed_anchors.json")
    assert invoke("erase_data", given) == {"batchItemFailures": []}
    waiting = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.queues["erasures"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )["Attributes"]
    # The one that the API sent, and the function's own.
    assert waiting == {"ApproximateNumberOfMessagesDelayed": "2"}
