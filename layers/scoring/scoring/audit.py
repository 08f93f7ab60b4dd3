"""Audit of the judge on random pairs, each predicted before its verdict arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring._clusters import clustered_association, clustered_error, effective_size
from scoring.bradley_terry import fit
from scoring.errors import InvalidComparisonError
from scoring.proportions import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from scoring._fit.result import Fit
    from scoring._types import Floats, Ints
    from scoring.comparisons import Comparisons

type Interval = tuple[float, float]

_Z95 = 1.959963984540054
_LEAST_PROBABILITY = 1e-12
_MAX_ITERATIONS = 100
_TOLERANCE = 1e-9
_LARGEST_LOGIT = 15.0
AT_CHANCE_LOG_BAYES_FACTOR = -4.605170185988091
"""-log 100: by Ville's inequality a judge whose abilities have the standard deviation
:data:`WEAKEST_SD` ever falls to it with a probability of at most .01."""

WEAKEST_SD = 0.5
"""The weakest order worth having, logits: its judge agrees with the truth in 63% of pairs."""

_NO_SPREAD = 1e-5


@dataclass(frozen=True, slots=True)
class Audit:
    """How well verdicts on random pairs were predicted.

    Attributes
    ----------
    n : int
        Audited comparisons.
    agreement : float
        Share of verdicts for the essay predicted to win; ties and even predictions count half.
    agreement_interval : (float, float)
        95% Wilson interval.
    log_loss : float
        Mean of -log P(verdict), nats; a coin has log 2 = .693. A tie counts half each way.
    log_loss_interval : (float, float)
        95% Normal interval.
    slope : float
        Logistic recalibration slope of the verdicts on the predicted logits: 1 when the
        predictions are calibrated, below 1 when they are too confident, 0 when they say nothing.
    slope_interval : (float, float)
        95% interval; infinite when the predictions do not vary.
    chance_z : float
        Normal deviate of the association between predicted logits and verdicts.
    log_bayes_factor : float or None
        Evidence of all verdicts against a judge who ignores the essays, if it was given.
    at_chance : bool
        Whether the verdicts support a judge who ignores the essays: the Bayes factor is at most
        :data:`AT_CHANCE_LOG_BAYES_FACTOR`. Few verdicts are evidence for neither.
    """

    n: int
    agreement: float
    agreement_interval: Interval
    log_loss: float
    log_loss_interval: Interval
    slope: float
    slope_interval: Interval
    chance_z: float
    log_bayes_factor: float | None
    at_chance: bool


def prequential_audit(
    predicted: ArrayLike,
    preferred: ArrayLike,
    *,
    cluster: ArrayLike | None = None,
    log_bayes_factor: float | None = None,
) -> Audit:
    """Compare predictions with the verdicts that came after them.

    Adaptive pairing cannot flatter this figure: the pairs were drawn at random and each prediction
    was fixed before its verdict (prequential, Dawid 1984). Under a judge who ignores the essays (a
    coin, or one who always prefers the essay shown first when the order is random) the verdicts are
    exchangeable given the predictions. So the permutation distribution of their covariance tests
    the judge whatever the schedule was.

    Parameters
    ----------
    predicted : (m,) array_like of float
        P(first preferred) in [0, 1] from the fit that stood before, as ``Fit.predict(first,
        second)`` gives it without a judge.
    preferred : (m,) array_like of float
        1 when the first essay was preferred, 0 when the second was, .5 for a tie.
    cluster : (m,) array_like of int, optional
        The comparison that each row is of. The pairs of one list are one comparison: intervals and
        deviates then rest on the lists' differences, not on the number of pairs.
    log_bayes_factor : float, optional
        What :func:`evidence_against_chance` says of all verdicts so far. Without it nothing is
        said of chance: predictions of an early fit are poor, and a test that they fail says more of
        them than of the judge.

    Returns
    -------
    Audit
        Agreement, log loss and slope with 95% intervals, and whether the judge is at chance. Empty
        input gives an audit that knows nothing: even scores, the widest intervals.

    Raises
    ------
    InvalidComparisonError
        If the arrays differ in length, a probability is outside [0, 1], or a verdict is not
        0, .5 or 1; names the row.
    """
    p, y = _check_predictions(predicted, preferred)
    if len(p) == 0:
        return _know_nothing(log_bayes_factor)
    groups = _check_cluster(cluster, len(p))
    p = np.clip(p, _LEAST_PROBABILITY, 1.0 - _LEAST_PROBABILITY)
    logit = np.log(p) - np.log1p(-p)
    loss = -(y * np.log(p) + (1.0 - y) * np.log1p(-p))
    agree = np.where(logit == 0.0, 0.5, np.where(logit > 0.0, y, 1.0 - y))
    agreement = float(agree.mean())
    log_loss = float(loss.mean())
    spread = _Z95 * float(loss.std(ddof=1)) / np.sqrt(len(p)) if len(p) > 1 else np.inf
    n, worth = len(p), float(len(p))
    if groups is None:
        slope, slope_interval = _recalibrate(logit, y)
        z = _association(logit, y)
    else:
        n = len(groups)
        worth = effective_size(agree, groups)
        spread = _Z95 * clustered_error(loss, groups)
        slope, slope_interval = _recalibrate(logit, y, groups)
        z = clustered_association(logit, y, groups)
    return Audit(
        n=n,
        agreement=agreement,
        agreement_interval=wilson_interval(agreement, worth),
        log_loss=log_loss,
        log_loss_interval=(max(0.0, log_loss - spread), log_loss + spread),
        slope=slope,
        slope_interval=slope_interval,
        chance_z=z,
        log_bayes_factor=log_bayes_factor,
        at_chance=_is_at_chance(log_bayes_factor),
    )


def evidence_against_chance(
    comparisons: Comparisons,
    *,
    prior_sds: Sequence[float] = (WEAKEST_SD,),
    **settings: Any,  # noqa: ANN401 - those of `fit`
) -> float:
    """Return the log Bayes factor of a judge who reads the essays against one who does not.

    The alternative is the model of :func:`scoring.fit`, averaged over ``prior_sds``; under the
    null hypothesis verdicts have the same order effect, ties and degrees, but all abilities are
    equal. Whatever schedule chose the pairs from past verdicts, the expected Bayes factor under
    the null is 1, and so is that of its inverse under the alternative. So a judge who ignores the
    essays ever reaches 20 with a probability of at most .05, however often one looks (Ville's
    inequality). A judge of the alternative ever falls to 1/20 with the same. The alternative is the
    weakest order worth having: a weak but honest judge refutes stronger ones, and an average over
    wide spreads would refuse that judge. Marginal likelihoods are Laplace approximations.

    Parameters
    ----------
    comparisons : Comparisons
        All verdicts so far.
    prior_sds : sequence of float
        Standard deviations of the abilities that the alternative averages over, logits.
    **settings : Any
        Passed to :func:`scoring.fit`, whose estimator is ``map``: evidence is Laplace's.

    Returns
    -------
    float
        Natural logarithm; negative when the null hypothesis explains the verdicts better.
    """
    start: Fit | None = None
    evidence = []
    for prior_sd in (*sorted(prior_sds, reverse=True), _NO_SPREAD):
        start = fit(comparisons, prior_sd=prior_sd, start=start, estimator="map", **settings)
        evidence.append(start.log_evidence)
    *reading, null = evidence
    return float(np.logaddexp.reduce(reading) - np.log(len(reading)) - null)


def _is_at_chance(log_bayes_factor: float | None) -> bool:
    return log_bayes_factor is not None and log_bayes_factor <= AT_CHANCE_LOG_BAYES_FACTOR


def _check_predictions(predicted: ArrayLike, preferred: ArrayLike) -> tuple[Floats, Floats]:
    p = np.asarray(predicted, dtype=np.float64)
    y = np.asarray(preferred, dtype=np.float64)
    if p.ndim != 1 or p.shape != y.shape:
        raise InvalidComparisonError(
            "preferred", f"predicted has shape {p.shape}, preferred {y.shape}; both must be (m,)"
        )
    bad = ~((p >= 0.0) & (p <= 1.0))
    if bad.any():
        row = int(bad.argmax())
        raise InvalidComparisonError("predicted", f"{p[row]} is not a probability", row)
    bad = ~np.isin(y, (0.0, 0.5, 1.0))
    if bad.any():
        row = int(bad.argmax())
        raise InvalidComparisonError("preferred", f"{y[row]} is not 0, 0.5 or 1", row)
    return p, y


def _check_cluster(cluster: ArrayLike | None, count: int) -> list[Ints] | None:
    """Rows of every comparison; None where each row is one of its own."""
    if cluster is None:
        return None
    numbers = np.asarray(cluster)
    if numbers.shape != (count,):
        raise InvalidComparisonError("cluster", f"expected {count} numbers, got {numbers.shape}")
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order])) + 1
    return None if len(starts) + 1 == count else np.split(order, starts)


def _know_nothing(log_bayes_factor: float | None) -> Audit:
    return Audit(
        n=0,
        agreement=0.5,
        agreement_interval=(0.0, 1.0),
        log_loss=float(np.log(2.0)),
        log_loss_interval=(0.0, np.inf),
        slope=0.0,
        slope_interval=(-np.inf, np.inf),
        chance_z=0.0,
        log_bayes_factor=log_bayes_factor,
        at_chance=_is_at_chance(log_bayes_factor),
    )


def _association(logit: Floats, y: Floats) -> float:
    """Return the permutation z of logits and verdicts' covariance; 0 when one is constant."""
    x, v = logit - logit.mean(), y - y.mean()
    variance = float(x @ x) * float(v @ v) / max(1, len(x) - 1)
    return float(x @ v) / float(np.sqrt(variance)) if variance > 0.0 else 0.0


def _recalibrate(
    logit: Floats, y: Floats, groups: list[Ints] | None = None
) -> tuple[float, Interval]:
    """Fit verdict ~ intercept + slope * logit by Firth's penalised likelihood, which always exists.

    Returns the slope and its 95% Wald interval, by lists where there are groups.
    """
    spread = float(logit.std())
    if spread < _TOLERANCE:
        return 0.0, (-np.inf, np.inf)
    design = np.column_stack([np.ones_like(logit), (logit - logit.mean()) / spread])
    beta = np.zeros(2)
    covariance = np.linalg.inv(design.T @ design / 4.0)
    for _ in range(_MAX_ITERATIONS):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -_LARGEST_LOGIT, _LARGEST_LOGIT)))
        weighted = design * (p * (1.0 - p))[:, None]
        covariance = np.linalg.inv(design.T @ weighted)
        leverage = np.einsum("ij,ij->i", weighted @ covariance, design)
        step = covariance @ (design.T @ (y - p + leverage * (0.5 - p)))
        beta = beta + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _TOLERANCE:
            break
    variance = float(covariance[1, 1])
    if groups is not None:
        along = (design * (y - p)[:, None]) @ covariance[1]
        variance = max(variance, clustered_error(along, groups, of_total=True) ** 2)
    half = _Z95 * float(np.sqrt(variance))
    slope = float(beta[1])
    return slope / spread, ((slope - half) / spread, (slope + half) / spread)
