"""Finalising a batch in one Lambda: seconds, memory, and how both grow with the essays.

    python -m benchmarks.finalise [--quick] [--json PATH]

Every size runs in a process of its own, so that peak memory is its own. The use case, the
statistics and the DynamoDB adapter with its serialisation are the product's; the table's client is
an in-memory one that answers queries in DynamoDB's pages of 1 MB and its wire format, and essays,
results and events go to memory too. The essays and the judge are simulated; 40 anchors, 40
comparisons per essay. Seconds are of the processor; the network to AWS is not in the figures.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks._common import Bar, Claim, Options, arguments, report

SIZES = (100, 300, 1000, 2000)
ANCHORS = 40
PER_ESSAY = 40
# DynamoDB answers a query with at most this much of a partition at once.
_PAGE_BYTES = 1_000_000
_TYPICAL_ITEM_BYTES = 700
_MIB = 1024
BATCH_ID = "6c1d5a2e-0000-4000-8000-000000000001"


class TableClient:
    """The calls of a DynamoDB client that finalising makes, on items in wire format.

    Its calls are no operations of a service: there are no service's errors to translate.
    """

    meta = SimpleNamespace(method_to_api_mapping={})

    def __init__(self) -> None:
        self.partitions: dict[str, dict[str, str]] = defaultdict(dict)
        self.reads = 0

    def put(self, item: dict[str, Any]) -> None:
        """Place an item, as text: objects would take more memory than what is measured."""
        self.partitions[item["PK"]["S"]][item["SK"]["S"]] = json.dumps(item)

    def query(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - the client's own keywords
        """Answer one page of a partition."""
        self.reads += 1
        partition = request["ExpressionAttributeValues"][":pk"]["S"]
        keys = sorted(self.partitions[partition])
        start = request.get("ExclusiveStartKey", {}).get("SK", {}).get("S", "")
        left = [key for key in keys if key > start]
        page = left[: _PAGE_BYTES // _TYPICAL_ITEM_BYTES]
        items = [json.loads(self.partitions[partition][key]) for key in page]
        more = {"LastEvaluatedKey": {"SK": {"S": page[-1]}}} if len(left) > len(page) else {}
        return {"Items": items, **more}


def measure(students: int) -> dict[str, object]:
    """Prepare a batch, finalise it, and tell what that took; memory is of this whole process."""
    from assessment.adapters.aws import keys
    from assessment.adapters.aws.attributes import serialize_item
    from assessment.adapters.aws.comparison_store import DynamoDBComparisonStore
    from assessment.adapters.aws.dynamodb import Table
    from assessment.domain.access import DEFAULT_ORGANISATION
    from assessment.ports.groups import FinalisePorts
    from assessment.statistics.engine import ScoringStatistics
    from assessment.usecases.finalise_batch import finalise_batch

    spec, comparisons, waves = simulate_batch(students)
    client = TableClient()
    for comparison in comparisons:
        key = keys.comparison(BATCH_ID, comparison.wave, comparison.comparison_id)
        key["PK"] = keys.place_partition(key["PK"], DEFAULT_ORGANISATION)
        client.put(serialize_item({**key, **dict(comparison)}))
    # Stand-ins with the few calls that finalising makes, not whole stores.
    batches: Any = Batches(students, waves)
    content: Any = Content(spec)
    events = Events()
    n_comparisons = len(comparisons)
    del comparisons
    baseline = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    finalise_batch(
        BATCH_ID,
        ports=FinalisePorts(
            batches=batches,
            assignments=batches,
            comparisons=DynamoDBComparisonStore(Table(client, "table")),
            content=content,
            statistics=ScoringStatistics(),
            events=events,
            people=batches,
        ),
        versions={},
        now=datetime(2026, 3, 2, tzinfo=UTC),
    )
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "students": students,
        "comparisons": n_comparisons,
        "seconds": seconds,
        "peak MiB": peak / _MIB,
        "before MiB": baseline / _MIB,
        "table reads": client.reads,
        "result kB": len(content.documents[f"batches/{BATCH_ID}/result.json"]) / 1000,
    }


class Batches:
    """The batch's record and its last wave."""

    def __init__(self, students: int, waves: int) -> None:
        from assessment.domain.batch import Batch, BatchStatus
        from assessment.domain.config import BatchConfig
        from assessment.domain.decision import Decision, DecisionKind, Reason

        moment = datetime(2026, 3, 2, tzinfo=UTC)
        self.batch = Batch(
            batch_id=BATCH_ID,
            status=BatchStatus.SCORING,
            correlation_id=BATCH_ID,
            assignment_id="simulated",
            config=BatchConfig(),
            config_sources={},
            seed=1,
            request_sha256="",
            essays=students,
            anchors=ANCHORS,
            wave=waves,
            decision=Decision(
                decision=DecisionKind.FINALIZE_SCORING,
                reason=Reason.BUDGET_EXHAUSTED,
                explanation="the budget is used",
            ),
            created_at=moment,
            updated_at=moment,
        )

    def get_batch(self, _batch_id: str) -> Any:  # noqa: ANN401 - the domain is imported late
        """The record."""
        return self.batch

    def get_wave(self, _batch_id: str, wave_number: int) -> Any:  # noqa: ANN401 - as above
        """The last wave."""
        from assessment.domain.wave import Wave

        return Wave(wave=wave_number, scored_at=self.batch.updated_at)

    def put_measurement(self, _assignment_id: str, _judge: str, measurement: Any) -> None:  # noqa: ANN401
        """Serialise what later batches will read."""
        measurement.model_dump_json()

    def transition(self, _batch_id: str, target: Any, **changes: Any) -> Any:  # noqa: ANN401
        """The finished record."""
        changes.pop("now")
        return self.batch.model_copy(update={"status": target, **changes})


class Content:
    """Documents in memory."""

    def __init__(self, spec: Any) -> None:  # noqa: ANN401 - the domain is imported late
        self.documents: dict[str, str] = {}
        self._spec: str = spec.model_dump_json()

    def get_frozen_document(self, _key: str) -> str:
        """The specification."""
        return self._spec

    def get_document(self, _key: str) -> str | None:
        """Nothing else is read."""
        return None

    def place(self, key: str) -> str:
        """Documents lie where their keys say."""
        return key

    def put_document(self, key: str, body: str, **_: object) -> None:
        """Keep a document."""
        self.documents[key] = body


class Events:
    """An event bus that serialises what it is given."""

    def publish(self, events: Sequence[Any]) -> None:
        """Serialise, as the adapter does."""
        for event in events:
            event.model_dump_json()


def simulate_batch(students: int, per_essay: int = PER_ESSAY) -> tuple[Any, list[Any], int]:
    """A specification and its judged comparisons: random rounds, a logistic judge with degrees."""
    from assessment.domain.essay import Essay, EssayKind
    from assessment.domain.grade_scale import find_scale
    from assessment.domain.judge import JudgeSpec
    from assessment.domain.prompt import JudgeInstructions
    from assessment.domain.spec import BatchSpec

    scale = find_scale(None)
    essays = [
        Essay(essay_id=f"essay-{k:05d}", kind=EssayKind.STUDENT, text_sha256=f"{k:064x}")
        for k in range(students)
    ] + [
        Essay(
            essay_id=f"ANCHOR_a{k:03d}_00000000",
            kind=EssayKind.ANCHOR,
            text_sha256=f"{k + 10**6:064x}",
            anchor_ref=f"a{k:03d}",
            grade=scale.grades[k % len(scale.grades)],
        )
        for k in range(ANCHORS)
    ]
    spec = BatchSpec.from_essays(
        essays, instructions=JudgeInstructions(), grade_scale=scale, judges=(JudgeSpec(),)
    )
    comparisons = simulate_comparisons(spec, per_essay, seed=students)
    return spec, comparisons, per_essay


def simulate_comparisons(spec: Any, per_essay: int, *, seed: int) -> list[Any]:  # noqa: ANN401 - the domain is imported late
    """Judged comparisons of all essays, one wave for each that an essay has."""
    from assessment.domain.comparison import Comparison, ComparisonStatus
    from assessment.domain.grade_scale import find_scale
    from assessment.domain.identifiers import comparison_id
    from assessment.domain.verdict import Degree, Verdict, Winner

    scale = find_scale(None)
    rng = np.random.default_rng(seed)
    middle = (len(scale.grades) - 1) / 2
    ability = {
        essay.essay_id: float(rng.normal(0, 2))
        if essay.grade is None
        else scale.position(essay.grade) - middle
        for essay in spec.essays
    }
    ids = [essay.essay_id for essay in spec.essays]
    comparisons = []
    for wave in range(1, per_essay + 1):
        order = rng.permutation(len(ids))
        for position, row in enumerate(range(0, len(order) - 1, 2)):
            first, second = ids[order[row]], ids[order[row + 1]]
            margin = ability[first] - ability[second] + rng.logistic()
            degree = [Degree.SLIGHT, Degree.CLEAR, Degree.DECISIVE][
                int(abs(margin) > 1) + int(abs(margin) > 2.5)
            ]
            comparisons.append(
                Comparison(
                    comparison_id=comparison_id(wave, position),
                    wave=wave,
                    first=first,
                    second=second,
                    audit=position % 4 == 0,
                    predicted=None if wave == 1 else 0.5 + 0.4 * float(np.tanh(margin)),
                    submitted_wave=wave,
                    status=ComparisonStatus.RECORDED,
                    sent=True,
                    verdict=Verdict(
                        winner=Winner.FIRST if margin > 0 else Winner.SECOND,
                        degree=degree,
                        confidence=3,
                        justification="x" * 200,
                        judge="simulated",
                        prompt_sha256="0" * 64,
                        input_tokens=1500,
                        output_tokens=60,
                        cost_usd=0.0012,
                    ),
                )
            )
    return comparisons


def measure_in_own_process(students: int) -> dict[str, object]:
    """Measure one size where nothing was measured before."""
    done = subprocess.run(  # noqa: S603 - our own module and a number
        [sys.executable, "-m", "benchmarks.finalise", "--size", str(students)],
        check=True,
        capture_output=True,
        text=True,
    )
    row: dict[str, object] = json.loads(done.stdout)
    return row


def growth_exponent(rows: Sequence[dict[str, object]]) -> float:
    """Slope of log seconds on log students."""
    students = np.log([float(str(row["students"])) for row in rows])
    seconds = np.log([float(str(row["seconds"])) for row in rows])
    return float(np.polyfit(students, seconds, 1)[0])


def main(options: Options) -> None:
    """Measure all sizes and report."""
    rows = [
        measure_in_own_process(students) for students in (SIZES[:3] if options.quick else SIZES)
    ]
    thousand = next(row for row in rows if row["students"] == 1000)
    report(
        options,
        rows=rows,
        claims=[
            Claim(
                "finalise 1,000 students + 40 anchors",
                float(str(thousand["seconds"])),
                "s",
                Bar(high=10.0),
            ),
            Claim(
                "peak memory, 1,000 students",
                float(str(thousand["peak MiB"])),
                "MiB",
                Bar(high=512.0),
            ),
            Claim("growth exponent of seconds", growth_exponent(rows), "", Bar(high=2.0)),
        ],
    )


if __name__ == "__main__":
    if "--size" in sys.argv:
        print(json.dumps(measure(int(sys.argv[sys.argv.index("--size") + 1]))))
    else:
        main(arguments(__doc__))
