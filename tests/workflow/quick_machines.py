"""moto's state machines with less work for the same executions (see tests/fakes/moto.py)."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

SHARE_OF_A_WAIT = 0.01
"""How much of the time before it tries again a state waits in the tests."""


@contextmanager
def quick_state_machines() -> Iterator[None]:
    """Let moto read each definition once, call all functions by one client, and wait less.

    How long a state waits before it tries again is read from the definition (test_graph.py).
    """
    # All workers of a parallel run import this file, and this takes seconds.
    from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
    from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
    from moto.stepfunctions.parser.asl.utils import boto_client
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend

    check = functools.cache(StepFunctionsParserBackend._validate_definition)
    parse = AmazonStateLanguageParser.parse

    @functools.cache
    def read_tree(definition: str) -> Any:
        return parse(definition)[1]

    def parse_once(definition: str) -> tuple[Any, Any]:
        """The definition's tree as it was read before, and a program of its own to run."""
        tree = read_tree(definition)
        return Preprocessor().visit(tree), tree

    make_client = boto_client.boto_client_for

    @functools.cache
    def client(region: str, service: str) -> Any:
        return make_client(region, service)

    def open_client(region: str, service: str, state_credentials: Any = None) -> Any:
        del state_credentials  # moto's does not look at them either
        return client(region, service)

    def wait(seconds: float) -> None:
        time.sleep(SHARE_OF_A_WAIT * seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StepFunctionsParserBackend, "_validate_definition", staticmethod(check))
        patch.setattr(AmazonStateLanguageParser, "parse", staticmethod(parse_once))
        patch.setattr(retrier_decl, "time", SimpleNamespace(sleep=wait))
        patch.setattr(lambda_eval_utils, "boto_client_for", open_client)
        yield
