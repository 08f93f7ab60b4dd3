"""The state machine as a graph: complete, commented, bounded in time, and in step with the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import networkx as nx
import pytest

from assessment.domain import errors
from assessment.domain.decision import DecisionKind
from assessment.domain.judging_time import LONGEST_DAYS

ROOT = Path(__file__).parents[2]
MACHINE = json.loads((ROOT / "statemachine" / "assessment.asl.json").read_text())
STATES: dict[str, dict] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
ENDS = {"Succeed", "Fail"}
LONGEST_WAIT_HOURS = (LONGEST_DAYS + 1) * 24


def successors(state):
    """Every state that may follow, with nothing left out."""
    yield from ([state["Next"]] if "Next" in state else [])
    yield from ([state["Default"]] if "Default" in state else [])
    yield from (rule["Next"] for rule in [*state.get("Choices", []), *state.get("Catch", [])])


GRAPH = nx.DiGraph([(name, after) for name, state in STATES.items() for after in successors(state)])


def test_every_next_state_exists():
    assert set(GRAPH) <= set(STATES)
    assert MACHINE["StartAt"] in STATES


def test_every_state_can_be_reached():
    assert nx.descendants(GRAPH, MACHINE["StartAt"]) | {MACHINE["StartAt"]} == set(STATES)


@pytest.mark.parametrize("name", STATES)
def test_every_state_can_end(name):
    ends = {end for end, state in STATES.items() if state["Type"] in ENDS}
    assert name in ends or nx.descendants(GRAPH, name) & ends


@pytest.mark.parametrize("name", STATES)
def test_every_state_says_what_it_is_for(name):
    comment = STATES[name]["Comment"]
    assert len(comment.split()) >= 5
    assert comment.endswith(".")


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_bounded_in_time(name):
    # A plain integer: the laptop cloud knows no expression here.
    timeout = TASKS[name]["TimeoutSeconds"]
    assert isinstance(timeout, int)
    assert 0 < timeout <= LONGEST_WAIT_HOURS * 3600


@pytest.mark.parametrize("name", TASKS)
def test_a_task_waits_longer_than_its_function_runs(name, functions):
    assert TASKS[name]["TimeoutSeconds"] > functions[f"{name}Function"]["Timeout"]


TIMEOUTS = ["States.Timeout", "States.HeartbeatTimeout"]
UNTIMED = {"ErrorEquals": TIMEOUTS, "MaxAttempts": 0}


def test_there_is_one_retry_block():
    # Only the wait for verdicts ends by a timeout in the ordinary course.
    blocks = {
        json.dumps([rule for rule in task["Retry"] if rule != UNTIMED]) for task in TASKS.values()
    }
    assert len(blocks) == 1
    assert {name for name, task in TASKS.items() if UNTIMED in task["Retry"]} == {"SubmitWave"}


def test_retries_grow_are_spread_and_bounded():
    refusals, transient, unforeseen = TASKS["PlanWave"]["Retry"]
    assert refusals == {"ErrorEquals": refusals["ErrorEquals"], "MaxAttempts": 0}
    for block in (transient, unforeseen):
        assert block["JitterStrategy"] == "FULL"
        assert block["BackoffRate"] >= 2
        assert 3 <= block["MaxAttempts"] <= 6
        assert block["MaxDelaySeconds"] <= 60


@pytest.mark.parametrize("name", TASKS)
def test_a_worker_that_dies_is_replaced_before_the_batch_fails(name):
    """AWS reports out of memory, time-outs and dead workers under names that change."""
    first, *_, last = TASKS[name]["Retry"]
    assert set(first["ErrorEquals"]) == errors.STEP_REFUSALS
    assert last["ErrorEquals"] == ["States.ALL"]
    assert last["MaxAttempts"] == 3


def list_named_errors():
    return {
        name
        for task in TASKS.values()
        for rule in [*task["Retry"], *task["Catch"]]
        for name in rule["ErrorEquals"]
    }


@pytest.mark.parametrize("name", sorted(list_named_errors()))
def test_every_error_that_is_named_exists(name):
    if name.startswith(("States.", "Lambda.")):
        return
    assert issubclass(getattr(errors, name), errors.CJError)


def test_every_error_that_a_repeat_may_heal_is_retried():
    retried = set(TASKS["PlanWave"]["Retry"][1]["ErrorEquals"])
    assert retried == {
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.TooManyRequestsException",
        errors.TransientError.__name__,
    }


@pytest.mark.parametrize("name", TASKS)
def test_what_retries_did_not_mend_is_caught_once(name):
    *before, last = TASKS[name]["Catch"]
    assert last["ErrorEquals"] == ["States.ALL"]
    assert last["Next"] == ("BatchFailedUnrecorded" if name == "FailBatch" else "FailBatch")
    assert [rule["ErrorEquals"] for rule in before] == ([TIMEOUTS] if name == "SubmitWave" else [])


def test_a_wave_that_is_late_is_scored_with_what_there_is():
    first = TASKS["SubmitWave"]["Catch"][0]
    assert first["ErrorEquals"] == TIMEOUTS
    assert first["Next"] == "ScoreBatch"


def test_only_the_submission_waits_for_a_token():
    waiting = {
        name for name, task in TASKS.items() if task["Resource"].endswith("waitForTaskToken")
    }
    assert waiting == {"SubmitWave"}


def test_every_decision_of_the_code_has_its_own_way():
    conditions = " ".join(rule["Condition"] for rule in STATES["FollowDecision"]["Choices"])
    # The wait for callbacks is not a step of its own: the token of SubmitWave waits.
    following = set(DecisionKind) - {DecisionKind.WAIT_FOR_CALLBACKS}
    assert set(re.findall(r"'(\w+)'", conditions)) == {kind.value for kind in following}
    assert STATES["FollowDecision"]["Default"] == "FailBatch"


def test_payloads_carry_ids_only():
    for name, task in TASKS.items():
        allowed = {"batch_id", "wave", "task_token", "decision", "error"}
        assert task["Arguments"]["Payload"].keys() <= allowed, name


def test_every_task_calls_the_function_of_its_name(template):
    properties = template["Resources"]["AssessmentStateMachine"]["Properties"]
    for name, task in TASKS.items():
        assert task["Arguments"]["FunctionName"] == f"${{{name}FunctionArn}}"
    assert properties["DefinitionSubstitutions"] == {
        f"{name}FunctionArn": {"Fn::GetAtt": [f"{name}Function", "Arn"]} for name in TASKS
    }


def test_the_language_is_declared_once_at_the_top():
    assert MACHINE["QueryLanguage"] == "JSONata"
    assert not any("QueryLanguage" in state for state in STATES.values())


def test_the_table_of_states_is_complete():
    rows = {}
    for line in (ROOT / "statemachine" / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0].strip("`") in STATES:
            rows[cells[0].strip("`")] = cells
    assert rows.keys() == STATES.keys()
    for name, cells in rows.items():
        following = set(re.findall(r"`(\w+)`", cells[4]))
        assert following == set(successors(STATES[name])), name
        if name in TASKS:
            assert cells[2] == f"{TASKS[name]['TimeoutSeconds']} s", name
