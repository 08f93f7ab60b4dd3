"""Counts begin with `n_` and wave numbers are `wave_number`, but where a name is in use already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import pytest
from pydantic import BaseModel

import assessment.contracts
import assessment.domain

# Limits, measures with their unit, and places in an order: whole numbers that count nothing.
NO_COUNT = re.compile(
    r"(max|min)_\w+|\w+_(seconds|days|tokens|size|version)|\w+_per_\w+|bytes_around_\w+"
    r"|attempt|confidence|number|quota|rank|seed|status|wave_number"
)

# docs/decisions/0049-names-of-stored-counts.md says why these keep their names.
KEPT = {
    "AbilityEstimate": "comparison_count",
    "AnchorHealth": "misorder",
    "AnchorHistoryReport": "batches",
    "AnchorsRegistered": "registered",
    "AuditReport": "pairs tested_pairs",
    "BaselineGrades": "anchors",
    "BaselineReport": "essays",
    "Batch": "anchors essays wave",
    "BatchConfig": "looks_to_hold retry_pool_threshold small_net_resampling_cap",
    "BatchProgress": "anchors essays readings",
    "BatchSummary": "anchors essays",
    "CalibrationCheck": "anchors",
    "Circuit": "failures openings",
    "CompareMetadata": "wave",
    "Comparison": "calls repeated_calls submitted_wave wave",
    "ComparisonLease": "wave",
    "ComparisonMetadata": "wave",
    "ComparisonTally": "failed pending planned recorded",
    "ContinuationContext": (
        "audit_pairs callbacks_at_last_look callbacks_received completion_denominator components "
        "failures isolated_essays looks_to_hold outstanding pairs_remaining pairs_submitted "
        "permanent_failures readings_budget reliability_target_held_before "
        "resampling_pass_count retryable_failures se_target_held_before successes tested_pairs "
        "wave waves_remaining waves_without_verdict"
    ),
    "ExportedComparison": "wave",
    "GroupDifference": "essays",
    "JudgeFit": "first_preferred ties verdicts",
    "JudgeGroupEffect": "verdicts",
    "JudgeRequestV1": "wave",
    "ListMetadata": "wave",
    "ListSharpness": "lists",
    "ProviderBatch": "looks size",
    "ProviderBatchV1": "look wave",
    "Ranking": "comparison_count",
    "ReadingTally": "lists pairs readings readings_with_verdict",
    "ResultDocument": "repeated_calls resampled_comparisons",
    "Scores": "components isolated_essays",
    "SetCalibration": "anchors anchors_held earlier_anchors",
    "SubmitStep": "wave",
    "SubmittedComparison": "wave",
    "WaitingComparison": "home_wave wave",
    "Wave": "new_pairs wave",
    "WaveDeadlineV1": "wave",
    "WaveProgress": "failed planned readings recorded wave",
    "WaveScore": "failed recorded",
    "WaveScored": "wave",
    "WaveStep": "wave",
    "WaveTally": "failed planned recorded",
}


def list_models() -> Iterator[type[BaseModel]]:
    for package in (assessment.domain, assessment.contracts):
        for info in walk_packages(package.__path__, f"{package.__name__}."):
            for model in vars(import_module(info.name)).values():
                is_model = isinstance(model, type) and issubclass(model, BaseModel)
                if is_model and model.__module__ == info.name:
                    yield model


MODELS = {model.__name__: model for model in list_models()}


def list_old_names(model: type[BaseModel]) -> set[str]:
    whole = {n for n, field in model.model_fields.items() if field.annotation in {int, int | None}}
    return {name for name in whole if not name.startswith("n_") and not NO_COUNT.fullmatch(name)}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_whole_number_says_by_its_name_what_it_counts(name: str) -> None:
    assert list_old_names(MODELS[name]) == set(KEPT.get(name, "").split())


def test_no_name_is_kept_for_a_field_that_is_gone() -> None:
    assert KEPT.keys() <= MODELS.keys()
