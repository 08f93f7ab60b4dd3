"""What a comparison tells about the grades of students: worth of pairs near the boundaries.

The ranked probability score of an essay is the sum over boundaries of the squared error of
P(grade below). Its expectation is p (1 - p), which learning a share rho of the variance T of
(boundary - ability) lowers at the rate phi(h)^2, h being the distance in standard deviations (the
derivative of the bivariate normal probability at rho = 0; Plackett, Biometrika 41, 1954). One
comparison of essays i and j with information I takes I / (1 + I V) (c_i - c_j)^2 off the variance
of any contrast. c are the contrast's covariances with all abilities, and V is the variance of their
difference. The worth of the pair is the sum of both over students and boundaries. A boundary is
read off a line through the anchors, so that comparing anchors has its worth too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring._pairing.pair_scores import difference_variance, expected_information

if TYPE_CHECKING:
    from scoring._types import Floats, Ints

# Spread of anchors around the line, in grade widths: that of ordinary graders, or more if shown.
_USUAL_SPREAD = 0.6
_FITTED = 2


def grade_precision_worth(
    ability: Floats, covariance: Floats, anchors: Ints, grade: Ints
) -> Floats | None:
    """Return how much a variance of each contrast of abilities costs the students' grades.

    Parameters
    ----------
    ability : (n,) ndarray of float
        Logits.
    covariance : (n, n) ndarray of float
        Logits squared.
    anchors, grade : (a,) ndarray of int
        Essay indices and grade positions.

    Returns
    -------
    (n, n) ndarray of float or None
        Positive semidefinite, M: learning that takes D off the covariance lowers the sum of ranked
        probability scores by trace(M D), to first order. None if the anchors' abilities do not rise
        with their grades.
    """
    design = np.column_stack([np.ones(len(grade)), grade])
    edges = np.arange(grade.min(), grade.max()) + 0.5
    if not len(edges):
        return None
    reading = np.column_stack([np.ones(len(edges)), edges]) @ np.linalg.pinv(design)
    line = np.linalg.lstsq(design, ability[anchors], rcond=None)[0]
    if line[1] <= 0:
        return None
    lines = np.zeros((len(edges), len(ability)))
    lines[:, anchors] = reading
    students = np.setdiff1d(np.arange(len(ability)), anchors)
    offset = (lines @ ability)[:, None] - ability[students]
    shared = lines @ covariance
    own = covariance.diagonal()[students] - 2.0 * shared[:, students]
    own += (shared * lines).sum(axis=1)[:, None]
    total = own + _grader_variance(ability[anchors] - design @ line, line[1])
    rate = np.exp(-(offset**2) / total) / (2.0 * np.pi * total)
    by_student = np.zeros((len(edges), len(ability)))
    by_student[:, students] = rate
    cross = by_student.T @ lines
    worth: Floats = (lines.T * rate.sum(axis=1)) @ lines - cross - cross.T
    worth[np.diag_indices_from(worth)] += by_student.sum(axis=0)
    return worth


def _grader_variance(residual: Floats, width: float) -> float:
    """Return the variance of the grader's reading of an essay, logits squared."""
    free = max(len(residual) - _FITTED, 1)
    shown = float(residual @ residual) / free
    return max(shown, (_USUAL_SPREAD * width) ** 2)


def grade_scores(ability: Floats, covariance: Floats, worth: Floats) -> Floats:
    """Score a pair by what its comparison is expected to take off the students' scores.

    Parameters
    ----------
    ability : (n,) ndarray of float
        Logits.
    covariance : (n, n) ndarray of float
        Logits squared.
    worth : (n, n) ndarray of float
        See `grade_precision_worth`.

    Returns
    -------
    (n, n) ndarray of float
    """
    information = expected_information(ability, covariance)
    gain = information / (1.0 + information * difference_variance(covariance))
    gained = covariance @ worth @ covariance
    own = gained.diagonal()
    score: Floats = gain * (own[:, None] + own[None, :] - gained - gained.T)
    return score
