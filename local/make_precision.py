"""Simulates the precision that the page of a new batch shows: `python -m local.make_precision`.

The batches are those of `cj plan`: the product's own planner, judges from a poor one to a good one.
A browser cannot simulate them, so the page reads a table of batches that end at so many
comparisons of each essay, and interpolates in the logarithms of both.
"""

from __future__ import annotations

import json
from pathlib import Path

from assessment.domain.config import Source, resolve_config
from runner.offline.forecast import AGREEMENTS
from runner.offline.study import Design, compute_spread, simulate

TABLE = Path(__file__).parents[1] / "web" / "src" / "rooms" / "precision_estimates.json"
N_ESSAYS = (3, 6, 12, 25, 50)
COMPARISONS = (3, 6, 12, 24, 48)
_N_BATCHES = {3: 12, 6: 10, 12: 6, 25: 3, 50: 2}
_MOST_PAIRS = 100_000
_DECIMALS = 3


def simulate_reliability(n_essays: int, comparisons: int) -> tuple[float, float, float]:
    """The least, the expected and the most, as `cj plan` has them for all qualities of judges."""
    settings = {"min_comparisons_per_essay": comparisons, "max_comparisons_per_essay": comparisons}
    usual = resolve_config([(Source.REQUEST, settings)], is_admin=True).config
    ranges = []
    for agreement in AGREEMENTS:
        known = {"prior_sd": compute_spread(agreement), "max_pairwise_comparisons": _MOST_PAIRS}
        design = Design(n_essays, agreement)
        config, n_batches = usual.model_copy(update=known), _N_BATCHES[n_essays]
        ranges.append(simulate(design, config=config, n_batches=n_batches, seed=1).reliability)
    least, most = min(each.low for each in ranges), max(each.high for each in ranges)
    return least, ranges[len(ranges) // 2].expected, most


def main() -> None:
    """Write the table."""
    rows = [
        [[round(value, _DECIMALS) for value in simulate_reliability(n, k)] for k in COMPARISONS]
        for n in N_ESSAYS
    ]
    table = {"n_essays": N_ESSAYS, "comparisons": COMPARISONS, "reliability": rows}
    TABLE.write_text(json.dumps(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
