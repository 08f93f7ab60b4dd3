"""Which comparisons to ask for next.

A wave is planned in rounds; in a round every essay occurs at most once, so that all essays end with
the same number of comparisons. What differs between the strategies is the worth of a pair:

- `adaptive`: `d_optimal` where a covariance is given, else `nearest`.
- `nearest`: least difference of the abilities, which is largest p(1-p) (Pollitt, Assessment in
  Education 19, 2012).
- `d_optimal`: largest expected growth of log det of the information, log(1 + E[p(1-p)]
  Var(difference)).
- `optimal_matching`: the same worth, and of all matchings the one with the largest total: exactly
  up to 300 essays, on each essay's best partners up to 2,000 (1 to 3 s per round at 1,000), beyond
  as `adaptive`.
- `anchor_first`: each student meets a few anchors spread over the grades, then a ring of students.
- `grades`: the pairs that tell most about the students' grades, near the boundaries that anchors
  set. Essays that lie near one are compared more often than others
  (`scoring._pairing.grade_scores`); without anchors in order, as `adaptive`.
- `random`: random matchings.

An **audit share** of every wave is random pairs, chosen without regard to the estimates. Agreement
measured on them is not flattered by the choice of pairs (`scoring.audit`), and they keep the scale
honest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from scoring._indices import check_distinct_essays, check_essays
from scoring._pairing.anchor_plan import anchor_plan
from scoring._pairing.arguments import check_array
from scoring._pairing.grade_scores import grade_precision_worth, grade_scores
from scoring._pairing.matching import improve_matching
from scoring._pairing.optimal_matching import optimal_matching
from scoring._pairing.pair_scores import (
    d_optimal_scores,
    expected_covariance,
    nearest_scores,
    random_scores,
)
from scoring._pairing.quads import LEAST_ESSAYS
from scoring._pairing.rounds import Fill, fill, fill_in_quads
from scoring._pairing.shown_order import balance_order
from scoring._pairing.wave_draft import WaveDraft
from scoring.errors import PairingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from scoring._types import Bools, Floats, Ints

Strategy = Literal[
    "adaptive", "nearest", "d_optimal", "optimal_matching", "anchor_first", "grades", "random"
]

# `grades` takes the best quarter of a matching and matches again.
_SHARE_OF_MATCHING = 8
_WITH_COVARIANCE = ("d_optimal", "optimal_matching", "grades")
# `anchor_first`: how many anchors each student meets, after so many pairs of neighbouring anchors.
_ANCHORS_PER_STUDENT = 4
_BACKBONE_PAIRS = 6


@dataclass(frozen=True)
class WavePlan:
    """The comparisons of one wave.

    Attributes
    ----------
    first, second : (m,) ndarray of int
        Essays, in the order in which they are shown.
    audit : (m,) ndarray of bool
        True where the pair was chosen without regard to ability although abilities were there, so
        that the latest fit can be tested on it. All False in a first wave, which has no fit.

    """

    first: Ints
    second: Ints
    audit: Bools

    def __len__(self) -> int:
        """Return the number of comparisons."""
        return len(self.first)


def plan_wave(
    n_essays: int,
    *,
    rng: np.random.Generator,
    size: int | None = None,
    rounds: int = 4,
    first: ArrayLike = (),
    second: ArrayLike = (),
    counts: ArrayLike | None = None,
    ability: ArrayLike | None = None,
    covariance: ArrayLike | None = None,
    strategy: Strategy = "adaptive",
    audit_share: float = 0.25,
    anchors: ArrayLike | None = None,
    anchor_grade: ArrayLike | None = None,
    shares_essays: bool = False,
) -> WavePlan:
    """Plan the comparisons of the next wave.

    Without abilities (a first wave) the rounds are random matchings. Two rounds connect all essays.
    No pair is planned twice. After a whole wave no essay has been compared more than once oftener
    than any other (not under `anchor_first` and `grades`, which give some more). With an odd number
    of essays those who sat out come first in the next round. A wave of a small, nearly exhausted
    set is shorter than asked where the pairs left cannot be spread evenly.

    Parameters
    ----------
    n_essays : int
        Essays are 0 .. n_essays - 1, anchors and students alike.
    rng : numpy.random.Generator
        The only source of randomness; the same arguments and state give the same plan.
    size : int, optional
        The most comparisons wanted; by default, and never more than, `rounds * n_essays // 2`.
    rounds : int
        Comparisons per essay in this wave.
    first, second : (m,) array_like of int
        All pairs planned so far, in shown order.
    counts : (n,) array_like of int, optional
        How often each essay was compared so far; by default how often it is in those pairs, which
        is too often where they stand for lists.
    ability : (n,) array_like of float, optional
        Abilities of the latest fit, logits.
    covariance : (n, n) array_like of float, optional
        Their covariance, logits squared.
    strategy : Strategy
        See the module.
    audit_share : float
        Share of random pairs, 0 .. 1, once there are abilities.
    anchors, anchor_grade : (a,) array_like of int, optional
        Anchor essays and their grade positions; `anchor_first` and `grades` need both. Under
        `anchor_first` six pairs of neighbouring anchors come first, then four anchors for each
        student.
    shares_essays : bool
        Whether three rounds at a time are made of groups of four essays that all meet, where the
        strategy is free to choose. The pairs of a group share four texts where others have up to
        twelve. Audit pairs and shown order are chosen as ever.

    Returns
    -------
    WavePlan
        Empty if every pair is planned already.

    Raises
    ------
    PairingError
        An argument is out of range or has the wrong shape, or the strategy lacks what it needs.

    """
    _check_numbers(n_essays, size, rounds, audit_share)
    first, second = _check_pairs(n_essays, first, second)
    theta = check_array("ability", ability, (n_essays,))
    cov = check_array("covariance", covariance, (n_essays, n_essays))
    _check_strategy(strategy, theta, cov)
    budget = rounds * n_essays // 2
    budget = budget if size is None else min(size, budget)
    draft = WaveDraft(n_essays, first, second, _check_counts(counts, n_essays))
    has_abilities = theta is not None
    fill_freely = _choose_fill(n_essays, strategy, shares_essays=shares_essays)
    if strategy == "anchor_first":
        ids, grades = _check_anchors(n_essays, anchors, anchor_grade)
        planned = anchor_plan(
            draft.met,
            ids,
            grades,
            per_student=_ANCHORS_PER_STUDENT,
            backbone=_BACKBONE_PAIRS,
            budget=budget,
        )
        draft.add(planned, audit=has_abilities)
    elif theta is None or strategy == "random":
        fill_freely(draft, budget, rng, partial(random_scores, n_essays, rng), audit=has_abilities)
    else:
        # Abilities are not comparable across components, so a random round joins them first.
        joining = 0 if draft.is_connected else min(budget, n_essays // 2)
        fill(draft, joining, rng, partial(random_scores, n_essays, rng), audit=True)
        audited = round(audit_share * budget) - len(draft.pairs)
        fill(draft, audited, rng, partial(random_scores, n_essays, rng), audit=True)
        if strategy == "grades":
            graded = _check_anchors(n_essays, anchors, anchor_grade)
            _fill_by_grades(draft, budget - len(draft.pairs), theta, cov, graded)
        match = optimal_matching if strategy == "optimal_matching" else improve_matching
        worth = _worth(draft, theta, None if strategy == "nearest" else cov, rng)
        fill_freely(draft, budget - len(draft.pairs), rng, worth, match=match, audit=False)
    lead = np.bincount(first, minlength=n_essays) - np.bincount(second, minlength=n_essays)
    pairs = balance_order(draft.pairs, lead, rng)
    return WavePlan(pairs[:, 0], pairs[:, 1], draft.audit)


def _choose_fill(n_essays: int, strategy: Strategy, *, shares_essays: bool) -> Fill:
    """Return what adds the rounds that the strategy is free to choose."""
    is_free = shares_essays and strategy != "random" and n_essays >= LEAST_ESSAYS
    return fill_in_quads if is_free else fill


def _fill_by_grades(
    draft: WaveDraft,
    budget: int,
    theta: Floats,
    cov: Floats | None,
    graded: tuple[Ints, Ints],
) -> None:
    """Add the pairs that tell most about grades, in small matchings; none without an order.

    Parameters
    ----------
    draft : WaveDraft
        Is added to.
    budget : int
        Pairs wanted.
    theta : (n,) array
        Abilities, logits.
    cov : (n, n) array or None
        Their covariance, logits^2.
    graded : ((a,) array of int, (a,) array of int)
        Anchors and their grades' positions.
    """
    worth = None if cov is None else grade_precision_worth(theta, cov, *graded)
    if cov is None or worth is None:
        return
    expected = cov
    while budget > 0:
        size = min(budget, max(1, draft.n_essays // _SHARE_OF_MATCHING))
        pairs = draft.match_best(grade_scores(theta, expected, worth), size)
        if not len(pairs):
            return
        draft.add(pairs, audit=False)
        expected = expected_covariance(theta, expected, pairs)
        budget -= len(pairs)


def _worth(
    draft: WaveDraft, theta: Floats, cov: Floats | None, rng: np.random.Generator
) -> Callable[[], Floats]:
    """Return what computes the worth of every pair, given the pairs drafted when it is called."""
    # Equal scores (all essays at the prior mean, say) must not be broken by the essays' numbers.
    jitter = 1e-9 * random_scores(len(theta), rng)
    if cov is None:
        fixed = nearest_scores(theta) + jitter
        return lambda: fixed
    expected, counted = cov, 0

    def worth() -> Floats:
        nonlocal expected, counted
        drafted = draft.pairs[counted:]
        expected, counted = expected_covariance(theta, expected, drafted), counted + len(drafted)
        return d_optimal_scores(theta, expected) + jitter

    return worth


def _check_numbers(n_essays: int, size: int | None, rounds: int, audit_share: float) -> None:
    if n_essays <= 1:
        raise PairingError(f"n_essays is {n_essays}: a comparison needs at least 2 essays")
    if size is not None and size < 0:
        raise PairingError(f"size is {size}: give 0 or more comparisons, or None for whole rounds")
    if rounds < 1:
        raise PairingError(f"rounds is {rounds}: plan at least 1 comparison per essay")
    if not 0 <= audit_share <= 1:
        raise PairingError(f"audit_share is {audit_share}: give a share between 0 and 1")


def _check_pairs(n: int, first: ArrayLike, second: ArrayLike) -> tuple[Ints, Ints]:
    one, two = (
        check_essays(name, column, n, PairingError)
        for name, column in (("first", first), ("second", second))
    )
    if len(one) != len(two):
        raise PairingError(f"first has {len(one)} essays and second {len(two)}: give pairs")
    if (one == two).any():
        row = int(np.flatnonzero(one == two)[0])
        raise PairingError(f"row {row}: first and second are both essay {one[row]}")
    return one, two


def _check_counts(counts: ArrayLike | None, n: int) -> Ints | None:
    if counts is None:
        return None
    whole = np.asarray(counts)
    if whole.shape != (n,) or whole.dtype.kind not in "iu" or (whole < 0).any():
        raise PairingError(f"counts must have {n} whole numbers, none below 0")
    return whole.astype(np.int64)


def _check_strategy(strategy: str, theta: Floats | None, cov: Floats | None) -> None:
    if strategy not in get_args(Strategy):
        raise PairingError(f"strategy is {strategy!r}: choose one of {get_args(Strategy)}")
    if cov is not None and theta is None:
        raise PairingError("covariance is given without ability: give both or neither")
    if strategy in _WITH_COVARIANCE and theta is not None and cov is None:
        raise PairingError(f"covariance is missing: strategy {strategy!r} weighs pairs with it")


def _check_anchors(
    n: int, anchors: ArrayLike | None, grades: ArrayLike | None
) -> tuple[Ints, Ints]:
    if anchors is None or grades is None:
        raise PairingError("anchors and anchor_grade are needed by 'anchor_first' and 'grades'")
    ids = check_distinct_essays("anchors", anchors, n, PairingError)
    positions = np.asarray(grades)
    if not 0 < len(ids) < n:
        raise PairingError("anchors must be at least one essay, and not all essays")
    if positions.shape != ids.shape or positions.dtype.kind not in "iu":
        raise PairingError("anchor_grade must have one whole number for each of anchors")
    return ids, positions.astype(np.int64)
