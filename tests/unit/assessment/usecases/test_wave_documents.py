"""Lists that grow with a batch are documents; the wave's item only names them."""

from __future__ import annotations

from typing import get_origin

from assessment.domain.comparison import PlannedPair
from assessment.domain.not_assessed import NotAssessed, NotAssessedReason
from assessment.domain.wave import Wave
from assessment.usecases.wave_documents import (
    WavePlan,
    load_not_assessed,
    load_plan,
    load_unjudged,
    store_not_assessed,
    store_plan,
    store_unjudged,
)
from tests.fakes.content import InMemoryContentStore

N_RETRIED = 40_000
IDS = tuple(f"w001-{number:05d}" for number in range(N_RETRIED))
SET_ASIDE = tuple(
    NotAssessed(essay_id=f"essay-{number}", reason=NotAssessedReason.DECLINED, detail="declined")
    for number in range(5_000)
)


def test_a_waves_item_holds_nothing_that_grows() -> None:
    collections = {
        name
        for name, field in Wave.model_fields.items()
        if get_origin(field.annotation) in (list, tuple, set, frozenset, dict)
    }
    assert collections == set()


def test_a_wave_with_tens_of_thousands_of_retried_and_unjudged_comparisons_is_stored() -> None:
    content = InMemoryContentStore()
    plan = WavePlan((PlannedPair(first="a", second="b", predicted=0.1 + 0.2),), IDS)
    wave = Wave(
        wave=2,
        plan_key=store_plan("b", 2, plan, content=content),
        new_pairs=1,
        n_retried=len(plan.retried),
        unjudged_key=store_unjudged("b", 2, IDS, content=content),
        not_assessed_key=store_not_assessed("b", 2, SET_ASIDE, content=content),
    )
    assert len(wave.model_dump_json()) < 1_000
    assert wave.n_planned == N_RETRIED + 1
    assert load_plan(wave, content=content) == plan
    assert load_unjudged(wave, content=content) == set(IDS)
    assert load_not_assessed(wave, content=content) == SET_ASIDE


def test_two_runs_of_a_step_do_not_overwrite_each_other() -> None:
    content = InMemoryContentStore()
    keys = {store_unjudged("b", 1, ids, content=content) for ids in (IDS[:2], IDS[:3], IDS[:2])}
    assert len(keys) == 2
    plans = {store_plan("b", 1, WavePlan(retried=ids), content=content) for ids in (IDS[:2], IDS)}
    assert len(plans) == 2


def test_nothing_is_stored_for_an_empty_list() -> None:
    content = InMemoryContentStore()
    assert store_plan("b", 1, WavePlan(), content=content) is None
    assert store_unjudged("b", 1, [], content=content) is None
    assert store_not_assessed("b", 1, [], content=content) is None
    assert content.written == []
    assert load_plan(Wave(wave=1), content=content) == WavePlan()
    assert load_unjudged(Wave(wave=1), content=content) == frozenset()
    assert load_not_assessed(Wave(wave=1), content=content) == ()
