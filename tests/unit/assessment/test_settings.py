"""Settings: what a function cannot do without is named when it starts, not when it fails."""

from __future__ import annotations

import inspect

import pytest

from assessment import settings
from assessment.bootstrap import Clients, Composition
from assessment.domain.errors import MissingSettingError
from assessment.domain.judge import BatchingMode
from assessment.settings import (
    AcceptRequestSettings,
    CallJudgeSettings,
    PrepareBatchSettings,
    Settings,
    read_settings,
)

MODELS = [
    model
    for _, model in inspect.getmembers(settings, inspect.isclass)
    if issubclass(model, Settings) and model is not Settings
]
VALUES = {"JUDGE_MAX_RECEIVES": "5", "LLM_BATCHING_MODE": "serial_bundle"}


def list_required(model: type[Settings]) -> list[str]:
    return [name.upper() for name, field in model.model_fields.items() if field.is_required()]


def complete(model: type[Settings]) -> dict[str, str]:
    return {name: VALUES.get(name, "value") for name in list_required(model)}


@pytest.mark.parametrize("model", MODELS)
def test_a_complete_environment_is_accepted_and_every_gap_is_named(model: type[Settings]) -> None:
    environment = complete(model)
    assert environment
    read_settings(model, environment)
    for name in environment:
        for gap in ({}, {name: ""}):
            lacking = {key: value for key, value in environment.items() if key != name} | gap
            with pytest.raises(MissingSettingError, match=f"^{name} is missing; .*template.yaml"):
                read_settings(model, lacking)


def test_all_gaps_are_named_at_once() -> None:
    with pytest.raises(MissingSettingError, match="TABLE_NAME is missing; BUCKET_NAME is missing"):
        read_settings(PrepareBatchSettings, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [("JUDGE_MAX_RECEIVES", "many"), ("JUDGE_MAX_RECEIVES", "0"), ("LLM_BATCHING_MODE", "fast")],
)
def test_a_wrong_value_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(MissingSettingError, match=f"^{name} is wrong: ") as refused:
        read_settings(CallJudgeSettings, complete(CallJudgeSettings) | {name: value})
    assert value not in str(refused.value).split(";")[0].removeprefix(name)


def test_only_the_stacks_parameters_set_a_batchs_configuration() -> None:
    environment = complete(AcceptRequestSettings) | {
        "MAX_PAIRWISE_COMPARISONS": "500",
        "TARGET_MEAN_SE": "0.5",
        "SEED": "1",
        "STRATEGY": "random",
        "PRIOR_SD": "1",
    }
    read = read_settings(AcceptRequestSettings, environment)
    assert read.batch_config == {"max_pairwise_comparisons": 500, "target_mean_se": 0.5}
    assert read.llm_batching_mode is BatchingMode.SERIAL_BUNDLE


def test_an_adapter_without_its_setting_says_which_model_lacks_it() -> None:
    adapters = Composition(
        read_settings(PrepareBatchSettings, complete(PrepareBatchSettings)), Clients()
    )
    with pytest.raises(MissingSettingError, match="PrepareBatchSettings does not declare judge_"):
        _ = adapters.judge_keys
