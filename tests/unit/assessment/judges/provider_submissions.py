"""Waves that are submitted to a provider's batches, and what is done about them."""

from __future__ import annotations

import json

from assessment.contracts.queue_messages import JudgeRequestV1, ProviderBatchV1, read_judge_message
from tests.fakes.world import World

JUDGE = {"provider": "openai", "model": "gpt-4.1-mini", "batching_mode": "provider_batch_api"}


def submit_world(world=None, *, essays=8, judge=JUDGE, **config):
    """A world whose first wave is queued."""
    world = world or World()
    batch = world.request(essays, judge=judge, config={"seed": 1, **config})
    world.prepare(batch.batch_id)
    wave = world.plan(batch.batch_id)
    world.submit(batch.batch_id, wave.wave, world.workflow.issue("token"))
    return world, batch.batch_id


def provider_batch(body: str) -> ProviderBatchV1:
    """A message that is a part of a wave."""
    message = read_judge_message(body)
    assert isinstance(message, ProviderBatchV1)
    return message


def single_request(body: str) -> JudgeRequestV1:
    """A message that is one comparison."""
    message = read_judge_message(body)
    assert isinstance(message, JudgeRequestV1)
    return message


def take(world):
    """The next message of the judge queue, the clock moved to when it is to be seen."""
    message = min(world.judge_queue.messages, key=lambda each: each.visible_at)
    world.judge_queue.messages.remove(message)
    world.clock.now = max(world.now, message.visible_at)
    return read_judge_message(message.body)


def tend_to_the_end(world):
    """Handle every message until none is left; what each did."""
    steps = []
    while world.judge_queue.messages:
        steps.append(world.tend(take(world)))
        assert len(steps) < 2000, "the submission is never done with"
    return steps


def handle_all(world, kind):
    """Handle every message of this kind; what each did."""
    steps = []
    while any(isinstance(read_judge_message(m.body), kind) for m in world.judge_queue.messages):
        steps.append(world.tend(take(world)))
    return steps


def record_all(world):
    for message in list(world.callback_queue.messages):
        if "WaveDeadlineV1" not in message.body:
            world.record(message.body)


def results(world):
    found = [json.loads(message.body) for message in world.callback_queue.messages]
    return [body for body in found if body["schema"] == "LLMComparisonResultV1"]


def everything_recorded(world, batch_id):
    record_all(world)
    known = world.list_comparisons(batch_id)
    assert all(comparison.verdict for comparison in known)
    return known
