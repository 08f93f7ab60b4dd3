"""Bradley-Terry abilities with order effects, ties, degrees and judges in one penalised fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from scoring._fit.estimate import Estimate, estimate_parameters, list_links
from scoring._fit.link_choice import AttentionModel, choose_link
from scoring._fit.list_judging import ListJudging, describe_lists
from scoring._fit.model import Model
from scoring._fit.observations import Observations, Repeats, Ties, observe
from scoring._fit.priors import NO_PRIORS, Priors
from scoring._fit.reported import degree_shares, doubt_unit, lapse_rates, outcome_model
from scoring._fit.result import Fit
from scoring._fit.settings import (
    WITH_PRIOR,
    WITHOUT_ORDER,
    Estimator,
    Judges,
    check_attention,
    check_degrees,
    check_lists,
    check_settings,
    choose_prior,
    choose_repeats,
    choose_ties,
)
from scoring._fit.spread_estimate import Spread, SpreadPrior
from scoring.errors import InvalidSettingError, OneJudgeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scoring._types import Floats
    from scoring.comparisons import Comparisons

__all__ = ["WITH_PRIOR", "Estimator", "Fit", "Judges", "Spread", "SpreadPrior", "fit"]


def fit(
    comparisons: Comparisons,
    *,
    prior_sd: float | SpreadPrior | None = None,
    order_effect: bool = True,
    ties: Ties = "auto",
    degrees: int | Literal["auto"] = "auto",
    judges: Judges = "pooled",
    lapse: float = 0.0,
    attention: AttentionModel = "full",
    estimator: Estimator = "variational",
    repeats: Repeats | Literal["auto"] = "auto",
    alpha: float = 0.01,
    start: Fit | ArrayLike | None = None,
) -> Fit:
    r"""Estimate abilities and everything that bears on the verdicts together.

    The latent margin of "first over second" by judge j is
    :math:`a_j (\theta_{first} - \theta_{second}) + b_j` plus standard logistic noise. The first
    essay is preferred when it is positive (Bradley & Terry 1952; order effect as in Davidson &
    Beaver 1977); a tie and the degrees of a preference are intervals of it with cut points
    symmetric about zero (Agresti 1992).

    Identification: abilities sum to zero, log discriminations sum to zero. Priors of ``map`` and
    ``variational``:
    :math:`\theta \sim N(0, prior\_sd^2)`, :math:`b_j \sim N(b, .3^2)` around
    :math:`b \sim N(0, 1)`, :math:`\log a_j \sim N(0, .5^2)`, gaps between cut points Gamma(2, 1).
    They make the estimate exist for every set of comparisons. ``variational`` estimates how far
    judges' order effects and log discriminations lie apart (:mod:`scoring._fit.shrinkage`).

    Parameters
    ----------
    comparisons : Comparisons
        The verdicts.
    prior_sd : float or SpreadPrior, optional
        Prior standard deviation of the abilities, logits: a number that is known from outside, or
        a prior of it. Under ``variational`` a :class:`SpreadPrior` is integrated over, and its
        uncertainty reaches everything reported; this is the default there. ``map`` takes 2 if
        nothing is given.
    order_effect : bool, default True
        Estimate, per judge, the advantage of being shown first (logits). Needs records of the
        shown order; without them (``order_known=False``) it is left out.
    ties : {"auto", "interval", "davidson", "half"}
        Ties as the middle interval ("auto" and "interval"), as Davidson's (1970) third outcome,
        or as half a win each.
    degrees : "auto" or int
        Degrees of preference a side; "auto" takes the highest one seen.
    judges : {"pooled", "discrimination"}
        One common discrimination, or one per judge.
    lapse : float, default 0.0
        Known probability that a verdict is a random answer.
    attention : {"full", "lapses", "estimated"}
        "full": every verdict follows the model. "lapses": every judge's lapse rate is estimated.
        "estimated": the lapse rate, what share of degrees' information a judge's degrees have, and
        the judge's own cut points are (:mod:`scoring._fit.attention`). Above 20 judges all share
        theirs. Not for Davidson's ties.
    estimator : {"variational", "map", "mle", "firth", "epsilon", "choix"}
        Mean and covariance of the Gaussian nearest to the posterior (default; Opper & Archambeau
        2009), whose standard errors hold with few comparisons too, in twelve to sixteen times the
        time of ``map`` (.01 s for 100 essays and 600 comparisons, .5 s for 1,000 and 6,000);
        posterior mode (``map``), whose intervals are too narrow at few comparisons; maximum
        likelihood; Jeffreys-penalised likelihood (Firth 1993); the epsilon-adjusted scores (.3) of
        R's sirt::btm; choix.ilsr_pairwise. The last three know wins and half-win ties only, the
        last two no order effect either.
    repeats : {"auto", "shared", "independent"}
        The r comparisons of one pair by one known judge, in whichever order, weigh
        1 / (1 + (r - 1) rho) each ("shared"; rho is ``comparisons.repeat_correlation``, 1 unless
        it was estimated: a judge who repeats a verdict adds no evidence), or 1 each. "auto" is
        "independent" for ``epsilon`` and ``choix``, whose published results were made so.
    alpha : float, default 0.01
        Regularisation of ``choix.ilsr_pairwise``; its strength grows with the number of essays.
    start : Fit or (n,) array_like, optional
        Abilities to start from, such as those of the previous wave.

    Returns
    -------
    Fit
        Abilities (logits) with their covariance and the other parameters.

    Raises
    ------
    AllTiesError, InvalidComparisonError, InvalidSettingError, OneJudgeError
        For input that no fit can use, naming the row or the setting.
    SeparationError
        Under ``mle``, when no finite maximum exists.
    NotConvergedError
        With the state of the solver.
    """
    prior_sd = choose_prior(prior_sd, estimator)
    check_settings(prior_sd, lapse, judges, estimator, alpha)
    check_attention(attention, lapse, estimator)
    if estimator in WITHOUT_ORDER:
        order_effect = False
    observations = observe(
        comparisons,
        ties=choose_ties(estimator, ties),
        degrees=degrees,
        repeats=choose_repeats(estimator, repeats),
    )
    check_degrees(observations, estimator)
    check_lists(observations, estimator)
    prior = prior_sd if isinstance(prior_sd, SpreadPrior) else None
    start_sd = prior_sd.median if isinstance(prior_sd, SpreadPrior) else prior_sd
    model = Model(
        observations,
        choose_link(observations, lapse, attention),
        Priors(1.0 / start_sd**2) if estimator in WITH_PRIOR else NO_PRIORS,
        order_effect=order_effect and comparisons.order_known,
        discrimination=_sharpness_basis(observations, judges, estimator),
    )
    abilities = _starting_abilities(observations, start)
    estimate = estimate_parameters(model, estimator, model.start(abilities), alpha, prior)
    return _result(model, estimate, estimator, start_sd, lapse=lapse, essays=comparisons.essays)


def _sharpness_basis(
    observations: Observations, judges: Judges, estimator: Estimator
) -> Floats | None:
    """Return what log discriminations are made of, (J, r), or None when all are 0.

    Those of judges sum to zero. Those of lists lie around the judge's own, except for ``map``: the
    mode of abilities and sharpness together is biased.
    """
    judgings = observations.judgings
    of_judges = None if judges == "pooled" else _discrimination_basis(observations)
    if judgings is None:
        return of_judges
    if estimator == "map":
        return None if of_judges is None else of_judges[judgings.judge]
    return judgings.sharpness_basis(of_judges)


def _discrimination_basis(observations: Observations) -> Floats:
    """Return an orthonormal basis of log discriminations that sum to zero, (J, J-1)."""
    judge, judgings = observations.judge, observations.judgings
    if judge is not None and judgings is not None:
        judge = judgings.judge[judge]
    if judge is None or (judge == judge[0]).all():
        raise OneJudgeError("discrimination compares judges: verdicts of at least two are needed")
    return sum_to_zero_basis(observations.n_judges if judgings is None else judgings.n_judges)


def sum_to_zero_basis(size: int) -> Floats:
    """Return an orthonormal basis of the vectors that sum to zero.

    Parameters
    ----------
    size : int
        Elements of a vector, at least 1.

    Returns
    -------
    (size, size - 1) ndarray of float
        Helmert's contrasts, one in each column.
    """
    k = np.arange(1, size)
    upper = np.tril(np.ones((size, size - 1)).T).T
    helmert = np.where(np.arange(size)[:, None] == k[None, :], -k.astype(float), upper)
    return helmert / np.sqrt(k * (k + 1.0))


def _starting_abilities(observations: Observations, start: Fit | ArrayLike | None) -> Floats:
    n = observations.n
    if start is None:
        won = observations.half_wins()
        lost = np.maximum(observations.evidence() - won, 0.0)
        guess: Floats = np.log((won + 0.5) / (lost + 0.5))
        return guess - guess.mean()
    abilities = np.asarray(start.ability if isinstance(start, Fit) else start, dtype=np.float64)
    if abilities.shape != (n,) or not np.isfinite(abilities).all():
        raise InvalidSettingError("start", f"expected {n} finite abilities, got {abilities.shape}")
    return abilities - abilities.mean()


def _result(
    model: Model,
    estimate: Estimate,
    estimator: Estimator,
    prior_sd: float,
    *,
    lapse: float,
    essays: tuple[str, ...] | None,
) -> Fit:
    x = estimate.x
    judgings = model.data.judgings
    n_judges = model.data.n_judges if judgings is None else judgings.n_judges
    order = np.zeros(n_judges)
    if model.n_order:
        order = x[model.n : model.n + model.n_pair_order].copy()
    shape = x[model.shape_at]
    ability = x[: model.n].copy()
    if estimator in WITH_PRIOR:
        # zero at the maximum; this takes out what the solver's tolerance leaves
        ability -= ability.mean()
    spread = estimate.spread
    return Fit(
        ability=ability,
        order_effect=order,
        cut_points=model.link.cut_points(shape).copy(),
        lapse=lapse_rates(model, shape, lapse)[:n_judges],
        degree_share=degree_shares(model, shape)[:n_judges],
        discrimination=np.exp(model.log_discrimination(x))[:n_judges],
        log_likelihood=estimate.log_likelihood,
        n_comparisons=model.data.readings(),
        iterations=estimate.iterations,
        prior_sd=_prior_sd(estimator, prior_sd, spread),
        estimator=estimator,
        outcomes=outcome_model(model, shape, lapse),
        spread=spread,
        _information=estimate.information,
        _links=list_links(model.data),
        essays=essays,
        list_judging=_lists(model, estimate),
        unit_doubt=doubt_unit(model, spread),
    )


def _lists(model: Model, estimate: Estimate) -> tuple[ListJudging, ...]:
    if model.data.judgings is None:
        return ()
    return describe_lists(model, estimate.x, estimate.information.lower, estimate.doubt)


def _prior_sd(estimator: Estimator, assumed: float, spread: Spread | None) -> float | None:
    if spread is not None:
        return spread.median
    return float(assumed) if estimator in WITH_PRIOR else None
