"""Simulated batches in lists: a world, a judge of pairs and lists, and waves as they are planned.

The utility of an essay in a list is sharpness times ability, plus the effect of its place, plus
Gumbel noise, so that any two essays differ by logistic noise as in a pair (Plackett-Luce). Gaps
between neighbours are named by the margin between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from assessment.domain.config import BatchConfig
from assessment.domain.judge import BatchingMode, JudgeSpec, Provider
from assessment.domain.judges_in_lists import JudgesInLists, ListSharpness
from assessment.domain.list_judging import choose_sizes
from assessment.domain.list_ratio import BLUNT_BELOW
from assessment.domain.shared_calls import separate_comparisons
from scoring import Comparisons
from scoring.batch_fit import fit_batch
from scoring.list_planning import plan_lists
from scoring.lists import Lists, join_lists
from scoring.simulate import even_world

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scoring import Fit
    from scoring._fit.list_judging import ListJudging

CUTS = (1.0, 2.5)
ORDER_EFFECT = 0.3
PAIR = 2
_NO_LIMIT = 1_000_000
_MEASUREMENT = {"list_ratio": 1.0, "list_ratio_error": 0.15}


@dataclass(frozen=True)
class Habits:
    """How the simulated judge judges.

    Attributes
    ----------
    size : int
        Essays of a list; 2 for pairs alone.
    ratio : float
        Sharpness in lists over that in pairs.
    place_sd : float
        Standard deviation of the effects of places, logits.
    is_coin : bool
        Whether every verdict is drawn blindly.
    gives_scores : bool
        Whether lists come with a whole-numbered score for each essay instead of gaps.
    is_normal : bool
        Whether the noise is Normal, of the same variance, instead of Gumbel.
    """

    size: int
    ratio: float = 1.0
    place_sd: float = 0.3
    is_coin: bool = False
    gives_scores: bool = False
    is_normal: bool = False


@dataclass(frozen=True)
class Schedule:
    """How a batch is planned.

    Attributes
    ----------
    pair_share : float or None
        Share of the readings that is in pairs beside lists; None for what batches choose by what
        is known of the judge.
    wave_readings : float
        Readings of each essay in a wave where the share of pairs is given; else batches choose.
    is_adaptive : bool
        Whether lists are of neighbours, but for the audit's.
    audit_share : float
        Share of readings in random comparisons.
    is_measured : bool
        Whether the request says that the judge is as sharp in lists as in pairs.
    """

    pair_share: float | None = None
    wave_readings: float = 2.0
    is_adaptive: bool = True
    audit_share: float = 0.25
    is_measured: bool = False


@dataclass
class Batch:
    """A simulated batch, wave after wave."""

    habits: Habits
    schedule: Schedule
    rng: np.random.Generator
    n_students: int = 100
    n_anchors: int = 12
    sd: float = 2.0
    ability: np.ndarray = field(init=False)
    n_calls: int = 0

    def __post_init__(self) -> None:
        world = even_world(
            self.rng, n_students=self.n_students, n_anchors=self.n_anchors, sd=self.sd
        )
        self.ability = world.ability - world.ability.mean()
        places = self.rng.normal(size=self.habits.size)
        places -= places.mean()
        self.places = self.habits.place_sd * places / max(float(places.std()), 1e-9)
        self.shown: list[np.ndarray] = []
        self.ranked: list[np.ndarray] = []
        self.gaps: list[np.ndarray | None] = []
        self.scores: list[np.ndarray | None] = []
        self.fit: Fit | None = None
        self._placed: np.ndarray | None = None
        self.n_waves = 0

    @property
    def n(self) -> int:
        """Number of essays."""
        return len(self.ability)

    @property
    def readings(self) -> float:
        """Readings of each essay so far."""
        return sum(map(len, self.shown)) / self.n

    @property
    def calls(self) -> float:
        """Calls by essay so far, where every list is a call of its own."""
        return self.n_calls / self.n

    @property
    def share_in_pairs(self) -> float:
        """Share of the readings so far that were in pairs."""
        n_in_pairs = sum(PAIR for essays in self.shown if len(essays) == PAIR)
        return n_in_pairs / sum(map(len, self.shown))

    def waves(self, until: float) -> Iterator[Fit]:
        """Judge waves until every essay was read so often; yield the fit after each."""
        while self.readings < until - 0.05:
            self.judge_wave()
            self.fit = fit_batch(self.comparisons())
            self.place_by(self.fit.ability)
            yield self.fit

    def place_by(self, ability: np.ndarray) -> None:
        """Let the next waves' neighbours be those by these abilities."""
        self._placed = ability

    def judge_wave(self) -> None:
        """Plan a wave by the abilities that stand, and judge it."""
        self.n_waves += 1
        plan = plan_lists(
            self.n,
            sizes=self._sizes(),
            rng=self.rng,
            earlier=self.shown,
            ability=self._placed if self.schedule.is_adaptive else None,
            audit_share=self._audit_share,
        )
        self.n_calls += self._count_calls(plan.lists)
        for essays in plan.lists:
            self._judge(np.asarray(essays))

    def _count_calls(self, planned: Sequence[np.ndarray]) -> int:
        """Calls of a wave: each list, and the pairs beside lists as batches put them together."""
        pairs = [tuple(map(str, essays)) for essays in planned if len(essays) == PAIR]
        if self.habits.size == PAIR:
            return len(pairs)
        most = self._judge_spec.pairs_per_call_beside_lists(BatchingMode.PER_REQUEST)
        return len(planned) - len(pairs) + len(separate_comparisons(pairs, most=most))

    def _sizes(self) -> list[int]:
        size, wanted = self.habits.size, self.schedule.wave_readings * self.n
        if size == PAIR:
            return [PAIR] * round(wanted / PAIR)
        share = self.schedule.pair_share
        if share is None:
            return choose_sizes(
                [self._judge_spec],
                wave_number=self.n_waves,
                n_essays=self.n,
                config=BatchConfig(),
                n_readings=_NO_LIMIT,
                judges_in_lists=self._judges,
            )
        n_pairs = round(share * wanted / PAIR)
        return [size] * round((wanted - PAIR * n_pairs) / size) + [PAIR] * n_pairs

    @property
    def _audit_share(self) -> float:
        """Of a wave, as batches choose it where they choose the share of pairs."""
        is_chosen = self.schedule.pair_share is None
        is_suspected = is_chosen and self._judges.suspects_any([self._judge_spec])
        return 1.0 if is_suspected else self.schedule.audit_share

    @property
    def is_blunt(self) -> bool:
        """Whether the next waves would be pairs."""
        return bool(self._judges.blunt)

    @property
    def _judges(self) -> JudgesInLists:
        """What is known of the judge, as decisions tell it to the next wave."""
        judges = JudgesInLists.from_context(None, [self._judge_spec])
        judgings = () if self.fit is None else self.fit.list_judging
        # Without pairs the verdicts say nothing beside what was measured before.
        heard = [judging for judging in judgings if judging.is_ratio_known]
        if not heard:
            return judges
        return judges.learn([self._describe(judging) for judging in heard])

    @property
    def _judge_spec(self) -> JudgeSpec:
        measured: dict[str, Any] = _MEASUREMENT if self.schedule.is_measured else {}
        size = self.habits.size
        return JudgeSpec(provider=Provider.OPENAI, model="any", list_size=size, **measured)

    def _describe(self, judging: ListJudging) -> ListSharpness:
        expected = self._judge_spec.expected_list_ratio
        prior = {} if expected is None else {"expected": expected[0], "expected_sd": expected[1]}
        return ListSharpness(
            judge=self._judge_spec.label or "judge",
            list_size=judging.size,
            lists=judging.n_lists,
            ratio=judging.ratio,
            probability_blunt=judging.compute_cdf(BLUNT_BELOW, **prior),
        )

    def _judge(self, essays: np.ndarray) -> None:
        size = len(essays)
        is_list = size > PAIR
        ratio = self.habits.ratio if is_list else 1.0
        places = self.places[:size] if is_list else np.array([ORDER_EFFECT, 0.0])
        noise = self.rng.gumbel(size=size)
        if self.habits.is_normal:
            noise = self.rng.normal(0.0, np.pi / np.sqrt(6.0), size)
        utility = ratio * self.ability[essays] + places + noise
        if self.habits.is_coin:
            utility = noise
        order = np.argsort(-utility)
        self.shown.append(essays)
        self.ranked.append(essays[order])
        has_scores = is_list and self.habits.gives_scores
        margins = -np.diff(utility[order])
        self.gaps.append(None if has_scores else 1 + np.searchsorted(CUTS, margins))
        self.scores.append(np.round(60.0 + 6.0 * utility[order]) if has_scores else None)

    def comparisons(self) -> Comparisons:
        """All verdicts so far."""
        judge = np.zeros(len(self.shown), dtype=np.int64)
        lists = Lists(
            self.n, self.shown, self.ranked, gaps=self.gaps, scores=self.scores, judge=judge
        )
        return join_lists(None, lists)

    def rankings(self) -> Lists:
        """The orders of all lists so far, without gaps or scores."""
        rows = [row for row, essays in enumerate(self.shown) if len(essays) > PAIR]
        judge = np.zeros(len(rows), dtype=np.int64)
        shown, ranked = ([source[row] for row in rows] for source in (self.shown, self.ranked))
        return Lists(self.n, shown, ranked, judge=judge)

    @property
    def truth(self) -> np.ndarray:
        """True abilities in the unit of what most verdicts are."""
        unit = self.habits.ratio if self.habits.size > PAIR else 1.0
        scaled: np.ndarray = unit * self.ability
        return scaled


def correlate_ranks(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation, without ties."""
    first, second = (np.argsort(np.argsort(values)) for values in (one, other))
    return float(np.corrcoef(first, second)[0, 1])


def find_crossing(followed: list[list[list[float]]], target: float) -> list[float | None]:
    """Readings, calls and share in pairs at which the mean correlation is `target`, or None.

    Waves of different batches end at different readings: every curve is read at the same ones,
    as far as all go.
    """
    curves = [np.array(curve).T for curve in followed]
    first, last = max(curve[0, 0] for curve in curves), min(curve[0, -1] for curve in curves)
    readings = np.linspace(first, last, 200)
    *made, correlation = np.mean(
        [[np.interp(readings, curve[0], column) for column in curve] for curve in curves], axis=0
    )
    if correlation[-1] < target:
        return [None] * len(made)
    return [float(np.interp(target, correlation, column)) for column in made]
