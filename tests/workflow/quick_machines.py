"""moto's state machines with less work for the same executions (see tests/fakes/moto.py)."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.models import StepFunctionsParserBackend


@contextmanager
def quick_state_machines() -> Iterator[None]:
    """Let moto check each definition once, and call all functions by one client."""
    check = functools.cache(StepFunctionsParserBackend._validate_definition)
    make_client = boto_client.boto_client_for

    @functools.cache
    def client(region: str, service: str) -> Any:
        return make_client(region, service)

    def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        del state_credentials  # moto's does not look at them either
        return client(region, service)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StepFunctionsParserBackend, "_validate_definition", staticmethod(check))
        patch.setattr(lambda_eval_utils, "boto_client_for", client_for)
        yield
