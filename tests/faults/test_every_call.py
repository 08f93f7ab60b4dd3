"""A fault at every kind of outside call: the batch completes with the same bytes, paid once.

The calls are those that a clean run makes, so a call that is added is covered the day it is
written. Here each operation of each function is disturbed once in one way, a sample drawn evenly;
`python -m benchmarks.faults` disturbs every call in every way.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.calls import FaultKind
from tests.faults.faults import complaint, every_fault, spread_faults
from tests.faults.journey import Outcome, simulated_account, travel

pytestmark = pytest.mark.slow
SAMPLE = 14


@pytest.fixture(scope="module")
def clean() -> Iterator[Outcome]:
    with simulated_account():
        yield travel()


def test_an_undisturbed_run_is_worth_comparing_with(clean: Outcome) -> None:
    assert clean.status == "COMPLETED"
    assert clean.paid_again == 0
    assert clean.result is not None
    assert clean.result["repeated_calls"] == 0
    functions = {call.function for call in clean.calls}
    assert functions >= {
        "handle_api", "prepare_batch", "plan_wave", "submit_wave", "call_judge",
        "record_callback", "score_batch", "finalise_batch", "watch_batches",
    }  # fmt: skip


def test_the_sample_reaches_every_kind_and_many_functions(clean: Outcome) -> None:
    sample = spread_faults(clean.calls, SAMPLE)
    assert {fault.kind for fault in sample} == set(FaultKind)
    assert len({fault.call.function for fault in sample}) >= 7
    assert len(every_fault(clean.calls)) == len(FaultKind) * len(clean.calls)


@pytest.mark.parametrize("at", range(SAMPLE))
def test_a_batch_survives(at: int, clean: Outcome) -> None:
    fault = spread_faults(clean.calls, SAMPLE)[at]
    assert complaint(fault, clean) is None, fault
