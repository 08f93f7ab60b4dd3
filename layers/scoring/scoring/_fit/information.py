"""Joint covariance of all parameters at the estimate, computed when it is first asked for."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from scoring._fit.linear import (
    DenseSystem,
    centre_covariance,
    gram,
    invert,
    invert_factor,
    symmetric,
)
from scoring.errors import NotConvergedError, SolverState

if TYPE_CHECKING:
    from scoring._fit.derivatives import Blocks
    from scoring._fit.model import Model
    from scoring._types import Floats, Ints


class Information:
    """Inverse of the joint negative Hessian, in the sum-to-zero gauge.

    Parameters
    ----------
    model : Model
        The model that was fitted.
    blocks : Blocks
        Its negative Hessian at the estimate.
    state : SolverState
        The estimate, for the error raised when the Hessian there is not definite.
    gauge : (n,) array of int or None
        Component of each essay when abilities sum to zero per component, None when the prior
        fixes the gauge.
    """

    def __init__(
        self,
        model: Model,
        blocks: Blocks,
        state: SolverState,
        gauge: Ints | None = None,
    ) -> None:
        self._model = model
        self._blocks = blocks
        self._state = state
        self._gauge = gauge
        self.n = model.n

    @property
    def diagonal(self) -> Floats:
        """Fisher information of each ability with everything else held fixed, (n,)."""
        return self._blocks.diagonal - self._model.priors.ability

    @property
    def objective(self) -> float:
        """Penalised log likelihood at the estimate."""
        return self._state.objective

    @property
    def log_determinant(self) -> float:
        """Log determinant of the joint negative Hessian."""
        return float(2.0 * np.log(self._factor().diagonal()).sum())

    def _factor(self) -> Floats:
        model = self._model
        factor = DenseSystem(model.n, model.size, model.pairs, self._gauge).factor(self._blocks)
        if factor is None:
            raise NotConvergedError("the covariance (the Hessian is not definite)", self._state)
        return factor

    @cached_property
    def _inverse_factor(self) -> Floats:
        """Inverse of the lower Cholesky factor, (N, N): all that the variances need."""
        return invert_factor(self._factor())

    @cached_property
    def lower(self) -> Floats:
        """Lower triangle of the inverse over all parameters, (N, N); gauge part included."""
        return gram(self._inverse_factor)

    @cached_property
    def _diagonal_of_inverse(self) -> Floats:
        """Diagonal of the inverse over all parameters, (N,); gauge part included."""
        inverse = self._inverse_factor
        if self._gauge is not None:
            inverse = np.tril(inverse)
        squares: Floats = np.einsum("ij,ij->j", inverse, inverse)
        return squares

    @cached_property
    def variance(self) -> Floats:
        """Sum-to-zero variance of every ability, (n,); infinite for an essay never compared."""
        variance = self._diagonal_of_inverse[: self.n] - self._own_shift
        variance[self._alone] = np.inf
        return variance

    @cached_property
    def covariance(self) -> Floats:
        """Sum-to-zero covariance of the abilities, (n, n)."""
        full = symmetric(self.lower[: self.n, : self.n])
        if self._gauge is None:
            full -= self._own_shift
        else:
            same = self._gauge[:, None] == self._gauge[None, :]
            full -= np.where(same, self._own_shift[:, None], 0.0)
            full[self._alone, self._alone] = np.inf
        return full

    @cached_property
    def order_effect_se(self) -> Floats:
        """Standard error of each judge's order effect, (J,); 0 where it is not modelled."""
        model = self._model
        if model.n_order == 0:
            return np.zeros(model.data.n_judges)
        return np.sqrt(self._diagonal_of_inverse[self.n : self.n + model.n_order])

    @cached_property
    def cut_points_se(self) -> Floats:
        """Standard error of each reported cut point (of log nu under Davidson's model), (K,)."""
        link, start = self._model.link, self._model.n_order
        if not link.gaps:
            at = slice(start, start + link.n_shape)
            return np.sqrt(np.diagonal(self._other[at, at]))
        covariance = self._other[start : start + link.n_gaps, start : start + link.n_gaps]
        sums = np.array([link.cut_points(unit) for unit in np.eye(link.n_gaps, link.n_shape)])
        variance: Floats = np.einsum("ki,kl,li->i", sums, covariance, sums)
        return np.sqrt(variance)

    @cached_property
    def log_discrimination_se(self) -> Floats:
        """Standard error of each judge's log discrimination, (J,); 0 where not modelled."""
        model = self._model
        if model.basis is None:
            return np.zeros(model.data.n_judges)
        covariance = self._other[-model.n_log :, -model.n_log :]
        variance: Floats = np.einsum("ij,jk,ik->i", model.basis, covariance, model.basis)
        return np.sqrt(variance)

    @cached_property
    def _other(self) -> Floats:
        """Covariance of the parameters that are not abilities, (q, q)."""
        return symmetric(self.lower[self.n :, self.n :])

    def difference_variance(self, i: Ints, k: Ints) -> Floats:
        """Return the variance of ability[i] - ability[k] within one component."""
        lower = self.lower
        own = lower[i, i] + lower[k, k]
        variance: Floats = own - 2.0 * lower[np.maximum(i, k), np.minimum(i, k)]
        return np.where(i == k, 0.0, variance)

    @cached_property
    def _alone(self) -> Ints:
        """Essays that nothing is known about: without a prior and without a comparison."""
        if self._gauge is None:
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(np.bincount(self._gauge)[self._gauge] == 1)

    @property
    def _own_shift(self) -> Floats:
        """Variance of the common shift of all abilities, to be taken out, broadcastable to (n,)."""
        if self._gauge is None:
            return np.asarray(1.0 / (self.n * self._model.priors.ability))
        shift: Floats = 1.0 / np.bincount(self._gauge)[self._gauge]
        return shift


class CentredInformation(Information):
    """Covariance under a prior on the abilities whose gauge is not the sum-to-zero one.

    Parameters
    ----------
    model, blocks, state
        As for :class:`Information`; the model without priors.
    prior_curvature : (n,) array
        Curvature of the prior at the estimate.
    """

    def __init__(
        self, model: Model, blocks: Blocks, state: SolverState, prior_curvature: Floats
    ) -> None:
        super().__init__(model, blocks, state)
        self._curvature = prior_curvature

    @cached_property
    def lower(self) -> Floats:
        """Covariance of the centred abilities, (n, n)."""
        blocks = replace(self._blocks, diagonal=self._blocks.diagonal + self._curvature)
        factor = DenseSystem(self.n, self.n, self._model.pairs, None).factor(blocks)
        if factor is None:
            raise NotConvergedError("the covariance (the Hessian is not definite)", self._state)
        full = symmetric(invert(factor))
        return centre_covariance(full)

    @cached_property
    def _diagonal_of_inverse(self) -> Floats:
        return self.lower.diagonal()

    @property
    def _own_shift(self) -> Floats:
        return np.zeros(())


class MixtureInformation(Information):
    """Covariance of a mixture over the spread of abilities.

    Parameters
    ----------
    model, blocks, state
        As for :class:`Information`, at the node of most weight.
    lower : (N, N) array
        Lower triangle of the mixture's covariance; common shift included.
    """

    def __init__(self, model: Model, blocks: Blocks, state: SolverState, lower: Floats) -> None:
        super().__init__(model, blocks, state)
        self._lower = lower

    @cached_property
    def variance(self) -> Floats:
        """Sum-to-zero variance of every ability, (n,)."""
        return self.covariance.diagonal().copy()

    @cached_property
    def covariance(self) -> Floats:
        """Sum-to-zero covariance of the abilities, (n, n)."""
        return centre_covariance(symmetric(self._lower[: self.n, : self.n]))

    @cached_property
    def lower(self) -> Floats:
        """Lower triangle of the covariance over all parameters, (N, N)."""
        return self._lower

    @cached_property
    def _diagonal_of_inverse(self) -> Floats:
        return self._lower.diagonal()


def widen(information: Information, added: Floats) -> MixtureInformation:
    """Return the covariance with independent errors of the abilities beside it.

    Parameters
    ----------
    information : Information
        Under a prior on the abilities.
    added : (n,) array
        Variance to add to every ability, logits^2.
    """
    lower = information.lower.copy()
    at = np.arange(information.n)
    lower[at, at] += added
    return MixtureInformation(
        information._model,  # noqa: SLF001 - of the same module
        information._blocks,  # noqa: SLF001 - as above
        information._state,  # noqa: SLF001 - as above
        lower,
    )
