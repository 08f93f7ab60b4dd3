"""A batch without a cloud against its judge's own time: planning, fits and storage come on top.

100 simulated essays, a simulated judge that answers every comparison after one second, and 20 calls
at a time, by `cj`'s own driver on SQLite. The judge's own time is that of its calls, 20 at a
time: no way of asking is faster. What the batch itself needs is `cpu_seconds`: where they are few
and the ratio is large, the machine was busy with something else (`load`, processes for each core).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

# As `cj` sets it, before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from assessment.contracts.list_protocol import CompareRequest, ComparisonResult, make_result
from assessment.contracts.request import BatchRequest
from assessment.domain.identifiers import draw_fraction
from assessment.domain.judge import JudgeSpec
from assessment.ports.judging import BatchJudge, Judge
from benchmarks._common import Bar, Claim, arguments, report
from runner.offline.engine import Engine
from runner.offline.local_client import WorkspaceClient
from runner.offline.workspace import Workspace

N_CALLS = 20
SIGMA = 2.0


@dataclass
class SimulatedJudge:
    """Answers after `latency` seconds; logistic on simulated abilities, by the ids of essays."""

    ability: dict[str, float]
    latency: float
    n_calls: int = 0
    at_once: int = 0
    most_at_once: int = 0
    keys: set[str] = field(default_factory=set)

    async def compare(
        self, requests: Sequence[CompareRequest]
    ) -> Sequence[ComparisonResult | None]:
        """Wait, then answer."""
        self.n_calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.latency)
        self.at_once -= 1
        return [self._answer(request) for request in requests]

    def _answer(self, request: CompareRequest) -> ComparisonResult:
        self.keys.add(request.correlation_id)
        difference = (
            self.ability[request.metadata.shown_ids[0]]
            - self.ability[request.metadata.shown_ids[1]]
        )
        wins = draw_fraction(request.correlation_id) < 1 / (1 + np.exp(-difference))
        return make_result(
            request,
            winner="A" if wins else "B",
            provider="simulated",
            model="logistic",
        )

    def get_judge(self, _: JudgeSpec) -> Judge:
        """Itself, for every judge."""
        return self

    def get_batch_judge(self, _: JudgeSpec) -> BatchJudge:
        """None: nothing is asked in batches here."""
        raise NotImplementedError


def measure(n_essays: int, latency: float) -> dict[str, object]:
    """Run one batch; how long it took beside how long its judge takes."""
    rng = np.random.default_rng(1)
    ability = {f"e{n:03d}": float(value) for n, value in enumerate(rng.normal(0, SIGMA, n_essays))}
    request = BatchRequest.model_validate(
        {
            "essays": [
                {"essay_id": essay, "text": f"Simulated essay {essay}. " + "One word more. " * 60}
                for essay in ability
            ],
            "config": {"seed": 1},
            "judge": {"provider": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1",
                      "batching_mode": "per_request"},
        }
    )  # fmt: skip
    judge = SimulatedJudge(ability, latency)
    with (
        tempfile.TemporaryDirectory() as folder,
        Workspace.open_folder(Path(folder), n_calls=N_CALLS, create=True) as workspace,
    ):
        workspace.replace_judges(judge)
        client = WorkspaceClient(workspace)
        started, worked = time.perf_counter(), time.process_time()
        batch_id = client.request_batch(request, idempotency_key="offline").batch_id
        engine = Engine(workspace, batch_id)
        with engine.running():
            engine.wait(3600)
        seconds = time.perf_counter() - started
        cpu_seconds = time.process_time() - worked
        batch = client.batch(batch_id)
    return {
        "essays": n_essays,
        "waves": len(batch.waves),
        "comparisons": batch.comparisons.recorded,
        "calls": judge.n_calls,
        "asked_again": judge.n_calls - len(judge.keys),
        "most_at_once": judge.most_at_once,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "load": os.getloadavg()[0] / (os.cpu_count() or 1),
        "judge_seconds": judge.n_calls * latency / N_CALLS,
    }


def main() -> None:
    """Measure one batch."""
    options = arguments(__doc__)
    row = measure(20, 0.2) if options.quick else measure(100, 1.0)
    ratio = float(str(row["seconds"])) / float(str(row["judge_seconds"]))
    own = float(str(row["cpu_seconds"])) / float(str(row["judge_seconds"]))
    claims = [
        Claim("time of a batch beside its judge's own", ratio, "", Bar(high=1.3)),
        Claim("processor time of a batch beside its judge's own time", own, "", Bar(high=0.2)),
    ]
    report(options, rows=[row], claims=claims)


if __name__ == "__main__":
    main()
