"""Juries: do judges' own parameters predict verdicts, and do intervals hold people's truth?

    python -m benchmarks.juries [--quick] [--json PATH]

1. Real judging (`CJ_DATA_DIR`, default ../shared/data): verdicts of four folds are predicted from
   the other three by fits without order effects, with order effects (topics of arguments, which
   record what was shown first), and with discriminations (topics and sessions). `loss_*` is the
   mean log loss less that of the fit without; each verdict's is averaged over several splits into
   folds, because splits of one topic differ by as much as the bar. Its `error` is the 95% half
   width over verdicts.
2. People beside a model (simulated): 60 essays of sd 1.5, four people and a model whose ability of
   an essay is 2 (theta + u), u ~ N(0, tau^2), random pairs. Intervals are those of the fit of
   batches (`scoring.construct_gap`); `held` is the share of 95% intervals that hold people's
   abilities (`bradley_terry_interval` of a result), and `held_by_error` that of 1.96 standard
   errors to both sides. `judge_scale_held` is that of intervals of a fit that takes all judges for
   one kind.
3. What anyone could know in the same worlds (`benchmarks._people_bound`): no estimate of tau has a
   mean error below `tau_error_bound` at all of tau .3, .45, .6, .8 and 1, even if the model's
   abilities are known without error. `held_*` is what the intervals hold of who knows that, and
   that tau is .3, .6 or 1.

The priors of tau (median .7, log sd .8) and of how far judges differ were chosen in worlds of seeds
0 to 15 and with the first three topics in view; seeds here are from 800,000 on.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from benchmarks._common import Bar, Claim, arguments, report, write_json
from benchmarks._people_bound import KnownWorld, bound_rows
from benchmarks._real_judging import DATA, read_session, read_topic, sessions, topics
from scoring import Comparisons, SpreadPrior, fit
from scoring.batch_fit import fit_batch
from scoring.simulate import random_matchings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from scoring import Fit

SEED = 800_000
FOLDS, SPLITS = 4, 6
Z95 = 1.959964
N_ESSAYS, SD, SCALE, N_PEOPLE = 60, 1.5, 2.0, 4
TAUS = (0.3, 0.6, 1.0)
# Comparisons per essay and the share of them that people make.
DESIGNS = ((20, 0.1), (40, 0.3), (80, 0.5))
BOUND_DESIGNS = ((20, 0.1), (20, 0.3))
NEVER_WORSE_BY = 0.002


class Settings(TypedDict, total=False):
    """What of the judges is estimated."""

    order_effect: bool
    judges: Literal["pooled", "discrimination"]
    attention: Literal["full", "lapses"]


WITHOUT: Settings = {"order_effect": False, "attention": "lapses"}


def held_out_losses(data: Comparisons, settings: Settings, splits: int) -> np.ndarray:
    """Mean log loss of every verdict but ties, predicted from folds that it is not in; NaN else."""
    losses = np.full((splits, len(data)), np.nan)
    for split in range(splits):
        fold = np.random.default_rng([SEED, split]).integers(FOLDS, size=len(data))
        for number in range(FOLDS):
            known = data.take(fold != number)
            is_asked = (fold == number) & (data.outcome != 0)
            if data.judge is not None:
                is_asked &= data.judge < known.n_judges
            rest = data.take(is_asked)
            fitted = fit(known, estimator="variational", prior_sd=SpreadPrior(), **settings)
            first = fitted.predict(rest.first, rest.second, rest.judge)
            losses[split, is_asked] = -np.log(np.where(rest.outcome > 0, first, 1.0 - first))
    asked = ~np.isnan(losses).all(axis=0)
    mean = np.full(len(data), np.nan)
    mean[asked] = np.nanmean(losses[:, asked], axis=0)
    return mean


def real_row(name: str, data: Comparisons, splits: int) -> dict[str, Any]:
    """Set fits with judges' own parameters against one without."""
    plain = held_out_losses(data, WITHOUT, splits)
    is_asked = ~np.isnan(plain)
    row: dict[str, Any] = {
        "study": "held out",
        "judging": name,
        "essays": data.n_essays,
        "verdicts": int(is_asked.sum()),
        "judges": data.n_judges,
        "splits": splits,
        "loss": float(plain[is_asked].mean()),
    }
    steps: dict[str, Settings] = {"discrimination": {**WITHOUT, "judges": "discrimination"}}
    if data.order_known:
        steps["order"] = {**WITHOUT, "order_effect": True}
    for step, settings in steps.items():
        worse = (held_out_losses(data, settings, splits) - plain)[is_asked]
        row[f"loss_{step}"] = float(worse.mean())
        row[f"loss_{step}_error"] = float(Z95 * worse.std() / np.sqrt(len(worse)))
    return row


def real_rows(*, quick: bool) -> Iterator[dict[str, Any]]:
    """Predict held-out verdicts of real people."""
    if not DATA.is_dir():
        print(f"no real data in {DATA}: set CJ_DATA_DIR")
        return
    splits = 1 if quick else SPLITS
    for path in topics()[: 1 if quick else None]:
        yield real_row(path.parent.name, read_topic(path, judges=True), splits)
    for path in sessions()[: 1 if quick else None]:
        yield real_row(path.stem, read_session(path, judges=True), splits)


def people_and_model(
    tau: float, per_essay: int, share: float, seed: int
) -> tuple[KnownWorld, Comparisons]:
    """Simulate verdicts of people, who come first among the judges, and of a model."""
    key = [SEED + seed, per_essay, round(100 * tau), round(100 * share)]
    rng = np.random.default_rng(key)
    ability, effect = rng.normal(0.0, SD, N_ESSAYS), rng.normal(0.0, tau, N_ESSAYS)
    first, second = random_matchings(N_ESSAYS, per_essay, rng)
    m = len(first)
    judge = np.where(rng.random(m) < share, rng.integers(0, N_PEOPLE, m), N_PEOPLE)
    order = np.append(rng.normal(0.1, 0.2, N_PEOPLE), -0.8)
    seen = np.array([ability, SCALE * (ability + effect)])
    kind = (judge == N_PEOPLE).astype(np.int64)
    margin = seen[kind, first] - seen[kind, second] + order[judge] + rng.logistic(size=m)
    outcome = np.where(margin > 0, 1, -1)
    own = kind == 0
    known = KnownWorld(
        ability, ability + effect, SD, first[own], second[own], outcome[own], order[judge[own]]
    )
    return known, Comparisons(N_ESSAYS, first, second, outcome, judge)


def share_held(fitted: Fit, truth: np.ndarray) -> float:
    """Share of people's abilities in the 95% intervals of a fit."""
    low, high = fitted.interval(0.95).T
    return float(((low < truth) & (truth < high)).mean())


def gap_batch(tau: float, per_essay: int, share: float, seed: int) -> dict[str, float]:
    """Measure one simulated batch."""
    known, data = people_and_model(tau, per_essay, share, seed)
    truth = known.ability - known.ability.mean()
    fitted = fit_batch(data, is_model=[False] * N_PEOPLE + [True])
    jury = fit_batch(data)
    (gap,) = fitted.construct_gaps
    return {
        "held": share_held(fitted, truth),
        "held_by_error": float(
            (np.abs(fitted.ability - truth) < Z95 * fitted.standard_error).mean()
        ),
        "judge_scale_held": share_held(jury, truth),
        "tau_found": gap.tau,
        "tau_error": abs(gap.tau - tau),
        "tau_held": float(gap.tau_low <= tau <= gap.tau_high),
        "squared_correlation": float(np.corrcoef(fitted.ability, truth)[0, 1] ** 2),
    }


def gap_rows(batches: int) -> Iterator[dict[str, Any]]:
    """Measure batches of every tau and design."""
    for per_essay, share in DESIGNS:
        for tau in TAUS:
            measured = [gap_batch(tau, per_essay, share, seed) for seed in range(batches)]
            held = np.array([one["held"] for one in measured])
            errors = np.array([one["tau_error"] for one in measured])
            yield {
                "study": "people and a model",
                "tau": tau,
                "per_essay": per_essay,
                "people": share,
                "by_people": round(0.5 * N_ESSAYS * per_essay * share),
                "batches": batches,
                **{name: float(np.mean([one[name] for one in measured])) for name in measured[0]},
                "held_error": float(Z95 * held.std() / np.sqrt(batches)),
                "tau_error_error": float(Z95 * errors.std() / np.sqrt(batches)),
            }


def limit_rows(worlds: int) -> Iterator[dict[str, Any]]:
    """Measure what is best possible with the verdicts of people of some designs."""
    for per_essay, share in BOUND_DESIGNS:
        design = {"per_essay": per_essay, "people": share, "worlds": worlds}
        for row in bound_rows(partial(_draw_known, per_essay, share), worlds):
            yield {"study": "best possible", **design, **row}


def _draw_known(per_essay: int, share: float, tau: float, seed: int) -> KnownWorld:
    return people_and_model(tau, per_essay, share, seed)[0]


def claims_of(rows: list[dict[str, Any]]) -> list[Claim]:
    """Set every row against its bars."""
    claims = []
    for row in rows:
        if row["study"] == "held out":
            claims += [
                Claim(
                    f"held-out log loss with {step}, {row['judging']}",
                    row[f"loss_{step}"],
                    f"+- {row[f'loss_{step}_error']:.4f}",
                    Bar(high=NEVER_WORSE_BY),
                )
                for step in ("order", "discrimination")
                if f"loss_{step}" in row
            ]
            continue
        if row["study"] == "best possible":
            continue
        where = f"tau {row['tau']:g}, {row['people']:.0%} by people, {row['per_essay']} comparisons"
        unit = f"+- {row['held_error']:.3f}"
        name = f"95% intervals hold people's truth: {where}"
        claims.append(Claim(name, row["held"], unit, Bar(0.92, 0.97)))
        claims.append(Claim(f"error of tau: {where}", row["tau_error"], "logits", Bar(high=0.15)))
    return claims


def main() -> None:
    """Run the studies and write rows and claims."""
    options = arguments(__doc__)
    rows: list[dict[str, Any]] = []
    studies = (
        gap_rows(3 if options.quick else 60),
        limit_rows(4 if options.quick else 200),
        real_rows(quick=options.quick),
    )
    for study in studies:
        for row in study:
            rows.append(row)
            write_json(options, rows=rows, claims=claims_of(rows))
    report(options, rows=rows, claims=claims_of(rows))


if __name__ == "__main__":
    main()
