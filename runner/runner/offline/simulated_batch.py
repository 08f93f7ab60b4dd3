"""A simulated batch through the product's own planning, scoring, decisions and grading.

Nothing is stored and nobody is asked, so a study of many batches is a matter of seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from assessment.domain.batch import Batch, BatchStatus, budget, compute_wave_size
from assessment.domain.comparison import Comparison, ComparisonStatus, PlannedPair
from assessment.domain.config import BatchConfig
from assessment.domain.continuation import PreviousLook, build_context
from assessment.domain.decision import ContinuationContext, Decision, DecisionKind, decide
from assessment.domain.essay import Essay, EssayKind
from assessment.domain.grade_scale import GradeScale
from assessment.domain.judge import JudgeSpec
from assessment.domain.not_assessed import AssessedPart
from assessment.domain.planning import choose_repeats
from assessment.domain.prompt import JudgeInstructions
from assessment.domain.readings import PAIR
from assessment.domain.result import Conclusion, Scores
from assessment.domain.spec import BatchSpec
from assessment.domain.verdict import Degree, Verdict, Winner
from assessment.statistics.engine import ScoringStatistics

if TYPE_CHECKING:
    from scoring.simulate import Judge

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
        """Comparisons per essay."""
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
    grades of the scale, if there are any.
    """

    n: int
    judge: Judge
    seed: int
    config: BatchConfig = field(default_factory=BatchConfig)
    has_degrees: bool = False
    anchor_grades: tuple[str, ...] = ()
    scale: GradeScale | None = None

    def run(self) -> list[Look]:
        """Judge wave after wave until the product's decision ends the batch."""
        self._spec = BatchSpec.from_essays(
            [self._essay(row) for row in range(self.n)],
            instructions=JudgeInstructions(),
            grade_scale=self.scale,
            judges=(JudgeSpec(),),
        )
        self._rng = np.random.default_rng([self.seed, 77])
        self.comparisons: list[Comparison] = []
        comparisons = self.comparisons
        looks: list[Look] = []
        while not looks or looks[-1].decision.decision is DecisionKind.REQUEST_MORE_COMPARISONS:
            wave_number = len(looks) + 1
            pairs = self._plan(comparisons, wave_number)
            comparisons += self._judge_pairs(pairs, wave_number)
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

    def _plan(self, comparisons: list[Comparison], wave_number: int) -> list[PlannedPair]:
        room = max(0, budget(self.config, self.n) - len(comparisons))
        size = min(compute_wave_size(self.config, self.n), room)
        if size == 0:
            return []
        planned = _STATISTICS.plan(
            self._spec,
            comparisons,
            config=self.config,
            seed=self.seed,
            wave_number=wave_number,
            sizes=[PAIR] * size,
        )
        passes = self.config.small_net_resampling_cap
        planned = planned or choose_repeats(comparisons, passes=passes, n_readings=PAIR * size)
        return [each for each in planned if isinstance(each, PlannedPair)]

    def _judge_pairs(self, pairs: list[PlannedPair], wave_number: int) -> list[Comparison]:
        first = np.array([int(pair.first[1:]) for pair in pairs], dtype=np.int64)
        second = np.array([int(pair.second[1:]) for pair in pairs], dtype=np.int64)
        outcomes = self.judge.judge(first, second, self._rng).tolist() if pairs else []
        return [
            Comparison(
                comparison_id=f"w{wave_number:04d}-{row:05d}",
                wave=wave_number,
                submitted_wave=wave_number,
                **pair.model_dump(),
                status=ComparisonStatus.RECORDED,
                verdict=self._verdict(outcome),
            )
            for row, (pair, outcome) in enumerate(zip(pairs, outcomes, strict=True))
        ]

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
