"""When does a batch stop, whom does it refuse, and is what it then says true?

    python -m benchmarks.stopping [--quick] [--json PATH]

Every batch runs through the product's own planner, statistics and decisions with its default
settings (no anchors; a batch "would have grades" when its signal is proven). Three kinds of rows:

ends      what becomes of the batches of weak, honest, real and worthless judges
targets   coverage of 95% intervals at the stop, by the target that stopped the batch
precision shares of waves after which a standard error is larger than before, in logits and in
          standard deviations of the abilities
crowds    real human verdicts of eight topics (`CJ_DATA_DIR`/arguments): each question is answered
          by one of the people who judged that pair, drawn at random

The thresholds (`min_reliability`, log Bayes factors of log 10 and -log 20) were chosen on seeds 0
to 5,299 with judges coin, logistic 65% and 70%, flat 70%, sd 1 and sd 2 and classes of 6 to 30.
Seeds here are from 10,000 on; classes of 60 and 100, the judges position only, flat 65%, lapses,
sd 4, the three degrees and the crowds were not looked at while choosing.
"""

from __future__ import annotations

import csv
import itertools
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assessment.domain.config import BatchConfig
from assessment.domain.decision import DecisionKind
from benchmarks._common import (
    Bar,
    Claim,
    arguments,
    at_least,
    at_most,
    between,
    report,
    write_json,
)
from runner.offline.simulated_batch import Look, ProductBatch
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
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from scoring.simulate import Judge

    type Maker = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], Judge]]

FIRST_SEED = 10_000
Z95 = 1.959964
# Spreads of abilities whose logistic judge agrees with the truth in 65% and 70% of all pairs.
SD_OF_65_PERCENT, SD_OF_70_PERCENT = 0.585, 0.843
CUTS = (1.0, 2.5)
COVERAGE = between(0.92, 0.975)
# Batches by size of class: 300 without a refusal speak for at most 1.3% (Wilson, 95%).
BATCHES = {20: 300, 30: 300, 12: 300, 60: 60, 100: 20}


def logistic(sd: float, cuts: tuple[float, ...] = (), lapse: float = 0.0) -> Maker:
    """Return a maker of logistic judges in a world of this spread."""
    return lambda z: (sd * z, LogisticJudge(sd * z, cuts, lapse=lapse))


def flat(accuracy: float) -> Maker:
    """Return a maker of judges that err equally often however far essays are apart."""
    return lambda z: (z, FlippingJudge(z, accuracy))


@dataclass(frozen=True)
class Study:
    """One row of a study with its claims; the claims of a whole study have no row."""

    row: dict[str, object] | None
    claims: list[Claim] = field(default_factory=list)


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
PRECISION_JUDGES = ("logistic 70%", "sd 2", "sd 2, degrees", "sd 4")
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


def interval(values: Sequence[bool]) -> str:
    """Return the 95% Wilson interval of a share, in words."""
    low, high = wilson_interval(float(np.mean(values)), len(values))
    return f"share, {low:.3f} to {high:.3f}"


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
        refused = [end.is_refused for end in ends]
        what, value = f"refused, {name}, {n} essays", float(np.mean(refused))
        claims.append(Claim(what, value, interval(refused), kind.refused))
    if kind.graded is not None:
        graded = [end.is_proven for end in ends]
        what, value = f"given grades, {name}, {n} essays", float(np.mean(graded))
        claims.append(Claim(what, value, interval(graded), kind.graded))
    return claims


TARGETS: dict[str, dict[str, float | None]] = {
    "default": {},
    "SE .40": {"target_mean_se": 0.4, "target_reliability": None},
    "SE .30": {"target_mean_se": 0.3, "target_reliability": None},
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


def crowd_study(batches: int) -> Iterator[Study]:
    """Run real people's verdicts through the product."""
    default = Path(__file__).parents[1] / ".." / "shared" / "data"
    folder = Path(os.environ.get("CJ_DATA_DIR", default)) / "arguments"
    topics = sorted(path for path in folder.glob("*") if (path / "judgements.csv").exists())
    if not topics:
        print(f"skipped: no topics in {folder}", file=sys.stderr)
        return
    refused: list[bool] = []
    for topic in topics:
        judge = crowd(topic)
        looks = [
            ProductBatch(judge.recorded.n_essays, judge, FIRST_SEED + seed).run()[-1]
            for seed in range(batches)
        ]
        failed = [look.decision.decision is DecisionKind.FINALIZE_FAILURE for look in looks]
        refused += failed
        yield Study(crowd_row(topic.name, judge.recorded.n_essays, looks, failed))
    claim = Claim("refused, real crowds", float(np.mean(refused)), interval(refused), at_most(0.01))
    yield Study(None, [claim])


def crowd_row(
    topic: str, n_essays: int, looks: Sequence[Look], failed: Sequence[bool]
) -> dict[str, object]:
    """Describe how the batches of one topic ended."""
    reliability = [look.scores.reliability.model_reliability for look in looks]
    return {
        "study": "crowds",
        "judge": topic,
        "essays": n_essays,
        "batches": len(looks),
        "refused": share(failed),
        "grades": share([look.context.signal_proven for look in looks]),
        "per_essay": float(np.mean([look.per_essay for look in looks])),
        "reliability": float(np.mean(reliability)),
    }


def end_study(counts: Mapping[int, int], names: Sequence[str]) -> Iterator[Study]:
    """Run every kind of judge in classes of every size."""
    for n, batches in counts.items():
        for name in names:
            ends = [batch_end(JUDGES[name], n, FIRST_SEED + seed) for seed in range(batches)]
            yield Study(end_row(name, n, ends), end_claims(name, n, ends))


def target_study(targets: Sequence[str], batches: int) -> Iterator[Study]:
    """Run batches that stop by each target."""
    kind, n = JUDGES["sd 2, degrees"], 40
    for target in targets:
        config = BatchConfig.model_validate(TARGETS[target])
        ends = [batch_end(kind, n, FIRST_SEED + seed, config) for seed in range(batches)]
        coverage = float(np.mean([end.coverage() for end in ends]))
        held = [end.is_held() for end in ends]
        claims = [
            Claim(f"coverage at the stop, target {target}", coverage, "share", COVERAGE),
            Claim(
                f"reliability's interval holds at the stop, target {target}",
                float(np.mean(held)),
                interval(held),
                at_least(0.85),
            ),
        ]
        yield Study(target_row("sd 2, degrees", target, n, ends), claims)


def precision_study(batches: int) -> Iterator[Study]:
    """Count the waves that make standard errors larger, in batches that only the budget ends."""
    config = BatchConfig(target_mean_se=None, target_reliability=None)
    for name in PRECISION_JUDGES:
        rises: dict[str, list[bool]] = {"mean_se": [], "standardised_se": []}
        for seed in range(FIRST_SEED, FIRST_SEED + batches):
            _, judge = JUDGES[name].make(np.random.default_rng([seed, 30]).normal(size=30))
            looks = ProductBatch(30, judge, seed, config, JUDGES[name].has_degrees).run()
            figures = [look.scores.reliability for look in looks]
            for before, after in itertools.pairwise(figures):
                for figure, seen in rises.items():
                    seen.append(getattr(after, figure) > getattr(before, figure))
        row: dict[str, object] = {"study": "precision", "judge": name, "essays": 30}
        row |= {
            "batches": batches,
            **{f"{figure}_rises": share(seen) for figure, seen in rises.items()},
        }
        what, seen = f"waves that raise the standardised error, {name}", rises["standardised_se"]
        yield Study(row, [Claim(what, float(np.mean(seen)), interval(seen), at_most(0.1))])


def studies(*, quick: bool) -> Iterator[Study]:
    """All studies, those of refusals first."""
    if quick:
        yield from end_study({20: 12}, QUICK_JUDGES)
        yield from target_study(("default", "reliability .70"), 6)
        yield from crowd_study(1)
        yield from precision_study(6)
        return
    yield from end_study(BATCHES, list(JUDGES))
    yield from crowd_study(25)
    yield from target_study(list(TARGETS), 100)
    yield from precision_study(100)


def main() -> None:
    """Run, print, and write the claims; the JSON is written again after every kind of batch."""
    options = arguments(__doc__)
    rows: list[dict[str, object]] = []
    claims: list[Claim] = []
    for study in studies(quick=options.quick):
        rows += [] if study.row is None else [study.row]
        claims += study.claims
        write_json(options, rows=rows, claims=claims)
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main()
