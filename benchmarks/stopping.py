"""When does a batch stop, whom does it refuse, and is what it then says true?

    python -m benchmarks.stopping [--quick] [--json PATH]

Every batch runs through the product's own planner, statistics and decisions with its default
settings (no anchors; a batch "would have grades" when its signal is proven). Three kinds of rows:

ends      what becomes of the batches of weak, honest, real and worthless judges
targets   coverage of 95% intervals at the stop, by the target that stopped the batch
crowds    real human verdicts of eight topics (`CJ_DATA_DIR`/arguments): each question is answered
          by one of the people who judged that pair, drawn at random

The thresholds (`min_reliability`, log Bayes factors of log 10 and -log 20) were chosen on seeds 0
to 5,299 with judges coin, logistic 65% and 70%, flat 70%, sd 1 and sd 2 and classes of 6 to 30.
Seeds here are from 10,000 on; classes of 60 and 100, the judges position only, flat 65%, lapses,
sd 4, the three degrees and the crowds were not looked at while choosing.
"""

from __future__ import annotations

import csv
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assessment.domain.config import BatchConfig
from assessment.domain.decision import DecisionKind
from benchmarks._common import Bar, Claim, arguments, at_least, at_most, between, report
from benchmarks._product_loop import Look, ProductBatch
from scoring import Comparisons
from scoring.proportions import wilson_interval
from scoring.simulate import (
    CoinFlipJudge,
    FlippingJudge,
    LogisticJudge,
    PositionOnlyJudge,
    ReplayJudge,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scoring.simulate import Judge

    type Maker = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], Judge]]

FIRST_SEED = 10_000
Z95 = 1.959964
# Spreads of abilities whose logistic judge agrees with the truth in 65% and 70% of all pairs.
SD_OF_65_PERCENT, SD_OF_70_PERCENT = 0.585, 0.843
CUTS = (1.0, 2.5)


def logistic(sd: float, cuts: tuple[float, ...] = (), lapse: float = 0.0) -> Maker:
    """Return a maker of logistic judges in a world of this spread."""
    return lambda z: (sd * z, LogisticJudge(sd * z, cuts, lapse=lapse))


def flat(accuracy: float) -> Maker:
    """Return a maker of judges that err equally often however far essays are apart."""
    return lambda z: (z, FlippingJudge(z, accuracy))


@dataclass(frozen=True)
class Kind:
    """A kind of judge with the bars of its refusals and of its grades."""

    make: Maker
    refused: Bar | None = None
    graded: Bar | None = None
    has_degrees: bool = False
    is_worthless: bool = False


JUDGES = {
    "coin": Kind(lambda z: (z, CoinFlipJudge()), graded=at_most(0.01), is_worthless=True),
    "position only": Kind(
        lambda z: (z, PositionOnlyJudge()), graded=at_most(0.01), is_worthless=True
    ),
    "flat 65%": Kind(flat(0.65)),
    "flat 70%": Kind(flat(0.7), refused=at_most(0.02)),
    "logistic 65%": Kind(logistic(SD_OF_65_PERCENT), refused=at_most(0.01)),
    "logistic 70%": Kind(logistic(SD_OF_70_PERCENT), refused=at_most(0.01)),
    "sd 1, lapses 10%": Kind(logistic(1.0, lapse=0.1), refused=at_most(0.01)),
    "sd 2": Kind(logistic(2.0), refused=at_most(0.01)),
    "sd 2, degrees": Kind(logistic(2.0, CUTS), refused=at_most(0.01), has_degrees=True),
    "sd 4": Kind(logistic(4.0), refused=at_most(0.01)),
}
QUICK_JUDGES = ("coin", "flat 70%", "logistic 65%", "sd 2, degrees")


@dataclass(frozen=True)
class End:
    """How one batch ended, and how true its figures were."""

    look: Look
    truth: NDArray[np.float64]

    @property
    def is_refused(self) -> bool:
        """Whether the batch failed."""
        return self.look.decision.decision is DecisionKind.FINALIZE_FAILURE

    @property
    def is_proven(self) -> bool:
        """Whether the batch would have grades."""
        return not self.is_refused and self.look.context.signal_proven

    def coverage(self) -> float:
        """Share of 95% intervals that hold the true ability."""
        off = self.look.ability - (self.truth - self.truth.mean())
        return float((np.abs(off) < Z95 * self.look.standard_error).mean())

    def realised(self) -> float:
        """Squared correlation of reported and true abilities."""
        if self.look.ability.std() == 0.0:
            return 0.0
        return float(np.corrcoef(self.look.ability, self.truth)[0, 1] ** 2)

    def is_held(self) -> bool:
        """Whether the reliability's interval holds the realised one."""
        low, high = self.look.scores.reliability.reliability_interval or (0.0, 1.0)
        return low <= self.realised() <= high


def batch_end(kind: Kind, n: int, seed: int, config: BatchConfig | None = None) -> End:
    """Run one batch in a world drawn from the seed."""
    truth, judge = kind.make(np.random.default_rng([seed, n]).normal(size=n))
    batch = ProductBatch(n, judge, seed, config or BatchConfig(), kind.has_degrees)
    return End(batch.run()[-1], truth)


def share(values: Sequence[bool]) -> str:
    """Return a share with its 95% Wilson interval."""
    low, high = wilson_interval(float(np.mean(values)), len(values))
    return f"{np.mean(values):.3f} ({low:.3f}-{high:.3f})"


def end_row(name: str, n: int, ends: Sequence[End]) -> dict[str, object]:
    """Describe how the batches of one judge and one size of class ended."""
    reliability = [end.look.scores.reliability for end in ends]
    return {
        "study": "ends",
        "judge": name,
        "essays": n,
        "batches": len(ends),
        "refused": share([end.is_refused for end in ends]),
        "unproven": share([not (end.is_refused or end.is_proven) for end in ends]),
        "grades": share([end.is_proven for end in ends]),
        "per_essay": float(np.mean([end.look.per_essay for end in ends])),
        "reliability": float(np.mean([r.model_reliability for r in reliability])),
        "low": float(np.mean([r.low for r in reliability])),
        "realised": float(np.mean([end.realised() for end in ends])),
    }


def end_claims(name: str, n: int, ends: Sequence[End]) -> list[Claim]:
    """Set refusals and grades of one judge against the bars."""
    kind, claims = JUDGES[name], []
    if kind.refused is not None:
        refused = float(np.mean([end.is_refused for end in ends]))
        claims.append(Claim(f"refused, {name}, {n} essays", refused, "share", kind.refused))
    if kind.graded is not None:
        graded = float(np.mean([end.is_proven for end in ends]))
        claims.append(Claim(f"given grades, {name}, {n} essays", graded, "share", kind.graded))
    return claims


TARGETS: dict[str, dict[str, float | None]] = {
    "default": {},
    "SE .8": {"target_mean_se": 0.8, "target_reliability": None},
    "SE .6": {"target_mean_se": 0.6, "target_reliability": None},
    "reliability .70": {"target_mean_se": None, "target_reliability": 0.7},
    "reliability .80": {"target_mean_se": None, "target_reliability": 0.8},
}


def target_row(name: str, target: str, n: int, ends: Sequence[End]) -> dict[str, object]:
    """Describe what the intervals hold at the moment of stopping."""
    coverage = [end.coverage() for end in ends]
    reasons = [str(end.look.decision.reason) for end in ends]
    return {
        "study": "targets",
        "judge": name,
        "essays": n,
        "batches": len(ends),
        "target": target,
        "per_essay": float(np.mean([end.look.per_essay for end in ends])),
        "stopped_early": share(["budget" not in r and "denominator" not in r for r in reasons]),
        "coverage": float(np.mean(coverage)),
        "coverage_sem": float(np.std(coverage) / np.sqrt(len(ends))),
        "reliability": float(
            np.mean([end.look.scores.reliability.model_reliability for end in ends])
        ),
        "realised": float(np.mean([end.realised() for end in ends])),
        "interval_holds": share([end.is_held() for end in ends]),
    }


def crowd(folder: Path) -> ReplayJudge:
    """Read the verdicts of one topic; a pair is answered by one of the people who judged it."""
    with (folder / "texts.csv").open(newline="") as texts:
        row_of = {row["id"]: at for at, row in enumerate(csv.DictReader(texts))}
    with (folder / "judgements.csv").open(newline="") as judgements:
        entries = list(csv.DictReader(judgements))
    recorded = Comparisons(
        len(row_of),
        [row_of[entry["text_a"]] for entry in entries],
        [row_of[entry["text_b"]] for entry in entries],
        [{"a": 1, "b": -1, "tie": 0}[entry["verdict"]] for entry in entries],
    )
    return ReplayJudge(recorded)


def crowd_rows(batches: int) -> tuple[list[dict[str, object]], list[Claim]]:
    """Run real people's verdicts through the product."""
    default = Path(__file__).parents[1] / ".." / "shared" / "data"
    folder = Path(os.environ.get("CJ_DATA_DIR", default)) / "arguments"
    topics = sorted(path for path in folder.glob("*") if (path / "judgements.csv").exists())
    if not topics:
        print(f"skipped: no topics in {folder}", file=sys.stderr)
        return [], []
    rows, refused = [], []
    for topic in topics:
        judge = crowd(topic)
        looks = [
            ProductBatch(judge.recorded.n_essays, judge, FIRST_SEED + seed).run()[-1]
            for seed in range(batches)
        ]
        failed = [look.decision.decision is DecisionKind.FINALIZE_FAILURE for look in looks]
        refused += failed
        proven = [look.context.signal_proven for look in looks]
        rows.append(
            {
                "study": "crowds",
                "judge": topic.name,
                "essays": judge.recorded.n_essays,
                "batches": batches,
                "refused": share(failed),
                "grades": share(proven),
                "per_essay": float(np.mean([look.per_essay for look in looks])),
                "reliability": float(
                    np.mean([look.scores.reliability.model_reliability for look in looks])
                ),
            }
        )
    claim = Claim("refused, real crowds", float(np.mean(refused)), "share", at_most(0.01))
    return rows, [claim]


def main() -> None:
    """Run, print, and write the claims."""
    options = arguments(__doc__)
    sizes, batches = ((20,), 12) if options.quick else ((12, 20, 30, 60, 100), 200)
    rows: list[dict[str, object]] = []
    claims: list[Claim] = []
    for n in sizes:
        for name in QUICK_JUDGES if options.quick else JUDGES:
            kind = JUDGES[name]
            ends = [batch_end(kind, n, FIRST_SEED + seed) for seed in range(batches)]
            rows.append(end_row(name, n, ends))
            claims += end_claims(name, n, ends)
    for target, changes in TARGETS.items():
        if options.quick and target not in ("default", "reliability .70"):
            continue
        config = BatchConfig.model_validate(changes)
        kind, n = JUDGES["sd 2, degrees"], 40
        ends = [batch_end(kind, n, FIRST_SEED + seed, config) for seed in range(batches // 2)]
        rows.append(target_row("sd 2, degrees", target, n, ends))
        coverage = float(np.mean([end.coverage() for end in ends]))
        name = f"coverage at the stop, target {target}"
        claims.append(Claim(name, coverage, "share", between(0.92, 0.975)))
        held = float(np.mean([end.is_held() for end in ends]))
        name = f"reliability's interval holds at the stop, target {target}"
        claims.append(Claim(name, held, "share", at_least(0.85)))
    crowds, crowd_claims = crowd_rows(1 if options.quick else 25)
    report(options, rows=rows + crowds, claims=claims + crowd_claims)


if __name__ == "__main__":
    main()
