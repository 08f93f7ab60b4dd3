"""Every AWS call that a function makes on the way of a batch is granted by its own role."""

from __future__ import annotations

import re
import uuid

import pytest

from assessment.contracts.events import EventType
from tests.infrastructure.parsed import apply_transform
from tests.present import present
from tests.workflow.declared import template
from tests.workflow.judge import essay_text
from tests.workflow.requests import (
    THREE_WAVES,
    progress,
    register_anchors,
    request_batch,
    results,
)
from tests.workflow.stack import running_stack


def find_granted_resource(resource):
    """A policy's resource by its logical id, its kind, or `*`."""
    if resource == "*":
        return "*"
    text = str(next(iter(resource.values())))
    kind = re.search(r":(stateMachine|execution):", text)
    return kind[1] if kind else present(re.search(r"[A-Z]\w+", text))[0]


@pytest.fixture(scope="module")
def grants():
    """Function, action and resource of every statement of every function's role."""
    found = set()
    for name, role in apply_transform(template())["Resources"].items():
        if role["Type"] != "AWS::IAM::Role" or not name.endswith("FunctionRole"):
            continue
        function = re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("FunctionRole")).lower()
        for policy in role["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement["Effect"] == "Deny":
                    continue
                actions, resources = statement["Action"], statement["Resource"]
                for action in actions if isinstance(actions, list) else [actions]:
                    for one in resources if isinstance(resources, list) else [resources]:
                        found.add((function, action, find_granted_resource(one)))
    return found


def make_refused_requests():
    """A request that no batch can be made of, and one for an assignment that nobody registered."""
    head = {"id": str(uuid.uuid4()), "detail-type": EventType.REQUESTED.value, "source": "school"}
    essays = [{"essay_id": str(n), "text": essay_text(n, n)} for n in range(3)]
    yield {**head, "detail": {"data": {"essays": essays[:1]}}}
    yield {**head, "detail": {"data": {"essays": essays, "assignment_id": "nobody-knows"}}}


@pytest.fixture(scope="module")
def calls():
    """The calls of two batches: one that finds every difficulty and completes, one that fails."""
    with running_stack() as stack:
        register_anchors(stack)
        stack.judge.error_share, stack.judge.busy_share = 0.15, 0.1
        config = {**THREE_WAVES, "min_success_rate_threshold": 0.1, "retry_pool_threshold": 1}
        batch_id = request_batch(stack, config, assignment_id="trees")
        stack.run_to_the_end(batch_id)
        progress(stack, batch_id)
        results(stack, batch_id)
        stack.invoke("watch_batches", {})
        stack.judge.refuse = True
        refused = request_batch(stack, THREE_WAVES)
        stack.run_to_the_end(refused)
        stack.judge.refuse, stack.judge.silent_share = False, 1.0
        cancelled = request_batch(stack, THREE_WAVES)
        stack.until(lambda: "SubmitWave" in stack.states(cancelled))
        stack.api("POST", f"/v1/batches/{cancelled}/cancel")
        stack.api("GET", f"/v1/batches/{uuid.uuid4()}")
        for erased in (f"/v1/batches/{batch_id}/essays/essay-0", f"/v1/batches/{batch_id}"):
            assert stack.api("DELETE", erased)[0] == 202
            stack.deliver()
        for event in make_refused_requests():
            stack.invoke("accept_request", event)
        return stack.recorder.calls


def test_every_call_is_granted(calls, grants):
    assert len({function for function, _, _ in calls}) >= 10
    assert calls - grants == set()


def test_the_loop_needs_what_it_is_granted_most(calls):
    # Guards the recorder itself: these calls are certain, so it must have heard them.
    assert {
        ("handle_api", "states:StartExecution", "stateMachine"),
        ("submit_wave", "sqs:SendMessage", "JudgeQueue"),
        ("call_judge", "s3:GetObject", "ContentBucket"),
        ("call_judge", "sqs:ChangeMessageVisibility", "JudgeQueue"),
        ("record_callback", "dynamodb:DeleteItem", "AssessmentTable"),
        ("record_callback", "states:SendTaskSuccess", "*"),
        ("finalise_batch", "events:PutEvents", "AssessmentEventBus"),
        ("erase_data", "s3:DeleteObjectVersion", "ContentBucket"),
        ("erase_data", "sqs:ReceiveMessage", "CallbackDeadLetterQueue"),
    } <= calls
