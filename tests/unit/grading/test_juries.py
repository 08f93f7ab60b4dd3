"""Juries: judges of different sharpness in one fit, and what the result says of them."""

from __future__ import annotations

import numpy as np
import pytest

from assessment.domain.comparison import Comparison
from assessment.domain.config import BatchConfig
from assessment.domain.result import AbilityScale
from assessment.domain.wave_outline import WaveOutline
from assessment.statistics.engine import ScoringStatistics
from assessment.statistics.pool import JudgedPool, spread_prior
from scoring.batch_fit import fit_batch
from tests.unit.grading.batch import judge_essays, make_spec

CONFIG = BatchConfig()
SPEC = make_spec(24, [])


def jury(sharpness: dict[str, float], *, per_essay: int = 40) -> list[Comparison]:
    """Every judge sees the same simulated abilities through a scale of their own."""
    rng = np.random.default_rng(5)
    ability = {essay.essay_id: float(rng.normal(0.0, 1.5)) for essay in SPEC.essays}
    found: list[Comparison] = []
    for turn, (judge, factor) in enumerate(sharpness.items()):
        seen = {name: factor * value for name, value in ability.items()}
        for comparison in judge_essays(SPEC, seen, per_essay=per_essay, seed=turn):
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


def people_and_a_model(n_people_verdicts: int) -> list[Comparison]:
    """Verdicts of a model, some of them given by two people instead; simulated."""
    comparisons = jury({"a-model": 1.5}, per_essay=24)
    for index in range(n_people_verdicts):
        place = index * (len(comparisons) // n_people_verdicts)
        comparison = comparisons[place]
        assert comparison.verdict is not None
        verdict = comparison.verdict.model_copy(update={"judge": f"person/p{index % 2}"})
        comparisons[place] = comparison.model_copy(update={"verdict": verdict})
    return comparisons


def test_with_people_beside_a_model_the_result_is_on_their_scale_and_names_disagreements():
    comparisons = people_and_a_model(60)
    conclusion = ScoringStatistics().conclude(SPEC, comparisons, config=CONFIG)
    model, *people = conclusion.judges
    assert conclusion.scores.reliability.scale is AbilityScale.PEOPLE
    assert [judge.construct_gap for judge in people] == [None, None]
    gap = model.construct_gap
    assert gap is not None
    low, high = gap.tau_interval
    assert 0 < low < gap.tau < high
    sizes = [abs(one.shift) / one.standard_error for one in gap.disagreements]
    assert len(sizes) == 10
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("n_people_verdicts", [1, 10])
def test_with_few_verdicts_of_people_the_result_says_that_it_speaks_of_the_judges_only(
    n_people_verdicts,
):
    comparisons = people_and_a_model(n_people_verdicts)
    conclusion = ScoringStatistics().conclude(SPEC, comparisons, config=CONFIG)
    assert conclusion.scores.reliability.scale is AbilityScale.JUDGES
    assert all(judge.construct_gap is None for judge in conclusion.judges)


def test_people_alone_judge_on_their_own_scale():
    comparisons = jury({"person/a": 1.0, "person/b": 1.0}, per_essay=10)
    scores = ScoringStatistics().score(SPEC, comparisons, config=CONFIG)
    assert scores.reliability.scale is AbilityScale.PEOPLE


def test_pairs_of_a_judge_of_pairs_are_adaptive_also_beside_a_judge_of_lists():
    comparisons = jury({"only": 1.0}, per_essay=8)
    sizes = [4, 2, 4, 2, 2, 2, 2]
    plans = {
        pair_places: ScoringStatistics().plan(
            SPEC,
            comparisons,
            config=CONFIG,
            seed=1,
            outline=WaveOutline(wave_number=9, sizes=sizes, pair_places=pair_places),
        )
        for pair_places in (frozenset[int](), frozenset({1, 3, 4, 5}))
    }
    for plan in plans.values():
        assert [len(each.essay_ids) for each in plan] == sizes
    beside, mixed = plans.values()
    assert [each.audit for each in beside if len(each.essay_ids) == 2] == [True] * 5
    # A quarter of four is one; the pair beside the lists is random.
    assert sum(mixed[place].audit for place in (1, 3, 4, 5)) == 1
    assert mixed[6].audit
    met = [frozenset(each.essay_ids) for each in mixed if len(each.essay_ids) == 2]
    assert len(set(met)) == len(met)


@pytest.mark.parametrize("has_random_lists", [False, True])
def test_lists_are_random_at_request_and_pairs_of_a_judge_of_pairs_are_not(has_random_lists):
    comparisons = jury({"only": 1.0}, per_essay=8)
    plan = ScoringStatistics().plan(
        SPEC,
        comparisons,
        config=CONFIG,
        seed=1,
        outline=WaveOutline(
            wave_number=9,
            sizes=[4] * 4 + [2] * 4,
            pair_places=frozenset(range(4, 8)),
            has_random_lists=has_random_lists,
        ),
    )
    assert [len(each.essay_ids) for each in plan] == [4] * 4 + [2] * 4
    assert sum(each.audit for each in plan[:4]) == (4 if has_random_lists else 1)
    assert sum(each.audit for each in plan[4:]) == 1
