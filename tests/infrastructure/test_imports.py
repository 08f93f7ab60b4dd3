"""The import rule: mathematics knows no AWS, the domain no adapter, every ring looks inwards."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "layers" / "service" / "assessment"
SCORING = ROOT / "layers" / "scoring" / "scoring"
FUNCTIONS = ROOT / "functions"
STDLIB = set(sys.stdlib_module_names)
CALCULATING = {"plan_wave", "score_batch", "finalise_batch"}
STATISTICS = "assessment.statistics.engine"
CALCULATORS = {
    "statistics",
    "judged_pool",
    "grading",
    "conclusion",
    "anchor_linking",
}


def imported(path: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def top(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def files(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"{folder} has no code"
    return found


def outside(path: Path, packages: set[str]) -> set[str]:
    """Top-level packages that a file imports beside the stdlib and those allowed."""
    return {top(name) for name in imported(path)} - STDLIB - packages


@pytest.mark.parametrize("path", files(SCORING), ids=lambda p: p.stem)
def test_scoring_is_mathematics(path):
    assert outside(path, {"scoring", "numpy", "scipy", "choix"}) == set()


@pytest.mark.parametrize("path", files(SERVICE / "domain"), ids=lambda p: p.stem)
def test_the_domain_knows_the_stdlib_pydantic_and_itself(path):
    assert outside(path, {"assessment", "pydantic"}) == set()
    ours = {name for name in imported(path) if top(name) == "assessment"}
    assert all(within(name, "assessment.domain") or name == "assessment" for name in ours)


@pytest.mark.parametrize("path", files(SERVICE / "usecases"), ids=lambda p: p.stem)
def test_use_cases_know_the_domain_and_ports(path):
    assert outside(path, {"assessment", "pydantic"}) == set()
    assert not any(within(name, "assessment.adapters") for name in imported(path))


@pytest.mark.parametrize("path", files(SERVICE), ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_only_adapters_reach_out(path):
    outward = {top(name) for name in imported(path)} & {"boto3", "botocore", "httpx"}
    assert not outward or within_folder(path, SERVICE / "adapters")


@pytest.mark.parametrize("path", files(SERVICE), ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_only_the_statistics_adapter_imports_scoring(path):
    calculates = bool({top(name) for name in imported(path)} & {"scoring", "numpy", "scipy"})
    calculator = path.parent.name == "adapters" and path.stem in CALCULATORS
    assert not calculates or calculator
    if not calculator:
        drags_in = {f"assessment.adapters.{stem}" for stem in CALCULATORS}
        assert not any(within(name, module) for name in imported(path) for module in drags_in)


@pytest.mark.parametrize("path", sorted(FUNCTIONS.rglob("*.py")), ids=lambda p: p.parent.name)
def test_only_functions_with_the_scoring_layer_calculate(path):
    names = set(imported(path))
    assert not {top(name) for name in names} & {"scoring", "numpy", "scipy", "choix"}
    uses = any(within(name, STATISTICS) for name in names)
    assert uses is (path.parent.name in CALCULATING)


@pytest.mark.parametrize("path", sorted(FUNCTIONS.rglob("*.py")), ids=lambda p: p.parent.name)
def test_handlers_are_thin(path):
    assert path.name == "app.py", "a handler has no sibling modules"
    assert len(path.read_text().splitlines()) <= 100
    assert not {top(name) for name in imported(path)} & {"boto3", "botocore", "httpx", "os"}


def within_folder(path: Path, folder: Path) -> bool:
    return folder in path.parents
