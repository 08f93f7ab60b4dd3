"""Time and memory of a fit against LAPACK, choix and evalica, and the cost of importing.

    OMP_NUM_THREADS=1 python -m benchmarks.fit [--quick] [--json PATH]

Data: random matchings, 20 comparisons per essay, abilities N(0, 2^2), seed 1. Ours is the public
`fit` with its default order effect and all n standard errors. The peers return no standard errors:

- LAPACK: potrf + potri of our own Hessian, the least that exact standard errors can cost;
- choix: `ilsr_pairwise` with alpha = 1 / (4 n), the strength of our prior at the centre;
- evalica: `bradley_terry`, unpenalised.

Times are CPU milliseconds; runs alternate, and a ratio is the median over pairs of runs.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._common import Claim, arguments, at_least, at_most, report
from scoring import Comparisons, fit
from scoring._linear import DenseSystem
from scoring.simulate import LogisticJudge, random_matchings

if TYPE_CHECKING:
    from collections.abc import Callable

PER_ESSAY = 20
PRIOR_SD = 2.0
HEAVY = ("scipy.stats", "scipy.optimize", "choix")
NEVER = float("inf")

MEMORY = """
import resource
import numpy as np
from scoring import Comparisons, fit
from scoring.simulate import LogisticJudge, random_matchings
rng = np.random.default_rng(1)
ability = rng.normal(0, 2, {n})
first, second = random_matchings({n}, {k}, rng)
data = Comparisons({n}, first, second, LogisticJudge(ability).judge(first, second, rng))
small = random_matchings(600, 4, rng)
fit(Comparisons(600, *small, rng.integers(0, 2, 1200) * 2 - 1))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
fit(data)
print(peak() - before)
"""
IMPORTED = "import sys, scoring; print([m for m in {heavy} if m in sys.modules])"


def comparisons(n: int, seed: int = 1) -> Comparisons:
    """Simulate the data set of one size."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(0.0, 2.0, n)
    first, second = random_matchings(n, PER_ESSAY, rng)
    return Comparisons(n, first, second, LogisticJudge(ability).judge(first, second, rng))


def lapack_of(data: Comparisons) -> Callable[[], None]:
    """Return potrf + potri on a copy of the Hessian; the copy is made outside the clock."""
    from scipy.linalg import lapack

    information = fit(data, prior_sd=PRIOR_SD)._information  # noqa: SLF001
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


def choix_of(data: Comparisons) -> Callable[[], None]:
    """Return choix's iterative spectral ranking with a prior comparable to ours."""
    import choix

    won = data.outcome > 0
    winner = np.where(won, data.first, data.second).tolist()
    loser = np.where(won, data.second, data.first).tolist()
    pairs = list(zip(winner, loser, strict=True))
    n = data.n_essays
    return lambda: choix.ilsr_pairwise(n, pairs, alpha=1.0 / PRIOR_SD**2 / n, max_iter=5000)


def evalica_of(data: Comparisons) -> Callable[[], None]:
    """Return evalica's Bradley-Terry by minorisation, with its index given."""
    import evalica
    import pandas as pd

    won = data.outcome > 0
    winner = np.where(won, data.first, data.second).tolist()
    loser = np.where(won, data.second, data.first).tolist()
    x_wins = [evalica.Winner.X] * len(winner)
    index = pd.RangeIndex(data.n_essays)
    return lambda: evalica.bradley_terry(winner, loser, x_wins, index=index)


def ours_of(data: Comparisons) -> Callable[[], None]:
    """Return our fit with all standard errors."""
    return lambda: fit(data, prior_sd=PRIOR_SD).standard_error


def cpu_ms(run: Callable[[], None]) -> float:
    """Return the CPU milliseconds of one call."""
    getattr(run, "prepare", lambda: None)()
    start = time.process_time()
    run()
    return (time.process_time() - start) * 1e3


def paired(ours: Callable[[], None], peer: Callable[[], None], runs: int) -> np.ndarray:
    """Return alternating times of ours and the peer, (runs, 2)."""
    cpu_ms(ours), cpu_ms(peer)
    return np.array([(cpu_ms(ours), cpu_ms(peer)) for _ in range(runs)])


def compare(n: int, peer: str, runs: int) -> dict[str, object]:
    """Time ours against one peer in one run."""
    data = comparisons(n)
    makers = {"LAPACK potrf+potri": lapack_of, "choix": choix_of, "evalica": evalica_of}
    times = paired(ours_of(data), makers[peer](data), runs)
    ours, theirs = np.median(times, axis=0)
    return {
        "n": n,
        "peer": peer,
        "runs": runs,
        "ours_ms": float(ours),
        "peer_ms": float(theirs),
        "ours_over_peer": float(np.median(times[:, 0] / times[:, 1])),
        "peer_over_ours": float(np.median(times[:, 1] / times[:, 0])),
    }


def seconds_to_import(module: str) -> float:
    """Return the wall seconds of a fresh interpreter that imports a module, start-up taken off."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)  # noqa: S603
    return time.perf_counter() - start


def import_row(runs: int) -> dict[str, object]:
    """Compare the cost of `import scoring` with that of `import numpy`."""
    seen = np.array(
        [[seconds_to_import(m) for m in ("sys", "numpy", "scoring")] for _ in range(runs)]
    )
    bare, numpy_time, scoring_time = seen.min(axis=0)
    return {
        "n": None,
        "peer": "import numpy",
        "runs": runs,
        "ours_ms": float(scoring_time - bare) * 1e3,
        "peer_ms": float(numpy_time - bare) * 1e3,
        "ours_over_peer": float((scoring_time - bare) / (numpy_time - bare)),
    }


def output_of(code: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def main() -> None:
    """Run the comparisons and write the claims."""
    options = arguments(__doc__)
    runs = 7 if options.quick else 31
    plan = [(n, "LAPACK potrf+potri", runs) for n in (100, 300, 1000)]
    plan += [(3000, "LAPACK potrf+potri", 3 if options.quick else 7)]
    plan += [(n, "choix", 3 if n == 1000 else runs) for n in (100, 300, 1000)]
    plan += [(n, "evalica", runs) for n in (100, 300, 1000)]
    rows = [compare(*entry) for entry in plan]
    rows.append(import_row(5 if options.quick else 15))
    ratio = {(r["peer"], r["n"]): r for r in rows}
    claims = [
        Claim(
            f"fit + all SEs over LAPACK, n={n}",
            ratio["LAPACK potrf+potri", n]["ours_over_peer"],
            "ratio",
            at_most(1.4),
        )
        for n in (1000, 3000)
    ]
    claims += [
        Claim(
            f"choix (no SEs) over fit + all SEs, n={n}",
            ratio["choix", n]["peer_over_ours"],
            "ratio",
            at_least(25.0),
        )
        for n in (100, 300, 1000)
    ]
    claims += [
        Claim(
            f"fit + all SEs over evalica (no SEs, no prior), n={n}",
            ratio["evalica", n]["ours_over_peer"],
            "ratio",
            at_most(1.5),
        )
        for n in (100, 300)
    ]
    memory = float(output_of(MEMORY.format(n=10_000, k=PER_ESSAY)))
    claims.append(Claim("abilities of 10,000 essays, extra memory", memory, "MB", at_most(64.0)))
    importing = ratio["import numpy", None]["ours_over_peer"]
    claims.append(Claim("import scoring over import numpy", importing, "ratio", at_most(3.5)))
    pulled = output_of(IMPORTED.format(heavy=HEAVY))
    claims.append(
        Claim(
            "heavy modules pulled in by import scoring",
            0.0 if pulled == "[]" else NEVER,
            "modules",
            at_most(0.0),
        )
    )
    report(options, rows=rows, claims=claims)


if __name__ == "__main__":
    main()
