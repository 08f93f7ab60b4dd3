"""A fault made for every outside call of a batch, on every route: which runs survive.

A clean run of a small simulated batch is recorded call by call: each AWS API and each HTTP call, by
function and order. Then the run is repeated once for each call and kind of fault: the call fails
before it, fails after it took effect, times out, is throttled, and the process dies before and
after it. Steps are repeated as the state machine does, messages return as SQS does. The routes are
those of `tests/faults/routes.py`: judges that answer at once or call back, people, single calls,
bundles and batches of providers, batches that are cancelled, resumed, aborted and not woken. A run
survives that ends as the clean one, with the same result bytes and events, with nothing paid twice
but the calls in flight, and those counted in the result. `--quick` draws an even sample.
"""

from __future__ import annotations

import sys
from collections import Counter

from benchmarks._common import Bar, Claim, arguments, report
from tests.faults.account import simulated_account
from tests.faults.calls import FaultKind
from tests.faults.faults import complaint, every_fault, spread_faults
from tests.faults.journey import travel
from tests.faults.routes import ROUTES, Route

SAMPLE = 12


def measure_route(route: Route, *, is_sample: bool) -> dict[str, object]:
    """Disturb every call of a route, or a sample of them: runs and survivors by kind of fault."""
    clean = travel(route=route)
    faults = spread_faults(clean.calls, SAMPLE) if is_sample else every_fault(clean.calls)
    survived: Counter[FaultKind] = Counter()
    tried = Counter(fault.kind for fault in faults)
    for fault in faults:
        wrong = complaint(fault, route, clean)
        if wrong is None:
            survived[fault.kind] += 1
        else:
            print(f"{route.name}: {fault}: {wrong}", file=sys.stderr, flush=True)
    kinds = {str(kind): f"{survived[kind]}/{tried[kind]}" for kind in FaultKind}
    return {
        "route": route.name, "calls": len(clean.calls), "runs": len(faults),
        "survived": survived.total(), **kinds,
    }  # fmt: skip


def main() -> None:
    """Disturb every call, or a sample of them."""
    options = arguments(__doc__)
    rows = []
    with simulated_account():
        for route in ROUTES:
            rows.append(measure_route(route, is_sample=options.quick))
            print(rows[-1], file=sys.stderr, flush=True)
    n_runs = sum(int(str(row["runs"])) for row in rows)
    n_survived = sum(int(str(row["survived"])) for row in rows)
    claim = Claim("runs that survive", n_survived / n_runs, "share", Bar(low=1.0))
    report(options, rows=rows, claims=[claim])


if __name__ == "__main__":
    main()
