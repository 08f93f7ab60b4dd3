"""The largest batch: what each function of the loop takes, against what the template gives it.

    python -m benchmarks.large [--quick] [--json PATH]
    python -m benchmarks.large --folder FOLDER --step NAME ESSAYS

A batch of simulated texts is requested, prepared and judged in a folder, by the product's own use
cases on a database and files (40 anchors, 12 comparisons per essay, simulated verdicts). Each step
of the loop then runs in a process of its own on a copy of it: the last wave is scored, the next one
is planned and submitted, the batch is finalised; prepare_batch copies and looks through texts of
600 words that came in a manifest. The processor seconds are this machine's, of one thread; a
function with less than 1,769 MB has a part of a processor, so its seconds are as many more. 60 MiB
are added for Lambda's runtime. The calls of AWS are not in the figures: `benchmarks.large_request`
has them, on a laptop cloud. "share" is the larger part that is used of memory and of time.

The second form makes the folder where it is missing and measures one step, for machines on which
all of them together take too long; `submit` comes after `plan`.
"""

from __future__ import annotations

import json
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._common import Bar, Claim, arguments, report
from benchmarks.finalise import ANCHORS, BATCH_ID, Batches, simulate_comparisons

if TYPE_CHECKING:
    from runner.offline.workspace import Workspace

ESSAYS, QUICK = 5000, 1000
PER_ESSAY = 12
WORDS = 600
_VOCABULARY = ("the", "of", "and", "to", "in", "sea", "bottle", "water", "school", "because")
_MIB = 1024
_RUNTIME_MIB = 60
_WHOLE_PROCESSOR_MB = 1769
_TEMPLATE = Path(__file__).parents[1] / "template.yaml"
_FUNCTIONS = {
    "prepare": "PrepareBatchFunction",
    "plan": "PlanWaveFunction",
    "submit": "SubmitWaveFunction",
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


def _prepare(essays: int) -> Callable[[], object]:
    """Copy and flag texts that a manifest has."""
    from assessment.contracts.manifest import make_essay, read_manifest
    from assessment.domain.batch import EssaySource
    from assessment.usecases.referenced_essays import import_texts

    texts = _write_texts(essays, seed=1)
    lines = [json.dumps({"essay_id": f"e{k}", "text": text}) for k, text in enumerate(texts)]
    manifest = "\n".join(lines)
    batch = Batches(essays, PER_ESSAY).batch.model_copy(
        update={"essay_source": EssaySource.MANIFEST}
    )

    class Content:
        def get_document(self, _key: str) -> str:
            return manifest

        def put_text(self, _folder: str, text: str) -> str:
            return str(len(text.encode()))

    content: Any = Content()
    return lambda: import_texts(
        batch, [make_essay(line) for line in read_manifest(manifest)], content=content
    )


def make_folder(folder: Path, essays: int) -> None:
    """A batch that is judged and not yet scored, with all that the loop stores of it."""
    from assessment.contracts.parsing import parse
    from assessment.contracts.request import AnchorRegistration, BatchRequest
    from assessment.domain.batch import BatchStatus, WaveStatus
    from assessment.domain.grade_scale import find_scale
    from assessment.domain.judge import BatchingMode
    from assessment.domain.wave import Wave
    from assessment.usecases.batch_spec import load_spec
    from assessment.usecases.prepare_batch import prepare_batch
    from assessment.usecases.register_anchors import register_anchors
    from assessment.usecases.request_batch import RequestCommand, request_batch

    grades = find_scale(None).grades
    anchors = [
        {"anchor_ref": f"a{k:03d}", "grade": grades[k % len(grades)], "text": text}
        for k, text in enumerate(_write_texts(ANCHORS, seed=2))
    ]
    texts = enumerate(_write_texts(essays, seed=1))
    request = {
        "assignment_id": "simulated",
        "essays": [{"essay_id": f"essay-{k:05d}", "text": text} for k, text in texts],
        "config": {"max_pairwise_comparisons": 200_000},
    }
    with _opened(folder, create=True) as workspace:
        register_anchors(
            parse(AnchorRegistration, {"assignment_id": "simulated", "anchors": anchors}),
            is_admin=True,
            stack_config={},
            ports=workspace.anchor_ports,
        )
        command = RequestCommand(
            request=parse(BatchRequest, request),
            idempotency_key=None,
            is_admin=True,
            stack_config={},
            batching_mode=BatchingMode.SERIAL_BUNDLE,
            batch_id=BATCH_ID,
            callback_key="simulated",
        )
        request_batch(command, ports=workspace.request_ports, now=workspace.now())
        prepare_batch(BATCH_ID, ports=workspace.prepare_ports, now=workspace.now())
        spec = load_spec(BATCH_ID, content=workspace.content)
        comparisons = simulate_comparisons(spec, PER_ESSAY, seed=essays)
        workspace.comparisons.put_comparisons(BATCH_ID, comparisons)
        n_of_wave = len(spec.essays) // 2
        for number in range(1, PER_ESSAY + 1):
            status = WaveStatus.SUBMITTED if number == PER_ESSAY else WaveStatus.SCORED
            wave = Wave(wave=number, status=status, new_pairs=n_of_wave, n_recorded=n_of_wave)
            workspace.batches.put_wave(BATCH_ID, wave)
        workspace.batches.transition(
            BATCH_ID, BatchStatus.WAITING_CALLBACKS, now=workspace.now(), wave=PER_ESSAY
        )


def _write_texts(number: int, *, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(_VOCABULARY, k=WORDS)) for _ in range(number)]


def _opened(folder: Path, *, create: bool = False) -> AbstractContextManager[Workspace]:
    from runner.offline.workspace import ENDPOINT_VARIABLE, Workspace

    # Nobody is asked; a request only has to name whom it would ask.
    environment = {ENDPOINT_VARIABLE: "http://127.0.0.1:9"}
    return Workspace.open_folder(folder, environment=environment, create=create)


def _plan(workspace: Workspace) -> Callable[[], object]:
    from assessment.domain.batch import BatchStatus
    from assessment.statistics.engine import ScoringStatistics
    from assessment.usecases.plan_wave import plan_wave

    for status in (BatchStatus.SCORING, BatchStatus.GENERATING_PAIRS):
        workspace.batches.transition(BATCH_ID, status, now=workspace.now())
    ports = workspace.plan_ports(ScoringStatistics())
    return lambda: plan_wave(BATCH_ID, ports=ports, now=workspace.now())


def _submit(workspace: Workspace) -> Callable[[], object]:
    from assessment.usecases.submit_wave import submit_wave

    ports, number = workspace.submit_ports, PER_ESSAY + 1
    return lambda: submit_wave(BATCH_ID, number, token="t", ports=ports, now=workspace.now())  # noqa: S106


def _score(workspace: Workspace) -> Callable[[], object]:
    from assessment.statistics.engine import ScoringStatistics
    from assessment.usecases.score_batch import score_batch

    ports = workspace.score_ports(ScoringStatistics())
    return lambda: score_batch(BATCH_ID, PER_ESSAY, ports=ports, now=workspace.now())


def _finalise(workspace: Workspace) -> Callable[[], object]:
    from assessment.domain.batch import BatchStatus
    from assessment.domain.decision import Decision, DecisionKind, Reason
    from assessment.statistics.engine import ScoringStatistics
    from assessment.usecases.finalise_batch import finalise_batch

    decision = Decision(
        decision=DecisionKind.FINALIZE_SCORING,
        reason=Reason.BUDGET_EXHAUSTED,
        explanation="the budget is used",
    )
    workspace.batches.transition(
        BATCH_ID, BatchStatus.SCORING, now=workspace.now(), decision=decision
    )
    ports = workspace.finalise_ports(ScoringStatistics())
    return lambda: finalise_batch(BATCH_ID, ports=ports, versions={}, now=workspace.now())


_LOOP = {"plan": _plan, "submit": _submit, "score": _score, "finalise": _finalise}
# Submitting needs a plan: it goes on with the folder in which the wave was planned.
_FOLDERS = {"submit": "plan"}


def measure(step: str, essays: int, folder: Path) -> dict[str, object]:
    """One step, in this process; what is made before it counts to its memory."""
    if step == "prepare":
        return _measure(step, essays, _prepare(essays))
    own = folder.with_name(f"{folder.name}-{_FOLDERS.get(step, step)}")
    if step not in _FOLDERS:
        shutil.copytree(folder, own, dirs_exist_ok=True)
    with _opened(own) as workspace:
        return _measure(step, essays, _LOOP[step](workspace))


def _measure(step: str, essays: int, act: Callable[[], object]) -> dict[str, object]:
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


def run(step: str, essays: int, folder: Path) -> dict[str, object]:
    """One step in a process where nothing was measured before."""
    command = [sys.executable, "-m", "benchmarks.large", "--folder", str(folder)]
    # Our own module, a folder, the name of a step and a number.
    done = subprocess.run(  # noqa: S603
        [*command, "--step", step, str(essays)], check=True, capture_output=True, text=True
    )
    row: dict[str, object] = json.loads(done.stdout or "{}")
    return row


def print_step(folder: Path, step: str, essays: int) -> None:
    """One step of the batch in this folder; `make` makes it."""
    if step == "make":
        make_folder(folder, essays)
        return
    if not folder.exists():
        run("make", essays, folder)
    print(json.dumps(measure(step, essays, folder)))


def main() -> None:
    """Measure every step in a process of its own."""
    if sys.argv[1:2] == ["--folder"]:
        print_step(Path(sys.argv[2]), sys.argv[4], int(sys.argv[5]))
        return
    options = arguments(__doc__)
    essays = QUICK if options.quick else ESSAYS
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "judged"
        # In a process of its own too: this one's memory would be inherited.
        run("make", essays, folder)
        rows = [run(step, essays, folder) for step in _FUNCTIONS]
    claims = [
        Claim(f"{row['step']}: share of its function", float(str(row["share"])), "share",
              Bar(high=0.8))
        for row in rows
    ]  # fmt: skip
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main()
