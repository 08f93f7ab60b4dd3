"""What import-linter cannot say: which libraries a ring may have, and how thin handlers are.

The arrows between packages are contracts in pyproject.toml, which `make lint` holds.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
HANDLERS = sorted((ROOT / "functions").rglob("*.py"))
STATISTICS = "assessment.statistics"
CALCULATING = {"plan_wave", "score_batch", "finalise_batch"}
OURS = {"assessment", "scoring"}


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*sorted(OURS), include_external_packages=True)


def libraries(imports: grimp.ImportGraph, package: str) -> set[str]:
    """Top-level packages, beside the standard library and ours, that a package imports."""
    modules = {package} | imports.find_descendants(package)
    assert len(modules) > 1, f"{package} has no code"
    imported = {name for m in modules for name in imports.find_modules_directly_imported_by(m)}
    return {name.split(".", maxsplit=1)[0] for name in imported} - sys.stdlib_module_names - OURS


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        # matplotlib is an extra, see below.
        ("scoring", {"numpy", "scipy", "choix", "rustworkx", "matplotlib"}),
        # Pure libraries that know how numbers are written; they read and write nothing.
        ("assessment.domain", {"pydantic", "personnummer", "phonenumbers", "stdnum"}),
        ("assessment.contracts", {"pydantic", "jwt", "rfc8785"}),
        ("assessment.ports", {"pydantic"}),
        ("assessment.usecases", {"pydantic"}),
        (STATISTICS, {"numpy", "scipy", "pydantic"}),
    ],
)
def test_a_ring_has_only_the_libraries_that_it_may_have(imports, package, allowed):
    assert libraries(imports, package) <= allowed


def test_only_the_plot_needs_matplotlib_and_only_when_it_is_drawn(imports):
    users = imports.find_modules_that_directly_import("matplotlib")
    assert users == {"scoring._fit.presentation"}
    code = "import sys, scoring; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def modules_imported(path: Path) -> set[str]:
    """Absolute names of the modules that a handler imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def top(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def handler_name(path: Path) -> str:
    return path.parent.name


@pytest.mark.parametrize("path", HANDLERS, ids=handler_name)
def test_only_functions_with_the_scoring_layer_calculate(imports, path):
    names = modules_imported(path)
    assert not {top(name) for name in names} & {"scoring", "numpy", "scipy", "choix", "rustworkx"}
    calculates = any(name == STATISTICS or name.startswith(f"{STATISTICS}.") for name in names)
    assert calculates is (handler_name(path) in CALCULATING)
    # Nor do the others reach the mathematics through a module that they import.
    modules = sorted(names & imports.modules)
    reached = {name for module in modules for name in imports.find_upstream_modules(module)}
    assert ("scoring" in {top(name) for name in reached}) is calculates


@pytest.mark.parametrize("path", HANDLERS, ids=handler_name)
def test_handlers_are_thin(path):
    assert path.name == "app.py", "a handler has no sibling modules"
    assert len(path.read_text().splitlines()) <= 100
    assert not {top(name) for name in modules_imported(path)} & {"boto3", "botocore", "httpx", "os"}


def test_no_module_of_the_product_imports_relatively():
    relative = [
        str(path.relative_to(ROOT))
        for package in ("layers/scoring/scoring", "layers/service/assessment", "runner/runner")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
