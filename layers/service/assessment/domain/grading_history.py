"""What earlier batches measured of an assignment's anchors, and what that adds up to.

Batches of one assignment under one judge specification compare the same anchors with different
students. Each batch that ends leaves one measurement. A new batch takes the measurements that exist
when it is prepared, frozen with its specification: a finished batch never changes, and one that is
finalised again reads the same history.

A measurement leaves out the comparisons of two anchors: the same judge would repeat itself in the
next batch, and a repeated verdict is no new evidence. The prior of the fit is divided out.

**Pooling.** Ability of anchor k in batch b = a_k + shift_b + drift_bk + error_bk. Scales of batches
are only known up to a shift. a and shift are weighted least squares, by turns until they stand; the
variance of the drift follows from the excess of the weighted residuals over their degrees of
freedom (method of moments, DerSimonian & Laird 1986), shrunk toward `USUAL_DRIFT`^2 as if
`USUAL_DRIFT_DEGREES` residuals had shown that.

**Prior sd.** Each batch shows a spread of abilities, corrected for shrinkage and error. The pinned
value is the exponential of the precision-weighted mean of their logarithms and of the log of the
default, which counts as one batch that is off by `DEFAULT_PRIOR_DOUBT`. It is used from the third
batch on, where neither stack, assignment nor request set another.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, fsum, log

from pydantic import BaseModel, ConfigDict

FEWEST_BATCHES_TO_LINK = 2
FEWEST_BATCHES_TO_PIN = 3
MOST_BATCHES = 20
USUAL_DRIFT = 0.3
USUAL_DRIFT_DEGREES = 4.0
DEFAULT_PRIOR_DOUBT = 0.25
_COHORT_VARIATION = 0.15
_ROUNDS = 50


class AnchorMeasurement(BaseModel):
    """One anchor in one batch, by the verdicts alone: ability and its variance, logits."""

    model_config = ConfigDict(frozen=True)

    essay_id: str
    ability: float
    variance: float


class BatchMeasurement(BaseModel):
    """What a batch measured; `spread` is the standard deviation of its students' abilities."""

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

    def by(self, judges: Sequence[str]) -> AnchorHistory:
        """Those batches that the very same judges judged: a model may change behind an endpoint."""
        return AnchorHistory(batches=[b for b in self.batches if b.judges == sorted(judges)])


class KnownAnchor(BaseModel):
    """An anchor's ability relative to the other anchors, from several batches."""

    model_config = ConfigDict(frozen=True)

    ability: float
    variance: float
    batches: int


class PooledAnchors(BaseModel):
    """All anchors that several batches measured, by essay id, and how far they drift, logits."""

    model_config = ConfigDict(frozen=True)

    anchors: dict[str, KnownAnchor]
    drift_sd: float
    batches: int


def pooled_anchors(history: AnchorHistory) -> PooledAnchors | None:
    """What the measurements add up to; None before `FEWEST_BATCHES_TO_LINK` batches."""
    batches = history.batches[-MOST_BATCHES:]
    if len(batches) < FEWEST_BATCHES_TO_LINK:
        return None
    measured = [
        (b, entry.essay_id, entry.ability, entry.variance)
        for b, batch in enumerate(batches)
        for entry in batch.anchors
    ]
    drift = USUAL_DRIFT**2
    for _ in range(2):
        ability, shift, weight = _levels(measured, len(batches), drift)
        drift = _drift(measured, ability, shift)
    times = {k: sum(1 for _, name, _, _ in measured if name == k) for k in ability}
    known = {
        k: KnownAnchor(ability=ability[k], variance=1.0 / weight[k] + drift, batches=times[k])
        for k in sorted(ability)
        if times[k] >= FEWEST_BATCHES_TO_LINK
    }
    if len(known) < 2:  # noqa: PLR2004 - one anchor alone has no place relative to others
        return None
    return PooledAnchors(anchors=known, drift_sd=drift**0.5, batches=len(batches))


type _Measured = Sequence[tuple[int, str, float, float]]


def _levels(
    measured: _Measured, n_batches: int, drift: float
) -> tuple[dict[str, float], list[float], dict[str, float]]:
    """Abilities of anchors, shifts of batches, and the weights behind the abilities."""
    shift = [0.0] * n_batches
    ability: dict[str, float] = {}
    weight: dict[str, float] = {}
    for _ in range(_ROUNDS):
        weight = dict.fromkeys((name for _, name, _, _ in measured), 0.0)
        total = dict(weight)
        for b, name, value, variance in measured:
            weight[name] += 1.0 / (variance + drift)
            total[name] += (value - shift[b]) / (variance + drift)
        ability = {name: total[name] / weight[name] for name in weight}
        middle = fsum(ability.values()) / len(ability)
        ability = {name: value - middle for name, value in ability.items()}
        for b in range(n_batches):
            own = [(v - ability[k], 1.0 / (e + drift)) for c, k, v, e in measured if c == b]
            if own:
                shift[b] = fsum(r * w for r, w in own) / fsum(w for _, w in own)
    return ability, shift, weight


def _drift(measured: _Measured, ability: dict[str, float], shift: list[float]) -> float:
    """The variance of the drift by the method of moments, shrunk toward the usual one."""
    free = len(measured) - len(ability) - len(shift) + 1
    weights = [1.0 / variance for _, _, _, variance in measured]
    excess = fsum(
        (value - shift[b] - ability[k]) ** 2 / variance for b, k, value, variance in measured
    )
    scale = fsum(weights) / len(weights)
    found = max(0.0, (excess - free) / (scale * free)) if free > 0 else 0.0
    return (found * max(free, 0) + USUAL_DRIFT**2 * USUAL_DRIFT_DEGREES) / (
        max(free, 0) + USUAL_DRIFT_DEGREES
    )


def pinned_prior_sd(history: AnchorHistory, default: float) -> float | None:
    """The prior sd that earlier batches suggest, logits; None before `FEWEST_BATCHES_TO_PIN`."""
    batches = history.batches[-MOST_BATCHES:]
    if len(batches) < FEWEST_BATCHES_TO_PIN:
        return None
    terms = [(log(default), DEFAULT_PRIOR_DOUBT**-2)]
    terms += [
        (log(batch.spread), 1.0 / (batch.spread_log_se**2 + _COHORT_VARIATION**2))
        for batch in batches
    ]
    return round(exp(fsum(v * w for v, w in terms) / fsum(w for _, w in terms)), 3)
