"""The environment of a function as a validated model: a missing variable fails by its name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assessment.domain.config import BatchConfig


class Settings(BaseModel):
    """What the stack tells its functions; each function reads only what it needs."""

    model_config = ConfigDict(frozen=True)

    table_name: str = ""
    bucket_name: str = ""
    event_bus_name: str = ""
    state_machine_arn: str = ""
    judge_queue_url: str = ""
    callback_queue_url: str = ""
    judge_endpoint_url: str = ""
    judge_max_receives: Annotated[int, Field(ge=1, le=100)] = 5
    judge_secret_prefix: str = "judge/"  # noqa: S105 - where keys are, not a key
    llm_batching_mode: Literal["per_request", "serial_bundle", "provider_batch_api"] = (
        "serial_bundle"
    )
    bedrock_batch_role_arn: str = ""
    api_secret_arn: str = ""
    callback_secret_arn: str = ""
    api_url: str = ""
    laptop_cloud_url: str = ""


class MissingSettingError(RuntimeError):
    """The function's environment lacks a variable or has a wrong one."""


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings that an environment holds.

    Raises
    ------
    MissingSettingError
        Naming the variables that are missing or wrong.
    """
    values = {
        name: environment[name.upper()]
        for name in Settings.model_fields
        if environment.get(name.upper())
    }
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        names = ", ".join(str(e["loc"][0]).upper() for e in error.errors())
        message = f"set the environment variables {names} in template.yaml"
        raise MissingSettingError(message) from error


@cache
def settings() -> Settings:
    """The settings of this process."""
    return settings_from(os.environ)


def stack_defaults(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Configuration values that the stack sets, by the upper-case names of `BatchConfig`."""
    source = os.environ if environment is None else environment
    return {
        name: source[name.upper()] for name in BatchConfig.model_fields if source.get(name.upper())
    }
