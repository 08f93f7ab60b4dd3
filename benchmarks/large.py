"""The largest batch: what each function of the loop takes, against what the template gives it.

    python -m benchmarks.large [--quick] [--json PATH]

Every step runs in a process of its own, on simulated verdicts (40 anchors, 12 comparisons per
essay): prepare_batch copies and looks through texts of 600 words that came in a manifest, plan_wave
chooses a wave, score_batch fits and finalise_batch concludes. The processor seconds are this
machine's, in one thread; a function with less than 1,769 MB has a part of a processor, so its
seconds are as many more. Stores are in memory: the calls of AWS are not in the figures, and 60 MiB
of the runtime are added for them. "share" is the larger part that is used of memory and of time.
"""

from __future__ import annotations

import json
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks._common import Claim, arguments, at_most, report
from benchmarks.finalise import simulate_batch

ESSAYS, QUICK = 5000, 1000
PER_ESSAY = 12
WORDS = 600
_MIB = 1024
_RUNTIME_MIB = 60
_WHOLE_PROCESSOR_MB = 1769
_TEMPLATE = Path(__file__).parents[1] / "template.yaml"
_FUNCTIONS = {
    "prepare": "PrepareBatchFunction",
    "plan": "PlanWaveFunction",
    "score": "ScoreBatchFunction",
    "finalise": "FinaliseBatchFunction",
}


def read_limits(function: str) -> tuple[int, int]:
    """Memory in MB and seconds that the template gives a function."""
    text = _TEMPLATE.read_text(encoding="utf-8")
    block = text[text.index(f"  {function}:") :]
    block = block[: block.index("Policies:")]
    limits = {
        name: re.search(rf"^      {name}: (\d+)", block, re.MULTILINE)
        for name in ("MemorySize", "Timeout")
    }
    memory, seconds = limits["MemorySize"], limits["Timeout"]
    return int(memory[1]) if memory else 512, int(seconds[1]) if seconds else 60


def _make_batch(essays: int, **changes: object) -> Any:  # noqa: ANN401 - the domain is imported late
    from benchmarks.finalise import Batches

    return Batches(essays, PER_ESSAY).batch.model_copy(update=changes)


def _prepare(essays: int) -> Callable[[], object]:
    """Copy and flag texts that a manifest has."""
    from assessment.contracts.manifest import make_essay, read_manifest
    from assessment.domain.batch import EssaySource
    from assessment.usecases.referenced_essays import import_texts

    rng = random.Random(1)
    words = ["the", "of", "and", "to", "in", "sea", "bottle", "water", "school", "because"]
    lines = [
        json.dumps({"essay_id": f"e{k}", "text": " ".join(rng.choices(words, k=WORDS))})
        for k in range(essays)
    ]
    manifest = "\n".join(lines)
    batch = _make_batch(essays, essay_source=EssaySource.MANIFEST)

    class Content:
        def get_document(self, _key: str) -> str:
            return manifest

        def put_text(self, _folder: str, text: str) -> str:
            return str(len(text.encode()))

    content: Any = Content()
    return lambda: import_texts(
        batch, [make_essay(line) for line in read_manifest(manifest)], content=content
    )


def _loop(step: str, essays: int) -> Callable[[], object]:
    """One of the three steps that need the statistics."""
    from assessment.statistics.engine import ScoringStatistics

    spec, comparisons, _ = simulate_batch(essays, PER_ESSAY)
    config = _make_batch(essays).config
    statistics = ScoringStatistics()
    if step == "score":
        return lambda: statistics.score(spec, comparisons, config=config)
    if step == "finalise":
        return lambda: statistics.conclude(spec, comparisons, config=config, measured_at="")
    return lambda: statistics.plan(
        spec,
        comparisons,
        config=config,
        seed=1,
        wave_number=PER_ESSAY + 1,
        sizes=[2] * (config.comparisons_per_essay_per_wave * len(spec.essays) // 2),
    )


def measure(step: str, essays: int) -> dict[str, object]:
    """One step; its data are made before, and count to its memory."""
    act = _prepare(essays) if step == "prepare" else _loop(step, essays)
    started = time.process_time()
    act()
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB + _RUNTIME_MIB
    memory, timeout = read_limits(_FUNCTIONS[step])
    wall = seconds / min(1.0, memory / _WHOLE_PROCESSOR_MB)
    return {
        "step": step,
        "essays": essays,
        "cpu s": seconds,
        "peak MiB": peak,
        "memory MB": memory,
        "timeout s": timeout,
        "share": max(peak / memory, wall / timeout),
    }


def main() -> None:
    """Measure every step in a process of its own."""
    if len(sys.argv) > 2 and sys.argv[1] == "--step":
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
        return
    options = arguments(__doc__)
    essays = QUICK if options.quick else ESSAYS
    rows = []
    for step in _FUNCTIONS:
        command = [sys.executable, "-m", "benchmarks.large", "--step", step, str(essays)]
        # Our own module, the name of a step and a number.
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        rows.append(json.loads(done.stdout))
    claims = [Claim(f"{row['step']}: share of its function", row["share"], "share", at_most(0.8))
              for row in rows]  # fmt: skip
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main()
