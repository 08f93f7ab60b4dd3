"""Whole batches in lists, by the real use cases and statistics; judge and essays are simulated."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from assessment.domain.batch import BatchStatus
from assessment.domain.comparison import Comparison, ComparisonStatus
from assessment.domain.decision import Reason
from assessment.domain.document_keys import result_key
from tests.fakes.judges import Habits
from tests.fakes.loop import Loop
from tests.fakes.world import World

SETTINGS = {"wave_timeout_seconds": 600, "retry_pool_threshold": 5}


def run(
    habits: Habits, *, essays: int, list_size: int = 5, seed: int = 3, **config: Any
) -> tuple[list[Comparison], Any, dict[str, Any]]:
    """Play a batch to its end: its comparisons, how it ended, and its result."""
    world = World(habits=habits, seed=seed)
    judge = {"provider": "callback_endpoint", "list_size": list_size}
    batch_id = world.request(essays, judge=judge, config=SETTINGS | config).batch_id
    outcome = Loop(world, 0).run(batch_id)
    document = world.content.get_document(result_key(batch_id))
    return world.list_comparisons(batch_id), outcome.batch, json.loads(document) if document else {}


def test_a_class_in_lists_ends_early_and_says_what_was_read() -> None:
    known, batch, result = run(Habits(), essays=30, target_mean_se=0.45)
    assert batch.status is BatchStatus.COMPLETED
    assert batch.decision.reason in (Reason.SE_TARGET_MET, Reason.RELIABILITY_TARGET_MET)
    n_lists = sum(c.is_list for c in known)
    readings = sum(len(c.essay_ids) for c in known)
    assert result["readings"] == {
        "lists": n_lists,
        "pairs": len(known) - n_lists,
        "readings": readings,
        "readings_with_verdict": readings,
    }
    counts = [ranking["comparison_count"] for ranking in result["rankings"]]
    assert sum(counts) == readings
    assert max(counts) - min(counts) <= 1
    assert result["audit"]["tested_pairs"] > 0
    assert result["judge_fit"][0]["verdicts"] == len(known)


def test_every_troubled_list_is_accounted_for() -> None:
    habits = Habits(malformed=0.15, duplicating=0.2, error_callback=0.15)
    known, batch, result = run(habits, essays=12, list_size=4, max_attempts=2)
    assert batch.status is BatchStatus.COMPLETED
    failed = [
        c
        for c in known
        if c.is_list and c.has_failed_for_good(max_attempts=2) and c.submitted_wave < batch.wave
    ]
    assert failed
    for comparison in failed:
        pairs = [c.essay_ids for c in known if c.failed_list_id == comparison.comparison_id]
        assert [one for one, _ in pairs] == list(comparison.essay_ids)
        assert {other for _, other in pairs} == set(comparison.essay_ids)
    assert all(c.status is not ComparisonStatus.PENDING for c in known)
    assert len(result["rankings"]) == 12


def test_failed_lists_of_a_judge_who_answers_none_are_not_paid_for_again() -> None:
    known, batch, result = run(Habits(fails_lists=True), essays=30, max_attempts=9)
    assert batch.status is BatchStatus.COMPLETED
    lists = [c for c in known if c.is_list]
    assert len(lists) >= 10
    # Ten attempts show it; that takes two waves here.
    assert max(c.submitted_wave for c in lists) == 2 < batch.wave
    assert {c.failed_list_id for c in known} - {None} == {c.comparison_id for c in lists}
    assert len(result["rankings"]) == 30


def test_an_essay_that_no_judge_takes_is_set_aside_and_costs_no_other_its_grade() -> None:
    habits = Habits(declines=frozenset({"essay-03"}))
    known, batch, result = run(habits, essays=9, list_size=4)
    assert batch.status is BatchStatus.COMPLETED
    assert [entry["essay_id"] for entry in result["not_assessed"]] == ["essay-03"]
    assert len(result["rankings"]) == 8
    assert any(c.failed_list_id for c in known)
    counts = Counter(essay for c in known for essay in c.essay_ids)
    # The ring of pairs for a failed list reads its essays twice more.
    assert max(counts.values()) <= batch.config.max_comparisons_per_essay + 2


@pytest.mark.parametrize("essays", [2, 3, 4])
def test_classes_smaller_than_a_list_end(essays: int) -> None:
    known, batch, result = run(Habits(), essays=essays)
    assert batch.decision.reason is Reason.SMALL_NET_SATURATED
    assert {len(c.essay_ids) for c in known} <= {2, essays}
    # Repeats show every essay of a list at another place.
    lists = [c.essay_ids for c in known if c.is_list]
    assert len(set(lists)) == len(lists)
    assert len(result["rankings"]) == essays


def test_caps_hold_in_readings() -> None:
    known, batch, _ = run(
        Habits(sharpness=0.5), essays=20, max_readings_per_essay=3, target_mean_se=0.05,
        target_reliability=None,
    )  # fmt: skip
    assert batch.decision.reason is Reason.BUDGET_EXHAUSTED
    assert "readings of essays" in batch.decision.explanation
    assert 55 <= sum(len(c.essay_ids) for c in known) <= 60
