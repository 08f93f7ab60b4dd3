"""The account in which a batch runs: its settings, its clock, and calls without threads."""

from __future__ import annotations

import copy
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, Self
from unittest import mock

from samcli.yamlhelper import yaml_parse

from assessment import bootstrap
from assessment.domain.judge import Provider
from assessment.domain.provider_batch import LEAST_COMPARISONS
from assessment.observability import logger, metrics
from tests.faults.services import Clock
from tests.workflow.declared import (
    ACCOUNT,
    ARN,
    QUEUES,
    REGION,
    ROOT,
    STACK_NAME,
    UNWORKED_QUEUES,
    environment,
)

RESOURCES = {
    "AssessmentTable": "AssessmentTable",
    "ContentBucket": "content-bucket",
    **{queue: f"https://sqs.test/{queue}" for queue in (*QUEUES, *UNWORKED_QUEUES)},
    "AssessmentEventBus": f"{STACK_NAME}-events",
    "AssessmentStateMachine": f"arn:aws:states:{ARN}:stateMachine:{STACK_NAME}-assessment",
    "JudgeEndpointUrl": "http://judge.test",
}

FUNCTIONS = (
    "handle_api", "prepare_batch", "plan_wave", "submit_wave", "call_judge", "record_callback",
    "score_batch", "finalise_batch", "fail_batch", "watch_batches",
)  # fmt: skip


@cache
def parse_template() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


def forget_process() -> None:
    bootstrap.process.cache_clear()
    bootstrap.event_loop.cache_clear()


_fits: dict[str, Any] = {}


def compute_once(method: Any) -> Any:
    """The statistics are a pure function of their arguments: equal ones are fitted once."""

    def compute(self: Any, *arguments: Any, **options: Any) -> Any:
        key = f"{method.__name__} {arguments!r} {options!r}"
        if key not in _fits:
            _fits[key] = method(self, *arguments, **options)
        return copy.deepcopy(_fits[key])

    return compute


class ClockDatetime(datetime):
    clock: Clock

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return cls.clock.now


class InlineExecutor:
    """An executor without threads: the calls of a run have the same order each time."""

    def __init__(self, *_: Any) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Any, values: Any) -> Iterator[Any]:
        return iter([work(value) for value in values])


async def call_inline(work: Any, /, *arguments: Any, **options: Any) -> Any:
    return work(*arguments, **options)


@contextmanager
def simulated_account() -> Iterator[None]:
    """The environment of the functions, for as many journeys as one likes."""
    aws = {
        "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }  # fmt: skip
    variables = environment(parse_template(), RESOURCES)
    with (
        mock.patch.dict(os.environ, {**aws, **variables, "AWS_ACCOUNT_ID": ACCOUNT}),
        # A class of three would never have the hundred comparisons that Bedrock wants.
        mock.patch.dict(LEAST_COMPARISONS, {Provider.BEDROCK: 2}),
        mock.patch.object(metrics.provider, "namespace", "CJAssessment"),
    ):
        os.environ.pop("AWS_ENDPOINT_URL", None)
        level = logger.log_level
        logger.setLevel("CRITICAL")
        for function in FUNCTIONS:
            importlib.import_module(f"functions.{function}.app")
        yield
        logger.setLevel(level)
