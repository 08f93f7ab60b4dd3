"""A fault at every kind of outside call: the batch ends as it would have, paid once.

The calls are those that a clean run makes, so a call that is added is covered the day it is
written. Here one call of each kind on each route is disturbed in one way, a sample drawn evenly;
`python -m benchmarks.faults` disturbs every call of every route in every way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.faults.account import parse_template, simulated_account
from tests.faults.calls import Fault, FaultKind
from tests.faults.faults import complaint, every_fault, spread_faults
from tests.faults.journey import travel
from tests.faults.outcome import Outcome
from tests.faults.providers import SPOILT
from tests.faults.routes import ROUTES, Interruption, Oddity
from tests.faults.table import MemoryTable
from tests.present import present
from tests.workflow.declared import REGION

pytestmark = pytest.mark.slow
SAMPLE = 6
"""Of each route."""


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    with simulated_account():
        yield


@cache
def clean(route_number: int) -> Outcome:
    return travel(route=ROUTES[route_number])


@pytest.mark.parametrize("number", range(len(ROUTES)), ids=[route.name for route in ROUTES])
def test_an_undisturbed_run_is_worth_comparing_with(number: int) -> None:
    outcome = clean(number)
    assert outcome.status == ROUTES[number].status
    if ROUTES[number].oddity is Oddity.NONE:
        assert outcome.paid_again == 0
    else:
        _assert_odd(ROUTES[number].oddity, present(outcome.result), outcome.lines)
    if outcome.result is not None:
        assert outcome.result["repeated_calls"] == 0
    if ROUTES[number].status == "CANCELLED":
        lines = [json.loads(line) for line in outcome.lines.splitlines()]
        late = ROUTES[number].interruption is Interruption.CANCELLED_WAITING
        # Every second one was answered when the provider's batch was cancelled.
        assert [line["verdict"] is not None for line in lines] == [True, not late, True]


def _assert_odd(oddity: Oddity, result: dict[str, Any], lines: str) -> None:
    """The oddity was met, and cost nothing but what it is about."""
    known = [json.loads(line) for line in lines.splitlines()]
    without = [each for each in known if each["verdict"] is None]
    assert without
    if oddity is Oddity.DECLINED:
        assert [each["essay_id"] for each in result["not_assessed"]] == ["e1"]
        assert all("e1" in (each["first"], each["second"]) for each in without)
    else:
        assert result["not_assessed"] == []
        assert {each["comparison_id"][-5:] for each in without} == {SPOILT}


def test_the_routes_of_lists_ask_for_orders() -> None:
    routes = [number for number, route in enumerate(ROUTES) if route.name.startswith("lists")]
    assert routes
    for number in routes:
        lines = [json.loads(line) for line in clean(number).lines.splitlines()]
        orders = [line["verdict"]["ranking"] for line in lines if line.get("further_ids")]
        assert orders
        assert {len(order) for order in orders} == {3}


def test_the_routes_together_reach_every_function_and_kind_of_fault() -> None:
    functions = {call.function for number in range(len(ROUTES)) for call in clean(number).calls}
    assert functions == {
        "handle_api", "prepare_batch", "plan_wave", "submit_wave", "call_judge",
        "record_callback", "score_batch", "finalise_batch", "fail_batch", "watch_batches",
    }  # fmt: skip
    for number in range(len(ROUTES)):
        calls = clean(number).calls
        assert {fault.kind for fault in spread_faults(calls, SAMPLE)} == set(FaultKind)
        assert len(every_fault(calls)) == len(FaultKind) * len(calls)


@pytest.mark.parametrize("at", range(SAMPLE))
@pytest.mark.parametrize("number", range(len(ROUTES)), ids=[route.name for route in ROUTES])
def test_a_batch_survives(number: int, at: int) -> None:
    fault = spread_faults(clean(number).calls, SAMPLE)[at]
    assert complaint(fault, ROUTES[number], clean(number)) is None, fault


MOST_TRIES = 6


class Compared:
    """Two tables that are asked the same, and must answer the same."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self._memory = MemoryTable()
        self.n_refused = 0

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            answers = [_answer(table, name, request) for table in (self._real, self._memory)]
            assert answers[0] == answers[1], (name, request)
            if "Error" in answers[0]:
                self.n_refused += 1
                raise ClientError(answers[1], name)
            return answers[1]

        return call


def _answer(table: Any, name: str, request: dict[str, Any]) -> Any:
    try:
        answer = getattr(table, name)(**request)
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        told = {
            "Error": {"Code": error.response["Error"]["Code"]},
            "Item": error.response.get("Item"),
            "CancellationReasons": [
                {key: value for key, value in reason.items() if key in ("Code", "Item")}
                for reason in reasons
            ],
        }
        return {key: value for key, value in told.items() if value}
    parts = ("Item", "Items", "Attributes", "Responses")
    kept = {key: value for key, value in answer.items() if key in parts}
    return {key: value for key, value in kept.items() if value} | (
        {"Items": answer["Items"]} if "Items" in answer else {}
    )


@pytest.mark.parametrize("name", ["answers at once", "people", "OpenAI's batches"])
@pytest.mark.parametrize("operation", ["PutItem", "TransactWriteItems"])
def test_the_table_in_memory_answers_as_moto_does(name: str, operation: str) -> None:
    """Where a process dies after a write, its repeat meets conditions that do not hold."""
    number = next(number for number, route in enumerate(ROUTES) if route.name == name)
    # What the API writes twice is another entry of its audit trail, which meets no condition.
    written = [
        call
        for call in clean(number).calls
        if call.operation == operation and call.function != "handle_api"
    ]
    properties = parse_template()["Resources"]["AssessmentTable"]["Properties"]
    keys = ("AttributeDefinitions", "KeySchema", "BillingMode")
    n_refused = 0
    # Not every write has a condition: the next few are tried too.
    for call in written[len(written) // 2 :][:MOST_TRIES]:
        with mock_aws():
            real = boto3.client("dynamodb", region_name=REGION)
            real.create_table(TableName="AssessmentTable", **{key: properties[key] for key in keys})
            compared = Compared(real)
            fault = Fault(call, FaultKind.DIED_AFTER)
            assert travel(fault, ROUTES[number], table=compared).status == "COMPLETED"
        n_refused += compared.n_refused
        if n_refused:
            break
    assert n_refused > 0
