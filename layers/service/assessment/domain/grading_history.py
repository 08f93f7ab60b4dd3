"""What earlier batches measured of an assignment's anchors, and what that adds up to.

Batches of one assignment under one judge specification compare the same anchors with different
students. Each batch that ends leaves one measurement. A new batch takes the measurements that exist
when it is prepared, frozen with its specification: a finished batch never changes, and one that is
finalised again reads the same history.

A measurement leaves out the comparisons of two anchors: the same judge would repeat itself in the
next batch, and a repeated verdict is no new evidence. The prior of the fit is divided out.

`scoring.linking` pools the measurements.

**Spread.** Each batch measures the standard deviation of abilities by its verdicts alone, without
the prior that it was given. The middle of the prior of the next batch is the precision-weighted
mean of their logarithms and of the default's median. Its width is the doubt about that mean and the
variation between cohorts, at least `LEAST_SPREAD_DOUBT`. It is used from the third batch on, where
neither stack, assignment nor request set another.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, fsum, log

from pydantic import BaseModel, ConfigDict

FEWEST_BATCHES_TO_LINK = 2
FEWEST_BATCHES_TO_PIN = 3
MOST_BATCHES = 20
LEAST_SPREAD_DOUBT = 0.2
_COHORT_VARIATION = 0.15


class AnchorMeasurement(BaseModel):
    """One anchor in one batch, by the verdicts alone: ability and its variance, logits.

    `own_grade_probability` is what its own grade had by the other anchors of that batch, in the
    distributions that sets are made of.
    """

    model_config = ConfigDict(frozen=True)

    essay_id: str
    ability: float
    variance: float
    grade: str | None = None
    own_grade_probability: float | None = None


class BatchMeasurement(BaseModel):
    """What a batch measured; `spread` is the standard deviation of abilities."""

    model_config = ConfigDict(frozen=True)

    spec_hash: str
    measured_at: str
    judges: list[str]
    spread: float
    spread_log_se: float
    anchors: list[AnchorMeasurement]


class AnchorHistory(BaseModel):
    """The measurements of earlier batches, the oldest first."""

    model_config = ConfigDict(frozen=True)

    batches: list[BatchMeasurement] = []

    def select_judges(self, judges: Sequence[str]) -> AnchorHistory:
        """Batches that exactly the same judges judged: a model may change behind an endpoint."""
        return AnchorHistory(batches=[b for b in self.batches if b.judges == sorted(judges)])


class PooledSpread(BaseModel):
    """A log-normal prior of the standard deviation of abilities: its median, logits, and log sd."""

    model_config = ConfigDict(frozen=True)

    median: float
    log_sd: float


def pool_spread(history: AnchorHistory, default: PooledSpread) -> PooledSpread | None:
    """What earlier batches suggest for the next one; None before `FEWEST_BATCHES_TO_PIN`."""
    batches = history.batches[-MOST_BATCHES:]
    if len(batches) < FEWEST_BATCHES_TO_PIN:
        return None
    terms = [(log(default.median), default.log_sd**-2)]
    terms += [
        (log(batch.spread), 1.0 / (batch.spread_log_se**2 + _COHORT_VARIATION**2))
        for batch in batches
    ]
    precision = fsum(weight for _, weight in terms)
    mean = fsum(value * weight for value, weight in terms) / precision
    doubt = (1.0 / precision + _COHORT_VARIATION**2) ** 0.5
    return PooledSpread(median=round(exp(mean), 3), log_sd=round(max(doubt, LEAST_SPREAD_DOUBT), 3))
