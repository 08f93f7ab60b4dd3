"""What schedules, a coin and an order effect do to a fit whose prior is right, by simulation.

    python -m benchmarks.schedules [--quick] [--json PATH]

Essays: 100, abilities N(0, 2^2) logits; waves of 4 comparisons per essay; prior sd 2; order effect
and cut points estimated. Everything here is simulated.

1. Coverage of the 95% intervals, and reported against true reliability (squared correlation with
   the truth over the essays of all worlds; the mean within worlds beside it), under random,
   nearest and D-optimal pairing, each without any audit share. The fit is the one that batches use
   (`estimator="variational"`); what the posterior mode with Laplace's standard errors would have
   said of the same verdicts stands beside it.
2. The audit's verdict on coin flips, on a judge who only looks at the position, and on judges of
   70% pairwise agreement, once 150 and 300 audit pairs are in.
3. What scale separation reliability claims of a coin under the same schedules (null-judge replay).
4. The bias of abilities under a judge order bias of .3 logits.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._common import Bar, Claim, arguments, report
from scoring import Comparisons, Fit, fit
from scoring.audit import evidence_against_chance, prequential_audit
from scoring.null_replay import null_judge_replay
from scoring.pairing import WavePlan, plan_wave
from scoring.reliability import model_reliability
from scoring.simulate import (
    CoinFlipJudge,
    FlippingJudge,
    LogisticJudge,
    PositionOnlyJudge,
    random_matchings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scoring.pairing import Strategy
    from scoring.simulate import Judge

N_ESSAYS = 100
SD = 2.0
ROUNDS = 4
Z95 = 1.959964
# sd of abilities at which logistic verdicts on random pairs agree with the truth in 70%
SD_OF_70_PERCENT = 0.85
AUDIT_PAIRS = 150
CUTS = (1.0, 2.5)


@dataclass
class Assessment:
    """One simulated assessment, wave after wave."""

    judge: Judge
    rng: np.random.Generator
    strategy: Strategy = "adaptive"
    audit_share: float = 0.25
    n: int = N_ESSAYS
    first: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    second: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    outcome: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    standing: Fit | None = None
    predicted: list[float] = field(default_factory=list)
    preferred: list[float] = field(default_factory=list)

    def waves(self, count: int) -> Iterator[Fit]:
        """Judge waves; yield the fit after each."""
        for _ in range(count):
            plan = next_wave(self.first, self.second, self.standing, self.rng, self)
            outcome = self.judge.judge(plan.first, plan.second, self.rng)
            self.audit(plan, outcome)
            self.first = np.concatenate([self.first, plan.first])
            self.second = np.concatenate([self.second, plan.second])
            self.outcome = np.concatenate([self.outcome, outcome])
            self.standing = fit(
                self.comparisons(), prior_sd=SD, start=self.standing, estimator="variational"
            )
            yield self.standing

    def comparisons(self) -> Comparisons:
        """All verdicts so far."""
        return Comparisons(self.n, self.first, self.second, self.outcome)

    def audit(self, plan: WavePlan, outcome: np.ndarray) -> None:
        """Predict the audit pairs of a wave by the fit that stood before it."""
        if self.standing is None:
            return
        rows = plan.audit
        self.predicted += self.standing.predict(plan.first[rows], plan.second[rows]).tolist()
        self.preferred += (0.5 + 0.5 * np.sign(outcome[rows])).tolist()


def next_wave(
    first: np.ndarray,
    second: np.ndarray,
    standing: Fit | None,
    rng: np.random.Generator,
    assessment: Assessment,
) -> WavePlan:
    """Plan a wave of four comparisons per essay."""
    return plan_wave(
        assessment.n,
        rng=rng,
        rounds=ROUNDS,
        first=first,
        second=second,
        strategy=assessment.strategy,
        audit_share=assessment.audit_share,
        ability=None if standing is None else standing.ability,
        covariance=None if standing is None else standing.covariance,
    )


@dataclass(frozen=True)
class Schedule:
    """A way to pair, and a judge."""

    name: str
    strategy: Strategy
    audit_share: float = 0.0
    cuts: tuple[float, ...] = ()
    order_effect: float = 0.0


SCHEDULES = [
    Schedule("random", "random"),
    Schedule("nearest", "nearest"),
    Schedule("D-optimal", "d_optimal"),
    Schedule("adaptive, 25% audit", "adaptive", 0.25),
    Schedule("adaptive, 25% audit, order bias .3", "adaptive", 0.25, (), 0.3),
    Schedule("adaptive, 25% audit, 6 answers", "adaptive", 0.25, CUTS),
]


def measure_coverage(fitted: Fit, truth: np.ndarray) -> float:
    """Share of essays whose 95% interval holds the truth."""
    return float((np.abs(fitted.ability - truth) < Z95 * fitted.standard_error).mean())


def calibration_rows(schedule: Schedule, worlds: int, waves: int) -> list[dict[str, Any]]:
    """Measure coverage and reliability after every wave."""
    samples: dict[int, list[tuple[float, ...]]] = defaultdict(list)
    pooled: dict[int, list[np.ndarray]] = defaultdict(list)
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        ability = rng.normal(0.0, SD, N_ESSAYS)
        truth = ability - ability.mean()
        judge = LogisticJudge(ability, schedule.cuts, order_effect=schedule.order_effect)
        run = Assessment(judge, rng, schedule.strategy, schedule.audit_share)
        for wave, result in enumerate(run.waves(waves), start=1):
            true = np.corrcoef(result.ability, truth)[0, 1] ** 2
            mode = fit(run.comparisons(), prior_sd=SD, start=result, estimator="map")
            samples[wave * ROUNDS].append(
                (
                    measure_coverage(result, truth),
                    model_reliability(result),
                    true,
                    measure_coverage(mode, truth),
                    model_reliability(mode),
                )
            )
            pooled[wave * ROUNDS].append(np.stack([result.ability, truth]))
    rows = []
    for k, values in samples.items():
        coverage, reported, within, mode_coverage, mode_reported = np.mean(values, axis=0)
        true = np.corrcoef(np.hstack(pooled[k]))[0, 1] ** 2
        rows.append(
            {
                "study": "calibration",
                "schedule": schedule.name,
                "k": k,
                "worlds": worlds,
                "coverage": float(coverage),
                "reported": float(reported),
                "true": float(true),
                "true_within_world": float(within),
                "error": float(reported - true),
                "coverage_of_mode": float(mode_coverage),
                "error_of_mode": float(mode_reported - true),
            }
        )
    return rows


JUDGES: dict[str, Callable[[np.random.Generator, int], Judge]] = {
    "coin flips": lambda _rng, _n: CoinFlipJudge(),
    "position only": lambda _rng, _n: PositionOnlyJudge(),
    "70%, logistic": lambda rng, n: LogisticJudge(rng.normal(0.0, SD_OF_70_PERCENT, n)),
    "70%, whatever the distance": lambda rng, n: FlippingJudge(rng.normal(size=n), 0.7),
    "logistic, sd 2": lambda rng, n: LogisticJudge(rng.normal(0.0, SD, n)),
}
# (essays, audit pairs): 16, 28 and 36 comparisons an essay
AUDITS = ((100, AUDIT_PAIRS), (100, 2 * AUDIT_PAIRS), (40, AUDIT_PAIRS))


AUDIT_FIGURES = {
    "audit_pairs": "n",
    "at_chance": "at_chance",
    "log_bayes_factor": "log_bayes_factor",
    "agreement": "agreement",
    "log_loss": "log_loss",
    "slope": "slope",
    "chance_z": "chance_z",
}


def audit_row(name: str, runs: int, n: int, audit_pairs: int) -> dict[str, Any]:
    """Audit one kind of judge once enough audit pairs are in, with and without the evidence."""
    audits, reliabilities = [], []
    for seed in range(runs):
        rng = np.random.default_rng(10_000 + seed)
        run = Assessment(JUDGES[name](rng, n), rng, n=n)
        result = next(fitted for fitted in run.waves(20) if len(run.predicted) >= audit_pairs)
        evidence = evidence_against_chance(run.comparisons())
        audits.append(prequential_audit(run.predicted, run.preferred, log_bayes_factor=evidence))
        reliabilities.append(model_reliability(result))
    return {
        "study": "audit",
        "judge": name,
        "essays": n,
        "runs": runs,
        **{
            column: float(np.mean([getattr(audit, figure) for audit in audits]))
            for column, figure in AUDIT_FIGURES.items()
        },
        "model_reliability": float(np.mean(reliabilities)),
    }


def agreement_of_logistic_judge(sd: float) -> float:
    """Return the pairwise agreement with the truth of a logistic judge, by simulation."""
    rng = np.random.default_rng(0)
    gap = np.abs(rng.normal(0.0, sd * np.sqrt(2.0), 400_000))
    return float((1.0 / (1.0 + np.exp(-gap))).mean())


def replay_rows(runs: int) -> list[dict[str, Any]]:
    """Replay schedules with a coin and show what separation reliability claims."""
    rows = []
    for strategy in ("random", "nearest", "d_optimal"):
        assessment = Assessment(CoinFlipJudge(), np.random.default_rng(0), strategy, 0.0)

        def plan(
            first: np.ndarray,
            second: np.ndarray,
            standing: Fit | None,
            rng: np.random.Generator,
            assessment: Assessment = assessment,
        ) -> tuple[np.ndarray, np.ndarray]:
            wave = next_wave(first, second, standing, rng, assessment)
            return wave.first, wave.second

        for estimator in ("epsilon", "map"):
            replay = null_judge_replay(
                N_ESSAYS,
                plan,
                waves=4,
                rng=np.random.default_rng(7),
                runs=runs,
                estimator=estimator,
                prior_sd=SD,
            )
            rows.append(
                {
                    "study": "null replay",
                    "schedule": strategy,
                    "estimator": estimator,
                    "runs": runs,
                    "ssr": float(replay.separation.mean()),
                    "split_half": float(replay.split_half.mean()),
                }
            )
    return rows


def order_bias_row(runs: int) -> dict[str, Any]:
    """Measure how far an order bias moves essays that are always shown first."""
    half = N_ESSAYS // 2
    shift = []
    for seed in range(runs):
        rng = np.random.default_rng(20_000 + seed)
        ability = rng.normal(0.0, SD, N_ESSAYS)
        ability -= np.repeat([ability[:half].mean(), ability[half:].mean()], half)
        left, right = random_matchings(N_ESSAYS, 20, rng)
        swap = (left >= half) & (right < half)
        first, second = np.where(swap, right, left), np.where(swap, left, right)
        outcome = LogisticJudge(ability, order_effect=0.3).judge(first, second, rng)
        data = Comparisons(N_ESSAYS, first, second, outcome)
        fits = (fit(data, estimator="map"), fit(data, order_effect=False, estimator="map"))
        shift.append([f.ability[:half].mean() for f in fits])
    corrected, ignored = np.mean(shift, axis=0)
    return {
        "study": "order bias",
        "runs": runs,
        "bias_sd": float(abs(corrected) / SD),
        "bias_sd_without_parameter": float(abs(ignored) / SD),
        "standard_error_sd": float(np.std(shift, axis=0)[0] / np.sqrt(runs) / SD),
    }


def make_claims(rows: list[dict[str, Any]]) -> list[Claim]:
    """Set the measured values against their bars."""
    studies: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        studies[row["study"]].append(row)
    return [
        *make_calibration_claims(studies["calibration"]),
        *make_audit_claims(studies["audit"]),
        make_replay_claim(studies["null replay"]),
        *(
            Claim("bias of abilities at order bias .3", row["bias_sd"], "sd", Bar(high=0.02))
            for row in studies["order bias"]
        ),
    ]


def make_calibration_claims(rows: list[dict[str, Any]]) -> Iterator[Claim]:
    """Coverage and reliability from the eighth comparison per essay on."""
    bar = Bar(0.92, 0.97)
    for schedule in SCHEDULES:
        name = schedule.name
        late = [row for row in rows if row["schedule"] == name and row["k"] >= 8]
        coverages = [row["coverage"] for row in late]
        error = max(abs(row["error"]) for row in late)
        yield Claim(f"lowest coverage at k >= 8, {name}", min(coverages), "share", bar)
        yield Claim(f"highest coverage at k >= 8, {name}", max(coverages), "share", bar)
        yield Claim(f"largest reliability error at k >= 8, {name}", error, "", Bar(high=0.03))


def make_audit_claims(rows: list[dict[str, Any]]) -> Iterator[Claim]:
    """No good judge is called a coin; what becomes of coins is in benchmarks.stopping."""
    for row in rows:
        judge, n_pairs = row["judge"], int(row["audit_pairs"])
        if judge not in ("coin flips", "position only"):
            name = f"called at chance, {row['essays']} essays, {n_pairs} audit pairs: {judge}"
            yield Claim(name, row["at_chance"], "share of runs", Bar(high=0.01))


def make_replay_claim(rows: list[dict[str, Any]]) -> Claim:
    """What the separation reliability of a coin would be where no prior shrinks it."""
    separation = {(row["schedule"], row["estimator"]): row["ssr"] for row in rows}
    return Claim(
        "what SSR claims of a coin, nearest pairing, no prior",
        separation["nearest", "epsilon"],
        "SSR (shown, not reported)",
        Bar(low=0.7),
    )


def main() -> None:
    """Run the studies and write rows and claims."""
    options = arguments(__doc__)
    worlds, runs, replays, order_runs = (20, 60, 5, 200) if options.quick else (300, 500, 40, 2000)
    rows: list[dict[str, Any]] = []
    for schedule in SCHEDULES:
        rows += calibration_rows(schedule, worlds, 6)
    for n, pairs in AUDITS:
        rows += [audit_row(name, runs, n, pairs) for name in JUDGES]
    rows += replay_rows(replays)
    rows.append(order_bias_row(order_runs))
    print(f"agreement of the logistic judge: {agreement_of_logistic_judge(SD_OF_70_PERCENT):.4f}")
    report(options, rows=rows, claims=make_claims(rows))


if __name__ == "__main__":
    main()
