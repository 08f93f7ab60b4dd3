"""Waves as batches of a provider: submitted once, looked after, brought in, never paid twice."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from assessment.contracts.queue_messages import JudgeRequestV1, ProviderBatchV1, read_judge_message
from assessment.domain.config import Source
from assessment.domain.errors import InvalidRequestError
from assessment.domain.price import Price
from assessment.domain.provider_batch import WAVE_SECONDS, next_look_seconds, split_submission
from assessment.usecases.tend_provider_batch import SubmissionStep
from assessment.usecases.wave_documents import load_plan
from tests.fakes.loop import Loop
from tests.fakes.world import World
from tests.unit.assessment.judges.provider_submissions import (
    JUDGE,
    everything_recorded,
    handle_all,
    provider_batch,
    record_all,
    results,
    single_request,
    submit_world,
    take,
    tend_to_the_end,
)

# --- the way of a submission ---------------------------------------------------------------------


def test_a_wave_is_one_submission_and_the_comparisons_of_a_call_share_a_prompt():
    world, batch_id = submit_world()
    (message,) = [provider_batch(each.body) for each in world.judge_queue.messages]
    assert isinstance(message, ProviderBatchV1)
    assert len(message.comparisons) == len(world.list_comparisons(batch_id)) == 16
    steps = tend_to_the_end(world)
    assert steps[0] is SubmissionStep.SUBMITTED
    assert steps[-1] is SubmissionStep.DONE
    assert set(steps[1:-1]) == {SubmissionStep.WAITING}
    (submission,) = world.batch_judge.submissions.values()
    assert [len({each.metadata.prompt_sha256 for each in call}) for call in submission.order] == (
        [1] * len(submission.order)
    )
    assert len({request.metadata.prompt_sha256 for request in submission.requests}) == 2
    known = everything_recorded(world, batch_id)
    assert all(comparison.sent and comparison.calls == 1 for comparison in known)
    assert world.workflow.tokens["token"].output["closed_by"] == "callbacks"


def test_the_provider_is_asked_seldom_and_lets_go_of_the_essays_at_the_end():
    world, _ = submit_world()
    steps = tend_to_the_end(world)
    assert len(steps) <= 20, "half an hour is not polled by the second"
    assert world.batch_judge.deleted_ids == ["batch-1"]


def test_a_large_wave_goes_in_even_parts():
    world, batch_id = submit_world(judge={**JUDGE, "provider_batch_size": 7})
    sizes = [len(provider_batch(each.body).comparisons) for each in world.judge_queue.messages]
    assert sizes == [6, 5, 5]
    tend_to_the_end(world)
    everything_recorded(world, batch_id)
    assert set(world.batch_judge.n_accepted.values()) == {1}


@pytest.mark.parametrize(("n", "most"), [(0, 5), (1, 5), (5, 5), (6, 5), (201, 200), (1000, 7)])
def test_parts_are_few_even_and_whole(n, most):
    parts = split_submission(range(n), most)
    assert [each for part in parts for each in part] == list(range(n))
    assert len(parts) == -(-n // most)
    sizes = [len(part) for part in parts]
    assert not sizes or (max(sizes) <= most and max(sizes) - min(sizes) <= 1)


@pytest.mark.parametrize(("n", "sizes"), [(99, [99]), (199, [199]), (250, [125, 125])])
def test_parts_are_larger_rather_than_too_small_for_the_provider(n, sizes):
    assert [len(part) for part in split_submission(range(n), 100, least=100)] == sizes


def test_looks_grow_rare_but_never_rarer_than_five_minutes():
    ages = [timedelta(0), timedelta(minutes=2), timedelta(hours=3)]
    assert [next_look_seconds(age) for age in ages] == [5, 60, 300]


def test_a_jury_submits_its_members_parts_to_their_own_providers():
    jury = [{**JUDGE, "name": "one"}, {**JUDGE, "name": "two", "batching_mode": "per_request"}]
    world, batch_id = submit_world(judge=jury)
    messages = [read_judge_message(each.body) for each in world.judge_queue.messages]
    (together,) = [each for each in messages if isinstance(each, ProviderBatchV1)]
    singly = {each.comparison_id for each in messages if isinstance(each, JudgeRequestV1)}
    in_batch = {each.comparison_id for each in together.comparisons}
    assert together.judge == "one"
    assert in_batch.isdisjoint(singly)
    assert in_batch | singly == {each.comparison_id for each in world.list_comparisons(batch_id)}


def test_a_whole_batch_of_waves_ends_as_it_does_call_by_call():
    def abilities(judge):
        world = World()
        batch = world.request(10, judge=judge, config={"seed": 3, "max_waves": 3})
        run = Loop(world).run(batch.batch_id)
        assert run.batch.status == "COMPLETED"
        result = json.loads(world.content.documents[f"batches/{batch.batch_id}/result.json"])
        return {each["essay_id"]: each["bradley_terry_score"] for each in result["rankings"]}

    assert abilities(JUDGE) == abilities({**JUDGE, "batching_mode": "serial_bundle"})


def test_a_submission_of_one_request_for_each_comparison_is_read_as_it_was_made():
    world, batch_id = submit_world()
    message = take(world)
    assert isinstance(message, ProviderBatchV1)
    world.tend(message.model_copy(update={"calls": ()}))
    take(world)
    (submission,) = world.batch_judge.submissions.values()
    assert list(map(len, submission.order)) == [1] * 16
    world.clock.now += timedelta(hours=1)
    world.tend(message.model_copy(update={"look": 1}))
    assert len({each["request_metadata"]["prompt_sha256"] for each in results(world)}) == 16
    everything_recorded(world, batch_id)


def test_a_comparison_that_is_settled_is_in_no_call_and_leaves_the_others_together():
    world, batch_id = submit_world()
    (message,) = [provider_batch(each.body) for each in world.judge_queue.messages]
    (settled, *others) = message.planned_calls[0]
    assert others
    world.comparisons.mark_sent(settled)
    tend_to_the_end(world)
    (submission,) = world.batch_judge.submissions.values()
    assert [each.metadata.comparison_id for each in submission.order[0]] == [
        each.comparison_id for each in others
    ]
    asked = {each.metadata.comparison_id: each for each in submission.requests}
    answered = results(world)
    assert {each["request_metadata"]["comparison_id"] for each in answered} == asked.keys()
    for each in answered:
        metadata = each["request_metadata"]
        asked_about = asked[metadata["comparison_id"]].metadata
        assert metadata["prompt_sha256"] == asked_about.prompt_sha256
    assert len(asked) == len(world.list_comparisons(batch_id)) - 1


def test_texts_that_do_not_fit_together_are_asked_in_several_calls():
    judge = {**JUDGE, "context_tokens": 5000}
    world, batch_id = submit_world(judge=judge, essays=8)
    tend_to_the_end(world)
    (submission,) = world.batch_judge.submissions.values()
    together, _ = submit_world()
    (message,) = [provider_batch(each.body) for each in together.judge_queue.messages]
    assert len(submission.order) > len(message.calls)
    everything_recorded(world, batch_id)


def test_what_a_batch_left_unanswered_is_tried_again_with_a_later_wave():
    world = World()
    world.batch_judge.unanswered_ids = frozenset({"w001-00003"})
    world, batch_id = submit_world(world, retry_pool_threshold=1)
    tend_to_the_end(world)
    record_all(world)
    world.batch_judge.unanswered_ids = frozenset()
    world.score(batch_id, 1)
    wave = world.plan(batch_id)
    assert load_plan(wave, content=world.content).retried == ("w001-00003",)
    world.submit(batch_id, wave.wave, world.workflow.issue("second"))
    tend_to_the_end(world)
    everything_recorded(world, batch_id)
    assert world.batch_judge.n_accepted["w001-00003/2"] == 1


# --- what providers cannot do --------------------------------------------------------------------


def test_a_wave_too_small_for_the_provider_is_asked_singly():
    bedrock = {"provider": "bedrock", "model": "m"}
    world, _ = submit_world(judge=[{**bedrock, "name": "a"}, {**JUDGE, "name": "b"}])
    batch = next(iter(world.batches.batches.values()))
    # The stack's mode applies to Bedrock here, and half of 16 comparisons are no batch for it.
    assert batch.judges[0].batching_mode is None
    kinds = [type(read_judge_message(each.body)) for each in world.judge_queue.messages]
    assert kinds.count(ProviderBatchV1) == 1
    assert kinds.count(JudgeRequestV1) > 0


def test_what_the_size_check_leaves_too_small_for_the_provider_is_asked_singly():
    essays = [{"essay_id": f"e{n}", "text": f"Essay {n}. " + "word " * 20} for n in range(24)]
    essays.append({"essay_id": "long", "text": "Essay 99. " + "word " * 1340})
    judge = {**JUDGE, "provider": "bedrock", "context_tokens": 3000}
    world, batch_id = submit_world(essays=essays, judge=judge, comparisons_per_essay_per_wave=8)
    (message,) = [provider_batch(each.body) for each in world.judge_queue.messages]
    assert len(message.comparisons) == 100
    assert handle_all(world, ProviderBatchV1) == [SubmissionStep.DONE]
    assert not world.batch_judge.submissions
    singly = [single_request(each.body) for each in world.judge_queue.messages]
    with_long = {
        c.comparison_id for c in world.list_comparisons(batch_id) if "long" in (c.first, c.second)
    }
    asked = {each.comparison_id for each in singly}
    assert asked == {c.comparison_id for c in world.list_comparisons(batch_id)} - with_long
    for request in singly:
        assert world.comparisons.lease(request, now=world.now, seconds=60), "free to be asked"


def test_a_price_is_halved_in_a_batch_unless_it_says_otherwise():
    assert Price(input_usd=2, output_usd=8).compute(1000, 100, in_batch=True) == pytest.approx(
        0.0014
    )
    own = Price(input_usd=2, output_usd=8, batch_share=0.8)
    assert own.compute(1000, 100, in_batch=True) == pytest.approx(0.00224)
    assert own.compute(1000, 100) == pytest.approx(0.0028)


def test_essays_beyond_the_context_fail_alone_before_anything_is_paid():
    essays = [{"essay_id": f"e{n}", "text": f"Essay {n}. " + "word " * 20} for n in range(5)]
    essays.append({"essay_id": "long", "text": "Essay 9. " + "word " * 1340})
    world, batch_id = submit_world(essays=essays, judge={**JUDGE, "context_tokens": 3000})
    world.judge.give_verdict = lambda request: pytest.fail("not needed")
    world.tend(take(world))
    (submission,) = world.batch_judge.submissions.values()
    asked = {request.metadata.comparison_id for request in submission.requests}
    with_long = {
        c.comparison_id for c in world.list_comparisons(batch_id) if "long" in (c.first, c.second)
    }
    assert with_long
    assert asked == {c.comparison_id for c in world.list_comparisons(batch_id)} - with_long
    assert {body["error_detail"]["code"] for body in results(world)} == {"oversize"}


def test_waves_wait_for_the_providers_day_and_the_configuration_says_why():
    world = World()
    batch = world.request(8, judge=JUDGE)
    assert batch.config.wave_timeout_seconds == WAVE_SECONDS == 25 * 3600
    assert batch.config.batch_timeout_hours == 26
    assert batch.config_sources["wave_timeout_seconds"] is Source.JUDGE
    longer = world.request(
        8, judge=JUDGE, config={"wave_timeout_seconds": 93_000, "batch_timeout_hours": 27}
    )
    assert longer.config.wave_timeout_seconds == 93_000
    alone = world.request(8, judge=JUDGE, config={"wave_timeout_seconds": 93_600})
    assert alone.config.batch_timeout_hours == 27, "who may set the one need not set the other"
    assert alone.config_sources["batch_timeout_hours"] is Source.REQUEST
    with pytest.raises(InvalidRequestError, match=r"wave_timeout_seconds.*24 hours"):
        world.request(8, judge=JUDGE, config={"wave_timeout_seconds": 3600})
