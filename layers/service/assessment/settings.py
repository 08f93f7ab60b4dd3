"""The environment of each function as a validated model, checked when a process starts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from assessment.domain.access import Issuer
from assessment.domain.errors import MissingSettingError
from assessment.domain.field_problems import IS_MISSING, list_problems
from assessment.domain.judge import BatchingMode
from assessment.domain.retention import DEFAULT_RETENTION_DAYS, MAX_RETENTION_DAYS

Required = Annotated[str, Field(min_length=1)]


def _split(names: str) -> tuple[str, ...]:
    """Names with spaces between, as one variable has them."""
    return tuple(names.split())


class Settings(BaseModel):
    """All variables that the stack sets.

    The model of a function declares those that it needs again, as required. What it does not
    declare again it must not use: `Adapters` refuses an empty one by its name.
    """

    model_config = ConfigDict(frozen=True)

    table_name: str = ""
    bucket_name: str = ""
    event_bus_name: str = ""
    state_machine_arn: str = ""
    judge_queue_url: str = ""
    callback_queue_url: str = ""
    erasure_queue_url: str = ""
    webhook_queue_url: str = ""
    webhook_dead_letter_queue_url: str = ""
    webhook_secret_prefix: str = ""
    webhook_loopback: bool = False
    """Whether webhooks may be on this machine: on the laptop cloud only."""
    judge_endpoint_url: str = ""
    judge_secret_prefix: str = ""
    bedrock_batch_role_arn: str = ""
    api_secret_arn: str = ""
    callback_secret_arn: str = ""
    invitation_secret_arn: str = ""
    api_url: str = ""
    oidc_issuer: str = ""
    laptop_cloud_url: str = ""
    """Empty on AWS; where a function in a container finds the laptop cloud."""


class PrepareBatchSettings(Settings):
    """Function prepare_batch."""

    table_name: Required
    bucket_name: Required


class PlanWaveSettings(PrepareBatchSettings):
    """Function plan_wave."""

    llm_batching_mode: BatchingMode


class ScoreBatchSettings(PrepareBatchSettings):
    """Function score_batch."""

    event_bus_name: Required


class FinaliseBatchSettings(ScoreBatchSettings):
    """Function finalise_batch."""


class FailBatchSettings(Settings):
    """Function fail_batch."""

    table_name: Required
    event_bus_name: Required


class EraseDataSettings(Settings):
    """Function erase_data."""

    table_name: Required
    bucket_name: Required
    state_machine_arn: Required
    erasure_queue_url: Required
    dead_letter_queue_urls: Annotated[tuple[str, ...], BeforeValidator(_split)]
    judge_endpoint_url: Required
    judge_secret_prefix: Required
    bedrock_batch_role_arn: Required


class SendWebhooksSettings(Settings):
    """Function send_webhooks."""

    table_name: Required
    webhook_queue_url: Required
    webhook_secret_prefix: Required


class WatchBatchesSettings(FailBatchSettings):
    """Function watch_batches."""

    bucket_name: Required
    erasure_queue_url: Required
    state_machine_arn: Required
    judge_queue_url: Required
    llm_batching_mode: BatchingMode


class RecordCallbackSettings(Settings):
    """Function record_callback."""

    table_name: Required
    bucket_name: Required
    callback_queue_url: Required
    state_machine_arn: Required


class SubmitWaveSettings(Settings):
    """Function submit_wave."""

    table_name: Required
    callback_queue_url: Required
    state_machine_arn: Required
    judge_queue_url: Required
    llm_batching_mode: BatchingMode


class CallJudgeSettings(Settings):
    """Function call_judge."""

    table_name: Required
    bucket_name: Required
    judge_queue_url: Required
    callback_queue_url: Required
    judge_endpoint_url: Required
    judge_secret_prefix: Required
    bedrock_batch_role_arn: Required
    api_url: Required
    llm_batching_mode: BatchingMode
    judge_max_receives: Annotated[int, Field(ge=1, le=100)]


class RequestSettings(Settings):
    """What accepting a request needs, over the API or from the event bus."""

    table_name: Required
    bucket_name: Required
    state_machine_arn: Required
    judge_secret_prefix: Required
    llm_batching_mode: BatchingMode
    max_pairwise_comparisons: int | None = None
    target_mean_se: float | None = None
    wave_timeout_seconds: int | None = None
    batch_timeout_hours: float | None = None
    retention_days: Annotated[int, Field(ge=0, le=MAX_RETENTION_DAYS)] = DEFAULT_RETENTION_DAYS
    max_batches_per_day: Annotated[int, Field(ge=0, le=100_000)] = 0
    max_usd_per_day: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)] = 0.0

    @property
    def batch_config(self) -> dict[str, Any]:
        """The values of a batch's configuration that the stack's parameters set."""
        return self.model_dump(
            include={
                "max_pairwise_comparisons",
                "target_mean_se",
                "wave_timeout_seconds",
                "batch_timeout_hours",
            },
            exclude_none=True,
        )


class AcceptRequestSettings(RequestSettings):
    """Function accept_request."""

    event_bus_name: Required


class HandleApiSettings(RequestSettings):
    """Function handle_api."""

    event_bus_name: Required
    callback_queue_url: Required
    callback_secret_arn: Required
    erasure_queue_url: Required
    invitation_secret_arn: Required
    webhook_queue_url: Required
    webhook_dead_letter_queue_url: Required
    webhook_secret_prefix: Required
    oidc_client_id: str = ""
    oidc_audience: str = ""
    oidc_scope: str = "openid"
    cors_origins: str = ""

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins whose pages may read the API's answers; none unless the stack names some."""
        return frozenset(filter(None, self.cors_origins.split(",")))

    @property
    def lets_people_sign_in(self) -> bool:
        """Whether the pages send people to the issuer: it has to know the pages as a client."""
        return bool(self.oidc_issuer and self.oidc_client_id)


class AuthorizeRequestSettings(Settings):
    """Function authorize_request."""

    api_secret_arn: Required
    invitation_secret_arn: Required
    max_token_hours: Annotated[float, Field(gt=0, le=720)] = 24.0
    oidc_audience: str = ""
    oidc_organisation_claim: str = ""
    oidc_roles_claim: str = "roles"
    oidc_role_prefix: str = ""

    @model_validator(mode="after")
    def _audience_of_issuer(self) -> Self:
        if self.oidc_issuer and not self.oidc_audience:
            message = "OIDC_ISSUER needs OIDC_AUDIENCE: a token for another service is not for us"
            raise ValueError(message)
        return self

    @property
    def issuer(self) -> Issuer:
        """The OIDC issuer whose tokens count instead of the stack's own."""
        return Issuer(
            url=self.oidc_issuer,
            audience=self.oidc_audience,
            organisation_claim=self.oidc_organisation_claim,
            roles_claim=self.oidc_roles_claim,
            role_prefix=self.oidc_role_prefix,
        )

    @property
    def max_token_life(self) -> timedelta:
        """The longest time from a token's issue to its expiry."""
        return timedelta(hours=self.max_token_hours)


def read_settings[S: Settings](model: type[S], environment: Mapping[str, str]) -> S:
    """The settings of a function, read from its environment; an empty variable counts as missing.

    Raises
    ------
    MissingSettingError
        Naming every variable that is missing or wrong, and the fix.
    """
    values = {
        name: environment[name.upper()]
        for name in model.model_fields
        if environment.get(name.upper())
    }
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(
            f"{name.upper()} {problem if problem == IS_MISSING else f'is wrong: {problem}'}"
            for name, problem in list_problems(error)
        )
        raise MissingSettingError(
            f"{problems}; set it under Environment.Variables of the function in template.yaml"
        ) from None
