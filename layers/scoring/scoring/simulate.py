"""Simulated worlds and judges with known truth; randomness comes from the caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from scoring.errors import InvalidSettingError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from scoring._types import Floats, Ints
    from scoring.comparisons import Comparisons


class Judge(Protocol):
    """Anything that compares pairs of essays."""

    def judge(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> Ints:
        """Return one outcome per pair.

        Parameters
        ----------
        first, second : (m,) array_like of int
            Essay indices of the pairs, in shown order.
        rng : numpy.random.Generator

        Returns
        -------
        (m,) ndarray of int
            +k first better, -k second better, 0 a tie.
        """
        ...


@dataclass(frozen=True, eq=False)
class LogisticJudge:
    """A judge who follows the model of :func:`scoring.fit`.

    Attributes
    ----------
    ability : (n,) array
        True abilities, logits.
    cut_points : tuple of float
        Ascending positive cut points of the latent margin, logits; () for binary verdicts.
    ties : bool
        Whether margins below the first cut point are ties; otherwise they are preferences of
        degree 1 and every cut point opens a further degree.
    order_effect : float
        Advantage of the essay shown first, logits.
    discrimination : float
        Factor on ability differences.
    lapse : float
        Probability of a random answer, all answers equally likely.
    """

    ability: Floats
    cut_points: tuple[float, ...] = ()
    ties: bool = False
    order_effect: float = 0.0
    discrimination: float = 1.0
    lapse: float = 0.0

    def judge(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> Ints:
        """Draw one verdict per pair."""
        i, k = np.asarray(first), np.asarray(second)
        mean = self.discrimination * (self.ability[i] - self.ability[k]) + self.order_effect
        margin = mean + rng.logistic(size=len(i))
        degree = np.searchsorted(np.asarray(self.cut_points), np.abs(margin), side="right")
        outcome = np.where(margin < 0, -1, 1) * (degree if self.ties else degree + 1)
        if self.lapse:
            lapsed = rng.random(len(i)) < self.lapse
            outcome[lapsed] = rng.choice(self.answers, int(lapsed.sum()))
        drawn: Ints = outcome.astype(np.int64)
        return drawn

    def rank(self, lists: ArrayLike, rng: np.random.Generator, *, sharpness: float = 1.0) -> Ints:
        """Draw one ranking per list, by the model of Plackett and Luce.

        The best essay of a list is the one of largest ability plus Gumbel noise, and so on; the
        difference of two such noises is the logistic one of a pair.

        Parameters
        ----------
        lists : (m, k) array_like of int
            Essays of each list, in shown order.
        rng : numpy.random.Generator
        sharpness : float
            Factor on the discrimination in lists.

        Returns
        -------
        (m, k) ndarray of int
            The essays of each list, the best first.
        """
        essays = np.asarray(lists)
        mean = sharpness * self.discrimination * self.ability[essays]
        worth = mean + rng.gumbel(size=essays.shape)
        ranked: Ints = np.take_along_axis(essays, np.argsort(-worth, axis=1), axis=1)
        return ranked

    @property
    def answers(self) -> Ints:
        """All outcomes this judge can give."""
        top = len(self.cut_points) + (not self.ties)
        every = np.arange(-top, top + 1)
        outcomes: Ints = every if self.ties else every[every != 0]
        return outcomes


@dataclass(frozen=True)
class FlippingJudge:
    """Binary verdicts that agree with the true order with one fixed probability.

    Attributes
    ----------
    ability : (n,) array
        True abilities; only their order matters.
    agreement : float
        Probability that a verdict agrees with the true order; .5 is a coin.
    """

    ability: Floats
    agreement: float

    def judge(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> Ints:
        """Draw one verdict per pair."""
        i, k = np.asarray(first), np.asarray(second)
        truth = np.where(self.ability[i] >= self.ability[k], 1, -1)
        agrees = rng.random(len(i)) < self.agreement
        return np.where(agrees, truth, -truth).astype(np.int64)


@dataclass(frozen=True)
class CoinFlipJudge:
    """A judge who does not read the essays and flips a fair coin."""

    def judge(
        self,
        first: ArrayLike,
        second: ArrayLike,  # noqa: ARG002 - the answer does not depend on it
        rng: np.random.Generator,
    ) -> Ints:
        """Flip one coin per pair."""
        return rng.integers(0, 2, len(np.asarray(first))) * 2 - 1


@dataclass(frozen=True)
class PositionOnlyJudge:
    """A judge who always prefers the same position.

    Attributes
    ----------
    prefers_first : bool
        The position preferred.
    """

    prefers_first: bool = True

    def judge(
        self,
        first: ArrayLike,
        second: ArrayLike,  # noqa: ARG002 - the answer does not depend on it
        rng: np.random.Generator,  # noqa: ARG002 - the answer does not depend on it
    ) -> Ints:
        """Prefer the position every time."""
        return np.full(len(np.asarray(first)), 1 if self.prefers_first else -1, dtype=np.int64)


@dataclass(frozen=True)
class ReplayJudge:
    """Answers with recorded judgements of the same pair, drawn at random among them.

    Attributes
    ----------
    recorded : Comparisons
        The judgements to replay; a pair recorded the other way round is turned.
    """

    recorded: Comparisons
    _outcomes: dict[tuple[int, int], list[int]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        outcomes: dict[tuple[int, int], list[int]] = {}
        r = self.recorded
        columns = (r.first.tolist(), r.second.tolist(), r.outcome.tolist())
        for i, k, outcome in zip(*columns, strict=True):
            key, sign = ((i, k), 1) if i < k else ((k, i), -1)
            outcomes.setdefault(key, []).append(sign * outcome)
        object.__setattr__(self, "_outcomes", outcomes)

    def judge(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> Ints:
        """Replay one recorded judgement per pair.

        Raises
        ------
        InvalidSettingError
            If a pair was never judged.
        """
        drawn = []
        for i, k in zip(np.asarray(first).tolist(), np.asarray(second).tolist(), strict=True):
            outcomes = self._outcomes.get((min(i, k), max(i, k)))
            if outcomes is None:
                raise InvalidSettingError("recorded", f"no judgement of essays {i} and {k}")
            drawn.append(outcomes[rng.integers(len(outcomes))] * (1 if i < k else -1))
        return np.array(drawn, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class World:
    """Students and graded anchors with known abilities.

    Attributes
    ----------
    ability : (n,) array
        True abilities, logits; students first.
    students, anchors : arrays of int
        Which essays are which.
    student_grade : (s,) array of int
        True grade positions of the students.
    anchor_grade : (a,) array of int
        Grade positions the anchors are labelled with.
    boundaries : (G-1,) array
        Ascending abilities at which the next grade begins.
    """

    ability: Floats
    students: Ints
    anchors: Ints
    student_grade: Ints
    anchor_grade: Ints
    boundaries: Floats


def even_world(
    rng: np.random.Generator,
    *,
    n_students: int = 100,
    n_anchors: int = 12,
    n_grades: int = 8,
    sd: float = 2.0,
) -> World:
    """Draw Normal students and correctly labelled anchors on evenly spaced grade boundaries.

    Boundaries run from -1.5 to +1.5 student standard deviations; every grade gets an anchor,
    further ones go to the middle grades; an anchor lies in the inner 80% of its grade.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_students, n_anchors, n_grades : int
        Sizes of the world.
    sd : float
        Standard deviation of the students' abilities, logits.

    Returns
    -------
    World
    """
    boundaries = sd * np.linspace(-1.5, 1.5, n_grades - 1)
    edges = np.concatenate([[-2.0 * sd], boundaries, [2.0 * sd]])
    by_middle = np.argsort(np.abs(np.arange(n_grades) - (n_grades - 1) / 2), kind="stable")
    grade = np.sort(np.resize(np.concatenate([np.arange(n_grades), by_middle]), n_anchors))
    place = rng.uniform(0.1, 0.9, n_anchors)
    anchors = edges[grade] + place * (edges[grade + 1] - edges[grade])
    return _world(rng.normal(0.0, sd, n_students), anchors, grade, boundaries)


def uneven_world(
    rng: np.random.Generator,
    *,
    n_students: int = 100,
    anchors_per_grade: int = 2,
    n_grades: int = 8,
    sd: float = 2.0,
    missing_grades: int = 0,
    misgraded: int = 0,
) -> World:
    """Draw a realistic world: uneven grades, a shifted class, labels with errors.

    Gaps between boundaries are log-Normal (sd .25), the class mean is shifted by N(0, .3 sd),
    and anchors are labelled from their ability plus N(0, .25 gap). ``missing_grades`` grades get
    no anchor; ``misgraded`` anchors have a label that is two grades off.

    Parameters
    ----------
    rng : numpy.random.Generator
    n_students, anchors_per_grade, n_grades : int
        Sizes of the world.
    sd : float
        Standard deviation of the students' abilities, logits.
    missing_grades : int
        Grades without an anchor.
    misgraded : int
        Anchors with a wrong label.

    Returns
    -------
    World
    """
    gaps = np.exp(rng.normal(0.0, 0.25, n_grades - 2))
    gaps *= 3.0 * sd / gaps.sum()
    boundaries = -1.5 * sd + np.concatenate([[0.0], np.cumsum(gaps)])
    students = rng.normal(rng.normal(0.0, 0.3 * sd), sd, n_students)
    grades = np.delete(np.arange(n_grades), rng.choice(n_grades, missing_grades, replace=False))
    grade = np.repeat(grades, anchors_per_grade)
    anchors = np.array([_draw_anchor(rng, int(g), boundaries) for g in grade])
    wrong = rng.choice(len(grade), misgraded, replace=False)
    grade[wrong] += np.where(grade[wrong] < n_grades / 2, 2, -2)
    return _world(students, anchors, grade, boundaries)


def _draw_anchor(rng: np.random.Generator, grade: int, boundaries: Floats) -> float:
    """Draw an ability near a grade until a grader with errors gives it that grade."""
    gap = float(np.diff(boundaries).mean())
    outer = 1.5 * gap
    edges = np.concatenate([[boundaries[0] - outer], boundaries, [boundaries[-1] + outer]])
    while True:
        ability = rng.uniform(edges[grade] - 0.5 * gap, edges[grade + 1] + 0.5 * gap)
        graded_ability = ability + rng.normal(0.0, 0.25 * gap)
        if np.searchsorted(boundaries, graded_ability) == grade and edges[0] < ability < edges[-1]:
            return float(ability)


def _world(students: Floats, anchors: Floats, grade: Ints, boundaries: Floats) -> World:
    n = len(students)
    return World(
        ability=np.concatenate([students, anchors]),
        students=np.arange(n),
        anchors=np.arange(n, n + len(anchors)),
        student_grade=np.searchsorted(boundaries, students).astype(np.int64),
        anchor_grade=np.asarray(grade, dtype=np.int64),
        boundaries=boundaries,
    )


def random_matchings(n_essays: int, rounds: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Pair all essays at random ``rounds`` times (repeats possible; an odd essay is left out).

    Parameters
    ----------
    n_essays, rounds : int
    rng : numpy.random.Generator

    Returns
    -------
    first, second : (rounds * (n_essays // 2),) arrays of int
        In random shown order.
    """
    half = n_essays // 2
    orders = [rng.permutation(n_essays)[: 2 * half] for _ in range(rounds)]
    first = np.concatenate([order[:half] for order in orders])
    second = np.concatenate([order[half:] for order in orders])
    return first, second
