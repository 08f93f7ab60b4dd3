"""Batches that go all the way: from a request through the API to a published result."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from scipy.stats import spearmanr

from assessment.adapters.aws.dynamodb import Table
from assessment.contracts.events import EventType
from tests.workflow.judge import essay_text
from tests.workflow.requests import (
    ABILITIES,
    GRADED,
    ONE_WAVE,
    THREE_WAVES,
    event_types,
    progress,
    register_anchors,
    request_batch,
    results,
)


def test_a_batch_of_one_wave_is_finalised(stack):
    batch_id = request_batch(stack, ONE_WAVE)
    execution = stack.run_to_the_end(batch_id)
    assert execution["status"] == "SUCCEEDED"
    assert stack.states(batch_id) == [
        "PrepareBatch",
        "WasRequestRefused",
        "PlanWave",
        "AnyComparisonsPlanned",
        "SubmitWave",
        "ScoreBatch",
        "FollowDecision",
        "FinaliseBatch",
        "BatchFinalised",
    ]
    assert progress(stack, batch_id)["status"] == "COMPLETED"
    assert event_types(stack) == {
        EventType.WAVE_SCORED: 1,
        EventType.COMPLETED: 1,
        EventType.RESULT_PUBLISHED: 1,
    }


def test_waves_go_on_until_the_last_that_is_allowed(stack):
    batch_id = request_batch(stack, THREE_WAVES)
    stack.run_to_the_end(batch_id)
    entered = Counter(stack.states(batch_id))
    assert entered["PlanWave"] == entered["SubmitWave"] == entered["ScoreBatch"] == 3
    waves = progress(stack, batch_id)["waves"]
    assert [wave["wave"] for wave in waves] == [1, 2, 3]
    assert all(wave["recorded"] == wave["planned"] > 0 for wave in waves)


def test_anchors_turn_the_ranking_into_grades(stack):
    register_anchors(stack)
    batch_id = request_batch(stack, THREE_WAVES, assignment_id="trees")
    stack.run_to_the_end(batch_id)
    document = results(stack, batch_id)
    projections = document["grade_projections"]
    assert projections["projections_available"] is True
    assert projections["primary_grades"].keys() == {f"essay-{n}" for n in range(len(ABILITIES))}
    for shares in projections["grade_probabilities"].values():
        assert sum(shares.values()) == pytest.approx(1.0, abs=1e-6)
    assert sum(entry["is_anchor"] for entry in document["rankings"]) == len(GRADED)


def test_without_anchors_the_batch_still_ranks(stack):
    batch_id = request_batch(stack, THREE_WAVES)
    stack.run_to_the_end(batch_id)
    document = results(stack, batch_id)
    assert document["grade_projections"]["projections_available"] is False
    found = {entry["essay_id"]: entry["bradley_terry_score"] for entry in document["rankings"]}
    agreement = spearmanr(ABILITIES, [found[f"essay-{n}"] for n in range(len(ABILITIES))])
    assert agreement.statistic > 0.8


def test_the_same_verdicts_give_the_same_bytes(stack):
    register_anchors(stack)
    batch_id = request_batch(stack, ONE_WAVE, assignment_id="trees")
    stack.run_to_the_end(batch_id)
    key = f"batches/default/{batch_id}/result.json"
    bucket = {"Bucket": stack.resources["ContentBucket"], "Key": key}
    first = stack.client("s3").get_object(**bucket)["Body"].read()
    stack.invoke("finalise_batch", {"batch_id": batch_id})
    assert stack.client("s3").get_object(**bucket)["Body"].read() == first


def test_a_judge_that_answers_at_once_needs_no_callback(stack):
    stack.judge.answer_at_once = True
    batch_id = request_batch(stack, ONE_WAVE)
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"


def test_failing_doubled_and_shuffled_callbacks_lose_nothing(stack):
    stack.judge.error_share = stack.judge.duplicate_share = 0.2
    stack.judge.shuffle = True
    config = {**THREE_WAVES, "min_success_rate_threshold": 0.5}
    batch_id = request_batch(stack, config)
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    counts = results(stack, batch_id)["comparisons"]
    assert counts["planned"] == counts["recorded"] + counts["failed"]
    assert counts["recorded"] > 0
    assert max(stack.judge.asked.values()) == 1, "a verdict was paid for twice"


def test_a_busy_judge_is_asked_again(stack):
    stack.judge.busy_share = 0.4
    batch_id = request_batch(stack, ONE_WAVE)
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    counts = results(stack, batch_id)["comparisons"]
    assert counts["failed"] == 0
    assert max(stack.judge.asked.values()) == 2


SERVED = ("model-2026-01", "model-2026-02")


@pytest.mark.parametrize("answers_at_once", [True, False])
def test_a_change_of_the_served_model_is_told_in_the_result(stack, answers_at_once):
    stack.judge.answer_at_once = answers_at_once
    stack.judge.served_models = SERVED
    batch_id = request_batch(stack, THREE_WAVES)
    stack.run_to_the_end(batch_id)
    (note,) = [
        note
        for note in results(stack, batch_id)["notes"]
        if note["code"] == "several_models_served"
    ]
    assert all(name in note["values"]["models"] for name in SERVED)
    served = Counter(verdict["served_model"] for verdict in verdicts(stack, batch_id))
    assert set(served) == set(SERVED)
    assert all(str(n) in note["values"]["models"] for n in served.values())
    assert all(str(n) in note["message"] for n in served.values())


@pytest.mark.parametrize("answers_at_once", [True, False])
def test_a_pinned_model_stays_the_only_one(stack, answers_at_once):
    stack.judge.answer_at_once = answers_at_once
    stack.judge.served_models = SERVED
    judge = {"provider": "callback_endpoint", "pin_model": True}
    config = {**THREE_WAVES, "min_success_rate_threshold": 0.0}
    batch_id = request_batch(stack, config, judge=judge)
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    lines = comparisons(stack, batch_id)
    assert len({verdict["served_model"] for verdict in verdicts(stack, batch_id)}) == 1
    refused = [line["failure"] for line in lines if line["verdict"] is None]
    assert refused, "the other model answered, too"
    assert {failure["code"] for failure in refused} == {"model-changed"}
    assert all(all(name in failure["message"] for name in SERVED) for failure in refused)
    assert not [
        note
        for note in results(stack, batch_id)["notes"]
        if note["code"] == "several_models_served"
    ]


def test_a_batch_is_finished_by_its_time_with_what_it_has(stack):
    stack.judge.answer_at_once = True
    stack.judge.silent_share = 0.15
    finish_by = datetime.now(UTC) + timedelta(minutes=11)
    batch_id = request_batch(stack, {**ONE_WAVE, "finish_by": finish_by.isoformat()})
    stack.until(lambda: progress(stack, batch_id)["comparisons"]["recorded"] > 10)
    table = Table(stack.client("dynamodb"), stack.resources["AssessmentTable"])
    waves = table.query(f"BATCH#{batch_id}", prefix="WAVE#")
    (deadline,) = [datetime.fromisoformat(item["deadline"]) for item in waves]
    assert deadline == finish_by - timedelta(minutes=2)
    assert stack.watch_later(minutes=8)["repairs"] == {}
    assert stack.watch_later(minutes=12)["repairs"] == {batch_id: "closed_at_deadline"}
    assert stack.run_to_the_end(batch_id)["status"] == "SUCCEEDED"
    counts = results(stack, batch_id)["comparisons"]
    assert counts["failed"] > 0
    assert counts["recorded"] + counts["failed"] == counts["planned"]


def comparisons(stack, batch_id):
    """The lines of `comparisons.jsonl`."""
    key = f"batches/default/{batch_id}/comparisons.jsonl"
    found = stack.client("s3").get_object(Bucket=stack.resources["ContentBucket"], Key=key)
    return [json.loads(line) for line in found["Body"].read().splitlines()]


def verdicts(stack, batch_id):
    return [line["verdict"] for line in comparisons(stack, batch_id) if line["verdict"]]


def test_a_request_event_starts_the_same_batch(stack):
    detail = {
        "data": {
            "essays": [
                {"essay_id": f"essay-{n}", "text": essay_text(a, n)}
                for n, a in enumerate(ABILITIES)
            ],
            "config": {"max_waves": 1},
        }
    }
    event = {
        "id": "0f8e3f0e-6d3c-4b69-9d7b-64ad1c2b9f51",
        "detail-type": EventType.REQUESTED.value,
        "source": "school.platform",
        "detail": detail,
    }
    first = stack.invoke("accept_request", event)
    again = stack.invoke("accept_request", event)
    assert first["batch_id"] == again["batch_id"]
    assert stack.run_to_the_end(first["batch_id"])["status"] == "SUCCEEDED"


def test_the_surface_judge_judges_in_the_stack_itself_and_says_what_it_is(stack):
    batch_id = request_batch(stack, ONE_WAVE, judge={"provider": "surface"})
    stack.run_to_the_end(batch_id)
    document = results(stack, batch_id)
    assert document["judges"] == ["surface/features-1"]
    assert document["cost_usd"] == 0
    assert any("a baseline, not an assessment" in note["message"] for note in document["notes"])
    assert document["baselines"]["essays"] == len(ABILITIES)
