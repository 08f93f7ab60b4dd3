"""Bradley-Terry abilities with order effects, ties, degrees and judges in one penalised fit."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from scoring._fit.classical import (
    choix_prior_curvature,
    choix_solution,
    epsilon_adjusted,
    firth,
)
from scoring._fit.gaussian import difference_variances, settle
from scoring._fit.information import CentredInformation, Information, MixtureInformation
from scoring._fit.likelihood import maximum_likelihood
from scoring._fit.link_choice import AttentionModel, choose_link
from scoring._fit.list_judging import ListJudging, describe_lists
from scoring._fit.model import Model
from scoring._fit.newton import Solution, approach, maximise, state_of
from scoring._fit.observations import Observations, Repeats, Ties, observe
from scoring._fit.priors import NO_PRIORS, Priors
from scoring._fit.reported import degree_shares, doubt_unit, lapse_rates, outcome_model
from scoring._fit.result import Fit
from scoring._fit.sharpness import Start, doubt_sharpness, sharpen_judges
from scoring._fit.shrinkage import shrink_order_effects
from scoring._fit.spread import better_start, integrate, rescaled
from scoring._fit.spread_estimate import Spread, SpreadPrior
from scoring._fit.variational import free_judges, nearest_gaussian
from scoring._graph import components as label_components
from scoring.errors import InvalidSettingError, NotConvergedError, OneJudgeError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scoring._types import Floats, Ints
    from scoring.comparisons import Comparisons

__all__ = ["Fit", "Spread", "SpreadPrior", "fit"]

WITH_PRIOR = ("map", "variational")
"""Estimators that take ``prior_sd``."""

_BINARY_ONLY = ("firth", "epsilon", "choix")
_WITHOUT_ORDER = ("epsilon", "choix")
_EPSILON = 0.3
_ASSUMED_SD = 2.0
_TOLERANCE = 1e-4
_DENSE_UP_TO = 400

type Estimator = Literal["map", "variational", "mle", "firth", "epsilon", "choix"]
"""How to estimate; see `fit`."""
type Judges = Literal["pooled", "discrimination"]


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
    prior_sd = _default_prior(prior_sd, estimator)
    _check_settings(prior_sd, lapse, judges, estimator, alpha)
    _check_attention(attention, lapse, estimator)
    if estimator in _WITHOUT_ORDER:
        order_effect = False
    observations = observe(
        comparisons,
        ties=_ties_for(estimator, ties),
        degrees=degrees,
        repeats=_repeats_for(estimator, repeats),
    )
    _check_degrees(observations, estimator)
    _check_lists(observations, estimator)
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
    estimate = _estimate(model, estimator, model.start(abilities), alpha, prior)
    return _result(model, estimate, estimator, start_sd, lapse=lapse, essays=comparisons.essays)


@dataclass(slots=True)
class _Estimate:
    """Means of all parameters, and the covariance that belongs to them."""

    x: Floats
    log_likelihood: float
    iterations: int
    information: Information
    spread: Spread | None = None
    doubt: Floats | None = None


def _estimate(
    model: Model,
    estimator: Estimator,
    start: Floats,
    alpha: float,
    prior: SpreadPrior | None,
) -> _Estimate:
    if prior is not None:
        return _integrated(model, start, prior)
    gauge, likelihood = None, model
    if estimator == "variational":
        model, solution = _nearest(model, start)
    elif estimator == "map":
        solution = _posterior_mode(model, start)
    elif estimator == "choix":
        solution = choix_solution(model, alpha)
    else:
        gauge = label_components(model.n, *_links(model.data))
        if estimator == "mle":
            solution = maximum_likelihood(model, start, gauge)
        elif estimator == "firth":
            solution = firth(model, start, gauge)
        else:
            solution = epsilon_adjusted(model, start, gauge, _EPSILON)
    point = solution.point
    state = state_of(model, point, solution.iterations, 0.0)
    blocks = model.blocks(point)
    if estimator == "choix":
        curvature = choix_prior_curvature(point.x[: model.n], alpha)
        information: Information = CentredInformation(model, blocks, state, curvature)
    else:
        information = Information(model, blocks, state, gauge)
    plain = likelihood.evaluate(point.x).log_likelihood
    doubt = doubt_sharpness(model, point, information.lower) if model.n_ratios else None
    return _Estimate(point.x, plain, solution.iterations, information, doubt=doubt)


def _integrated(model: Model, start: Floats, prior: SpreadPrior) -> _Estimate:
    """Integrate over the spread of abilities, from the mode at the prior's median."""
    begin = _start_of(model, start, prior)
    mixture = integrate(begin.model, begin.x, begin.variance, begin.model.log_sd, prior)
    centre, iterations = mixture.centre, mixture.turns
    point = centre.whole_point()
    information = MixtureInformation(
        centre.model,
        centre.model.blocks(point),
        state_of(centre.model, point, iterations, 0.0),
        mixture.lower,
    )
    plain = model.evaluate(mixture.x).log_likelihood
    doubt = None
    if model.n_ratios:
        doubt = doubt_sharpness(centre.model, point, centre.lower)
    return _Estimate(mixture.x, plain, iterations, information, mixture.spread, doubt)


def _start_of(model: Model, start: Floats, prior: SpreadPrior | None) -> Start:
    """Where the search for the Gaussian starts: near a mode, each judge's parameters found."""
    held = copy(model)
    held.hold_discrimination = True
    climb = _posterior_mode if model.n > _DENSE_UP_TO else approach
    mode = climb(held, start)
    if held.n_order > 1:  # judges, or places of lists, may differ
        held, mode = shrink_order_effects(held, mode, climb)
    lower = _covariance_at(held, mode)
    begin = Start(held, mode.point.x, _differences(held, mode, lower))
    if prior is not None and lower is not None:
        log_sd, x = better_start(held, mode.point.x, lower, prior)
        moved = copy(held)
        moved.set_ability_precision(float(np.exp(-2.0 * log_sd)))
        begin = Start(moved, x, rescaled(begin.variance, held.log_sd, log_sd))
    return begin if model.basis is None else sharpen_judges(begin, prior)


def _nearest(model: Model, start: Floats) -> tuple[Model, Solution]:
    """The nearest Gaussian at one sd, by shorter turns where whole ones do not settle."""
    begin = _start_of(model, start, None)
    begin.model.hold_discrimination = True
    solution = Solution(begin.model.evaluate(begin.x), 0)
    try:
        return nearest_gaussian(begin.model, solution, _posterior_mode)
    except NotConvergedError:
        gaussian = settle(begin.model, begin.x, begin.variance, tolerance=_TOLERANCE)
        return free_judges(gaussian.model, Solution(gaussian.point, gaussian.turns))


def _covariance_at(held: Model, mode: Solution) -> Floats | None:
    """Lower triangle of the covariance at the mode; None where the curvature is none of a peak."""
    state = state_of(held, mode.point, 0, 0.0)
    try:
        return Information(held, held.blocks(mode.point), state).lower
    except NotConvergedError:
        return None


def _differences(held: Model, mode: Solution, lower: Floats | None) -> Floats:
    """Variances of judged differences to start from, the prior's without a covariance, (m,)."""
    if lower is None:
        return np.full(len(held.data.first), 2.0 / held.priors.ability)
    return difference_variances(held, mode.point.x, lower)


def _posterior_mode(model: Model, start: Floats) -> Solution:
    """Choose the solver: a dense factor per iteration is cheap for small sets only."""
    if model.n > _DENSE_UP_TO:
        from scoring._fit.conjugate import maximise_sparse

        solution = maximise_sparse(model, start)
        if solution is not None:
            return solution
    return maximise(model, start)


def _ties_for(estimator: Estimator, ties: Ties) -> Ties:
    """Score-based estimators know ties only as half a win each."""
    if estimator not in _BINARY_ONLY or ties == "half":
        return ties
    if ties == "auto":
        return "half"
    raise InvalidSettingError("ties", f"estimator={estimator!r} counts a tie as half a win each")


def _repeats_for(estimator: Estimator, repeats: Repeats | Literal["auto"]) -> Repeats:
    """Results made with sirt or choix counted every comparison; everything else shares repeats."""
    if repeats != "auto":
        return repeats
    return "independent" if estimator in _WITHOUT_ORDER else "shared"


def _check_degrees(observations: Observations, estimator: Estimator) -> None:
    if estimator in _BINARY_ONLY and observations.degrees > 1:
        raise InvalidSettingError(
            "degrees", f"estimator={estimator!r} knows wins only; give the sign of the outcomes"
        )
    if estimator == "mle":
        used = np.bincount(observations.category, minlength=observations.degrees + 1)[1:]
        if not used.all():
            missing = int((used == 0).argmax()) + 1
            raise InvalidSettingError(
                "degrees",
                f"degree {missing} was never given, so its cut point has no maximum-likelihood "
                "estimate; use estimator='map'",
            )


def _check_lists(observations: Observations, estimator: Estimator) -> None:
    if observations.judgings is not None and estimator not in WITH_PRIOR:
        raise InvalidSettingError(
            "estimator", f"{estimator!r} knows pairs only; use 'variational' or 'map' for lists"
        )


def _default_prior(prior_sd: float | SpreadPrior | None, estimator: str) -> float | SpreadPrior:
    if prior_sd is not None:
        return prior_sd
    return SpreadPrior() if estimator == "variational" else _ASSUMED_SD


def _check_settings(
    prior_sd: float | SpreadPrior, lapse: float, judges: str, estimator: str, alpha: float
) -> None:
    _check_choice("estimator", estimator, get_args(Estimator.__value__))
    _check_choice("judges", judges, get_args(Judges.__value__))
    _check_prior(prior_sd, estimator)
    if not 0.0 <= lapse < 1.0:
        raise InvalidSettingError("lapse", f"must be in [0, 1), got {lapse}")
    if not (np.isfinite(alpha) and alpha > 0):
        raise InvalidSettingError("alpha", f"must be positive and finite, got {alpha}")
    if lapse > 0.0 and estimator in _BINARY_ONLY:
        raise InvalidSettingError("lapse", f"estimator={estimator!r} knows no lapses")
    if judges == "discrimination" and estimator not in WITH_PRIOR:
        raise InvalidSettingError("judges", "discrimination needs the priors of estimator='map'")


def _check_choice(setting: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidSettingError(setting, f"expected one of {', '.join(known)}, got {value!r}")


def _check_prior(prior_sd: float | SpreadPrior, estimator: str) -> None:
    if isinstance(prior_sd, SpreadPrior):
        if estimator != "variational":
            raise InvalidSettingError(
                "prior_sd", "a prior of the spread is integrated over by 'variational' only"
            )
    elif not (np.isfinite(prior_sd) and prior_sd > 0):
        raise InvalidSettingError("prior_sd", f"must be positive and finite, got {prior_sd}")


def _check_attention(attention: str, lapse: float, estimator: str) -> None:
    _check_choice("attention", attention, get_args(AttentionModel.__value__))
    if attention != "full" and (lapse > 0.0 or estimator not in WITH_PRIOR):
        raise InvalidSettingError(
            "attention", "is estimated by 'variational' and 'map' only, with lapse=0"
        )


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
    """Return an orthonormal basis of the vectors that sum to zero, (size, size - 1)."""
    k = np.arange(1, size)
    upper = np.tril(np.ones((size, size - 1)).T).T
    helmert = np.where(np.arange(size)[:, None] == k[None, :], -k.astype(float), upper)
    return helmert / np.sqrt(k * (k + 1.0))


def _links(observations: Observations) -> tuple[Ints, Ints]:
    return observations.first, observations.second


def _starting_abilities(observations: Observations, start: Fit | ArrayLike | None) -> Floats:
    n = observations.n
    if start is None:
        won = observations.half_wins()
        lost = np.maximum(observations.evidence() - won, 0.0)
        guess: Floats = np.log((won + 0.5) / (lost + 0.5))
        return guess - guess.mean()
    given = np.asarray(start.ability if isinstance(start, Fit) else start, dtype=np.float64)
    if given.shape != (n,) or not np.isfinite(given).all():
        raise InvalidSettingError("start", f"expected {n} finite abilities, got {given.shape}")
    return given - given.mean()


def _result(
    model: Model,
    estimate: _Estimate,
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
        _links=_links(model.data),
        essays=essays,
        list_judging=_lists(model, estimate),
        unit_doubt=doubt_unit(model, spread),
    )


def _lists(model: Model, estimate: _Estimate) -> tuple[ListJudging, ...]:
    if model.data.judgings is None:
        return ()
    return describe_lists(model, estimate.x, estimate.information.lower, estimate.doubt)


def _prior_sd(estimator: Estimator, assumed: float, spread: Spread | None) -> float | None:
    if spread is not None:
        return spread.median
    return float(assumed) if estimator in WITH_PRIOR else None
