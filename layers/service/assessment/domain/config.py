"""The configuration of a batch: every value bounded, named, and with a known source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)

from assessment.domain.errors import InvalidRequestError, ManyInvalidFieldsError, NotPermittedError
from assessment.domain.essay_flags import EssayFlag
from assessment.domain.field_problems import list_problems
from assessment.domain.grading import GradeRule
from assessment.domain.numbers import NOT_A_NUMBER, find_loose_numbers


class Source(StrEnum):
    """Where a value of the configuration came from; later ones win.

    History, what earlier batches measured, replaces only a default. A judge that needs more
    time than the stack allows for brings its own deadlines.
    """

    DEFAULT = "default"
    STACK = "stack"
    ASSIGNMENT = "assignment"
    REQUEST = "request"
    HISTORY = "history"
    JUDGE = "judge"


@dataclass(frozen=True)
class AdminOnly:
    """Marks a field that a request may set only with administrator rights."""


@dataclass(frozen=True)
class AdminAbove:
    """Marks a field that a request may lower, but raise only with administrator rights."""


MAX_WAVE_TIMEOUT_SECONDS = 26 * 3600
"""A provider's day, and two hours; where people judge, their deadline counts instead."""

Strategy = Literal[
    "adaptive", "nearest", "d_optimal", "optimal_matching", "anchor_first", "grades", "random"
]
STRATEGIES_WITH_ANCHORS = frozenset({"anchor_first", "grades"})


LIST_PAIR_SHARE = 0.05

_RETIRED = frozenset({"min_audit_pairs", "conclusive_audit_pairs"})


class BatchConfig(BaseModel):
    """What a batch may spend, when it may stop, and how it is scored.

    Field names in capitals are the names of the stack's environment variables.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Planning
    strategy: Strategy = "adaptive"
    comparisons_per_essay_per_wave: Annotated[int, Field(ge=1, le=20)] = 4
    audit_share: Annotated[float, Field(ge=0.05, le=1.0)] = 0.25
    # Share of a judge's readings that are in pairs beside its lists once it is known how sharp it
    # is in lists; before that it is that of `pair_shares`, or this if it is more. Left out at
    # its default, which nothing depends on without lists.
    list_pair_share: Annotated[
        float, Field(ge=0.02, le=0.9, exclude_if=lambda value: value == LIST_PAIR_SHARE)
    ] = LIST_PAIR_SHARE
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = None
    retry_pool_threshold: Annotated[int, Field(ge=1, le=1000)] = 20
    max_attempts: Annotated[int, Field(ge=1, le=10)] = 3
    small_net_resampling_cap: Annotated[int, Field(ge=0, le=10)] = 2

    # Caps
    max_pairwise_comparisons: Annotated[int, Field(ge=1, le=200_000), AdminAbove()] = 1000
    max_comparisons_per_essay: Annotated[int, Field(ge=1, le=500)] = 20
    # How often an essay may be read, in pairs and lists; without it as max_comparisons_per_essay.
    max_readings_per_essay: Annotated[
        Annotated[int, Field(ge=1, le=500)] | None, Field(exclude_if=lambda value: value is None)
    ] = None
    max_waves: Annotated[int, Field(ge=1, le=200)] = 20
    max_cost_usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    max_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60)] | None = None

    # Stopping
    min_comparisons_per_essay: Annotated[int, Field(ge=1, le=500)] = 6
    # Either target ends a batch early; none leaves it out. Standard errors and changes are in
    # standard deviations of the abilities: logits stretch when verdicts show less noise. .3 is a
    # reliability of about .91.
    target_reliability: Annotated[float, Field(gt=0, lt=1)] | None = 0.9
    target_mean_se: Annotated[float, Field(gt=0, le=0.99)] | None = 0.3
    score_stability_threshold: Annotated[float, Field(gt=0, le=10)] = 0.05
    min_comparisons_for_stability_check: Annotated[int, Field(ge=1)] = 30
    comparisons_per_stability_check_iteration: Annotated[int, Field(ge=1)] = 12
    looks_to_hold: Annotated[int, Field(ge=1, le=5), AdminOnly()] = 2
    min_success_rate_threshold: Annotated[float, Field(ge=0, le=1), AdminOnly()] = 0.8
    partial_completion: Annotated[float, Field(ge=0, le=1)] = 0.85
    # Below this lower limit of the reliability there are no grades and no early end.
    min_reliability: Annotated[float, Field(ge=0, lt=1), AdminOnly()] = 0.4

    # Essays
    min_essay_words: Annotated[int, Field(ge=1, le=10_000)] = 10
    essay_language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    exclude_flagged: Annotated[tuple[EssayFlag, ...], Field(max_length=len(EssayFlag))] = ()
    max_essay_failures: Annotated[int, Field(ge=2, le=20)] = 3

    # Deadlines
    finish_by: AwareDatetime | None = None
    # Until when people may judge. A wave that waits for them waits so long.
    judging_deadline: AwareDatetime | None = None
    wave_timeout_seconds: Annotated[int, Field(ge=5, le=MAX_WAVE_TIMEOUT_SECONDS)] = 3600
    batch_timeout_hours: Annotated[float, Field(gt=0, le=168), AdminOnly()] = 4.0

    # Statistics
    # The spread of abilities is estimated under a log-normal prior unless prior_sd assumes one.
    prior_sd: Annotated[Annotated[float, Field(ge=0.1, le=20)] | None, AdminOnly()] = None
    prior_sd_median: Annotated[float, Field(ge=0.1, le=20), AdminOnly()] = 1.2
    prior_sd_log_sd: Annotated[float, Field(ge=0.05, le=2), AdminOnly()] = 1.2
    grade_method: Literal["gls", "isotonic", "medians"] = "gls"
    grade_rule: GradeRule = GradeRule.MEDIAN
    needs_more_evidence_below: Annotated[float, Field(ge=0, le=1)] = 0.35

    # Release
    # Two people who agree decide on each grade, and neither sees what the other decided.
    two_assessors: StrictBool = False

    @model_validator(mode="before")
    @classmethod
    def _drop_retired(cls, values: Any) -> Any:
        """Read what earlier versions stored; in a request these names are refused before."""
        if not isinstance(values, Mapping):
            return values
        return {name: value for name, value in values.items() if name not in _RETIRED}


_SECONDS_PER_HOUR = 3600

HINTS = {"max_comparisons": "max_pairwise_comparisons"}
"""Names that upstream systems send for our own."""


@dataclass(frozen=True)
class ResolvedConfig:
    """A batch's configuration with the source of every value."""

    config: BatchConfig
    sources: dict[str, Source]


def _has_marker(name: str, marker: type) -> bool:
    return any(isinstance(entry, marker) for entry in BatchConfig.model_fields[name].metadata)


def replace_hints(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The values under our own names, where upstream systems call them by others.

    Raises
    ------
    InvalidRequestError
        If both names of one value are given.
    """
    twice = [hint for hint, name in HINTS.items() if hint in overrides and name in overrides]
    if twice:
        raise InvalidRequestError(
            f"means the same as {HINTS[twice[0]]}; give one of them", field=f"config.{twice[0]}"
        )
    return {HINTS.get(name, name): value for name, value in overrides.items()}


def _check_names(overrides: Mapping[str, Any]) -> None:
    settings = BatchConfig.model_fields
    problems = [
        (f"config.{name}", f"there is no such setting; known are {', '.join(sorted(settings))}")
        for name in overrides
        if name not in settings
    ]
    if problems:
        raise ManyInvalidFieldsError(problems)


def _check_numbers(overrides: Mapping[str, Any]) -> None:
    """Refuse truth values for numbers: Python takes them for 0 and 1."""
    problems = [
        (f"config.{name}", NOT_A_NUMBER) for name in find_loose_numbers(BatchConfig, overrides)
    ]
    if problems:
        raise ManyInvalidFieldsError(problems)


def _check_rights(names: Iterable[str], present: BatchConfig, changed: BatchConfig) -> None:
    for name in names:
        old, new = getattr(present, name), getattr(changed, name)
        raised = isinstance(new, int | float) and isinstance(old, int | float) and new > old
        if (_has_marker(name, AdminOnly) and new != old) or (
            _has_marker(name, AdminAbove) and raised
        ):
            raise NotPermittedError(
                f"only an administrator may set this to {new!r}", field=f"config.{name}"
            )


def _validate(values: Mapping[str, Any]) -> BatchConfig:
    try:
        return BatchConfig.model_validate(values)
    except ValidationError as error:
        raise ManyInvalidFieldsError(list_problems(error, prefix="config")) from error


def resolve_config(
    layers: Sequence[tuple[Source, Mapping[str, Any]]], *, is_admin: bool = False
) -> ResolvedConfig:
    """The configuration that results when each layer overrides those before it.

    Raises
    ------
    ManyInvalidFieldsError
        If a layer has an unknown name or a value out of its bounds.
    NotPermittedError
        If the request sets what only an administrator may set.
    """
    values: dict[str, Any] = {}
    sources = dict.fromkeys(BatchConfig.model_fields, Source.DEFAULT)
    for source, overrides in layers:
        named = replace_hints(overrides)
        _check_names(named)
        before = _validate(values)
        values.update(named)
        if source is Source.REQUEST and not is_admin:
            _check_rights(named, before, _validate(values))
        if source is Source.REQUEST:
            _check_numbers(named)
        sources.update(dict.fromkeys(named, source))
    config = _validate(values)
    if config.min_comparisons_per_essay > config.max_comparisons_per_essay:
        raise InvalidRequestError(
            f"is {config.min_comparisons_per_essay}, above max_comparisons_per_essay "
            f"({config.max_comparisons_per_essay}); lower one or raise the other",
            field="config.min_comparisons_per_essay",
        )
    if config.wave_timeout_seconds > config.batch_timeout_hours * _SECONDS_PER_HOUR:
        # Who may choose how long a wave waits need not know, nor be allowed to set, what follows.
        if sources["batch_timeout_hours"] not in (Source.ASSIGNMENT, Source.REQUEST):
            update = {"batch_timeout_hours": _compute_idle_hours(config.wave_timeout_seconds)}
            sources["batch_timeout_hours"] = sources["wave_timeout_seconds"]
            return ResolvedConfig(config=config.model_copy(update=update), sources=sources)
        raise InvalidRequestError(
            f"is {config.wave_timeout_seconds}, longer than batch_timeout_hours "
            f"({config.batch_timeout_hours:g}) after which an idle batch is failed",
            field="config.wave_timeout_seconds",
        )
    return ResolvedConfig(config=config, sources=sources)


def _compute_idle_hours(wave_seconds: int) -> float:
    """How long a batch may be idle whose waves wait so long, with an hour to spare."""
    return wave_seconds / _SECONDS_PER_HOUR + 1


def extend_deadlines(resolved: ResolvedConfig, *, wave_seconds: int) -> ResolvedConfig:
    """The configuration with waves that wait at least so long, because a judge may take it.

    Raises
    ------
    InvalidRequestError
        If the assignment or the request asks for waves that end earlier: what the judge had not
        answered by then would be asked, and paid, again.
    """
    config, sources = resolved.config, dict(resolved.sources)
    if config.wave_timeout_seconds >= wave_seconds:
        return resolved
    if sources["wave_timeout_seconds"] in (Source.ASSIGNMENT, Source.REQUEST):
        raise InvalidRequestError(
            f"is {config.wave_timeout_seconds}, but a provider's batch may take 24 hours; give at "
            f"least {wave_seconds}, leave it out, or choose another judge.batching_mode",
            field="config.wave_timeout_seconds",
        )
    changes: dict[str, Any] = {"wave_timeout_seconds": wave_seconds}
    if config.batch_timeout_hours < _compute_idle_hours(wave_seconds):
        changes["batch_timeout_hours"] = _compute_idle_hours(wave_seconds)
    sources.update(dict.fromkeys(changes, Source.JUDGE))
    return ResolvedConfig(config=config.model_copy(update=changes), sources=sources)
