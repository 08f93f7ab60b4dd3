"""The pages about the table name the partitions that there are."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assessment.adapters.aws import keys

MOMENT = datetime(2026, 3, 2, tzinfo=UTC)
ARCHITECTURE = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text(encoding="utf-8")
LISTED = set(
    re.findall(r"^([A-Z_]+(?:#(?:<[^>]+>|[A-Z_]+))*) +[<A-Z]", str(keys.__doc__), re.MULTILINE)
)


def make_argument(parameter: inspect.Parameter) -> Any:
    kinds = {"int": 7, "datetime": MOMENT}
    return kinds.get(str(parameter.annotation), "x")


def list_partitions() -> set[str]:
    """The partitions of all keys, without their ids."""
    makers = [
        function
        for _, function in inspect.getmembers(keys, inspect.isfunction)
        if function.__module__ == keys.__name__
        and inspect.signature(function).return_annotation == "Key"
    ]
    made = [
        function(*map(make_argument, inspect.signature(function).parameters.values()))
        for function in makers
    ]
    return {strip_ids(key["PK"]) for key in made}


def strip_ids(partition: str) -> str:
    """The words of a partition that are the same in all of its kind."""
    return "#".join(word for word in partition.split("#") if re.fullmatch("[A-Z_]+", word))


def test_the_module_lists_every_partition() -> None:
    assert {strip_ids(partition) for partition in LISTED} == list_partitions()


@pytest.mark.parametrize("partition", sorted(LISTED))
def test_the_architecture_names_the_partition(partition: str) -> None:
    rows = [row for row in ARCHITECTURE.splitlines() if f"`{partition}`" in row]
    assert rows
    if partition.startswith(keys.SHARED):
        assert any(row.endswith("* |") for row in rows)
