"""When does a batch stop, whom does it refuse, and is what it then says true?

    python -m benchmarks.stopping [--quick] [--json PATH] [--cells A-B] [--share F] [--list]

Every batch runs through the product's own planner, statistics and decisions with its default
settings (no anchors; a batch "would have grades" when its signal is proven). Three kinds of rows:

ends      what becomes of the batches of weak, honest, real and worthless judges
targets   coverage of the result's 95% intervals, by the target that stopped the batch
precision shares of waves after which a standard error is larger than before, in logits and in
          standard deviations of the abilities
crowds    real human verdicts of eight topics (`CJ_DATA_DIR`/arguments): each question is answered
          by one of the people who judged that pair, drawn at random

Every batch is kept (`benchmarks._kept`), so that the whole can be run in parts: `--list` numbers
the cells, `--cells A-B` runs some of them, `--share` a part of their batches, and every run prints
all that is kept. `BENCH_WORKERS` processes (default 2) share the work.

The thresholds (`min_reliability`, log Bayes factors of log 10 and -log 20) were chosen on seeds 0
to 5,299 with judges coin, logistic 65% and 70%, flat 70%, sd 1 and sd 2 and classes of 6 to 30.
Seeds here are from 10,000 on; classes of 60 and 100, the judges position only, flat 65%, lapses,
sd 4, the three degrees and the crowds were not looked at while choosing. -log 20 became -log 100,
which Ville's inequality asks for 1%, when judges of logistic 65% were refused in 3 of the first 120
classes of 30 here.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from assessment.domain.config import BatchConfig
from assessment.domain.decision import DecisionKind
from benchmarks._common import Bar, Claim, arguments, report, write_json
from benchmarks._kept import KeptResults, kept_cells, print_cells
from benchmarks._real_judging import list_crowds, read_crowd
from runner.offline.simulated_batch import ProductBatch
from scoring.proportions import wilson_interval
from scoring.simulate import (
    CoinFlipJudge,
    FlippingJudge,
    LogisticJudge,
    PositionOnlyJudge,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from assessment.domain.result import Ranking
    from runner.offline.simulated_batch import Look
    from scoring.simulate import Judge

    type Maker = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], Judge]]

FIRST_SEED = 10_000
# Spreads of abilities whose logistic judge agrees with the truth in 65% and 70% of all pairs.
SD_OF_65_PERCENT, SD_OF_70_PERCENT = 0.585, 0.843
CUTS = (1.0, 2.5)
COVERAGE = Bar(0.92, 0.975)
# Batches by size of class, and at most what a judge's claims need: 400 without a refusal speak for
# at most 1%, 200 for at most 2% (Wilson, 95%). Judges without a claim, or whose end nobody doubts,
# have few.
BATCHES = {20: 400, 30: 400, 12: 400, 60: 40, 100: 10}
FEW = 80
CODE = (
    "layers/scoring/scoring",
    "layers/service/assessment/domain",
    "layers/service/assessment/statistics",
    "runner/runner/offline/simulated_batch.py",
    "benchmarks/_real_judging.py",
    "benchmarks/stopping.py",
)


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
    most_batches: int = FEW


JUDGES = {
    "coin": Kind(lambda z: (z, CoinFlipJudge()), graded=Bar(high=0.01), most_batches=400),
    "position only": Kind(lambda z: (z, PositionOnlyJudge()), graded=Bar(high=0.01)),
    "flat 65%": Kind(flat(0.65)),
    "flat 70%": Kind(flat(0.7), refused=Bar(high=0.02), most_batches=300),
    "logistic 65%": Kind(logistic(SD_OF_65_PERCENT), refused=Bar(high=0.01), most_batches=400),
    "logistic 70%": Kind(logistic(SD_OF_70_PERCENT), refused=Bar(high=0.01), most_batches=400),
    "sd 1, lapses 10%": Kind(logistic(1.0, lapse=0.1), refused=Bar(high=0.01)),
    "sd 2": Kind(logistic(2.0), refused=Bar(high=0.01)),
    "sd 2, degrees": Kind(logistic(2.0, CUTS), refused=Bar(high=0.01), has_degrees=True),
    "sd 4": Kind(logistic(4.0), refused=Bar(high=0.01)),
}
PRECISION_JUDGES = ("logistic 70%", "sd 2", "sd 2, degrees", "sd 4")
QUICK_JUDGES = ("coin", "flat 70%", "logistic 65%", "sd 2, degrees")


@dataclass(frozen=True)
class End:
    """How one batch ended, and how true its figures were.

    Attributes
    ----------
    is_refused, is_proven : bool
        Whether the batch failed, and whether it would have grades.
    reason : str
        Why it ended.
    per_essay, reliability : float
        Comparisons per essay, and the reliability that was reported.
    realised, coverage : float or None
        Squared correlation of reported and true abilities, and the share of published 95% intervals
        that hold the true ability; None where it is not asked for.
    is_held : bool or None
        Whether the reliability's interval holds the realised one.
    rises : dict
        By standard error: whether it rose from one wave to the next.
    """

    is_refused: bool
    is_proven: bool
    reason: str
    per_essay: float
    reliability: float
    realised: float | None
    coverage: float | None
    is_held: bool | None
    rises: dict[str, list[bool]]

    @classmethod
    def of_looks(
        cls,
        looks: Sequence[Look],
        truth: NDArray[np.float64] | None,
        coverage: float | None = None,
    ) -> End:
        """Describe a batch by its looks, and by what the intervals of its result hold."""
        last = looks[-1]
        is_refused = last.decision.decision is DecisionKind.FINALIZE_FAILURE
        realised = None if truth is None else squared_correlation(last.ability, truth)
        low, high = last.scores.reliability.reliability_interval or (0.0, 1.0)
        figures = [look.scores.reliability for look in looks]
        return cls(
            is_refused=is_refused,
            is_proven=not is_refused and last.context.signal_proven,
            reason=str(last.decision.reason),
            per_essay=last.per_essay,
            reliability=figures[-1].model_reliability,
            realised=realised,
            coverage=coverage,
            is_held=None if realised is None else bool(low <= realised <= high),
            rises={
                error: [
                    bool(getattr(after, error) > getattr(before, error))
                    for before, after in itertools.pairwise(figures)
                ]
                for error in ("mean_se", "standardised_se")
            },
        )


def share_held(rankings: Sequence[Ranking], truth: NDArray[np.float64]) -> float:
    """Share of published 95% intervals that hold the true ability."""
    ranked = sorted(rankings, key=lambda ranking: ranking.essay_id)
    low, high = np.array([ranking.bradley_terry_interval for ranking in ranked], dtype=float).T
    true = truth - truth.mean()
    return float(((low < true) & (true < high)).mean())


def squared_correlation(ability: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Squared correlation of reported and true abilities; 0 where all abilities are the same."""
    return float(np.corrcoef(ability, truth)[0, 1] ** 2) if ability.std() > 0.0 else 0.0


@dataclass(frozen=True)
class Cell:
    """One kind of batch: a judge, a size of class and a target, or a topic's crowd."""

    study: Literal["ends", "crowds", "targets", "precision"]
    judge: str
    n: int
    batches: int
    target: str = "default"

    @property
    def label(self) -> str:
        """What distinguishes it from all others."""
        return f"{self.study}, {self.judge}, {self.n} essays, {self.target}"


def batch_end(cell: Cell, number: int) -> dict[str, object]:
    """Run the batch of a cell with this number; an `End` by its fields."""
    seed = FIRST_SEED + number
    config = BatchConfig.model_validate(TARGETS[cell.target])
    if cell.study == "crowds":
        judge: Judge = read_crowd(cell.judge)
        return asdict(End.of_looks(ProductBatch(cell.n, judge, seed, config).run(), None))
    kind = JUDGES[cell.judge]
    truth, judge = kind.make(np.random.default_rng([seed, cell.n]).normal(size=cell.n))
    batch = ProductBatch(cell.n, judge, seed, config, kind.has_degrees)
    looks = batch.run()
    coverage = None
    if cell.study == "targets":
        coverage = share_held(batch.conclude().scores.rankings, truth)
    return asdict(End.of_looks(looks, truth, coverage))


def interval(values: Sequence[bool]) -> str:
    """Return the 95% Wilson interval of a share, in words."""
    low, high = wilson_interval(float(np.mean(values)), len(values))
    return f"share, {low:.3f} to {high:.3f}"


def share(values: Sequence[bool]) -> str:
    """Return a share with its 95% Wilson interval."""
    low, high = wilson_interval(float(np.mean(values)), len(values))
    return f"{np.mean(values):.3f} ({low:.3f}-{high:.3f})"


def end_row(cell: Cell, ends: Sequence[End]) -> dict[str, object]:
    """Describe how the batches of one cell ended."""
    known = [end.realised for end in ends if end.realised is not None]
    return {
        "study": cell.study,
        "judge": cell.judge,
        "essays": cell.n,
        "batches": len(ends),
        "refused": share([end.is_refused for end in ends]),
        "unproven": share([not (end.is_refused or end.is_proven) for end in ends]),
        "grades": share([end.is_proven for end in ends]),
        "per_essay": float(np.mean([end.per_essay for end in ends])),
        "reliability": float(np.mean([end.reliability for end in ends])),
        "realised": float(np.mean(known)) if known else None,
    }


def end_claims(cell: Cell, ends: Sequence[End]) -> list[Claim]:
    """Set refusals and grades of one judge against the bars."""
    kind, claims = JUDGES[cell.judge], []
    if kind.refused is not None:
        refused = [end.is_refused for end in ends]
        what, value = f"refused, {cell.judge}, {cell.n} essays", float(np.mean(refused))
        claims.append(Claim(what, value, interval(refused), kind.refused))
    if kind.graded is not None:
        graded = [end.is_proven for end in ends]
        what, value = f"given grades, {cell.judge}, {cell.n} essays", float(np.mean(graded))
        claims.append(Claim(what, value, interval(graded), kind.graded))
    return claims


TARGETS: dict[str, dict[str, float | None]] = {
    "default": {},
    "SE .40": {"target_mean_se": 0.4, "target_reliability": None},
    "SE .30": {"target_mean_se": 0.3, "target_reliability": None},
    "reliability .70": {"target_mean_se": None, "target_reliability": 0.7},
    "reliability .80": {"target_mean_se": None, "target_reliability": 0.8},
    "budget alone": {"target_mean_se": None, "target_reliability": None},
}


def target_row(cell: Cell, ends: Sequence[End]) -> dict[str, object]:
    """Describe what the intervals hold at the moment of stopping."""
    coverage = [end.coverage for end in ends if end.coverage is not None]
    reasons = [end.reason for end in ends]
    return {
        **end_row(cell, ends),
        "target": cell.target,
        "stopped_early": share(["budget" not in r and "denominator" not in r for r in reasons]),
        "coverage": float(np.mean(coverage)),
        "coverage_sem": float(np.std(coverage) / np.sqrt(len(ends))),
        "interval_holds": share([bool(end.is_held) for end in ends]),
    }


def target_claims(cell: Cell, ends: Sequence[End]) -> list[Claim]:
    """Set what intervals hold at the stop against the bars."""
    coverage = float(np.mean([end.coverage for end in ends if end.coverage is not None]))
    held = [bool(end.is_held) for end in ends]
    what = f"reliability's interval holds at the stop, target {cell.target}"
    return [
        Claim(f"coverage at the stop, target {cell.target}", coverage, "share", COVERAGE),
        Claim(what, float(np.mean(held)), interval(held), Bar(low=0.85)),
    ]


def precision_row(cell: Cell, ends: Sequence[End]) -> dict[str, object]:
    """Count the waves that make standard errors larger."""
    row: dict[str, object] = {"study": cell.study, "judge": cell.judge, "essays": cell.n}
    rises = {f"{error}_rises": share(waves(ends, error)) for error in ends[0].rises}
    return {**row, "batches": len(ends), **rises}


def precision_claims(cell: Cell, ends: Sequence[End]) -> list[Claim]:
    """Set the waves that make the standardised error larger against the bar."""
    seen = waves(ends, "standardised_se")
    what = f"waves that raise the standardised error, {cell.judge}"
    return [Claim(what, float(np.mean(seen)), interval(seen), Bar(high=0.1))]


def waves(ends: Sequence[End], error: str) -> list[bool]:
    """Whether a standard error rose, of all waves of all batches."""
    return list(chain.from_iterable(end.rises[error] for end in ends))


def crowd_claims(ends: Sequence[End]) -> list[Claim]:
    """Set the refusals of all topics together against the bar."""
    refused = [end.is_refused for end in ends]
    value = float(np.mean(refused)) if refused else None
    return [Claim("refused, real crowds", value, interval(refused), Bar(high=0.01))]


def all_cells(*, quick: bool) -> list[Cell]:
    """List the cells, those of refusals first."""
    sizes = {20: 12} if quick else BATCHES
    names = QUICK_JUDGES if quick else tuple(JUDGES)
    targets = ("default", "reliability .70") if quick else tuple(TARGETS)[:-1]
    each, crowds, budget = (6, 1, 6) if quick else (100, 50, 40)
    return [
        *(
            Cell("ends", name, n, min(count, JUDGES[name].most_batches))
            for n, count in sizes.items()
            for name in names
        ),
        *(
            Cell("crowds", topic, read_crowd(topic).recorded.n_essays, crowds)
            for topic in list_crowds()
        ),
        *(Cell("targets", "sd 2, degrees", 40, each, target) for target in targets),
        *(Cell("precision", name, 30, budget, "budget alone") for name in PRECISION_JUDGES),
    ]


def described(
    results: Iterable[tuple[Cell, list[Any]]],
) -> Iterator[tuple[list[dict[str, object]], list[Claim]]]:
    """Yield all rows and claims so far, cell by cell."""
    rows: list[dict[str, object]] = []
    claims: list[Claim] = []
    crowds: list[End] = []
    for cell, kept in results:
        ends = [End(**result) for result in kept]
        if cell.study == "targets":
            rows.append(target_row(cell, ends))
            claims += target_claims(cell, ends)
        elif cell.study == "precision":
            rows.append(precision_row(cell, ends))
            claims += precision_claims(cell, ends)
        else:
            rows.append(end_row(cell, ends))
            claims += [] if cell.study == "crowds" else end_claims(cell, ends)
        crowds += ends if cell.study == "crowds" else []
        yield rows, [*claims, *(crowd_claims(crowds) if crowds else [])]


def main() -> None:
    """Run what is missing, and write rows and claims of all that is kept."""
    options = arguments(__doc__, has_cells=True)
    cells = all_cells(quick=options.quick)
    kept = KeptResults.of_code("stopping", CODE)
    if options.lists_cells:
        print_cells(cells, kept)
        return
    rows: list[dict[str, object]] = []
    claims: list[Claim] = []
    for rows, claims in described(kept_cells(kept, cells, batch_end, options)):
        write_json(options, rows=rows, claims=claims)
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main()
