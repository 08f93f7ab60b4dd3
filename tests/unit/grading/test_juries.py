"""Juries: judges of different sharpness in one fit, and what the result says of them."""

from __future__ import annotations

import numpy as np
import pytest

from assessment.domain.comparison import Comparison
from assessment.domain.config import BatchConfig
from assessment.statistics.engine import ScoringStatistics
from assessment.statistics.pool import JudgedPool, spread_prior
from scoring.batch_fit import fit_batch
from tests.unit.grading.batch import judged, spec_of

CONFIG = BatchConfig()
SPEC = spec_of(24, [])


def jury(sharpness: dict[str, float], *, per_essay: int = 40) -> list[Comparison]:
    """Every judge sees the same simulated abilities through a scale of their own."""
    rng = np.random.default_rng(5)
    ability = {essay.essay_id: float(rng.normal(0.0, 1.5)) for essay in SPEC.essays}
    found: list[Comparison] = []
    for turn, (judge, factor) in enumerate(sharpness.items()):
        seen = {name: factor * value for name, value in ability.items()}
        for comparison in judged(SPEC, seen, per_essay=per_essay, seed=turn):
            assert comparison.verdict is not None
            verdict = comparison.verdict.model_copy(update={"judge": judge, "degree": None})
            name = f"w{turn + 1:03d}-{len(found):05d}"
            found.append(comparison.model_copy(update={"comparison_id": name, "verdict": verdict}))
    return found


def test_a_sharp_and_a_blunt_judge_are_told_apart_and_each_has_an_order_effect():
    comparisons = jury({"blunt": 0.5, "sharp": 2.0})
    conclusion = ScoringStatistics().conclude(SPEC, comparisons, config=CONFIG)
    blunt, sharp = conclusion.judges
    assert (blunt.judge, sharp.judge) == ("blunt", "sharp")
    assert blunt.discrimination < 1 < sharp.discrimination
    ratio = sharp.discrimination / blunt.discrimination
    assert ratio == pytest.approx(4.0, rel=0.35)
    assert 0 < sharp.discrimination_se < 0.5
    assert [effect.judge for effect in conclusion.scores.order_effects] == ["blunt", "sharp"]


def test_a_judge_alone_has_the_common_scale():
    comparisons = jury({"only": 1.0}, per_essay=8)
    (only,) = ScoringStatistics().conclude(SPEC, comparisons, config=CONFIG).judges
    assert (only.discrimination, only.discrimination_se) == (1.0, 0.0)


def test_a_wave_in_which_one_judge_of_a_jury_was_silent_is_fitted():
    comparisons = jury({"one": 1.0, "two": 1.0}, per_essay=4)
    pool = JudgedPool.from_comparisons(SPEC, comparisons)
    by_two = [c for c in comparisons if c.verdict and c.verdict.judge == "two"]
    fitted = fit_batch(pool.comparisons(by_two), prior_sd=spread_prior(CONFIG))
    assert np.isfinite(fitted.standard_error).all()
    assert fitted.discrimination.tolist() == [1.0, 1.0]
