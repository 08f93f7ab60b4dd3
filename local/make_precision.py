"""Simulates the precision that the page of a new batch shows: `python -m local.make_precision`.

The batches are those of `cj plan`: the product's own planner, a poor, a usual and a good judge. A
browser cannot simulate them, so the page reads a table and interpolates in the logarithms of both
numbers of essays and comparisons.

Every simulated batch goes on to 48 comparisons of each essay and is read after each of its waves.
What the page gets is a law that is fitted to these readings, one for each quality of judge:

    log odds of reliability = a + b log(k) + c log(n) + d log(k) log(n)

with k comparisons of each of n essays. By the Spearman-Brown formula b is 1, c and d are 0;
adaptive pairing, and verdicts that run out in small classes, move them. The law is smooth, falls
nowhere as comparisons grow (checked below), and averages out the chance of single batches. It is
fitted to the means of batches, so that the least and the most on the page are those of a poor and
of a good judge, not those of unlucky and lucky batches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assessment.domain.config import Source, resolve_config
from runner.offline.forecast import AGREEMENTS
from runner.offline.simulated_batch import ProductBatch
from runner.offline.study import compute_spread
from scoring.simulate import LogisticJudge, uneven_world

TABLE = Path(__file__).parents[1] / "web" / "src" / "rooms" / "precision_estimates.json"
N_ESSAYS = (3, 6, 12, 25, 50, 100)
COMPARISONS = (3, 6, 12, 24, 48)
_N_BATCHES = {3: 100, 6: 60, 12: 40, 25: 24, 50: 16, 100: 8}
_MOST_PAIRS = 100_000
_DECIMALS = 3


@dataclass(frozen=True)
class Reading:
    """The squared correlation with the truth in all batches of a kind after some comparisons.

    `n_batches` is how many batches it is of; deviations are from the mean of each batch.
    """

    n_essays: int
    comparisons: float
    reliability: float
    n_batches: int


def simulate_readings(n_essays: int, agreement: float, *, n_batches: int) -> list[Reading]:
    """Readings after every wave of simulated batches, the same ones each time."""
    most = COMPARISONS[-1]
    settings = {"min_comparisons_per_essay": most, "max_comparisons_per_essay": most}
    usual = resolve_config([(Source.REQUEST, settings)], is_admin=True).config
    spread = compute_spread(agreement)
    fixed_settings = {"prior_sd": spread, "max_pairwise_comparisons": _MOST_PAIRS}
    config = usual.model_copy(update=fixed_settings)
    moments: dict[int, list[tuple[float, float, float]]] = {}
    for seed in range(1, n_batches + 1):
        ability = _make_class(n_essays, spread, np.random.default_rng([seed, 15]))
        truth = ability - ability.mean()
        batch = ProductBatch(n_essays, LogisticJudge(ability), seed, config=config)
        for look in batch.run():
            estimate = look.ability - look.ability.mean()
            products = (float(estimate @ truth), float(estimate @ estimate), float(truth @ truth))
            moments.setdefault(round(look.per_essay), []).append(products)
    return [
        Reading(n_essays, comparisons, _correlate(products), len(products))
        for comparisons, products in sorted(moments.items())
    ]


def _make_class(n_essays: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    """The abilities of one class, as in `cj plan`."""
    return uneven_world(
        rng, n_students=n_essays, anchors_per_grade=0, n_grades=3, sd=spread, missing_grades=0
    ).ability


def _correlate(products: Iterable[tuple[float, float, float]]) -> float:
    shared, estimated, true = np.sum(list(products), axis=0)
    return float(max(0.0, shared) ** 2 / (estimated * true)) if estimated and true else 0.0


@dataclass(frozen=True)
class PrecisionLaw:
    """The law of one quality of judge: its four coefficients, in the order of the formula above."""

    coefficients: np.ndarray

    @classmethod
    def from_readings(cls, readings: Iterable[Reading]) -> PrecisionLaw:
        """The least-squares law; a reading weighs by its essays and its information on log odds."""
        used = [one for one in readings if 0.0 < one.reliability < 1.0]
        odds = np.array([_log_odds(one.reliability) for one in used])
        weight = [
            np.sqrt(one.n_batches * one.n_essays) * one.reliability * (1 - one.reliability)
            for one in used
        ]
        rows = np.array([_terms(one.n_essays, one.comparisons) for one in used])
        root = np.array(weight)
        coefficients, *_ = np.linalg.lstsq(rows * root[:, None], odds * root, rcond=None)
        return cls(coefficients)

    def foretell(self, n_essays: int, comparisons: float) -> float:
        """The reliability after so many comparisons of each essay."""
        odds = float(_terms(n_essays, comparisons) @ self.coefficients)
        return float(1 / (1 + np.exp(-odds)))


def _terms(n_essays: int, comparisons: float) -> np.ndarray:
    log_comparisons, log_essays = np.log(comparisons), np.log(n_essays)
    return np.array([1.0, log_comparisons, log_essays, log_comparisons * log_essays])


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def count_possible(readings: Iterable[Reading], n_essays: int) -> float:
    """The most comparisons of an essay that a class of this size came to."""
    return max(one.comparisons for one in readings if one.n_essays == n_essays)


def main() -> None:
    """Write the table, and print how far the law is from what was simulated."""
    table = np.empty((len(N_ESSAYS), len(COMPARISONS), len(AGREEMENTS)))
    for quality, agreement in enumerate(AGREEMENTS):
        readings = [
            reading
            for n_essays in N_ESSAYS
            for reading in simulate_readings(n_essays, agreement, n_batches=_N_BATCHES[n_essays])
        ]
        law = PrecisionLaw.from_readings(readings)
        off = [law.foretell(one.n_essays, one.comparisons) - one.reliability for one in readings]
        print(
            f"agreement {agreement}: {np.round(law.coefficients, 3)}, {len(readings)} readings, "
            f"root mean square {np.sqrt(np.mean(np.square(off))):.3f}, most {np.abs(off).max():.3f}"
        )
        for row, n_essays in enumerate(N_ESSAYS):
            most = count_possible(readings, n_essays)
            table[row, :, quality] = [law.foretell(n_essays, min(k, most)) for k in COMPARISONS]
    if (np.diff(table, axis=1) < 0).any() or (np.diff(table, axis=2) <= 0).any():
        message = "the law falls where comparisons or the quality of judges grow: take other terms"
        raise ValueError(message)
    content = {
        "n_essays": N_ESSAYS,
        "comparisons": COMPARISONS,
        "reliability": np.round(table, _DECIMALS).tolist(),
    }
    TABLE.write_text(json.dumps(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
