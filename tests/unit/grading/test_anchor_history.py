"""What batches leave to later ones: pooling, drift, the pinned prior, and what stays untouched."""

from __future__ import annotations

import json

import numpy as np
import pytest

from assessment.domain.config import BatchConfig, Source
from assessment.domain.document_keys import result_key
from assessment.domain.grading_history import (
    LEAST_SPREAD_DOUBT,
    AnchorHistory,
    AnchorMeasurement,
    BatchMeasurement,
    PooledSpread,
    pool_spread,
)
from assessment.statistics.anchors import link_to_history, measure_anchors, pool_history
from assessment.statistics.pool import JudgedPool
from scoring.linking import USUAL_DRIFT
from tests.fakes.judges import make_text
from tests.fakes.loop import Loop
from tests.fakes.world import World, make_essays, spread
from tests.present import present

from .batch import SCALE, STATISTICS, judge_essays, make_spec, place_anchors

GRADES = [grade for grade in SCALE.grades for _ in range(2)]
CONFIG = BatchConfig()


def batch(name, values, *, variance=0.04, shown=2.0):
    return BatchMeasurement(
        spec_hash=name,
        measured_at=name,
        judges=["simulated"],
        spread=shown,
        spread_log_se=0.1,
        anchors=[
            AnchorMeasurement(essay_id=f"a{k}", ability=value, variance=variance)
            for k, value in enumerate(values)
        ],
    )


def simulate_batch(seed, *, drift=0.0):
    """A simulated batch of 40 students and the anchors' true abilities in it."""
    spec = make_spec(40, GRADES)
    rng = np.random.default_rng([seed, 11])
    ability = {f"essay-{k:04d}": float(x) for k, x in enumerate(rng.normal(0, 2, 40))}
    for k, (_, true) in enumerate(place_anchors(GRADES)):
        ability[f"ANCHOR_a{k:03d}_00000000"] = true + drift * float(rng.normal())
    return spec, ability, judge_essays(spec, ability, per_essay=12, seed=seed)


def measure_history(seed, *, drift=0.0):
    spec, _, comparisons = simulate_batch(seed, drift=drift)
    found = measure_anchors(
        JudgedPool.from_comparisons(spec, comparisons), {}, measured_at=f"{seed:03d}"
    )
    return present(found).model_copy(update={"spec_hash": str(seed)})


def test_batches_on_different_scales_are_brought_together():
    values = np.array([-2.0, 0.0, 0.5, 1.5])
    history = AnchorHistory(batches=[batch("a", values), batch("b", values + 3.0)])
    pooled = present(pool_history(history))
    assert [pooled.anchors[f"a{k}"].ability for k in range(4)] == pytest.approx(
        list(values - values.mean())
    )
    assert pooled.drift_sd < USUAL_DRIFT


def test_one_batch_is_no_history():
    assert pool_history(AnchorHistory(batches=[batch("a", [0.0, 1.0])])) is None


def test_drift_is_found():
    rng = np.random.default_rng(1)
    true = rng.normal(0, 2, 30)
    found = [
        present(
            pool_history(
                AnchorHistory(
                    batches=[
                        batch(str(b), true + rng.normal(0, drift, 30) + rng.normal(0, 0.2, 30))
                        for b in range(6)
                    ]
                )
            )
        ).drift_sd
        for drift in (0.0, 0.8)
    ]
    assert found[0] < 0.15
    assert found[1] == pytest.approx(0.8, abs=0.12)


def test_history_sharpens_the_anchors():
    """Simulated: root mean square error of the anchors with and without three earlier batches."""
    history = AnchorHistory(batches=[measure_history(seed) for seed in range(3)])
    plain: list[float] = []
    sharp: list[float] = []
    claimed: list[float] = []
    for seed in range(50, 56):
        spec, ability, comparisons = simulate_batch(seed)
        spec = spec.model_copy(update={"anchor_history": history})
        pool = JudgedPool.from_comparisons(spec, comparisons)
        fitted = pool.fit(CONFIG)
        link = link_to_history(pool, fitted)
        rows = pool.anchors()[0]
        truth = np.array([ability[essay.essay_id] for essay in spec.anchors])
        for estimate, errors in ((fitted.ability, plain), (link.ability, sharp)):
            error = estimate[rows] - truth
            errors.append(np.mean((error - error.mean()) ** 2))
        centred = np.eye(len(rows)) - 1 / len(rows)
        claimed.append(np.trace(centred @ link.covariance[np.ix_(rows, rows)]) / len(rows))
    assert np.mean(sharp) < 0.75 * np.mean(plain)
    assert 0.5 < np.mean(sharp) / np.mean(claimed) < 1.8, "the claimed variance is about right"


def test_ranking_and_abilities_stay_those_of_the_batch():
    spec, _, comparisons = simulate_batch(60)
    history = AnchorHistory(batches=[measure_history(seed) for seed in range(3)])
    alone = STATISTICS.conclude(spec, comparisons, config=CONFIG)
    spec = spec.model_copy(update={"anchor_history": history})
    together = STATISTICS.conclude(spec, comparisons, config=CONFIG)
    assert together.scores.rankings == alone.scores.rankings
    info = present(together.projections.calibration_info)
    report = present(info.history)
    assert report.batches == 3
    assert len(report.anchors) == len(GRADES)
    assert np.mean(list(info.boundary_se.values())) < np.mean(
        list(present(alone.projections.calibration_info).boundary_se.values())
    )


def test_an_anchor_that_moved_is_named():
    spec, ability, _ = simulate_batch(61)
    history = AnchorHistory(batches=[measure_history(seed) for seed in range(4)])
    ability["ANCHOR_a005_00000000"] += 4.0
    comparisons = judge_essays(spec, ability, per_essay=24, seed=61)
    spec = spec.model_copy(update={"anchor_history": history})
    projections = STATISTICS.conclude(spec, comparisons, config=CONFIG).projections
    info = present(projections.calibration_info)
    drifted = [f.anchors for f in info.findings if f.code == "anchor_drifted"]
    assert ["ANCHOR_a005_00000000"] in drifted


def test_other_judges_history_is_left_alone():
    spec, _, comparisons = simulate_batch(62)
    foreign = [measure_history(s).model_copy(update={"judges": ["other"]}) for s in range(3)]
    spec = spec.model_copy(update={"anchor_history": AnchorHistory(batches=foreign)})
    projections = STATISTICS.conclude(spec, comparisons, config=CONFIG).projections
    info = present(projections.calibration_info)
    assert info.history is None


@pytest.mark.parametrize("true", [1.2, 2.0])
def test_the_prior_moves_toward_the_spread_that_batches_show(true):
    history = AnchorHistory(batches=[batch(str(b), [0, 1], shown=true) for b in range(8)])
    default = PooledSpread(median=2.0, log_sd=1.0)
    pooled = present(pool_spread(history, default))
    assert true <= pooled.median <= 2.0
    assert abs(pooled.median - true) < 0.15
    assert LEAST_SPREAD_DOUBT <= pooled.log_sd < 0.25
    assert pool_spread(AnchorHistory(batches=history.batches[:2]), default) is None


@pytest.mark.parametrize("true", [0.8, 4.0])
def test_the_history_measures_a_spread_that_no_batch_expected(true):
    """Simulated: the measured spread is not pulled to the prior, 1.8, by batches of 24 essays."""
    logs = []
    for seed in range(6):
        rng = np.random.default_rng([seed, 19])
        spec = make_spec(24, GRADES)
        ability = {
            essay.essay_id: float(x)
            for essay, x in zip(spec.essays, rng.normal(0, true, len(spec.essays)), strict=True)
        }
        comparisons = judge_essays(spec, ability, per_essay=10, seed=seed)
        pool = JudgedPool.from_comparisons(spec, comparisons)
        measured_batch = measure_anchors(pool, {}, measured_at="")
        logs.append(np.log(present(measured_batch).spread))
    assert np.exp(np.mean(logs)) == pytest.approx(true, rel=0.2)


def test_the_shown_spread_is_that_of_the_students():
    assert np.mean([measure_history(seed).spread for seed in range(5)]) == pytest.approx(
        2.0, abs=0.3
    )


def request_batch(world, seed):
    batch_id = world.request(make_essays(spread(20, seed=seed)), assignment_id="unit").batch_id
    run = Loop(world).run(batch_id)
    assert run.batch.status == "COMPLETED", run.decisions
    return run.batch


@pytest.mark.slow
def test_batches_through_the_loop_leave_and_take_history():
    world = World(seed=5)
    qualities = {"F": -3.5, "E": -2.0, "D": -0.5, "C": 1.0, "B": 2.0, "A": 3.5}
    world.register(
        assignment_id="unit",
        anchors=[
            {"anchor_ref": grade, "grade": grade, "text": make_text(quality, f"anchor-{grade}")}
            for grade, quality in qualities.items()
        ],
    )
    first, *_, last = [request_batch(world, seed) for seed in range(1, 5)]
    (known,) = world.assignments.measurements.values()
    assert len(known) == 4
    assert first.config_sources["prior_sd_median"] is Source.DEFAULT
    assert last.config_sources["prior_sd_median"] is Source.HISTORY
    assert last.config_sources["prior_sd_log_sd"] is Source.HISTORY
    documents = [json.loads(world.content.documents[result_key(b.batch_id)]) for b in (first, last)]
    histories = [d["grade_projections"]["calibration_info"]["history"] for d in documents]
    assert histories[0] is None
    assert histories[1]["batches"] == 3
    before = world.content.documents[result_key(first.batch_id)]
    world.finalise(first.batch_id)
    assert world.content.documents[result_key(first.batch_id)] == before
    assert len(known) == 4
