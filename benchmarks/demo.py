"""What the machinery costs beside the judge: seconds per wave, and AWS calls per verdict.

The wall time is that of the demo's batch (32 real texts, three waves) on a laptop cloud of its own,
between the decisions that the stack publishes, less the judge's longest answer. The calls are
counted, not timed: the same loop runs in process with the real handlers, and every request that a
handler makes to a service is one call (a transaction or a batch of messages counts once). The first
wave meets cold functions and is reported apart. One and three batches at once are timed against a
judge that takes four seconds, as a large model does with two essays.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from benchmarks._common import Bar, Claim, arguments, report
from local import sample as samples
from local.demo import CONFIG, SAMPLE, Stage, run_batch
from local.judge import server as judges
from local.judge.options import JudgeOptions
from local.stack import cloud as clouds
from local.stack import deploy as stacks
from tests.workflow.judge import essay_text
from tests.workflow.stack import running_stack

if TYPE_CHECKING:
    from local.stack.cloud import Cloud

PORT, JUDGE_PORT = 4676, 4680
LATENCY = 0.2
SLOW = 4.0
# The judge answers after a half to one and a half of its mean latency.
LONGEST_ANSWER = 1.5 * LATENCY


def run_on_laptop_cloud(*, runs: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Seconds of every wave of some runs, and of one and three batches at once."""
    stacks.build()
    cloud = clouds.start(port=PORT, name="bench-cloud")
    try:
        judges.start(cloud, JudgeOptions(latency=LATENCY), port=JUDGE_PORT, name="bench-judge")
        outputs = stacks.deploy(cloud, stacks.demo_parameters(JUDGE_PORT))
        stage = Stage(cloud, outputs)
        waves = [row for run in range(runs) for row in _run(stage, cloud, run)]
        judges.start(cloud, JudgeOptions(latency=SLOW), port=JUDGE_PORT, name="bench-judge")
        return waves, [_run_together(stage, batches) for batches in (1, 3)]
    finally:
        judges.stop("bench-judge")
        clouds.stop("bench-cloud")


def _run_together(stage: Stage, batches: int) -> dict[str, Any]:
    """Wall time of some batches that are requested at the same time."""

    def one(number: int) -> None:
        with stage.client() as client:
            sample, config = samples.load(SAMPLE), {**CONFIG, "seed": number}
            run_batch(client, sample, config=config, show=lambda _progress, _elapsed: None)

    started = time.perf_counter()
    with ThreadPoolExecutor(batches) as pool:
        list(pool.map(one, range(batches)))
    return {"batches_at_once": batches, "seconds": time.perf_counter() - started}


def _run(stage: Stage, cloud: Cloud, run: int) -> list[dict[str, Any]]:
    with stage.client() as client:
        document = run_batch(
            client, samples.load(SAMPLE), config=CONFIG, show=lambda _progress, _elapsed: None
        )
        created = client.batch(document["batch_id"]).created_at
    times = [
        datetime.fromisoformat(created),
        *_read_scoring_times(stage, cloud, document["batch_id"]),
    ]
    return [
        {
            "run": run + 1,
            "wave": number,
            "seconds": (after - before).total_seconds(),
            "beyond_judge": (after - before).total_seconds() - LONGEST_ANSWER,
        }
        for number, (before, after) in enumerate(itertools.pairwise(times), start=1)
    ]


def _read_scoring_times(stage: Stage, cloud: Cloud, batch_id: str) -> list[datetime]:
    sqs = cloud.session().client("sqs", endpoint_url=cloud.url)
    url, times = stage.outputs["SubscriberQueueUrl"], {}
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1
    ).get("Messages"):
        for message in messages:
            detail = json.loads(message["Body"])["detail"]
            if detail["data"]["batch_id"] == batch_id and "wave" in detail["data"]:
                times[detail["data"]["wave"]] = datetime.fromisoformat(detail["time"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [times[wave] for wave in sorted(times)]


def calls_per_verdict(*, essays: int) -> tuple[Counter[str], int]:
    """Calls by service of a whole batch in process, and its verdicts."""
    with running_stack() as stack:
        stack.recorder.requests.clear()
        body = {
            "essays": [
                {"essay_id": f"essay-{n}", "text": essay_text(n / essays * 6 - 3, n)}
                for n in range(essays)
            ],
            "config": {"seed": 1, "max_comparisons_per_essay": 12},
        }
        _, accepted = stack.api("POST", "/v1/batches", body)
        stack.run_to_the_end(accepted["batch_id"])
        counted = Counter(
            {f"{service} {name}": n for (service, name), n in stack.recorder.requests.items()}
        )
        _, progress = stack.api("GET", f"/v1/batches/{accepted['batch_id']}")
    return counted, progress["comparisons"]["recorded"]


def main() -> None:
    """Time the waves, count the calls, state the claims."""
    options = arguments(__doc__)
    # The handlers log as they do in production; a benchmark prints its table only.
    logging.disable(logging.CRITICAL)
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    waves, at_once = run_on_laptop_cloud(runs=1 if options.quick else 3)
    counted, verdicts = calls_per_verdict(essays=12 if options.quick else 32)
    calls = [
        {"call": name, "calls": number, "per_verdict": number / verdicts}
        for name, number in sorted(counted.items())
    ]
    warm = sorted(row["beyond_judge"] for row in waves if row["run"] > 1 or row["wave"] > 1)
    total = sum(counted.values()) / verdicts
    report(
        options,
        rows=[*waves, *at_once, *calls],
        claims=[
            Claim("warm wave beyond the judge, median", warm[len(warm) // 2], "s", Bar(high=10)),
            Claim("AWS calls per verdict", total, "calls", Bar(high=12)),
            Claim(
                "three batches at once against one",
                at_once[1]["seconds"] / at_once[0]["seconds"],
                "ratio",
                Bar(high=2),
            ),
        ],
    )


if __name__ == "__main__":
    main()
