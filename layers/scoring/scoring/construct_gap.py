"""Models' verdicts and people's on one scale that is people's.

A model reads essays by a construct of its own. Its ability of an essay is

    phi_i  =  s (theta_i + u_i),        u_i ~ N(0, tau^2),

theta people's ability, u the essay effect by which the two constructs differ, s the model's scale
in people's units. Where people have judged too, tau and s are estimated with the spread of
abilities and integrated over; what is reported is theta, so that intervals are widened by tau as
far as people's own verdicts do not tell. Without people's verdicts a fit is on the judge's
scale only (Bock & Jones 1968, chapter 8, have the factor model of judges; the integration is that
of Rue, Martino & Chopin 2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.construct_gap_estimate import ConstructGap
from scoring._fit.coupled import CoupledModel
from scoring._fit.gaussian import settle
from scoring._fit.information import MixtureInformation
from scoring._fit.linear import centre_covariance, symmetric
from scoring._fit.link_choice import choose_link
from scoring._fit.list_judging import describe_lists
from scoring._fit.model import Model
from scoring._fit.newton import describe_state
from scoring._fit.observations import observe
from scoring._fit.priors import Priors
from scoring._fit.reported import degree_shares, lapse_rates, outcome_model
from scoring._fit.result import Fit
from scoring._fit.sigma_points import find_maximum, spread_points
from scoring._fit.spread_estimate import Node, Spread, SpreadPrior, reduce_gaussian
from scoring.errors import InvalidSettingError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scoring._fit.gaussian import Gaussian
    from scoring._fit.link_choice import AttentionModel
    from scoring._fit.sigma_points import SigmaPoints
    from scoring._types import Bools, Floats, Ints
    from scoring.comparisons import Comparisons

# Log-normal priors: tau has the median .7 logits and one in forty above 3.4; a model's spread has
# the median 2.5 logits, the spread of a sharp one being 6.
GAP_PRIOR = SpreadPrior(0.7, 0.8)
MODEL_PRIOR = SpreadPrior(2.5, 1.0)
_TOLERANCE = 5e-3
_Z90 = 1.6448536269514722
MOST_PLACES = 800
"""Essays times scales above which the gap is not estimated: its time grows with their cube."""


@dataclass(slots=True)
class _Visit:
    """The Gaussian at one set of hyperparameters."""

    gaussian: Gaussian
    model_scales: Floats


def fit_people_scale(
    comparisons: Comparisons,
    is_model: ArrayLike,
    *,
    prior_sd: SpreadPrior | None = None,
) -> Fit:
    """Fit verdicts of people and of models on people's scale.

    Parameters
    ----------
    comparisons : Comparisons
        The verdicts with their judges.
    is_model : (J,) array_like of bool
        Which judges are models; the others are people, who share one scale.
    prior_sd : SpreadPrior, optional
        Prior of the standard deviation of abilities on people's scale.

    Returns
    -------
    Fit
        Abilities on people's scale with their uncertainty, and each model's gap; a model's
        discrimination is its scale.

    Raises
    ------
    InvalidSettingError
        If there are no verdicts of people or none of models, or too many essays and scales.
    """
    whose = _find_models_first(comparisons, is_model)
    search = _Search(comparisons, whose, SpreadPrior() if prior_sd is None else prior_sd)
    maximum = find_maximum(search.density, search.start)
    points = spread_points(search.density, maximum)
    return search.mixture(points)


def _find_models_first(comparisons: Comparisons, is_model: ArrayLike) -> Bools:
    whose = np.asarray(is_model, dtype=np.bool_)
    if comparisons.judge is None or whose.shape != (comparisons.n_judges,):
        raise InvalidSettingError(
            "is_model", f"expected one entry for each of {comparisons.n_judges} judges"
        )
    by_model = whose[comparisons.judge]
    if by_model.all() or not by_model.any():
        raise InvalidSettingError("is_model", "verdicts of people and of a model are needed")
    places = comparisons.n_essays * (1 + int(whose.sum()))
    if places > MOST_PLACES:
        raise InvalidSettingError(
            "comparisons", f"{places} essays times scales; at most {MOST_PLACES} are fitted"
        )
    return whose


def _centre_abilities(x: Floats, n: int) -> Floats:
    """Parameters with the first n, abilities, summing to zero."""
    gauged = x.copy()
    gauged[:n] -= gauged[:n].mean()
    return gauged


class _Search:
    """The posterior of the hyperparameters, with the Gaussians that were settled on the way.

    Hyperparameters are logarithms: people's sd, then each model's sd, then each model's tau.
    """

    def __init__(self, comparisons: Comparisons, is_model: Bools, prior: SpreadPrior) -> None:
        observations = observe(comparisons, ties="auto", degrees="auto", repeats="shared")
        self._observations = observations
        judge = observations.judge
        judge = np.zeros(len(observations.first), np.int64) if judge is None else judge
        if observations.judgings is not None:
            judge = observations.judgings.judge[judge]
        self.models = np.flatnonzero(is_model)
        scale_of = np.zeros(len(is_model), dtype=np.int64)
        scale_of[self.models] = 1 + np.arange(len(self.models))
        scale: Ints = scale_of[judge]
        has_degrees = observations.degrees > 1
        attention: AttentionModel = "estimated" if has_degrees else "lapses"
        link = choose_link(observations, 0.0, attention, is_model=is_model)
        self.model = CoupledModel(
            observations,
            link,
            scale,
            1 + len(self.models),
            order_effect=comparisons.order_known,
            is_model=is_model,
        )
        g = len(self.models)
        self._priors = (prior, *[MODEL_PRIOR] * g, *[GAP_PRIOR] * g)
        self.start = np.log([p.median for p in self._priors])
        self._visits: dict[tuple[float, ...], _Visit] = {}
        self._last: Gaussian | None = None

    def density(self, at: Floats) -> tuple[float, Floats]:
        """Log posterior density of the hyperparameters, and its gradient.

        Parameters
        ----------
        at : (1 + 2 G,) array
            Hyperparameters of G models.

        Returns
        -------
        value : float
            Up to a constant.
        slope : (1 + 2 G,) array
            Gradient.
        """
        visit = self._visit(at)
        model, gaussian = self.model, visit.gaussian
        covariance = self._covariance(at)
        moments = model.second_moments(gaussian.x, gaussian.lower)
        precision = np.linalg.inv(covariance)
        pull = 0.5 * model.n_essays * (precision @ moments @ precision - precision)
        slope = np.array([float((pull * part).sum()) for part in self._covariance_slopes(at)])
        value = gaussian.bound
        for k, prior in enumerate(self._priors):
            off = at[k] - np.log(prior.median)
            value -= 0.5 * (off / prior.log_sd) ** 2
            slope[k] -= off / prior.log_sd**2
        return value, slope

    def _visit(self, at: Floats) -> _Visit:
        key = tuple(np.round(at, 9))
        if key not in self._visits:
            self.model.set_covariance(self._covariance(at))
            x, variance = self._begin()
            gaussian = settle(self.model, x, variance, tolerance=_TOLERANCE)
            self._last = gaussian
            self._visits[key] = _Visit(gaussian, self._scales(at))
        return self._visits[key]

    def _begin(self) -> tuple[Floats, Floats]:
        if self._last is not None:
            return self._last.x.copy(), self._last.variance
        zero = self.model.start(np.zeros(self.model.n))
        return zero, np.full(len(self.model.data.first), 1.0)

    def _scales(self, at: Floats) -> Floats:
        """Every model's logits for one of people's, (G,)."""
        g = len(self.models)
        people, own, tau = np.exp(at[0]), np.exp(at[1 : 1 + g]), np.exp(at[1 + g :])
        scales: Floats = own / np.sqrt(people**2 + tau**2)
        return scales

    def _covariance(self, at: Floats) -> Floats:
        """Prior covariance of an essay's abilities on all scales, (1 + G, 1 + G), logits^2."""
        g = len(self.models)
        factor = np.concatenate([[1.0], self._scales(at)])
        covariance: Floats = np.exp(2.0 * at[0]) * np.outer(factor, factor)
        own = factor[1:] * np.exp(at[1 + g :])
        covariance[range(1, g + 1), range(1, g + 1)] += own**2
        return covariance

    def _covariance_slopes(self, at: Floats) -> list[Floats]:
        """Derivatives of the covariance in every hyperparameter, by central differences."""
        units = 1e-5 * np.eye(len(at))
        return [(self._covariance(at + u) - self._covariance(at - u)) / 2e-5 for u in units]

    def mixture(self, points: SigmaPoints) -> Fit:
        """Average the Gaussians at all points."""
        n, model, weights = self.model.n_essays, self.model, points.weights
        visits = [self._visit(point) for point in points.points]
        # essays on people's scale, and all parameters that are no abilities
        kept = np.concatenate([np.arange(n), np.arange(model.n, model.size)])
        means = np.array([_centre_abilities(v.gaussian.x[kept], n) for v in visits])
        x = weights @ means
        lower = np.zeros((len(kept), len(kept)))
        nodes = []
        for point, weight, visit, mean in zip(points.points, weights, visits, means, strict=True):
            own = visit.gaussian.lower[np.ix_(kept, kept)]
            lower += weight * (own + np.outer(mean - x, mean - x))
            ability = centre_covariance(symmetric(own[:n, :n]))
            nodes.append(reduce_gaussian(mean[:n], ability, x[:n], float(weight), float(point[0])))
        gaps = tuple(self._gap(k, points, visits) for k in range(len(self.models)))
        spread = self._spread(points, tuple(nodes))
        return self._fit(x, lower, spread, gaps, sum(v.gaussian.turns for v in visits))

    def _fit(
        self,
        x: Floats,
        lower: Floats,
        spread: Spread,
        gaps: tuple[ConstructGap, ...],
        turns: int,
    ) -> Fit:
        """Describe the mixture as a fit on people's scale.

        Parameters
        ----------
        x : (N,) array
            Means of the parameters, abilities on people's scale.
        lower : (N, N) array
            Lower triangle of their covariance.
        spread : Spread
            Of abilities on people's scale.
        gaps : tuple of ConstructGap
            By model.
        turns : int
            Iterations made.

        Returns
        -------
        Fit
        """
        observations, link = self._observations, self.model.link
        plain = Model(
            observations,
            link,
            Priors(spread.median**-2),
            order_effect=self.model.n_order > 0,
        )
        point = plain.evaluate(x)
        judgings = observations.judgings
        n_judges = observations.n_judges if judgings is None else judgings.n_judges
        discrimination = np.ones(n_judges)
        for gap in gaps:
            discrimination[gap.judge] = gap.scale
        shape = x[plain.shape_at]
        order = x[plain.n : plain.n + plain.n_pair_order].copy()
        return Fit(
            ability=x[: plain.n].copy(),
            order_effect=order if plain.n_order else np.zeros(n_judges),
            cut_points=link.cut_points(shape).copy(),
            lapse=lapse_rates(plain, shape, 0.0)[:n_judges],
            degree_share=degree_shares(plain, shape)[:n_judges],
            discrimination=discrimination,
            log_likelihood=point.log_likelihood,
            n_comparisons=observations.readings(),
            iterations=turns,
            prior_sd=spread.median,
            estimator="variational",
            outcomes=outcome_model(plain, shape, 0.0),
            spread=spread,
            _information=MixtureInformation(
                plain, plain.blocks(point), describe_state(plain, point, turns, 0.0), lower
            ),
            _links=(observations.first, observations.second),
            construct_gaps=gaps,
            list_judging=describe_lists(plain, x, lower, None),
        )

    def _spread(self, points: SigmaPoints, nodes: tuple[Node, ...]) -> Spread:
        prior = self._priors[0]
        mean, sd = float(points.mean[0]), float(points.sd[0])
        precision = max(sd**-2 - prior.log_sd**-2, 0.0)
        measured = mean
        if precision > 0.0:
            measured = (mean * sd**-2 - np.log(prior.median) * prior.log_sd**-2) / precision
        return Spread(mean, sd, float(measured), float(precision), nodes, prior)

    def _gap(self, which: int, points: SigmaPoints, visits: list[_Visit]) -> ConstructGap:
        n = self.model.n_essays
        own = slice((1 + which) * n, (2 + which) * n)
        shifts, variances = [], []
        for visit in visits:
            scale, x = visit.model_scales[which], visit.gaussian.x
            lower = symmetric(visit.gaussian.lower[: self.model.n, : self.model.n])
            shift = x[own] / scale - x[:n]
            shifts.append(shift - shift.mean())
            cross = lower[own, :n]
            full = lower[own, own] / scale**2 + lower[:n, :n] - (cross + cross.T) / scale
            variances.append(centre_covariance(full).diagonal())
        mean = np.sum([w * s for w, s in zip(points.weights, shifts, strict=True)], axis=0)
        second = np.sum(
            [
                w * (v + (s - mean) ** 2)
                for w, v, s in zip(points.weights, variances, shifts, strict=True)
            ],
            axis=0,
        )
        log_tau = 1 + len(self.models) + which
        centre, deviation = points.mean[log_tau], points.sd[log_tau]
        scales = np.array([visit.model_scales[which] for visit in visits])
        return ConstructGap(
            judge=int(self.models[which]),
            tau=float(np.exp(centre)),
            tau_low=float(np.exp(centre - _Z90 * deviation)),
            tau_high=float(np.exp(centre + _Z90 * deviation)),
            scale=float(np.exp(points.weights @ np.log(scales))),
            shift=mean,
            shift_se=np.sqrt(second),
        )
