"""Notebooks run from top to bottom; links of the pages that lead out of the docs are checked."""

import importlib.util
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from local.check_wheels import ROOT, read_quickstart

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def test_there_are_the_two_notebooks():
    assert [path.stem for path in NOTEBOOKS] == ["analyse-a-result", "plan-a-study"]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_of_a_notebook_runs(path):
    cells = json.loads(path.read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] for cell in cells if "print(" in "".join(cell["source"]))
    ended = subprocess.run(
        [sys.executable, "-c", "\n".join(code)],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def hooks():
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "mkdocs_hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def render(hooks, markdown):
    page = SimpleNamespace(file=SimpleNamespace(src_uri="statistics.md"))
    config = SimpleNamespace(docs_dir=str(ROOT / "docs"))
    return hooks.on_page_markdown(markdown, page=page, config=config)


def test_links_to_files_of_the_repository_become_paths(hooks):
    assert render(hooks, "see [results](results.md#grades)") == "see [results](results.md#grades)"
    assert render(hooks, "the [README](../README.md)") == "the README (`README.md`)"


def test_a_link_that_leads_nowhere_is_refused(hooks):
    from mkdocs.exceptions import PluginError

    with pytest.raises(PluginError, match=r"there is no \.\./missing\.py"):
        render(hooks, "[code](../missing.py)")


def test_every_link_that_leads_out_of_the_docs_leads_somewhere(hooks):
    for path in (ROOT / "docs").glob("*.md"):
        page = SimpleNamespace(file=SimpleNamespace(src_uri=path.name))
        hooks.on_page_markdown(
            path.read_text(), page=page, config=SimpleNamespace(docs_dir=str(ROOT / "docs"))
        )


def test_a_notebook_becomes_a_page_with_what_it_printed(hooks):
    page = hooks.write_page(json.loads(NOTEBOOKS[0].read_text()))
    assert page.startswith("# Analyse a result")
    assert "```text" in page
    assert "a baseline, not an assessment" in page


def test_the_first_page_shows_the_quickstart_of_the_readme():
    quickstart = read_quickstart((ROOT / "README.md").read_text()).split("print(")[0]
    assert quickstart in (ROOT / "docs" / "index.md").read_text()
