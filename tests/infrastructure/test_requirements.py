"""What is installed is pinned, hashed and free of addresses: each index is the installer's own."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement

from tests.infrastructure.parsed import ROOT

FOLDERS = ("requirements", "layers/scoring", "layers/service")
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).glob("*.txt"))
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def logical_lines(file):
    """Requirements with the lines that continue them."""
    return file.read_text().replace("\\\n", " ").splitlines()


@pytest.fixture(params=FILES, ids=lambda file: str(file.relative_to(ROOT)))
def lines(request):
    return logical_lines(request.param)


def test_every_requirement_is_one_version_with_hashes(lines):
    assert lines
    for line in lines:
        requirement, *hashes = re.split(r"\s+(?=--)", line.strip())
        pins = [pin.operator for pin in Requirement(requirement).specifier]
        assert pins == ["=="], line
        assert hashes, line
        assert all(HASH.fullmatch(each) for each in hashes), line


def test_no_requirement_names_an_address(lines):
    for line in lines:
        assert Requirement(line.split(" --")[0]).url is None
        assert "//" not in line


def test_every_file_is_compiled_by_the_makefile_and_installed_with_its_hashes(root):
    makefile = (root / "Makefile").read_text()
    compiled = re.findall(r"-o (\S+)$", makefile, re.MULTILINE)
    assert set(compiled) == {str(file.relative_to(root)) for file in FILES}
    installs = re.findall(r"(?:pip install|pip sync) .*", makefile)
    from_files = [line for line in installs if "-e ./" not in line]
    assert len(from_files) == 4
    assert all("--require-hashes" in line for line in from_files)
