"""Time and memory of a fit against LAPACK, choix and evalica, and the cost of importing.

    OMP_NUM_THREADS=1 python -m benchmarks.fit [--quick] [--json PATH]

Data: random matchings, 20 comparisons per essay, abilities N(0, 2^2), seed 1. Ours is the public
`fit` with all n standard errors, with its default order effect against LAPACK, and both with and
without one against the peers, which know none. The peers return no standard errors:

- LAPACK: potrf + potri of our own Hessian, the least that exact standard errors can cost;
- choix: `ilsr_pairwise` with alpha = 1 / (4 n), the strength of our prior at the centre;
- evalica: `bradley_terry`, unpenalised.

Beside them the nearest Gaussian at one spread, `estimator="variational"`, against the mode, and the
fit that batches use (spread integrated over, lapses and what degrees tell estimated) against that.

Times are CPU milliseconds; samples of some 20 ms alternate, and a ratio is the median over pairs
of samples. Memory is what numpy allocates while fitting (tracemalloc).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

import resource
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._common import Bar, Claim, arguments, report
from scoring import Comparisons, SpreadPrior, fit
from scoring._fit.linear import DenseSystem
from scoring.batch_fit import fit_batch
from scoring.simulate import LogisticJudge, random_matchings

if TYPE_CHECKING:
    from collections.abc import Callable

PER_ESSAY = 20
PRIOR_SD = 2.0
CUTS = (1.0, 2.5)
HEAVY = ("scipy.stats", "scipy.optimize", "choix")
NEVER = float("inf")
LAPACK = "LAPACK potrf+potri"
VARIATIONAL = "estimator='variational'"
SAMPLE_MS = 20.0
MEMORY = """
import tracemalloc
import numpy as np
from scoring import Comparisons, fit
from scoring.simulate import LogisticJudge, random_matchings
rng = np.random.default_rng(1)
ability = rng.normal(0, 2, {n})
first, second = random_matchings({n}, {k}, rng)
data = Comparisons({n}, first, second, LogisticJudge(ability).judge(first, second, rng))
small = random_matchings(600, 4, rng)
fit(Comparisons(600, *small, rng.integers(0, 2, 1200) * 2 - 1), estimator="map")
tracemalloc.start()
fit(data, estimator="map")
print(tracemalloc.get_traced_memory()[1] / 2**20)
"""
IMPORTED = "import sys, scoring; print([m for m in {heavy} if m in sys.modules])"


def comparisons(n: int, seed: int = 1, *, cuts: tuple[float, ...] = ()) -> Comparisons:
    """Simulate the data set of one size, binary or with degrees."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(0.0, 2.0, n)
    first, second = random_matchings(n, PER_ESSAY, rng)
    return Comparisons(n, first, second, LogisticJudge(ability, cuts).judge(first, second, rng))


def lapack_of(data: Comparisons) -> Callable[[], object]:
    """Return potrf + potri on a copy of the Hessian; the copy is made outside the clock."""
    from scipy.linalg import lapack

    information = fit(data, prior_sd=PRIOR_SD, estimator="map")._information  # noqa: SLF001
    model, blocks = information._model, information._blocks  # noqa: SLF001
    hessian = DenseSystem(model.n, model.size, model.pairs, None).fill(blocks).copy(order="F")
    copies: list[np.ndarray] = []

    def prepare() -> None:
        copies.append(hessian.copy(order="F"))

    def run() -> None:
        factor, _ = lapack.dpotrf(copies.pop(), lower=1, overwrite_a=1, clean=0)
        lapack.dpotri(factor, lower=1, overwrite_c=1)

    run.prepare = prepare  # type: ignore[attr-defined]
    return run


def choix_of(data: Comparisons) -> Callable[[], object]:
    """Return choix's iterative spectral ranking with a prior comparable to ours."""
    import choix

    won = data.outcome > 0
    winner = np.where(won, data.first, data.second).tolist()
    loser = np.where(won, data.second, data.first).tolist()
    pairs = list(zip(winner, loser, strict=True))
    n = data.n_essays
    return lambda: choix.ilsr_pairwise(n, pairs, alpha=1.0 / PRIOR_SD**2 / n, max_iter=5000)


def evalica_of(data: Comparisons) -> Callable[[], object]:
    """Return evalica's Bradley-Terry by minorisation, with its index given."""
    import evalica
    import pandas as pd  # type: ignore[import-untyped]

    won = data.outcome > 0
    winner = np.where(won, data.first, data.second).tolist()
    loser = np.where(won, data.second, data.first).tolist()
    x_wins = [evalica.Winner.X] * len(winner)
    index = pd.RangeIndex(data.n_essays)
    return lambda: evalica.bradley_terry(winner, loser, x_wins, index=index)


def nearest_of(data: Comparisons) -> Callable[[], object]:
    """Return the fit that batches use, with all standard errors: the price of honest intervals."""
    return lambda: fit(data, prior_sd=PRIOR_SD, estimator="variational").standard_error


def nearest_with_order(data: Comparisons) -> Callable[[], object]:
    """Return the Gaussian at one spread with all standard errors: what all else is set against."""
    return lambda: fit(data, prior_sd=PRIOR_SD, estimator="variational").standard_error


STEPS: dict[str, Callable[[Comparisons], object]] = {
    "the spread integrated over": lambda data: (
        fit(data, prior_sd=SpreadPrior(), estimator="variational").standard_error
    ),
    "the fit of batches": lambda data: fit_batch(data).standard_error,
}


def spread_rows(runs: int) -> list[dict[str, Any]]:
    """Time the fit of batches, in two steps, against the fit at one spread."""
    cases = [
        (n, kind, data)
        for n in (30, 100, 300)
        for kind, data in (("binary", comparisons(n)), ("degrees", comparisons(n, cuts=CUTS)))
    ]
    return [
        spread_row(n, f"{name}, {kind}, against one sd", partial(step, data), data, runs)
        for n, kind, data in cases
        for name, step in STEPS.items()
    ]


def spread_row(
    n: int, name: str, ours: Callable[[], object], data: Comparisons, runs: int
) -> dict[str, Any]:
    """Time one step against the fit at one spread."""
    times = time_in_turns(ours, nearest_with_order(data), runs)
    median = np.median(times, axis=0)
    return {
        "n": n,
        "peer": name,
        "runs": runs,
        "ours_ms": float(median[0]),
        "peer_ms": float(median[1]),
        "ours_over_peer": float(np.median(times[:, 0] / times[:, 1])),
    }


def ours_of(data: Comparisons, *, order_effect: bool) -> Callable[[], object]:
    """Return our fit with all standard errors."""
    return lambda: (
        fit(data, prior_sd=PRIOR_SD, order_effect=order_effect, estimator="map").standard_error
    )


def cpu_ms(run: Callable[[], object], calls: int) -> float:
    """Return the mean CPU milliseconds of some calls, each prepared outside the clock."""
    prepare = getattr(run, "prepare", None)
    spent = 0.0
    for _ in range(calls):
        if prepare is not None:
            prepare()
        start = time.process_time()
        run()
        spent += time.process_time() - start
    return spent / calls * 1e3


def calls_of(run: Callable[[], object]) -> int:
    """Return how many calls fill the time of one sample."""
    cpu_ms(run, 1)
    return max(1, round(SAMPLE_MS / max(cpu_ms(run, 3), 1e-3)))


def time_in_turns(ours: Callable[[], object], peer: Callable[[], object], runs: int) -> np.ndarray:
    """Return alternating samples of ours and the peer, (runs, 2)."""
    our_calls, peer_calls = calls_of(ours), calls_of(peer)
    return np.array([(cpu_ms(ours, our_calls), cpu_ms(peer, peer_calls)) for _ in range(runs)])


def compare(n: int, peer: str, runs: int, *, order_effect: bool) -> dict[str, Any]:
    """Time ours against one peer in one run."""
    data = comparisons(n)
    makers = {
        LAPACK: lapack_of,
        "choix": choix_of,
        "evalica": evalica_of,
        VARIATIONAL: nearest_of,
    }
    times = time_in_turns(ours_of(data, order_effect=order_effect), makers[peer](data), runs)
    ours, theirs = np.median(times, axis=0)
    return {
        "n": n,
        "peer": peer,
        "order_effect": order_effect,
        "runs": runs,
        "ours_ms": float(ours),
        "peer_ms": float(theirs),
        "ours_over_peer": float(np.median(times[:, 0] / times[:, 1])),
        "peer_over_ours": float(np.median(times[:, 1] / times[:, 0])),
    }


def cpu_to_import(module: str) -> float:
    """Return the CPU seconds of a fresh interpreter that imports a module."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def import_rows(runs: int) -> list[dict[str, Any]]:
    """Compare `import scoring`, alone and with LAPACK's wrappers, with `import numpy`.

    The wrappers are imported by the first fit. The interpreter's own start is taken off.
    """
    modules = ("sys", "numpy", "scoring", "scoring, scipy.linalg")
    seen = np.array([[cpu_to_import(m) for m in modules] for _ in range(runs)])
    bare, numpy_time, *ours = seen.min(axis=0)
    return [
        {
            "n": None,
            "peer": f"import numpy, against import {name}",
            "runs": runs,
            "ours_ms": float(time_taken - bare) * 1e3,
            "peer_ms": float(numpy_time - bare) * 1e3,
            "ours_over_peer": float((time_taken - bare) / (numpy_time - bare)),
        }
        for name, time_taken in zip(modules[2:], ours, strict=True)
    ]


def output_of(code: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def time_rows(runs: int, few: int) -> list[dict[str, Any]]:
    """Time ours against every peer."""
    rows = [compare(n, LAPACK, runs, order_effect=True) for n in (100, 300, 1000)]
    rows.append(compare(3000, LAPACK, few, order_effect=True))
    rows += [compare(n, VARIATIONAL, few, order_effect=True) for n in (100, 300, 1000)]
    for order_effect in (False, True):
        for n in (100, 300, 1000):
            long = few if n == 1000 else runs
            rows.append(compare(n, "choix", long, order_effect=order_effect))
            rows.append(compare(n, "evalica", runs, order_effect=order_effect))
    return rows


BARS = (
    ("fit + all SEs over LAPACK", LAPACK, True, "ours_over_peer", Bar(high=1.4), (1000, 3000)),
    (
        "choix (no SEs) over fit + all SEs, same model",
        "choix",
        False,
        "peer_over_ours",
        Bar(low=25.0),
        (100, 300, 1000),
    ),
    (
        "fit + all SEs over evalica (no SEs, no prior), same model",
        "evalica",
        False,
        "ours_over_peer",
        Bar(high=1.5),
        (100, 300),
    ),
    (
        "the nearest Gaussian over the mode",
        VARIATIONAL,
        True,
        "peer_over_ours",
        Bar(high=20.0),
        (100, 300, 1000),
    ),
)


def time_claims(rows: list[dict[str, Any]]) -> list[Claim]:
    """Set the times against their bars."""
    ratio = {(row["peer"], row["n"], row["order_effect"]): row for row in rows}
    return [
        Claim(f"{name}, n={n}", ratio[peer, n, order_effect][column], "ratio", bar)
        for name, peer, order_effect, column, bar, sizes in BARS
        for n in sizes
    ]


def import_claims(imports: list[dict[str, Any]]) -> list[Claim]:
    """Set what an import costs against its bars."""
    pulled = output_of(IMPORTED.format(heavy=HEAVY))
    heavy = 0.0 if pulled == "[]" else NEVER
    importing = imports[0]["ours_over_peer"]
    return [
        Claim("import scoring over import numpy", importing, "ratio", Bar(high=3.5)),
        Claim("heavy modules pulled in by import scoring", heavy, "modules", Bar(high=0.0)),
    ]


def main() -> None:
    """Run the comparisons and write the claims."""
    options = arguments(__doc__)
    runs, few, starts = (7, 3, 5) if options.quick else (31, 7, 25)
    spreads = spread_rows(few)
    times = time_rows(runs, few)
    imports = import_rows(starts)
    memory = float(output_of(MEMORY.format(n=10_000, k=PER_ESSAY)))
    claims = [
        *[
            Claim(f"{row['peer']}, n={row['n']}", row["ours_over_peer"], "ratio", Bar(high=3.0))
            for row in spreads
        ],
        *time_claims(times),
        Claim("abilities of 10,000 essays, extra memory", memory, "MB", Bar(high=64.0)),
        *import_claims(imports),
    ]
    report(options, rows=[*spreads, *times, *imports], claims=claims)


if __name__ == "__main__":
    main()
