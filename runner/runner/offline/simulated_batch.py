"""A simulated batch through the product's own planning, scoring, decisions and grading.

Nothing is stored and nobody is asked, so a study of many batches is a matter of seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from assessment.domain.batch import Batch, BatchStatus
from assessment.domain.comparison import Comparison, ComparisonStatus, PlannedList, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.continuation import PreviousLook, build_context
from assessment.domain.decision import ContinuationContext, Decision, DecisionKind
from assessment.domain.decision_rules import decide
from assessment.domain.essay import Essay, EssayKind
from assessment.domain.grade_scale import GradeScale
from assessment.domain.judge import BatchingMode, JudgeSpec
from assessment.domain.judges_in_lists import JudgesInLists
from assessment.domain.list_judging import outline_wave
from assessment.domain.not_assessed import AssessedPart
from assessment.domain.planning import choose_repeats, count_room
from assessment.domain.prompt import JudgeInstructions
from assessment.domain.readings import PAIR, count_readings
from assessment.domain.result import Conclusion, Scores
from assessment.domain.spec import BatchSpec
from assessment.domain.verdict import Degree, ListVerdict, Verdict, Winner
from assessment.statistics.engine import ScoringStatistics

if TYPE_CHECKING:
    from scoring.simulate import Judge, LogisticJudge

_NOW = datetime(2026, 3, 2, tzinfo=UTC)
_DEGREES = {1: Degree.SLIGHT, 2: Degree.CLEAR, 3: Degree.DECISIVE}
_STATISTICS = ScoringStatistics()


@dataclass(frozen=True)
class Look:
    """What was known after a wave, and what was decided."""

    scores: Scores
    context: ContinuationContext
    decision: Decision

    @property
    def per_essay(self) -> float:
        """Comparisons of an essay in a batch of pairs."""
        return 2 * self.context.successes / self.context.n_essays

    @property
    def ability(self) -> np.ndarray:
        """Abilities in the order of the essays, logits, (n,)."""
        rankings = sorted(self.scores.rankings, key=lambda ranking: ranking.essay_id)
        return np.array([ranking.bradley_terry_score for ranking in rankings])

    def recall(self) -> PreviousLook:
        """What the next look compares with."""
        return PreviousLook(self.scores.rankings, self.context)

    @property
    def standard_error(self) -> np.ndarray:
        """Standard errors in the order of the essays, logits, (n,)."""
        rankings = sorted(self.scores.rankings, key=lambda ranking: ranking.essay_id)
        return np.array([ranking.bradley_terry_se for ranking in rankings])


@dataclass
class ProductBatch:
    """One batch of `n` essays under a simulated judge.

    `has_degrees` says that outcomes beyond 1 are degrees. The last essays are anchors with these
    grades of the scale, if there are any. With `ranker` the judge is asked for lists of `list_size`
    essays and pairs beside them: it is the same judge, who ranks.
    """

    n: int
    judge: Judge
    seed: int
    config: BatchConfig = field(default_factory=BatchConfig)
    has_degrees: bool = False
    anchor_grades: tuple[str, ...] = ()
    scale: GradeScale | None = None
    ranker: LogisticJudge | None = None
    list_size: int = 2

    def run(self) -> list[Look]:
        """Judge wave after wave until the product's decision ends the batch."""
        self._spec = BatchSpec.from_essays(
            [self._essay(row) for row in range(self.n)],
            instructions=JudgeInstructions(),
            grade_scale=self.scale,
            judges=self._judges,
        )
        self._rng = np.random.default_rng([self.seed, 77])
        self.comparisons: list[Comparison] = []
        comparisons = self.comparisons
        looks: list[Look] = []
        while not looks or looks[-1].decision.decision is DecisionKind.REQUEST_MORE_COMPARISONS:
            wave_number = len(looks) + 1
            planned = self._plan(comparisons, wave_number, looks[-1] if looks else None)
            comparisons += self._judge(planned, wave_number)
            looks.append(self._score(comparisons, wave_number, looks[-1] if looks else None))
        return looks

    def conclude(self) -> Conclusion:
        """The last fit with grades, after `run`."""
        return _STATISTICS.conclude(self._spec, self.comparisons, config=self.config)

    def _essay(self, row: int) -> Essay:
        first_anchor = self.n - len(self.anchor_grades)
        essay_id = f"e{row:04d}"
        if row < first_anchor:
            return Essay(essay_id=essay_id, kind=EssayKind.STUDENT, text_sha256=str(row))
        return Essay(
            essay_id=essay_id,
            kind=EssayKind.ANCHOR,
            text_sha256=str(row),
            anchor_ref=essay_id,
            grade=self.anchor_grades[row - first_anchor],
        )

    @property
    def _judges(self) -> tuple[JudgeSpec, ...]:
        return (JudgeSpec(list_size=self.list_size if self.ranker else 2),)

    @property
    def n_readings(self) -> int:
        """How many essays were read, each as often as it is in a comparison."""
        return count_readings(self.comparisons)

    def _plan(
        self, comparisons: list[Comparison], wave_number: int, previous_look: Look | None
    ) -> list[PlannedPair | PlannedList]:
        room = count_room(comparisons, config=self.config, n_essays=self.n)
        judges_in_lists = JudgesInLists.from_context(
            previous_look.context if previous_look else None, self._judges
        )
        outline = outline_wave(
            self._judges,
            wave_number=wave_number,
            n_essays=self.n,
            config=self.config,
            n_readings=room,
            judges_in_lists=judges_in_lists,
            mode=BatchingMode.PER_REQUEST,
        )
        if not outline.sizes:
            return []
        planned = _STATISTICS.plan(
            self._spec,
            comparisons,
            config=self.config,
            seed=self.seed,
            outline=outline,
        )
        passes = self.config.small_net_resampling_cap
        return planned or choose_repeats(comparisons, passes=passes, n_readings=sum(outline.sizes))

    def _judge(
        self, planned: list[PlannedPair | PlannedList], wave_number: int
    ) -> list[Comparison]:
        """The comparisons with their verdicts: the pairs are drawn first, then the lists."""
        shown = [np.array([int(essay[1:]) for essay in each.essay_ids]) for each in planned]
        pairs = np.array([essays for essays in shown if len(essays) == PAIR], dtype=np.int64)
        outcomes = iter(
            self.judge.judge(pairs[:, 0], pairs[:, 1], self._rng).tolist() if len(pairs) else []
        )
        return [
            Comparison.from_plan(
                each, comparison_id=f"w{wave_number:04d}-{row:05d}", wave_number=wave_number
            ).model_copy(
                update={
                    "status": ComparisonStatus.RECORDED,
                    "verdict": self._rank(essays)
                    if len(essays) > PAIR
                    else self._verdict(next(outcomes)),
                }
            )
            for row, (each, essays) in enumerate(zip(planned, shown, strict=True))
        ]

    def _rank(self, essays: np.ndarray) -> ListVerdict:
        if self.ranker is None:
            message = "lists were planned for a judge who ranks none"
            raise TypeError(message)
        ranked = self.ranker.rank(essays[None], self._rng)[0].tolist()
        return ListVerdict(ranking=tuple(f"e{row:04d}" for row in ranked), judge="simulated")

    def _verdict(self, outcome: int) -> Verdict:
        winner = Winner.TIE if outcome == 0 else Winner.FIRST if outcome > 0 else Winner.SECOND
        degree = _DEGREES[abs(outcome)] if self.has_degrees and outcome else None
        return Verdict(winner=winner, degree=degree, judge="simulated")

    def _score(
        self, comparisons: list[Comparison], wave_number: int, previous_look: Look | None
    ) -> Look:
        scores = _STATISTICS.score(self._spec, comparisons, config=self.config)
        batch = Batch(
            batch_id="simulated",
            status=BatchStatus.SCORING,
            correlation_id="simulated",
            config=self.config,
            config_sources={},
            judges=self._judges,
            seed=self.seed,
            request_sha256="",
            essays=self.n - len(self.anchor_grades),
            anchors=len(self.anchor_grades),
            wave=wave_number,
            created_at=_NOW,
            updated_at=_NOW,
        )
        previous = previous_look.recall() if previous_look else None
        part = AssessedPart(not_assessed=(), comparisons=comparisons, set_aside=[])
        context = build_context(batch, part, scores, previous, now=_NOW)
        return Look(scores, context, decide(context))
