"""The configuration: where each value comes from, its bounds, and who may set it."""

from __future__ import annotations

from typing import Any

import pytest

from assessment.domain.config import BatchConfig, Source, resolve_config
from assessment.domain.errors import InvalidRequestError, ManyInvalidFieldsError, NotPermittedError


def read_config(overrides: dict[str, Any], *, admin: bool = False) -> BatchConfig:
    return resolve_config([(Source.REQUEST, overrides)], is_admin=admin).config


def test_later_layers_win_and_every_source_is_known() -> None:
    resolved = resolve_config(
        [
            (Source.STACK, {"target_mean_se": "0.4", "max_waves": "9"}),
            (Source.ASSIGNMENT, {"max_waves": 8, "audit_share": 0.5}),
            (Source.REQUEST, {"audit_share": 0.3}),
        ]
    )
    assert (resolved.config.target_mean_se, resolved.config.max_waves) == (0.4, 8)
    assert resolved.config.audit_share == 0.3
    named = {"target_mean_se": Source.STACK, "max_waves": Source.ASSIGNMENT}
    named["audit_share"] = Source.REQUEST
    assert resolved.sources == {
        name: named.get(name, Source.DEFAULT) for name in BatchConfig.model_fields
    }


BOUNDS = [
    ("comparisons_per_essay_per_wave", 0, 21),
    ("audit_share", 0.0, 1.1),
    ("seed", -1, 2**32),
    ("retry_pool_threshold", 0, 1001),
    ("max_attempts", 0, 11),
    ("small_net_resampling_cap", -1, 11),
    ("max_pairwise_comparisons", 0, 200_001),
    ("max_comparisons_per_essay", 0, 501),
    ("max_waves", 0, 201),
    ("max_minutes", 0, 10_081),
    ("min_comparisons_per_essay", 0, 501),
    ("target_reliability", 0, 1),
    ("target_mean_se", 0, 1),
    ("min_reliability", -0.1, 1),
    ("score_stability_threshold", 0, 10.1),
    ("looks_to_hold", 0, 6),
    ("min_success_rate_threshold", -0.1, 1.1),
    ("partial_completion", -0.1, 1.1),
    ("wave_timeout_seconds", 4, 93_601),
    ("batch_timeout_hours", 0, 169),
    ("prior_sd", 0.09, 20.1),
    ("needs_more_evidence_below", -0.1, 1.1),
]


OPTIONAL = {"max_minutes", "prior_sd", "target_reliability", "target_mean_se"}


@pytest.mark.parametrize(("name", "low", "high"), BOUNDS)
def test_value_out_of_bounds_is_refused_by_name(name: str, low: float, high: float) -> None:
    for value in (low, high, "much", float("nan"), float("inf"), None if name != "seed" else ""):
        if value is None and name in OPTIONAL:
            continue
        with pytest.raises(ManyInvalidFieldsError) as refused:
            read_config({name: value}, admin=True)
        assert [field for field, _ in refused.value.problems] == [f"config.{name}"]


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_money_cap_must_be_a_finite_amount(value: float) -> None:
    # An infinite cap would be stored as null, which means: no cap at all.
    with pytest.raises(ManyInvalidFieldsError, match=r"config\.max_cost_usd"):
        read_config({"max_cost_usd": value}, admin=True)


@pytest.mark.parametrize("layer", list(Source)[1:])
def test_unknown_names_are_refused_in_every_layer(layer: Source) -> None:
    with pytest.raises(ManyInvalidFieldsError) as refused:
        resolve_config([(layer, {"max_wave": 3, "tarqet": 1})], is_admin=True)
    assert [field for field, _ in refused.value.problems] == ["config.max_wave", "config.tarqet"]
    assert "max_waves" in refused.value.problems[0][1]


def test_a_stored_configuration_of_an_earlier_version_is_still_read() -> None:
    stored = {"min_audit_pairs": 60, "conclusive_audit_pairs": 150, "max_waves": 3}
    assert BatchConfig.model_validate(stored) == BatchConfig(max_waves=3)
    with pytest.raises(ManyInvalidFieldsError):
        read_config({"min_audit_pairs": 60}, admin=True)


ADMIN_ONLY = {
    "looks_to_hold": (1, "1"),
    "min_success_rate_threshold": (0.1, "0.1"),
    "min_reliability": (0.01, "1e-2"),
    "batch_timeout_hours": (100, "100"),
    "prior_sd": (10, " 10 "),
}


@pytest.mark.parametrize("name", ADMIN_ONLY)
def test_admin_only_values(name: str) -> None:
    for value in ADMIN_ONLY[name]:
        with pytest.raises(NotPermittedError, match=rf"config\.{name}"):
            read_config({name: value})
        assert getattr(read_config({name: value}, admin=True), name) == float(value)
    unchanged = getattr(BatchConfig(), name)
    assert getattr(read_config({name: unchanged}), name) == unchanged


@pytest.mark.parametrize("name", ["max_pairwise_comparisons", "max_comparisons"])
@pytest.mark.parametrize("value", [5000, "5000", " 5000 ", 5000.0, "5000.0"])
def test_hard_cap_cannot_be_raised_in_any_spelling(name: str, value: Any) -> None:
    with pytest.raises(NotPermittedError, match=r"config\.max_pairwise_comparisons"):
        read_config({name: value})
    assert read_config({name: value}, admin=True).max_pairwise_comparisons == 5000


@pytest.mark.parametrize("order", [1, -1])
def test_hint_beside_the_name_it_stands_for_cannot_hide_a_raise(order: int) -> None:
    both = dict([("max_comparisons", 5000), ("max_pairwise_comparisons", 10)][::order])
    with pytest.raises(InvalidRequestError):
        read_config(both)


def test_hard_cap_may_be_lowered_by_anybody_relative_to_the_stack() -> None:
    stack = (Source.STACK, {"max_pairwise_comparisons": "200"})
    lowered = resolve_config([stack, (Source.REQUEST, {"max_comparisons": 150})])
    assert lowered.config.max_pairwise_comparisons == 150
    assert lowered.sources["max_pairwise_comparisons"] is Source.REQUEST
    with pytest.raises(NotPermittedError):
        resolve_config([stack, (Source.REQUEST, {"max_comparisons": 201})])


def test_stack_may_set_admin_values() -> None:
    resolved = resolve_config([(Source.STACK, {"batch_timeout_hours": "24", "prior_sd": "1.5"})])
    assert (resolved.config.batch_timeout_hours, resolved.config.prior_sd) == (24.0, 1.5)


def test_contradicting_bounds_name_both_settings() -> None:
    with pytest.raises(InvalidRequestError, match="max_comparisons_per_essay") as refused:
        read_config({"max_comparisons_per_essay": 4})
    assert refused.value.field == "config.min_comparisons_per_essay"


def test_stored_config_reads_back_the_same() -> None:
    config = read_config({"seed": 7, "max_cost_usd": 1.25, "max_minutes": 30}, admin=True)
    assert BatchConfig.model_validate_json(config.model_dump_json()) == config


def test_a_wave_may_not_wait_longer_than_an_idle_batch_lives():
    with pytest.raises(InvalidRequestError, match="wave_timeout_seconds"):
        resolve_config(
            [(Source.REQUEST, {"wave_timeout_seconds": 7200, "batch_timeout_hours": 1})],
            is_admin=True,
        )
