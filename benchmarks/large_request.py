"""The largest request on a laptop cloud: 5,000 texts of 600 words, by the API and from the bus.

    python -m benchmarks.large_request [--quick] [--json PATH]

The texts, simulated ones, are uploaded as a manifest; the request names it. Seconds are by the
clock of this machine, with every function in a process of its own: until the API has answered,
until the batch is prepared (texts read, looked through and copied, each to an object of its own),
and until the first wave is planned and submitted. People are the judges, so nothing is judged.
Memory is the most that a process of each function had, against what the template gives it.
"""

from __future__ import annotations

import json
import random
import re
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assessment.contracts.request import BatchRequest
from benchmarks._common import Bar, Claim, arguments, report
from local.demo import Stage
from local.stack import cloud as clouds
from local.stack import deploy as stacks
from runner.client import ApiClient

if TYPE_CHECKING:
    from local.stack.cloud import Cloud

PORT, JUDGE_PORT = 4686, 4690
NAME = "bench-large"
ESSAYS, QUICK, WORDS = 5000, 300, 600
PATIENCE_SECONDS = 3600
# What API Gateway waits for an answer, and what the template gives prepare_batch.
ANSWER_SECONDS, PREPARE_SECONDS = 29, 300
LARGEST_SHARE = 0.8
_KIB = 1024
_VOCABULARY = ("the", "of", "and", "to", "in", "sea", "bottle", "water", "school", "because")


def make_essays(n_essays: int) -> list[dict[str, str]]:
    """Simulated texts, the same for the same number."""
    rng = random.Random(1)
    return [
        {"essay_id": f"essay-{k:04d}", "text": " ".join(rng.choices(_VOCABULARY, k=WORDS))}
        for k in range(n_essays)
    ]


def follow(client: ApiClient, batch_id: str) -> Iterator[str]:
    """The states of a batch, each once, until its first wave is submitted or it has ended."""
    patience = time.monotonic() + PATIENCE_SECONDS
    seen: list[str] = []
    while time.monotonic() < patience:
        progress = client.batch(batch_id)
        if progress.status not in seen:
            seen.append(progress.status)
            yield progress.status
        if progress.failure is not None or progress.status == "WAITING_CALLBACKS":
            return
        time.sleep(0.5)


def time_batch(client: ApiClient, batch_id: str, *, started: float) -> dict[str, Any]:
    """Seconds since the start at which the batch was in each state."""
    times = {state: time.perf_counter() - started for state in follow(client, batch_id)}
    client.cancel(batch_id)
    return {state.lower(): seconds for state, seconds in times.items()}


def request_by_api(client: ApiClient, essays: list[dict[str, str]]) -> dict[str, Any]:
    """Upload, request, follow."""
    started = time.perf_counter()
    manifest_id = client.upload_manifest(essays)
    uploaded = time.perf_counter() - started
    request = BatchRequest(manifest_id=manifest_id, judge={"provider": "person"})
    started = time.perf_counter()
    accepted = client.request_batch(request, idempotency_key=str(uuid.uuid4()))
    answered = time.perf_counter() - started
    row = time_batch(client, accepted.batch_id, started=started)
    return {"by": "API", "upload": uploaded, "answer": answered, **row}


def request_by_bus(stage: Stage, client: ApiClient, essays: list[dict[str, str]]) -> dict[str, Any]:
    """Upload, publish the event, find the batch, follow."""
    manifest_id = client.upload_manifest(essays)
    known = {batch.batch_id for batch in client.list_batches()}
    detail = {
        "event_id": str(uuid.uuid4()),
        "event_type": "CJAssessmentRequested.v1",
        "schema_version": 1,
        "correlation_id": str(uuid.uuid4()),
        "time": datetime.now(UTC).isoformat(),
        "data": {"manifest_id": manifest_id, "judge": {"provider": "person"}},
    }
    bus = stage.cloud.session().client("events", endpoint_url=stage.cloud.url)
    started = time.perf_counter()
    bus.put_events(
        Entries=[
            {
                "EventBusName": stage.outputs["EventBusName"],
                "Source": "bench.large",
                "DetailType": "CJAssessmentRequested.v1",
                "Detail": json.dumps(detail),
            }
        ]
    )
    while not (new := {batch.batch_id for batch in client.list_batches()} - known):
        time.sleep(0.5)
    answered = time.perf_counter() - started
    return {"by": "bus", "answer": answered, **time_batch(client, new.pop(), started=started)}


def read_peaks(cloud: Cloud) -> dict[str, float]:
    """The most memory of each function's processes so far, in MiB, by the function's name."""
    peaks: dict[str, float] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = (process / "status").read_text()
            variables = (process / "environ").read_text()
        except (OSError, UnicodeDecodeError):
            continue
        name = re.search(rf"AWS_LAMBDA_FUNCTION_NAME=({stacks.STACK}-[a-z-]+)", variables)
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        # Other laptop clouds may run on the machine.
        is_own = re.search(rf"PPid:\s+{cloud.server.pid}\n", status)
        if name and peak and is_own:
            peaks[name[1]] = max(peaks.get(name[1], 0.0), int(peak[1]) / _KIB)
    return peaks


def state_memory(cloud: Cloud) -> list[Claim]:
    """The peak of every function that ran, against its memory in the template."""
    client = cloud.session().client("lambda", endpoint_url=cloud.url)
    pages = client.get_paginator("list_functions").paginate()
    given = {each["FunctionName"]: each["MemorySize"] for p in pages for each in p["Functions"]}
    return [
        Claim(f"{name.removeprefix(stacks.STACK + '-')} of {given[name]} MB", peak, "MiB",
              Bar(high=LARGEST_SHARE * given[name]))
        for name, peak in sorted(read_peaks(cloud).items())
    ]  # fmt: skip


def main() -> None:
    """Deploy, request twice, state the claims."""
    options = arguments(__doc__)
    essays = make_essays(QUICK if options.quick else ESSAYS)
    cloud = clouds.start(port=PORT, name=NAME, auth=True)
    try:
        outputs = stacks.deploy(cloud, stacks.demo_parameters(JUDGE_PORT))
        stage = Stage(cloud, outputs)
        with stage.client() as client:
            rows = [request_by_api(client, essays), request_by_bus(stage, client, essays)]
        memory = state_memory(cloud)
    finally:
        clouds.stop(NAME)
    claims = [
        Claim("request answered by the API", rows[0]["answer"], "s", Bar(high=ANSWER_SECONDS)),
        *(
            Claim(
                f"submitted after a request by {row['by']}",
                row.get("waiting_callbacks", float("nan")),
                "s",
                Bar(high=PREPARE_SECONDS),
            )
            for row in rows
        ),
        *memory,
    ]
    report(options, rows=[{"essays": len(essays), **row} for row in rows], claims=claims)


if __name__ == "__main__":
    main()
