"""Simulated batches for the grading tests: real statistics, a simulated judge, known truth."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from assessment.domain.comparison import Comparison, ComparisonStatus
from assessment.domain.config import BatchConfig
from assessment.domain.essay import Essay, EssayKind
from assessment.domain.grade_scale import GradeScale, find_scale
from assessment.domain.grading_prior import PopulationPrior
from assessment.domain.identifiers import comparison_id
from assessment.domain.judge import JudgeSpec
from assessment.domain.prompt import JudgeInstructions
from assessment.domain.result import Conclusion
from assessment.domain.spec import BatchSpec
from assessment.domain.verdict import Degree, Verdict, Winner
from assessment.statistics.engine import ScoringStatistics

SCALE = find_scale(None)
WIDTH = 1.0
STATISTICS = ScoringStatistics()


def centre(position: int, scale: GradeScale = SCALE) -> float:
    """The true ability in the middle of a grade, logits."""
    return (position - (len(scale.grades) - 1) / 2) * WIDTH


def place_anchors(grades: Sequence[str], scale: GradeScale = SCALE) -> list[tuple[str, float]]:
    """Anchors in the middle of their grades."""
    return [(grade, centre(scale.position(grade), scale)) for grade in grades]


def make_spec(
    n_students: int,
    grades: Sequence[str],
    *,
    scale: GradeScale | None = SCALE,
    population: PopulationPrior | None = None,
) -> BatchSpec:
    students = [
        Essay(essay_id=f"essay-{k:04d}", kind=EssayKind.STUDENT, text_sha256=f"{k:064x}")
        for k in range(n_students)
    ]
    anchors = [
        Essay(
            essay_id=f"ANCHOR_a{k:03d}_00000000",
            kind=EssayKind.ANCHOR,
            text_sha256=f"{10_000 + k:064x}",
            anchor_ref=f"a{k:03d}",
            grade=grade,
        )
        for k, grade in enumerate(grades)
    ]
    return BatchSpec.from_essays(
        students + anchors,
        instructions=JudgeInstructions(),
        grade_scale=scale,
        population=population,
        judges=(JudgeSpec(),),
    )


def judge_essays(
    spec: BatchSpec, ability: dict[str, float], *, per_essay: int, seed: int = 1
) -> list[Comparison]:
    """Comparisons in random rounds by a logistic judge with degrees."""
    rng = np.random.default_rng(seed)
    ids = [essay.essay_id for essay in spec.essays]
    found: list[Comparison] = []
    for wave in range(1, per_essay + 1):
        order = rng.permutation(len(ids))
        for position, row in enumerate(range(0, len(order) - 1, 2)):
            first, second = ids[order[row]], ids[order[row + 1]]
            margin = ability[first] - ability[second] + rng.logistic()
            found.append(
                Comparison(
                    comparison_id=comparison_id(wave, position),
                    wave=wave,
                    first=first,
                    second=second,
                    audit=True,
                    submitted_wave=wave,
                    status=ComparisonStatus.RECORDED,
                    verdict=Verdict(
                        winner=Winner.FIRST if margin > 0 else Winner.SECOND,
                        degree=(Degree.SLIGHT, Degree.CLEAR, Degree.DECISIVE)[
                            int(abs(margin) > 1) + int(abs(margin) > 2.5)
                        ],
                        judge="simulated",
                    ),
                )
            )
    return found


@cache
def _conclude(
    anchors: tuple[tuple[str, float], ...],
    n_students: int,
    per_essay: int,
    seed: int,
    scale: GradeScale | None,
    population: str | None,
    config: str,
) -> Conclusion:
    spec = make_spec(
        n_students,
        [grade for grade, _ in anchors],
        scale=scale,
        population=PopulationPrior.model_validate_json(population) if population else None,
    )
    rng = np.random.default_rng([seed, 7])
    ability = {f"essay-{k:04d}": float(rng.normal(0, 2)) for k in range(n_students)}
    ability |= {f"ANCHOR_a{k:03d}_00000000": true for k, (_, true) in enumerate(anchors)}
    comparisons = judge_essays(spec, ability, per_essay=per_essay, seed=seed)
    return STATISTICS.conclude(spec, comparisons, config=BatchConfig.model_validate_json(config))


def conclude_batch(
    anchors: Sequence[tuple[str, float]],
    *,
    n_students: int = 40,
    per_essay: int = 16,
    seed: int = 1,
    scale: GradeScale | None = SCALE,
    population: PopulationPrior | None = None,
    **config: Any,
) -> Conclusion:
    """A batch of students N(0, 2) and of anchors with a label and a true ability.

    The same batch is concluded once for all tests, which only read it.
    """
    return _conclude(
        tuple(anchors),
        n_students,
        per_essay,
        seed,
        scale,
        population.model_dump_json() if population else None,
        BatchConfig(**config).model_dump_json(),
    )
