"""Whole batches through the real use cases and statistics, for every kind of judge.

Judges and essays are simulated; the queues, the clock and the state machine are played in memory.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessment.domain.batch import FINAL_STATUSES, BatchStatus, Outcome, budget
from assessment.domain.decision import Reason
from assessment.domain.document_keys import result_key, spec_key, surface_key
from assessment.domain.verdict import Winner
from tests.examples import scale_examples
from tests.fakes.judges import Habits, make_text
from tests.fakes.loop import Loop, Run
from tests.fakes.world import World, make_essays

JUDGES = {
    "good": Habits(),
    "failing": Habits(unavailable=1.0),
    "refusing": Habits(refusing=1.0),
    "silent": Habits(silent=1.0),
    "half silent": Habits(silent=0.5),
    "duplicating": Habits(duplicating=1.0),
    "contradictory": Habits(contradictory=1.0),
    "late": Habits(late=0.5),
    "always late": Habits(late=1.0),
    "unreadable": Habits(malformed=1.0),
    "coin": Habits(coin=True),
    "tying": Habits(tying=1.0),
    "mostly tying": Habits(tying=0.9),
    "at once": Habits(at_once=1.0),
    "errors": Habits(error_callback=0.3),
    "permanent errors": Habits(permanent_callback=0.1),
    "mixed": Habits(
        unavailable=0.1, error_callback=0.1, malformed=0.05, duplicating=0.2, contradictory=0.1,
        late=0.1, silent=0.05, at_once=0.3,
    ),
}  # fmt: skip
SETTINGS = {"wave_timeout_seconds": 600, "retry_pool_threshold": 5}


def run(
    habits: Habits, *, essays: int = 6, seed: int = 0, shuffle: int = 0, **config: Any
) -> tuple[World, Run]:
    world = World(habits=habits, seed=seed)
    batch_id = world.request(essays, config={**SETTINGS, **config}).batch_id
    loop = Loop(world, shuffle)
    outcome = loop.run(batch_id)
    ended = world.batches.get_batch(batch_id)
    loop.drain()
    # Whatever arrives after the end changes nothing about it.
    assert world.batches.get_batch(batch_id) == ended
    return world, outcome


def check(world: World, outcome: Run) -> None:
    """What must hold at the end of every batch."""
    batch = outcome.batch
    known = world.list_comparisons(batch.batch_id)
    tally = world.tally(batch.batch_id)
    assert batch.status in FINAL_STATUSES
    # None is lost: everything planned is recorded or failed, and nothing is still awaited.
    assert tally.planned == tally.recorded + tally.failed
    assert not any(world.comparisons.pending.values())
    # No cap was passed.
    assert tally.planned <= budget(batch.config, batch.n_essays)
    assert batch.wave <= batch.config.max_waves
    assert max((c.attempt for c in known), default=1) <= batch.config.max_attempts
    counts = Counter(essay for c in known for essay in (c.first, c.second))
    assert max(counts.values()) <= batch.config.max_comparisons_per_essay
    # None was paid twice: within an attempt the judge that took a question was not asked again.
    if not world.habits.unavailable:
        asked = Counter(world.judge.asked)
        assert all(asked[c.comparison_id] <= c.attempt for c in known)
    # One end, told once.
    events = world.events.by_type
    ends = [events.get(f"CJAssessment{end}.v1", []) for end in ("Completed", "Failed")]
    assert sorted(len(end) for end in ends) == [0, 1]
    assert world.batches.list_active_batches() == []
    assert outcome.dead_letters == []


@pytest.mark.parametrize("name", JUDGES)
def test_every_judge_comes_to_an_end(name: str) -> None:
    world, outcome = run(JUDGES[name])
    check(world, outcome)


EXPECTED = [
    ("failing", BatchStatus.FAILED, Reason.ZERO_SUCCESSES),
    ("refusing", BatchStatus.FAILED, Reason.JUDGE_REFUSED),
    ("silent", BatchStatus.FAILED, Reason.ZERO_SUCCESSES),
    ("unreadable", BatchStatus.FAILED, Reason.ZERO_SUCCESSES),
    ("tying", BatchStatus.FAILED, Reason.ALL_TIES),
    ("mostly tying", BatchStatus.COMPLETED, Reason.SMALL_NET_SATURATED),
    ("good", BatchStatus.COMPLETED, Reason.SMALL_NET_SATURATED),
    ("errors", BatchStatus.COMPLETED, Reason.SMALL_NET_SATURATED),
]


@pytest.mark.parametrize(("name", "status", "reason"), EXPECTED)
def test_how_it_ends(name: str, status: BatchStatus, reason: Reason) -> None:
    _, outcome = run(JUDGES[name], essays=5)
    assert outcome.batch.status is status
    assert outcome.decisions[-1].reason is reason


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_coin_is_never_published_as_proven(seed: int) -> None:
    for essays in (8, 20):
        world, ended = run(JUDGES["coin"], essays=essays, seed=seed)
        if ended.batch.outcome is Outcome.FAILED_BY_DECISION:
            assert ended.decisions[-1].reason is Reason.JUDGE_AT_CHANCE
            continue
        assert ended.batch.outcome is Outcome.COMPLETE_UNPROVEN
        result = json.loads(world.content.documents[result_key(ended.batch.batch_id)])
        assert not result["grade_projections"]["projections_available"]
        assert result["reliability"]["reliability_interval"][0] < 0.4
        assert any(note["code"] == "not_proven" for note in result["notes"])


def test_a_coin_is_refused_once_its_verdicts_speak_for_a_coin() -> None:
    world, ended = run(JUDGES["coin"], essays=60)
    assert ended.decisions[-1].reason is Reason.JUDGE_AT_CHANCE
    [*_, last] = world.events.by_type["CJWaveScored.v1"]
    assert last.data["reliability"] is None


def test_a_judge_that_calls_every_pair_a_tie_is_not_paid_to_the_cap() -> None:
    _, ended = run(JUDGES["tying"], essays=40)
    assert ended.decisions[-1].reason is Reason.ALL_TIES
    assert ended.batch.wave == 1
    failure = ended.batch.failure
    assert failure is not None
    assert "all 80 verdicts are ties" in failure.message
    assert "rubric" in failure.remedy


@pytest.mark.parametrize("essays", [2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_ties_among_few_verdicts_break_no_small_class(essays: int, seed: int) -> None:
    world, ended = run(Habits(tying=0.6), essays=essays, seed=seed)
    check(world, ended)
    all_tie = all(c.pair_verdict is None or c.pair_verdict.winner is Winner.TIE
                  for c in world.list_comparisons(ended.batch.batch_id))  # fmt: skip
    assert (ended.decisions[-1].reason is Reason.ALL_TIES) == all_tie
    assert (ended.batch.status is BatchStatus.FAILED) == all_tie


def test_a_silent_judge_ends_within_two_waves() -> None:
    world, outcome = run(JUDGES["silent"])
    assert outcome.closings == ["deadline", "deadline"]
    assert (world.now - outcome.batch.created_at).total_seconds() >= 1200


@pytest.mark.parametrize("name", ["duplicating", "at once"])
def test_habits_that_carry_no_news_change_no_result(name: str) -> None:
    reference, _ = run(JUDGES["good"], max_waves=2)
    world, outcome = run(JUDGES[name], max_waves=2, shuffle=7)
    batch_id = outcome.batch.batch_id
    assert [c.verdict for c in world.list_comparisons(batch_id)] == [
        c.verdict for c in reference.list_comparisons(batch_id)
    ]


@st.composite
def any_judge(draw: st.DrawFn) -> Habits:
    share = st.sampled_from([0.0, 0.0, 0.2, 0.6, 1.0])
    return Habits(
        silent=draw(share),
        unavailable=draw(st.sampled_from([0.0, 0.3, 1.0])),
        error_callback=draw(st.sampled_from([0.0, 0.3])),
        permanent_callback=draw(st.sampled_from([0.0, 0.1])),
        malformed=draw(st.sampled_from([0.0, 0.2])),
        duplicating=draw(share),
        contradictory=draw(share),
        late=draw(share),
        late_delay=draw(st.sampled_from([601.0, 1500.0, 20_000.0])),
        at_once=draw(share),
        coin=draw(st.booleans()),
        tying=draw(st.sampled_from([0.0, 0.0, 0.5, 1.0])),
    )


@given(
    habits=any_judge(),
    essays=st.integers(2, 9),
    seed=st.integers(0, 1000),
    shuffle=st.integers(0, 1000),
    config=st.fixed_dictionaries(
        {
            "max_waves": st.sampled_from([1, 2, 6]),
            "max_pairwise_comparisons": st.sampled_from([3, 10, 1000]),
            "max_comparisons_per_essay": st.sampled_from([3, 8, 20]),
            "min_comparisons_per_essay": st.just(1),
            "comparisons_per_essay_per_wave": st.sampled_from([1, 2, 4]),
            "small_net_resampling_cap": st.sampled_from([0, 1, 2]),
            "strategy": st.sampled_from(["adaptive", "nearest", "optimal_matching", "random"]),
        }
    ),
)
@settings(
    max_examples=scale_examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
def test_any_judge_under_any_caps(
    habits: Habits, essays: int, seed: int, shuffle: int, config: dict[str, Any]
) -> None:
    world, outcome = run(habits, essays=essays, seed=seed, shuffle=shuffle, **config)
    check(world, outcome)


@given(essays=st.integers(8, 14), seed=st.integers(0, 1000), waves=st.integers(1, 2))
@settings(max_examples=scale_examples(12))
def test_every_essay_is_asked_about_as_often_as_the_others(
    essays: int, seed: int, waves: int
) -> None:
    world = World(seed=seed)
    config = {**SETTINGS, "max_waves": waves, "comparisons_per_essay_per_wave": 2}
    batch_id = world.request(essays, config=config).batch_id
    Loop(world, seed).run(batch_id)
    counts = Counter(e for c in world.list_comparisons(batch_id) for e in (c.first, c.second))
    assert len(counts) == essays
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_money_cap_is_not_passed() -> None:
    world, outcome = run(Habits(cost_usd=1.0, error_callback=0.3), essays=12, max_cost_usd=60.0)
    spent = sum(
        c.verdict.cost_usd for c in world.list_comparisons(outcome.batch.batch_id) if c.verdict
    )
    assert outcome.decisions[-1].reason in {Reason.COST_CAP, Reason.SUCCESS_RATE}
    assert 20.0 < spent <= 60.0


def test_a_batch_cancelled_while_it_waits_ends_cancelled() -> None:
    world = World()
    batch_id = world.request(6, config=SETTINGS).batch_id
    submit = world.submit

    def submit_and_cancel(*args: Any, **kwargs: Any) -> None:
        submit(*args, **kwargs)
        world.cancel(batch_id)

    world.submit = submit_and_cancel  # type: ignore[method-assign]
    outcome = Loop(world).run(batch_id)
    assert outcome.batch.status is BatchStatus.CANCELLED
    assert outcome.batch.wave == 1
    assert "CJAssessmentCompleted.v1" not in world.events.by_type


def test_anchors_turn_abilities_into_grades() -> None:
    world = World()
    scale = ("F", "E", "D", "D+", "C", "C+", "B", "A")
    world.register(
        assignment_id="x",
        anchors=[
            {"anchor_ref": f"r{at}", "grade": grade, "text": make_text(at - 3.5, f"anchor {at}")}
            for at, grade in enumerate(scale)
        ],
    )
    essays = make_essays([-3.5, -1.5, 0.5, 3.5])
    config = {**SETTINGS, "max_comparisons_per_essay": 11}
    batch_id = world.request(essays, assignment_id="x", config=config).batch_id
    outcome = Loop(world).run(batch_id)
    check(world, outcome)
    result = json.loads(world.content.documents[result_key(batch_id)])
    projections = result["grade_projections"]
    assert projections["projections_available"]
    assert set(projections["primary_grades"]) == {essay["essay_id"] for essay in essays}
    for probabilities in projections["grade_probabilities"].values():
        assert tuple(sorted(probabilities, key=scale.index)) == scale
        assert sum(probabilities.values()) == pytest.approx(1.0)
    grades = [scale.index(projections["primary_grades"][e["essay_id"]]) for e in essays]
    assert grades[0] < grades[2] < grades[3]
    anchors = [entry for entry in result["rankings"] if entry["is_anchor"]]
    assert {entry["anchor_grade"] for entry in anchors} == set(scale)


def test_every_result_says_what_length_and_surface_alone_say() -> None:
    world = World()
    batch_id = world.request(
        make_essays([-3.0, -1.0, 0.0, 1.0, 2.0, 3.0]), config=SETTINGS
    ).batch_id
    check(world, Loop(world).run(batch_id))
    documents = world.content.documents
    baselines = json.loads(documents[result_key(batch_id)])["baselines"]
    assert baselines["essays"] == 6
    assert set(baselines) >= {"length", "surface", "findings", "caution"}
    assert len(json.loads(documents[surface_key(batch_id)])) == 6
    # Every call of a judge reads the specification: it has what verdicts depend on, and no more.
    assert "surface" not in documents[spec_key(batch_id)]


def test_groups_of_a_request_are_compared_in_its_result() -> None:
    world = World()
    essays = [
        essay | {"group": "first" if at < 6 else "second"}
        for at, essay in enumerate(make_essays([-3.0, -2.5, -2.0, -1.5, -1.0, -0.5] + [1.0] * 6))
    ]
    config = {**SETTINGS, "max_comparisons_per_essay": 10}
    batch_id = world.request(essays, config=config).batch_id
    check(world, Loop(world).run(batch_id))
    document = world.content.documents[result_key(batch_id)]
    first, second = json.loads(document)["groups"]["groups"]
    assert (first["group"], first["essays"]) == ("first", 6)
    assert first["interval"][1] < 0 < second["interval"][0]
