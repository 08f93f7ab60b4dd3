"""Circuit breakers and rate limits in a real table (moto), seen alike by two workers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from moto import mock_aws

from assessment.adapters.aws.comparison_store import DynamoDBComparisonStore
from assessment.adapters.judges.gate import DynamoDBJudgeGate
from assessment.contracts.queue_messages import JudgeRequestV1
from assessment.domain.circuit import (
    FAILURES_TO_OPEN,
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    PROBE_LOOK_SECONDS,
    PROBE_SECONDS,
    Circuit,
    check_admission,
    count_failure,
)
from assessment.domain.comparison import Comparison
from assessment.domain.errors import ComparisonLeasedError
from assessment.domain.judge import JudgeSpec, Provider
from assessment.domain.judge_errors import JudgeDeferredError
from tests.fakes.aws import create_table
from tests.present import present

NOW = datetime(2026, 3, 2, 9, 0, 30, tzinfo=UTC)
JUDGE = JudgeSpec(provider=Provider.OPENAI, model="gpt-4.1-mini")


def later(seconds):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def table(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield create_table()


def fail(gate, times, *, now=NOW, retry_after=None):
    for _ in range(times):
        gate.record_failure(JUDGE, retry_after=retry_after, now=now)


def find_wait(gate, now):
    with pytest.raises(JudgeDeferredError) as caught:
        gate.admit(JUDGE, tokens=1, now=now)
    return caught.value.retry_after


def test_failures_in_a_row_open_the_circuit_for_every_worker(table):
    one, other = DynamoDBJudgeGate(table), DynamoDBJudgeGate(table)
    fail(one, FAILURES_TO_OPEN - 1)
    other.admit(JUDGE, tokens=1, now=NOW)
    fail(other, 1)
    assert find_wait(one, NOW) >= FIRST_PAUSE_SECONDS
    assert find_wait(other, NOW) >= FIRST_PAUSE_SECONDS
    elsewhere = JUDGE.model_copy(update={"model": "gpt-4.1"})
    one.admit(elsewhere, tokens=1, now=NOW)


def test_after_the_pause_one_probe_goes_and_its_success_closes(table):
    one, other = DynamoDBJudgeGate(table), DynamoDBJudgeGate(table)
    fail(one, FAILURES_TO_OPEN)
    probing = later(FIRST_PAUSE_SECONDS + 1)
    other.admit(JUDGE, tokens=1, now=probing)
    find_wait(one, probing)
    other.record_success(JUDGE)
    one.admit(JUDGE, tokens=1, now=probing)


def test_who_meets_a_probe_looks_again_before_it_would_be_given_up():
    paused = Circuit(failures=FAILURES_TO_OPEN, openings=1, open_until=NOW)
    probed = check_admission(paused, now=NOW).circuit
    assert probed is not None
    assert check_admission(probed, now=later(1)).wait_seconds == PROBE_LOOK_SECONDS
    assert check_admission(probed, now=later(PROBE_SECONDS - 1)).wait_seconds == 1
    assert check_admission(probed, now=later(PROBE_SECONDS)).circuit is not None


def test_a_failed_probe_opens_for_longer(table):
    gate = DynamoDBJudgeGate(table)
    fail(gate, FAILURES_TO_OPEN)
    probing = later(FIRST_PAUSE_SECONDS + 1)
    gate.admit(JUDGE, tokens=1, now=probing)
    fail(gate, 1, now=probing)
    assert find_wait(gate, probing) >= 2 * FIRST_PAUSE_SECONDS


def test_a_success_in_between_begins_the_count_anew(table):
    gate = DynamoDBJudgeGate(table)
    for _ in range(3):
        fail(gate, FAILURES_TO_OPEN - 1)
        gate.record_success(JUDGE)
    gate.admit(JUDGE, tokens=1, now=NOW)


def test_why_and_since_when_it_fails_is_known_to_all_workers(table):
    one, other = DynamoDBJudgeGate(table), DynamoDBJudgeGate(table)
    one.record_failure(JUDGE, retry_after=None, now=NOW, reason="connection refused")
    one.record_failure(JUDGE, retry_after=None, now=later(5), reason="timed out")
    circuit = other.get_circuit(JUDGE)
    assert (circuit.failing_since, circuit.reason) == (NOW, "timed out")
    one.record_success(JUDGE)
    assert other.get_circuit(JUDGE) == Circuit()


def test_a_healthy_provider_costs_one_read_and_no_write(table):
    gate = DynamoDBJudgeGate(table)
    gate.admit(JUDGE, tokens=1, now=NOW)
    gate.record_success(JUDGE)
    assert table._client.scan(TableName="cj-table")["Count"] == 0


def test_the_pause_grows_to_its_bound_and_honours_retry_after():
    circuit, now, pauses = Circuit(failures=FAILURES_TO_OPEN - 1), NOW, []
    for _ in range(8):
        circuit = count_failure(circuit, now=now)
        open_until = present(circuit.open_until)
        pauses.append((open_until - now).total_seconds())
        now = open_until + timedelta(seconds=1)
        circuit = present(check_admission(circuit, now=now).circuit)
    assert pauses[:3] == [15, 30, 60]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS
    asked = count_failure(Circuit(failures=FAILURES_TO_OPEN - 1), now=NOW, retry_after=100)
    assert asked.open_until == later(100)


def test_calls_that_were_under_way_do_not_lengthen_the_pause():
    opened = count_failure(Circuit(failures=FAILURES_TO_OPEN - 1), now=NOW)
    assert count_failure(opened, now=later(5)).open_until == opened.open_until


def test_requests_per_minute_are_shared_and_come_back_with_the_minute(table):
    limited = JUDGE.model_copy(update={"requests_per_minute": 3})
    gates = [DynamoDBJudgeGate(table), DynamoDBJudgeGate(table)]
    for n in range(3):
        gates[n % 2].admit(limited, tokens=100, now=NOW)
    with pytest.raises(JudgeDeferredError) as caught:
        gates[1].admit(limited, tokens=100, now=NOW)
    assert 30 <= caught.value.retry_after <= 40
    gates[1].admit(limited, tokens=100, now=later(30))


def test_tokens_per_minute_are_counted_as_estimated(table):
    limited = JUDGE.model_copy(update={"tokens_per_minute": 1000})
    gate = DynamoDBJudgeGate(table)
    gate.admit(limited, tokens=600, now=NOW)
    with pytest.raises(JudgeDeferredError):
        gate.admit(limited, tokens=600, now=NOW)
    gate.admit(limited, tokens=400, now=NOW)


def test_the_lease_counts_calls_and_release_takes_one_back(table):
    store = DynamoDBComparisonStore(table)
    made = Comparison(comparison_id="w001-00000", wave=1, first="a", second="b", submitted_wave=1)
    store.put_comparisons("batch", [made])
    request = JudgeRequestV1(batch_id="batch", wave=1, comparison_id="w001-00000")
    assert present(store.lease(request, now=NOW, seconds=60)).calls == 1
    with pytest.raises(ComparisonLeasedError):
        store.lease(request, now=NOW, seconds=60)
    store.release(request)
    assert present(store.lease(request, now=NOW, seconds=60)).calls == 1
    again = present(store.lease(request, now=later(61), seconds=60))
    assert (again.calls, again.paid_again) == (2, 2), "nobody has the answer of either"
    store.mark_sent(request)
    answered = store.get_comparison("batch", 1, "w001-00000")
    assert answered.paid_again == 1
    store.resubmit("batch", answered, wave_number=2)
    moved = store.get_comparison("batch", 1, "w001-00000")
    assert (moved.calls, moved.repeated_calls, moved.paid_again) == (0, 1, 1)
