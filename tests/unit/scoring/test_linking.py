"""Anchors across batches against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.linking import (
    USUAL_DRIFT,
    AnchorReadings,
    condition_on_anchors,
    pool_anchors,
)


def readings(values: np.ndarray, variance: np.ndarray) -> AnchorReadings:
    """Every batch, a row of `values`, measured every anchor, a column."""
    batch, anchor = np.indices(values.shape)
    return AnchorReadings(batch.ravel(), anchor.ravel(), values.ravel(), variance.ravel())


def test_shifted_batches_that_agree_pool_to_their_common_abilities() -> None:
    ability = np.array([-2.0, 0.5, 1.5])
    shift = np.array([0.0, 3.0, -1.0, 7.0])
    pooled = pool_anchors(readings(ability + shift[:, None], np.full((4, 3), 0.04)))
    assert pooled.ability == pytest.approx(ability)
    # No residual: 6 degrees of freedom show no drift, 4 stand for the usual one.
    assert pooled.drift_sd**2 == pytest.approx(USUAL_DRIFT**2 * 4 / (4 + 6))


def test_unequal_variances_weigh_as_in_least_squares() -> None:
    rng = np.random.default_rng(3)
    values, variance = rng.normal(size=(3, 5)), rng.uniform(0.02, 0.5, (3, 5))
    pooled = pool_anchors(readings(values, variance))
    # The drift that the first pass estimates, by the normal equations.
    drift = USUAL_DRIFT**2
    weight = 1.0 / (variance + drift)
    design = np.zeros((15, 8))
    batch, anchor = (part.ravel() for part in np.indices((3, 5)))
    design[np.arange(15), anchor] = design[np.arange(15), 5 + batch] = 1.0
    normal = design.T @ (design * weight.reshape(-1, 1))
    solved = np.linalg.pinv(normal) @ design.T @ (weight * values).ravel()
    residual = values.ravel() - design @ solved
    free = 15 - 5 - 3 + 1
    excess = (residual**2 / variance.ravel()).sum() - free
    estimate = max(0.0, excess / ((1.0 / variance).mean() * free))
    drift = (estimate * free + USUAL_DRIFT**2 * 4) / (free + 4)
    weight = 1.0 / (variance + drift)
    # By turns, as a second way to the same solution.
    ability, shift = np.zeros(5), np.zeros(3)
    for _ in range(2000):
        ability = (weight * (values - shift[:, None])).sum(axis=0) / weight.sum(axis=0)
        ability -= ability.mean()
        shift = (weight * (values - ability)).sum(axis=1) / weight.sum(axis=1)
    assert pooled.ability == pytest.approx(ability, abs=1e-9)


def test_conditioning_is_that_of_a_joint_normal_distribution() -> None:
    rng = np.random.default_rng(5)
    root = rng.normal(size=(6, 6))
    covariance, ability = root @ root.T, rng.normal(size=6)
    anchors, level, variance = np.array([1, 4, 5]), np.array([0.2, 1.0, -1.0]), np.full(3, 0.3)
    linked = condition_on_anchors(
        ability, covariance, anchors=anchors, level=level, variance=variance
    )
    pick = np.eye(6)[anchors]
    noise = np.diag(variance) + 1e4
    precision = np.linalg.inv(covariance) + pick.T @ np.linalg.inv(noise) @ pick
    mean = np.linalg.solve(
        precision, np.linalg.inv(covariance) @ ability + pick.T @ np.linalg.inv(noise) @ level
    )
    assert linked.ability == pytest.approx(mean, abs=1e-5)
    assert linked.covariance == pytest.approx(np.linalg.inv(precision), abs=1e-5)
    # A shift of all levels is not known and changes nothing but the common level.
    shifted = condition_on_anchors(
        ability, covariance, anchors=anchors, level=level + 5.0, variance=variance
    )
    assert shifted.moved == pytest.approx(linked.moved)
