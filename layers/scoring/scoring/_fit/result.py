"""The result of a fit: abilities on one scale, with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring._fit.ability_intervals import Posterior, outward_share
from scoring._fit.presentation import draw, make_table
from scoring._graph import components as label_components
from scoring._ids import number_names
from scoring._list_rows import PAIR
from scoring.errors import DisconnectedError, InvalidComparisonError, InvalidSettingError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scoring._fit.construct_gap_estimate import ConstructGap
    from scoring._fit.information import Information
    from scoring._fit.list_judging import ListJudging
    from scoring._fit.outcomes import Outcomes
    from scoring._fit.presentation import Table
    from scoring._fit.spread_estimate import Spread
    from scoring._types import Floats, Ints
    from scoring.comparisons import Comparisons


@dataclass(frozen=True, eq=False)
class Fit:
    """Abilities on one logit scale, with their uncertainty.

    Standard errors and covariances need one dense inverse, which is computed when first asked
    for; the abilities alone need none.

    Attributes
    ----------
    ability : (n,) array
        Logits. Sum to zero: over all essays under ``map``, within each component otherwise.
    order_effect : (J,) array
        Logits added in favour of the essay shown first, per judge; 0 where not modelled.
    cut_points : (K,) array
        Positive cut points of the latent margin in ascending order, logits: the first is the
        half width of the tie interval when ties are modelled as intervals, the rest separate the
        degrees. Under Davidson's model the single entry is log nu.
    lapse : (J,) array
        Share of a judge's verdicts that are random answers: the rate assumed, or the judge's own
        where attention was estimated.
    degree_share : (J,) array
        How much of what degrees could tell a judge's degrees do tell: 0 nothing, the sign of the
        verdict is all; 1 as the model says, which is assumed unless attention was estimated.
    discrimination : (J,) array
        Factor by which a judge's logits differ from the common scale; 1 where not modelled.
    log_likelihood : float
        Plain log likelihood at the estimate, repeated pairs at their shared weight.
    n_comparisons : (n,) array of int
        Comparisons that bear on each essay, repeats by one judge counted once.
    iterations : int
        Iterations of the solver.
    prior_sd : float or None
        Standard deviation of the abilities, logits: the one assumed, or the posterior's geometric
        mean where it was integrated over; None for estimators without a prior.
    estimator : str
        The estimator used.
    outcomes : Outcomes
        The observation model with its parameters plugged in.
    spread : Spread or None
        What is known of the standard deviation of abilities, where it was integrated over.
    construct_gaps : tuple of ConstructGap
        Where the abilities are on people's scale: how each model's scale differs from it.
    essays : tuple of str or None
        The essays' ids in the order of all arrays; None where essays are numbers.
    list_judging : tuple of ListJudging
        Where there are lists: how each judge judges lists of each size. Everything else that is
        said of judges is of pairs.
    unit_doubt : float
        By how much the logarithm of the abilities' unit may be larger, the scale of a half-Normal:
        what looks like a judge's noise may be preferences about single pairs that no scale
        explains. 0 where the judge is taken at the model's word. It widens `interval` alone.
    """

    ability: Floats
    order_effect: Floats
    cut_points: Floats
    lapse: Floats
    degree_share: Floats
    discrimination: Floats
    log_likelihood: float
    n_comparisons: Ints
    iterations: int
    prior_sd: float | None
    estimator: str
    outcomes: Outcomes = field(repr=False)
    spread: Spread | None = field(repr=False)
    _information: Information = field(repr=False)
    _links: tuple[Ints, Ints] = field(repr=False)
    construct_gaps: tuple[ConstructGap, ...] = field(default=(), repr=False)
    essays: tuple[str, ...] | None = field(default=None, repr=False)
    list_judging: tuple[ListJudging, ...] = field(default=(), repr=False)
    unit_doubt: float = field(default=0.0, repr=False)

    @cached_property
    def standard_error(self) -> Floats:
        """Standard error of each ability in the sum-to-zero gauge, logits, (n,)."""
        return np.sqrt(self._information.variance)

    @cached_property
    def covariance(self) -> Floats:
        """Covariance of the abilities in the sum-to-zero gauge, logits^2, (n, n)."""
        return self._information.covariance

    def interval(self, level: float = 0.95) -> Floats:
        """Return the interval of each ability, logits, (n, 2).

        Quantiles of the posterior. Where the spread of abilities was integrated over they lie
        further out than in: all abilities stretch with a factor that is not known exactly. So they
        do where attention was estimated, which doubts the unit too (`unit_doubt`; not that of
        people's scale) and leaves more of the probability outside to the inner side, the more the
        fewer the verdicts. Otherwise they are central, and as many standard errors away on both
        sides.

        Parameters
        ----------
        level : float, default 0.95
            Posterior probability of each interval.

        Raises
        ------
        InvalidSettingError
            If the level is not inside (0, 1).
        """
        outward = 0.0
        if self.spread is not None and (self.unit_doubt > 0.0 or self.construct_gaps):
            outward = outward_share(self.spread.sd_log)
        return self._posterior().stretch(self.unit_doubt).interval(level, outward)

    def _posterior(self) -> Posterior:
        if self.spread is None:
            variance = self.standard_error[None, :] ** 2
            return Posterior(np.ones(1), self.ability[None, :], variance)
        nodes = self.spread.nodes
        return Posterior(
            np.array([node.weight for node in nodes]),
            np.array([node.ability for node in nodes]),
            np.array([node.variance for node in nodes]),
        )

    @cached_property
    def diagonal_standard_error(self) -> Floats:
        """1/sqrt of the diagonal information, (n,): what several programs publish.

        It ignores that opponents' abilities are estimated too; compare ``standard_error``.
        Infinite for an essay never compared.
        """
        information = self._information.diagonal
        has_information = information > 0.0
        return np.where(
            has_information, 1.0 / np.sqrt(np.where(has_information, information, 1.0)), np.inf
        )

    @cached_property
    def components(self) -> Ints:
        """Connected component of each essay, numbered by its smallest essay, (n,)."""
        return label_components(len(self.ability), *self._links)

    @cached_property
    def order_effect_se(self) -> Floats:
        """Standard error of each order effect, logits, (J,); 0 where it is not modelled."""
        return self._information.order_effect_se[: len(self.order_effect)]

    @cached_property
    def cut_points_se(self) -> Floats:
        """Standard error of each cut point, logits, (K,)."""
        return self._information.cut_points_se

    @cached_property
    def discrimination_se(self) -> Floats:
        """Standard error of each discrimination (delta method), (J,); 0 where not modelled."""
        error = self._information.log_discrimination_se
        return self.discrimination * error[: len(self.discrimination)]

    @cached_property
    def log_evidence(self) -> float:
        """Log marginal likelihood by Laplace's method, up to a constant of the data and settings.

        Comparable between fits of the same comparisons that differ in ``prior_sd`` only; the
        limit of a small ``prior_sd`` is the evidence for a judge who ignores the essays.

        Raises
        ------
        InvalidSettingError
            If the estimator is another than ``map``.
        """
        if self.prior_sd is None or self.estimator != "map":
            raise InvalidSettingError(
                "estimator", f"{self.estimator!r} has no prior or no mode, use 'map'"
            )
        information = self._information
        width = len(self.ability) * np.log(self.prior_sd)
        return float(information.objective - 0.5 * information.log_determinant - width)

    def table(self) -> Table:
        """Return one row for each essay, the best first.

        Returns
        -------
        Table
            Columns ``rank``, ``essay``, ``ability``, ``standard_error``, ``low`` and ``high`` (95%
            :meth:`interval`), all logits, and ``n_comparisons``. Data frames are made of it.
        """
        return make_table(self)

    def plot(self, axes: Any = None) -> Any:  # noqa: ANN401 - matplotlib is not always there
        """Draw the abilities with their 95% intervals, the best at the top.

        Parameters
        ----------
        axes : matplotlib.axes.Axes, optional
            Where to draw; a new figure if left out.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ModuleNotFoundError
            Without matplotlib, which the extra ``report`` brings.
        """
        return draw(self, axes)

    def difference(self, i: int | str, k: int | str) -> tuple[float, float]:
        """Return ability[i] - ability[k] and its standard error, logits; essays by number or id.

        Raises
        ------
        DisconnectedError
            If no chain of comparisons links the two essays.
        InvalidComparisonError
            If one is not an essay.
        """
        one, other = self._essays("i", [i]), self._essays("k", [k])
        first, second = int(one[0]), int(other[0])
        if self.components[first] != self.components[second]:
            raise DisconnectedError(i, k)
        variance = self._information.difference_variance(one, other)[0]
        return float(self.ability[first] - self.ability[second]), float(np.sqrt(variance))

    def predict(
        self,
        first: ArrayLike,
        second: ArrayLike,
        judge: ArrayLike | None = None,
        *,
        size: ArrayLike = PAIR,
    ) -> Floats:
        """Predict verdicts on pairs shown in a given order.

        The probability is averaged over the uncertainty of the ability difference (MacKay 1992,
        the logistic-Normal integral), so that an early fit does not predict with the confidence
        of a late one. Pairs in different components get a difference of zero.

        Parameters
        ----------
        first, second : (m,) array_like of int or str
            Essays as shown, by number or id.
        judge : (m,) array_like of int, optional
            Whose order effect and discrimination apply. None predicts from the essays alone, as
            an audit must: a judge who always prefers the first essay is then not predictable.

        size : (m,) array_like of int or int, default 2
            How many essays are shown together: judges are then as sharp as the fit says they are in
            lists of that size.

        Returns
        -------
        (m,) array
            P(first preferred | not a tie).

        Raises
        ------
        InvalidComparisonError
            If an index is not an essay; names the row.
        """
        i, k = self._essays("first", first), self._essays("second", second)
        linked = self.components[i] == self.components[k]
        difference = np.where(linked, self.ability[i] - self.ability[k], 0.0)
        variance = np.where(linked, self._information.difference_variance(i, k), 0.0)
        if judge is None:
            a = self._sharpness(np.broadcast_to(np.asarray(size), i.shape))
            return self.outcomes.preference(a * difference, a * a * variance)
        j = np.asarray(judge, dtype=np.int64)
        a = self.discrimination[j]
        return self.outcomes.preference(a * difference + self.order_effect[j], a * a * variance)

    def _sharpness(self, size: Ints) -> Floats | float:
        """Mean discrimination of all judges in lists of these sizes, in the abilities' unit."""
        if not self.list_judging:
            return 1.0
        own = np.log(self.discrimination)
        sharpness = np.full(len(size), float(np.exp(own.mean())))
        for one in np.unique(size[size > PAIR]):
            known = [e for e in self.list_judging if e.size == one]
            if known:
                mean = np.mean([own[e.judge] + np.log(e.ratio) for e in known])
                sharpness[size == one] = np.exp(mean)
        return sharpness

    def _essays(self, field: str, column: ArrayLike) -> Ints:
        """Return a column of essays as integers, or name the row that is none."""
        values = np.asarray(column)
        if values.dtype.kind in "UOT" and self.essays is not None:
            return number_names(field, [str(value) for value in values.tolist()], self.essays)
        essays = values.astype(np.int64)
        outside = (essays < 0) | (essays >= len(self.ability))
        if outside.any():
            row = int(outside.argmax())
            last = len(self.ability) - 1
            problem = f"essay {essays[row]} is not among the essays 0 .. {last}"
            raise InvalidComparisonError(field, problem, row)
        return essays

    def judged_difference(self, comparisons: Comparisons) -> Floats:
        """Return the fitted latent mean of "first over second" of each comparison, logits, (m,)."""
        difference = self.ability[comparisons.first] - self.ability[comparisons.second]
        scale, shift = self.judged_scale(comparisons)
        latent: Floats = scale * difference + shift
        return latent

    def judged_scale(self, comparisons: Comparisons) -> tuple[Floats, Floats]:
        """Return by what each comparison's ability difference is multiplied, and what is added.

        Parameters
        ----------
        comparisons : Comparisons
            By the judges of this fit.

        Returns
        -------
        scale, shift : (m,) arrays
            The judge's sharpness, in pairs or in lists, and the effect of the shown order, logits.
        """
        judge = comparisons.judge
        j = np.zeros(len(comparisons), dtype=np.int64) if judge is None else judge
        j = j if len(self.order_effect) > 1 else np.zeros_like(j)
        scale, shift = self.discrimination[j], self.order_effect[j]
        rows = comparisons.list_rows
        if rows is not None:
            shift[rows.is_listed] = 0.0
            for known in self.list_judging:
                own = (rows.size == known.size) & (j == known.judge)
                places = known.place_effects
                scale[own] *= known.ratio
                shift[own] = places[rows.first_place[own]] - places[rows.second_place[own]]
        return scale, shift
