"""A fault made for every outside call of a batch: which runs survive.

A clean run of a small simulated batch is recorded call by call: each AWS API and each HTTP call, by
function and order. Then the run is repeated once for each call and kind of fault: the call fails
before it, fails after it took effect, times out, is throttled, and the process dies before and
after it. Steps are repeated as the state machine does, messages return as SQS does. A run survives
that completes with the same result bytes and events, with nothing paid twice but the calls in
flight, and those counted in the result. `--quick` draws an even sample.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from benchmarks._common import Claim, arguments, at_least, report
from tests.faults.calls import Fault
from tests.faults.faults import complaint, every_fault, spread_faults
from tests.faults.journey import Outcome, simulated_account, travel

SAMPLE = 48


def complaint_alone(fault: Fault, clean: Outcome) -> str | None:
    """What a run with this fault did wrong, tried in a process of its own."""
    with simulated_account():
        return complaint(fault, clean)


def main() -> None:
    """Disturb every call, or a sample of them."""
    options = arguments(__doc__)
    tried: Counter[tuple[str, str]] = Counter()
    lost: dict[Fault, str] = {}
    with simulated_account():
        clean = travel()
    faults = spread_faults(clean.calls, SAMPLE) if options.quick else every_fault(clean.calls)
    work = partial(complaint_alone, clean=clean)
    with ProcessPoolExecutor(os.process_cpu_count()) as pool:
        for fault, wrong in zip(faults, pool.map(work, faults), strict=True):
            tried[fault.call.function, str(fault.kind)] += 1
            if wrong is not None:
                lost[fault] = wrong
                print(f"{fault}: {wrong}", file=sys.stderr, flush=True)
    failed = Counter((fault.call.function, str(fault.kind)) for fault in lost)
    rows = [
        {
            "function": function,
            "fault": kind,
            "runs": runs,
            "survived": runs - failed[function, kind],
        }
        for (function, kind), runs in sorted(tried.items())
    ]
    survived = (len(faults) - len(lost)) / len(faults)
    print(f"{len(clean.calls)} calls in the clean run, {len(faults)} runs with a fault")
    claim = Claim("runs that survive", survived, "share", at_least(1.0))
    report(options, rows=rows, claims=[claim])


if __name__ == "__main__":
    main()
